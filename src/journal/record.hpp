// What the journal keeps of a change: who, when, from where, what was, what is, and why.
//
// Pure values.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "balance/edits.hpp"
#include "base/time.hpp"

namespace steelyard::journal {

// Longer ones are cut, between two characters.
inline constexpr std::size_t author_text_bytes_max = 1000;
// A change with a longer name or value is refused.
inline constexpr std::size_t value_bytes_max = 16 * 1024;

// What a balancer is known by, in any process that serves the same configuration.
struct BalancerKey {
  std::string scope;  // "main" or the virtual host, as manage/naming.hpp has it
  std::string name;   // "balancer://app"
  friend auto operator<=>(const BalancerKey&, const BalancerKey&) = default;
};

// The field of an operator's word about what was found out of a member (E and C): it was said, and
// it is in no overlay, because the next check or answer says something else.
inline constexpr std::string_view finding_field = "health";

using Overlays = std::map<BalancerKey, balance::Overlay>;

enum class Kind : std::uint8_t {
  change,        // an operator's
  undo,          // likewise, taking back the change `undoes`
  superseded,    // the configuration changed there and won
  brought_back,  // at a start, all changes of the balancer; `change` is empty
  forgotten,     // at a start without BalancerPersist
};
[[nodiscard]] std::string_view to_text(Kind kind);

struct Author {
  std::string who;     // "anna", "uid 0, pid 512"; empty: nobody said
  std::string from;    // "192.0.2.7", "control socket"
  std::string reason;  // in the operator's words; empty: none was given
  friend bool operator==(const Author&, const Author&) = default;
};

struct Record {
  Kind kind = Kind::change;
  Author author{};
  balance::Change change{};
  std::optional<std::int64_t> undoes{};  // an id
  friend bool operator==(const Record&, const Record&) = default;
};

// One row of the history. Ids grow by one from 1 and are never used again.
struct Kept {
  std::int64_t id = 0;
  std::int64_t request = 0;  // the first id of those that were made together
  WallTime when{};           // in whole microseconds
  BalancerKey balancer;
  Record record;
  friend bool operator==(const Kept&, const Kept&) = default;
};

}  // namespace steelyard::journal
