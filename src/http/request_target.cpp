#include "http/request_target.hpp"

#include <array>

#include "base/ip.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"

namespace steelyard::http {

namespace {

// 1 to 65535, leading zeros allowed (httpd); nothing otherwise.
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  unsigned number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > 65535) return std::nullopt;
  }
  if (number == 0) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

// Of digits and single dots: four groups without leading zeros; their size is not looked at
// (httpd).
bool is_dotted_quad(std::string_view name) noexcept {
  std::size_t dots = 0;
  char before = '.';
  char first_of_group = '\0';
  for (const char c : name) {
    if (c == '.') {
      ++dots;
    } else if (before == '.') {
      first_of_group = c;
    } else if (first_of_group == '0') {
      return false;
    }
    before = c;
  }
  return dots == 3 && name.front() != '.';
}

// Kinds of bytes as bits, so that a name is judged by what it holds altogether.
constexpr std::uint8_t host_letter = 1;
constexpr std::uint8_t host_digit = 2;
constexpr std::uint8_t host_dot = 4;
constexpr std::uint8_t host_other = 8;

constexpr std::array<std::uint8_t, 256> host_kinds = [] {
  std::array<std::uint8_t, 256> table{};
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    std::uint8_t kind = host_other;
    if (is_alpha(c) || c == '-' || c == '_') kind = host_letter;
    if (is_digit(c)) kind = host_digit;
    if (c == '.') kind = host_dot;
    table[static_cast<std::size_t>(byte)] = kind;
  }
  return table;
}();

// Letters, digits, '-', '_' and single dots. A name of digits and dots must be an address; in any
// other the last label must not begin with a digit unless it is the only one. One dot may end it.
bool is_host_name(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  unsigned held = 0;
  unsigned pairs = 0;  // kinds that stand twice in a row
  unsigned previous = 0;
  const std::uint8_t* const kinds = host_kinds.data();
  for (const char c : name) {
    const unsigned kind = kinds[static_cast<unsigned char>(c)];
    held |= kind;
    pairs |= kind & previous;
    previous = kind;
  }
  if (name.empty() || (held & host_other) != 0) return false;
  if ((pairs & host_dot) != 0 || previous == host_dot) return false;
  if ((held & host_letter) == 0) return is_dotted_quad(name);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || !is_digit(name[dot + 1]);
}

bool is_bracketed_v6(std::string_view host) {
  const auto address = host.substr(1, host.size() - 2);
  if (address.find(':') == std::string_view::npos) return false;
  return IpAddress::parse(address).has_value();
}

}  // namespace

std::optional<HostPort> split_host(std::string_view text) noexcept {
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
  HostPort split;
  split.host = text;
  if (bracketed) {
    if (host_end == std::string_view::npos) return std::nullopt;
    split.host = text.substr(0, host_end + 1);
  } else if (host_end != std::string_view::npos) {
    split.host = text.substr(0, host_end);
  }
  const std::string_view rest = text.substr(split.host.size());
  if (bracketed ? !is_bracketed_v6(split.host) : !is_host_name(split.host)) return std::nullopt;
  if (rest.empty()) return split;
  if (rest.front() != ':') return std::nullopt;
  split.port = parse_port(rest.substr(1));
  if (!split.port) return std::nullopt;
  return split;
}

namespace {

void split_path(std::string_view text, RequestTarget& target) noexcept {
  const std::size_t mark = text.find('?');
  target.has_query = mark != std::string_view::npos;
  target.path = text.substr(0, mark);
  target.query = target.has_query ? text.substr(mark + 1) : std::string_view{};
}

// "http://host/path"; only http, https and ftp, which a forward proxy may know.
std::optional<TargetFault> split_absolute(RequestTarget& target) noexcept {
  const std::string_view text = target.text;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return TargetFault::malformed;
  target.scheme = text.substr(0, colon);
  if (!equals_ignoring_case(target.scheme, "http") &&
      !equals_ignoring_case(target.scheme, "https") &&
      !equals_ignoring_case(target.scheme, "ftp")) {
    return TargetFault::malformed;
  }
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t end = rest.find_first_of("/?");
  target.authority = rest.substr(0, end);
  if (!split_host(target.authority)) return TargetFault::bad_authority;
  target.form = RequestTarget::Form::absolute;
  split_path(end == std::string_view::npos ? std::string_view{} : rest.substr(end), target);
  if (target.path.empty()) target.path = "/";
  return std::nullopt;
}

}  // namespace

std::optional<TargetFault> split_target(std::string_view text, TargetMethod method,
                                        RequestTarget& target) noexcept {
  target = RequestTarget{};
  target.text = text;
  if (text.empty()) return TargetFault::malformed;
  if (first_blank_or_control(text) != text.size()) return TargetFault::control_byte;
  if (text.find('#') != std::string_view::npos) return TargetFault::fragment;
  if (method.is_connect) {
    const auto authority = split_host(text);
    if (!authority || !authority->port) return TargetFault::bad_authority;
    target.form = RequestTarget::Form::authority;
    target.authority = text;
    return std::nullopt;
  }
  if (text.front() == '/') {
    split_path(text, target);
    return std::nullopt;
  }
  if (text == "*" && method.is_options) {
    target.form = RequestTarget::Form::asterisk;
    target.path = text;
    return std::nullopt;
  }
  return split_absolute(target);
}

}  // namespace steelyard::http
