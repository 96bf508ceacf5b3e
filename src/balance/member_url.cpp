#include <algorithm>
#include <array>
#include <charconv>

#include "balance/parameters.hpp"
#include "balance/scheme.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

namespace {

constexpr std::size_t host_length_max = 254;
constexpr std::size_t socket_path_length_max = 95;
constexpr std::string_view unix_prefix = "unix:";

std::unexpected<std::string> complaint(std::string_view text, std::string_view about) {
  return std::unexpected(std::string(text).append(about));
}

struct Pieces {
  std::string_view scheme;
  std::string_view userinfo;
  std::string_view host;  // an IPv6 address keeps its brackets
  std::string_view port;
  std::string_view rest;  // from the first '/', '?' or '#'
};

bool is_scheme_character(char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; }

// No value when the scheme or the host is missing.
std::optional<Pieces> take_apart(std::string_view url) {
  Pieces pieces;
  const std::size_t colon = url.find("://");
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  pieces.scheme = url.substr(0, colon);
  if (!std::ranges::all_of(pieces.scheme, is_scheme_character)) return std::nullopt;
  url.remove_prefix(colon + 3);
  const std::size_t authority_end = std::min(url.find_first_of("/?#"), url.size());
  std::string_view authority = url.substr(0, authority_end);
  pieces.rest = url.substr(authority_end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    pieces.userinfo = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const std::size_t port_colon = authority.find(':', std::min(bracket, authority.size()));
  pieces.host = authority.substr(0, port_colon);
  if (port_colon != std::string_view::npos) pieces.port = authority.substr(port_colon + 1);
  if (pieces.host.empty() || bracket == std::string_view::npos) return std::nullopt;
  return pieces;
}

// Splits `unix:/path|url`; the URL may lack its host, which is then localhost.
std::expected<std::string, std::string> take_socket_path(std::string_view url,
                                                         std::string& socket_path) {
  const std::size_t bar = url.find('|');
  if (!starts_with_ignoring_case(url, unix_prefix) || bar == std::string_view::npos) {
    return std::string(url);
  }
  const std::string_view path = url.substr(unix_prefix.size(), bar - unix_prefix.size());
  std::string inner(url.substr(bar + 1));
  const std::size_t colon = inner.find(':');
  if (colon == std::string::npos) return complaint("uses an invalid \"unix:\" URL", "");
  if (path.size() > socket_path_length_max) {
    return complaint(std::string("worker uds path (").append(path), ") too long");
  }
  socket_path = path;
  const std::string_view behind = std::string_view(inner).substr(colon + 1);
  if (behind.empty() || behind == "//") inner.replace(colon + 1, behind.size(), "//localhost");
  return inner;
}

}  // namespace

std::expected<void, std::string> parse_member_url(MemberSpec& spec, std::string_view url) {
  // Its path goes to the member as it is, and a line there ends where the URL says so.
  if (std::ranges::any_of(url, is_unprintable))
    return complaint("the URL holds control characters", "");
  std::string socket_path;
  const auto plain = take_socket_path(url, socket_path);
  if (!plain) return std::unexpected(plain.error());
  const auto pieces = take_apart(*plain);
  if (!pieces) return complaint("URL must be absolute!: ", url);
  if (pieces->host.size() > host_length_max) {
    return complaint(std::string("worker hostname (").append(pieces->host), ") too long");
  }
  const std::string scheme = to_lower(pieces->scheme);
  unsigned port = 0;
  const auto [end, error] =
      std::from_chars(pieces->port.data(), pieces->port.data() + pieces->port.size(), port);
  const bool all_digits = end == pieces->port.data() + pieces->port.size();
  if (!pieces->port.empty() && (error != std::errc{} || !all_digits || port > UINT16_MAX)) {
    return complaint("Unable to parse URL: ", url);
  }
  if (port == 0) port = default_port(scheme);
  spec.scheme = scheme;
  const std::string host = to_lower(pieces->host);
  spec.host = host.starts_with('[') ? host.substr(1, host.find(']') - 1) : host;
  spec.port = static_cast<std::uint16_t>(port);
  spec.path_prefix = pieces->rest;
  spec.userinfo = pieces->userinfo;
  spec.unix_socket_path = std::move(socket_path);
  spec.name = member_url(spec, spec.host);
  return {};
}

std::string member_url(const MemberSpec& spec, std::string_view host) {
  std::string url = spec.scheme + "://";
  if (!spec.userinfo.empty()) url += spec.userinfo + '@';
  url = without_password(url);
  const bool v6 = host.find(':') != std::string_view::npos;
  url.append(v6 ? "[" : "").append(host).append(v6 ? "]" : "");
  if (spec.port != 0 && spec.port != default_port(spec.scheme)) {
    url += ':' + std::to_string(spec.port);
  }
  return url + spec.path_prefix;
}

}  // namespace steelyard::balance
