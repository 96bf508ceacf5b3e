// Table: the parameters of health checks, each with the code that reads it.

#include <algorithm>
#include <array>

#include "balance/check_spec.hpp"
#include "balance/numbers.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Result = std::expected<void, std::string>;

constexpr std::size_t uri_length_max = 63;
constexpr std::size_t host_length_max = 254;
constexpr milliseconds interval_min{100};  // httpd looks around ten times a second
constexpr milliseconds jitter_max = std::chrono::hours(1);

struct MethodName {
  CheckMethod method;
  std::string_view name;
};

constexpr std::array method_names{
    MethodName{CheckMethod::none, "NONE"},
    MethodName{CheckMethod::tcp, "TCP"},
    MethodName{CheckMethod::options, "OPTIONS"},
    MethodName{CheckMethod::head, "HEAD"},
    MethodName{CheckMethod::get, "GET"},
    MethodName{CheckMethod::cping, "CPING"},
    MethodName{CheckMethod::options11, "OPTIONS11"},
    MethodName{CheckMethod::head11, "HEAD11"},
    MethodName{CheckMethod::get11, "GET11"},
};

std::unexpected<std::string> complaint(std::string_view text) {
  return std::unexpected(std::string(text));
}

Result set_method(CheckSpec& spec, std::string_view value) {
  for (const MethodName& known : method_names) {
    if (!equals_ignoring_case(known.name, value)) continue;
    spec.method = known.method;
    return {};
  }
  if (equals_ignoring_case(value, "PROVIDER"))
    return complaint("Health check method PROVIDER not (yet) implemented");
  return complaint("Unknown method");
}

Result store_interval(milliseconds& field, std::string_view value, std::string_view key) {
  const auto interval = parse_duration(value, seconds(1));
  if (!interval) return complaint("Unparse-able " + std::string(key) + " setting");
  if (*interval < interval_min) {
    return complaint("Interval must be a positive value greater than 100ms");
  }
  field = *interval;
  return {};
}

Result set_interval(CheckSpec& spec, std::string_view value) {
  return store_interval(spec.interval, value, "hcinterval");
}

Result set_down_interval(CheckSpec& spec, std::string_view value) {
  milliseconds interval{};
  if (Result stored = store_interval(interval, value, "hcdowninterval"); !stored) return stored;
  spec.down_interval = interval;
  return {};
}

Result set_passes(CheckSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 0) return complaint("Passes must be a positive value");
  spec.passes = number;
  return {};
}

Result set_fails(CheckSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 0) return complaint("Fails must be a positive value");
  spec.fails = number;
  return {};
}

Result set_uri(CheckSpec& spec, std::string_view value) {
  if (value.size() > uri_length_max) {
    return complaint("Health check uri length must be < 64 characters");
  }
  spec.uri = value;
  return {};
}

Result set_timeout(CheckSpec& spec, std::string_view value) {
  const auto timeout = parse_duration(value, seconds(1));
  if (!timeout) return complaint("Unparse-able hctimeout setting");
  if (*timeout < milliseconds(1)) return complaint("hctimeout must be at least one millisecond");
  spec.timeout = *timeout;
  return {};
}

Result set_jitter(CheckSpec& spec, std::string_view value) {
  const auto jitter = parse_duration(value, seconds(1));
  if (!jitter) return complaint("Unparse-able hcjitter setting");
  if (*jitter > jitter_max) return complaint("hcjitter must be at most one hour");
  spec.jitter = *jitter;
  return {};
}

// It becomes part of a request.
bool is_host_character(char c) { return c > ' ' && c < '\x7f'; }

Result set_host(CheckSpec& spec, std::string_view value) {
  if (value.empty() || value.size() > host_length_max ||
      !std::ranges::all_of(value, is_host_character)) {
    return complaint("hchost must be a host name, with :port if it is not the scheme's");
  }
  spec.host = value;
  return {};
}

Result set_port(CheckSpec& spec, std::string_view value) {
  const auto port = parse_unsigned(value);
  if (!port || *port == 0 || *port > UINT16_MAX) {
    return complaint("hcport must be a number between 1 and 65535");
  }
  spec.port = static_cast<std::uint16_t>(*port);
  return {};
}

Result set_shared(CheckSpec& spec, std::string_view value) {
  const bool on = equals_ignoring_case(value, "on");
  if (!on && !equals_ignoring_case(value, "off")) return complaint("hcshare must be On|Off");
  spec.is_shared = on;
  return {};
}

Result set_server_name(CheckSpec& spec, std::string_view value) {
  const bool has_port = value.find(':') != std::string_view::npos;
  if (value.empty() || value.size() > host_length_max || has_port ||
      !std::ranges::all_of(value, is_host_character)) {
    return complaint("hcsni must be a host name");
  }
  spec.sni = value;
  return {};
}

struct Setter {
  std::string_view key;
  Result (*set)(CheckSpec& spec, std::string_view value);
};

constexpr std::array setters{
    Setter{"hcdowninterval", set_down_interval},
    Setter{"hcexpr", nullptr},
    Setter{"hcfails", set_fails},
    Setter{"hchost", set_host},
    Setter{"hcinterval", set_interval},
    Setter{"hcjitter", set_jitter},
    Setter{"hcmethod", set_method},
    Setter{"hcpasses", set_passes},
    Setter{"hcport", set_port},
    Setter{"hcshare", set_shared},
    Setter{"hcsni", set_server_name},
    Setter{"hctemplate", nullptr},
    Setter{"hctimeout", set_timeout},
    Setter{"hcuri", set_uri},
};

constexpr auto keys = [] {
  std::array<std::string_view, setters.size()> all;
  std::ranges::transform(setters, all.begin(), &Setter::key);
  return all;
}();

}  // namespace

std::string_view check_method_name(CheckMethod method) {
  for (const MethodName& known : method_names) {
    if (known.method == method) return known.name;
  }
  return {};
}

Result set_check_parameter(CheckSpec& spec, std::string_view key, std::string_view value) {
  for (const Setter& setter : setters) {
    if (setter.set != nullptr && equals_ignoring_case(setter.key, key)) {
      return setter.set(spec, value);
    }
  }
  return complaint(unknown_check_parameter);
}

std::span<const std::string_view> check_parameter_keys() { return keys; }

// httpd hands every key that begins so to mod_proxy_hcheck.
bool is_check_parameter(std::string_view key) { return starts_with_ignoring_case(key, "hc"); }

}  // namespace steelyard::balance
