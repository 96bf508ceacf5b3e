// What a line on the control socket asks for: one JSON object, as
//
//   {"command": "drain", "balancer": "app", "member": "http://10.0.0.1:8080",
//    "deadline": "10min", "sessions": 0, "window": "5min", "kick": false}
//
// Times are numbers of seconds, or texts of a number and one unit. A key that a command does not
// have is a fault, so that a misspelt one never goes unnoticed.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/drain.hpp"
#include "balance/status.hpp"
#include "base/time.hpp"

namespace steelyard::manage {

// Longer ones are refused unread.
inline constexpr std::size_t control_line_bytes_max = 4096;
// Of waiting for a drain.
inline constexpr Duration wait_timeout_max = balance::drain_deadline_max;

struct ControlFault {
  enum class Kind : std::uint8_t {
    usage,    // the request says nothing sensible
    unknown,  // no such balancer or member, or several
    refused,  // it cannot be done now
  };
  Kind kind = Kind::usage;
  std::string text;
  std::vector<std::string> choices{};  // what could have been meant
};

struct DrainWish {
  std::optional<Duration> deadline{};  // from now
  std::optional<std::uint32_t> sessions_max{};
  std::optional<Duration> window{};
  bool kick = false;

  [[nodiscard]] balance::DrainOrder order(Instant now) const;
};

struct StatusWish {
  balance::Status set{}, clear{};
};

struct FieldWish {
  std::string field, value;  // as the configuration would say it

  friend bool operator==(const FieldWish&, const FieldWish&) = default;
};

struct ControlRequest {
  enum class Command : std::uint8_t {
    members,
    top,  // what members do
    drain,
    undrain,
    wait,
    set,  // status bits of a member, or fields of a member or balancer
    add,
    remove,
    history,  // of a member's health
    changes,  // by operators, of all time
    undo,
    export_text,
    generations,
    cluster,
  };

  Command command = Command::members;
  std::string balancer{};  // empty: all, where that makes sense
  std::string member{};    // empty: the balancer's own fields, for set alone
  DrainWish drain{};
  StatusWish change{};
  std::vector<FieldWish> fields{};
  std::optional<Duration> timeout{};      // of wait
  std::int64_t id = 0;                    // of undo
  std::optional<std::uint32_t> before{};  // of changes: those with lower numbers
  bool force = false;                     // of undo: also when it was changed again since
  std::string at{};                       // of export_text: as of then; empty: now
  std::string reason{};                   // for the journal
};

std::expected<ControlRequest, ControlFault> parse_request(std::string_view line);

// "+D-N" and the like: bits to set and to clear. An operator's are D S N H R I and C; E can only be
// cleared. The error says so.
std::expected<StatusWish, std::string> parse_status_wish(std::string_view text);

}  // namespace steelyard::manage
