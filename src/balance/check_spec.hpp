// How a member is checked in the background: the hc... parameters of httpd's mod_proxy_hcheck, and
// a few more that are opt-in (docs/extensions.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace steelyard::balance {

enum class CheckMethod : std::uint8_t {
  none,
  tcp,
  options,
  head,
  get,
  options11,
  head11,
  get11,
  cping,
};

struct CheckSpec {
  CheckMethod method = CheckMethod::none;
  std::chrono::milliseconds interval{30'000};  // from the end of one check to the next
  int passes = 1;                              // 0 acts like 1, as in httpd
  int fails = 1;
  std::string uri{};
  std::string expression{};  // hcexpr: the name of a ProxyHCExpr; empty: the status decides

  // Not in httpd.
  std::optional<std::chrono::milliseconds> timeout{};  // hctimeout: of a whole check
  std::string host{};                                  // hchost: the Host field
  std::optional<std::uint16_t> port{};                 // hcport: where to connect
  std::string sni{};                                   // hcsni: the host named in TLS
  std::chrono::milliseconds jitter{0};  // hcjitter: at most so much is added by chance
  std::optional<std::chrono::milliseconds> down_interval{};  // hcdowninterval: while E or C is set
  bool is_shared = false;  // hcshare: with all members that ask the same (health/question.hpp)

  friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

// "TCP", "GET11"; what hcmethod= says and logs print.
std::string_view check_method_name(CheckMethod method);

// Reads one parameter, whose key matches without regard to case. The complaint is httpd's text; the
// spec is then unchanged. hctemplate and hcexpr name what stands elsewhere in the configuration:
// they are the caller's.
std::expected<void, std::string> set_check_parameter(CheckSpec& spec, std::string_view key,
                                                     std::string_view value);
inline constexpr std::string_view unknown_check_parameter = "unknown Worker hcheck parameter";

// Every key, hctemplate and hcexpr too, in alphabetical order.
std::span<const std::string_view> check_parameter_keys();
bool is_check_parameter(std::string_view key);

}  // namespace steelyard::balance
