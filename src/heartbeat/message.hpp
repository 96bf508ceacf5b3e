// What a server says of its load, as text: a datagram of mod_heartbeat, the body of a POST.
//
//   v=1&ready=75&busy=0&port=8080      percent-encoded pairs; a name without a value means 1
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace steelyard::heartbeat {

// Longer ones are cut here, as in httpd.
inline constexpr std::size_t message_bytes_max = 1000;
inline constexpr std::uint16_t default_port = 80;

struct Message {
  int ready = 0;  // idle workers
  int busy = 0;
  std::uint16_t port = default_port;

  friend bool operator==(const Message&, const Message&) = default;
};

// The pairs of a text, decoded. Of equal names the last counts; case does not matter.
class Pairs {
 public:
  explicit Pairs(std::string_view text);
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

// Blanks, a sign, digits and nothing else; 0 for the empty text. No value outside 0 to 2^31-1.
std::optional<int> parse_count(std::string_view text);

enum class Origin : std::uint8_t {
  datagram,  // has to have a v=
  post,
};

struct Heard {
  Message message;
  std::vector<std::string> doubts;  // "Invalid ready value: 7x, using 0"
};

// The error is the name of what is missing: "v", "busy" or "ready".
std::expected<Heard, std::string_view> read_message(std::string_view text, Origin origin);

// What mod_heartbeat sends.
std::string write_message(int ready, int busy);

}  // namespace steelyard::heartbeat
