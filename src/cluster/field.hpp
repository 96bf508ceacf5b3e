// What instances share: one value for each field of a member or balancer that operators changed,
// and who is there.
//
//   PREFIX/v1/changes/SCOPE/BALANCER/MEMBER/FIELD   {"value": "D", "configured": "", "who": ...}
//   PREFIX/v1/instances/ID                          {"name": "web1", "version": ..., "since": ...}
//
// Names are percent-encoded; "=" stands for the balancer itself in the place of a member. A field
// that is not there is as each instance's configuration has it; and so is one whose value is what
// was configured: somebody took a change back, and it tells who.
//
// Pure. docs/decisions/0016-more-than-one-machine.md
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace steelyard::cluster {

struct FieldKey {
  std::string scope;     // "main" or the virtual host, as operators name it
  std::string balancer;  // "balancer://app"
  std::string member;    // its name; empty: the balancer's own
  std::string field;     // a parameter, or "member": whether it was added or removed
  friend auto operator<=>(const FieldKey&, const FieldKey&) = default;
};

struct FieldValue {
  std::string value{};
  std::string configured{};  // what the configuration said where it was changed
  std::string who{}, from{}, reason{};
  std::int64_t at_us = 0;  // Unix time in microseconds, by the clock of that instance
  std::string instance{};  // its name
  std::string order{};     // an id; fields of one order were changed together
  friend bool operator==(const FieldValue&, const FieldValue&) = default;
};

struct Instance {
  std::string id{};  // of one run of the program
  std::string name{}, version{};
  std::int64_t since_us = 0;  // when it joined, Unix time in microseconds
  friend bool operator==(const Instance&, const Instance&) = default;
};

// The folders end in a slash.
[[nodiscard]] std::string root_of(std::string_view prefix);
[[nodiscard]] std::string changes_folder(std::string_view prefix);
[[nodiscard]] std::string instances_folder(std::string_view prefix);
// The first key behind all that begin with `folder`.
[[nodiscard]] std::string end_of(std::string folder);

[[nodiscard]] std::string key_text(std::string_view prefix, const FieldKey& key);
[[nodiscard]] std::string instance_key(std::string_view prefix, std::string_view id);
// Exactly what key_text() makes, `text` beginning behind changes_folder(). The error says what is
// wrong.
std::expected<FieldKey, std::string> read_key(std::string_view text);

[[nodiscard]] std::string value_text(const FieldValue& value);
std::expected<FieldValue, std::string> read_value(std::string_view text);
[[nodiscard]] std::string instance_text(const Instance& instance);
std::expected<Instance, std::string> read_instance(std::string_view id, std::string_view text);

}  // namespace steelyard::cluster
