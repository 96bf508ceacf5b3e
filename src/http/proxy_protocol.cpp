#include "http/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.hpp"
#include "base/text.hpp"

namespace steelyard::http {

namespace {

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t fixed_bytes = 16;    // of version 2: what stands before the rest
constexpr std::size_t shortest_line = 15;  // "PROXY UNKNOWN\r\n"
constexpr std::size_t fields_of_tcp = 6;   // with the word PROXY
constexpr std::size_t inet_bytes = 12, inet6_bytes = 36;  // two addresses, two ports
constexpr std::size_t extras_max = proxy_header_bytes_max - fixed_bytes;

using Read = std::expected<ProxyHeader, std::string>;

ProxyHeader incomplete(std::size_t needed) {
  ProxyHeader header;
  header.needed = needed;
  return header;
}

std::unexpected<std::string> fault(std::string_view id, const std::string& text) {
  return std::unexpected(std::string(id) + ": RemoteIPProxyProtocol" + text);
}

std::unexpected<std::string> nothing_found(std::string_view field, std::string_view line) {
  return fault("AH03497",
               ": no " + std::string(field) + " found in header '" + std::string(line) + "'");
}

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (fields.size() + 1 < fields_of_tcp && line.find(' ') != line.npos) {
    fields.push_back(line.substr(0, line.find(' ')));
    line.remove_prefix(fields.back().size() + 1);
  }
  fields.push_back(line);
  return fields;
}

// Strictly a number: httpd takes what sscanf makes of it.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  const auto number = parse_unsigned(text);
  if (!number || *number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

// "09.8.7.6": some read such a number as octal (httpd refuses it).
bool has_padded_number(std::string_view host) {
  if (host.find('.') == host.npos) return false;
  const std::size_t colon = host.rfind(':');
  std::string_view rest = colon == host.npos ? host : host.substr(colon + 1);
  while (!rest.empty()) {
    if (rest.size() > 1 && rest[0] == '0' && rest[1] != '.') return true;
    const std::size_t dot = rest.find('.');
    rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
  }
  return false;
}

// `fields` after PROXY, the first of them TCP4 or TCP6.
Read read_tcp(std::span<const std::string_view> fields, std::string_view line) {
  static constexpr std::array<std::string_view, 5> names{
      "family", "client-address", "destination-address", "client-port", "destination-port"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i >= fields.size() || fields[i].empty()) return nothing_found(names[i], line);
  }
  const bool is_v6 = fields[0] == "TCP6";
  const std::string host(fields[1]);
  const std::string in_header = " in header '" + std::string(line) + "'";
  if (host.find_first_not_of(is_v6 ? "0123456789abcdefABCDEF:." : "0123456789.") != host.npos) {
    return fault("AH03500", ": invalid client-address '" + host + "' found" + in_header);
  }
  for (const std::string_view text : {fields[3], fields[4]}) {
    if (!parse_port(text))
      return fault("AH03501", ": error parsing port '" + std::string(text) + "'" + in_header);
  }
  const auto ip = has_padded_number(host) ? std::nullopt : IpAddress::parse(host);
  if (!ip || (host.find(':') != host.npos) != is_v6) {
    return fault("AH03502", ": error converting family '" + std::string(is_v6 ? "10" : "2") +
                                "', host '" + host + "', and port '" + std::string(fields[3]) +
                                "' to sockaddr; header was '" + std::string(line) + "'");
  }
  return ProxyHeader{0, true, {*ip, *parse_port(fields[3])}};
}

Read read_whole_line(std::string_view line) {
  const std::vector<std::string_view> fields = split_fields(line);
  const std::string_view family = fields.size() > 1 ? fields[1] : std::string_view();
  if (family.empty()) return nothing_found("family", line);
  if (family == "UNKNOWN") return ProxyHeader{};
  if (family != "TCP4" && family != "TCP6") {
    return fault("AH03499", ": unknown family '" + std::string(family) + "' in header '" +
                                std::string(line) + "'");
  }
  return read_tcp(std::span(fields).subspan(1), line);
}

// Of a line whose end is not here yet, at least.
std::size_t missing_of_line(std::string_view line) {
  if (line.ends_with('\r')) return 1;
  constexpr std::size_t line_end = 2;
  if (!line.substr(line_start.size()).starts_with("TCP")) return line_end;
  const auto blanks = static_cast<std::size_t>(std::ranges::count(line, ' '));
  if (blanks + 1 > fields_of_tcp) return line_end;
  const std::size_t missing_fields = fields_of_tcp - 1 - blanks;  // each a blank and a letter
  return 2 * missing_fields + (line.ends_with(' ') ? 1 : 0) + line_end;
}

Read read_line(std::string_view received) {
  const std::size_t end = received.find_first_of("\r\n");
  if (end != received.npos && received.substr(end) == "\r\n")
    return read_whole_line(received.substr(0, end));
  if (end != received.npos && received.substr(end) != "\r") {
    return fault("AH03497",
                 ": no line end found in header '" + std::string(received.substr(0, end)) + "'");
  }
  const std::size_t missing = missing_of_line(received);
  if (received.size() + missing > proxy_line_bytes_max) {
    return fault("AH10185", " header too long, got " + std::to_string(received.size() + missing) +
                                " expected " + std::to_string(proxy_line_bytes_max));
  }
  return incomplete(missing);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[at]) << 8 |
                                    static_cast<std::uint8_t>(bytes[at + 1]));
}

std::string hex(std::uint8_t byte) {
  static constexpr std::string_view digits = "0123456789abcdef";
  return {digits[byte >> 4], digits[byte & 15]};
}

Endpoint endpoint_v4(std::string_view addresses) {
  const std::uint32_t ip =
      static_cast<std::uint32_t>(number_at(addresses, 0)) << 16 | number_at(addresses, 2);
  return {IpAddress::v4(ip), number_at(addresses, 8)};
}

Endpoint endpoint_v6(std::string_view addresses) {
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(addresses.substr(0, bytes.size()), bytes.begin());
  return {IpAddress::v6(bytes), number_at(addresses, 32)};
}

// What the fixed part says is judged before the rest is waited for.
Read read_binary(std::string_view received) {
  constexpr std::uint8_t local = 0, proxied = 1, tcp4 = 0x11, tcp6 = 0x21;
  if (received.size() < fixed_bytes) return incomplete(fixed_bytes - received.size());
  const auto version_command = static_cast<std::uint8_t>(received[12]);
  const auto family = static_cast<std::uint8_t>(received[13]);
  const std::size_t length = number_at(received, 14);
  if (version_command >> 4 != 2) return std::unexpected(std::string());
  if (length > extras_max) return fault("AH10186", " protocol header length too long");
  const std::uint8_t command = version_command & 15;
  if (command > proxied) return fault("AH03507", ": unsupported command " + hex(version_command));
  if (command == proxied) {
    if (family != tcp4 && family != tcp6)
      return fault("AH10183", ": unsupported protocol " + hex(family));
    if (length < (family == tcp4 ? inet_bytes : inet6_bytes)) {
      return fault(family == tcp4 ? "AH10597" : "AH10598",
                   ": address length " + std::to_string(length) + " too short for " +
                       (family == tcp4 ? "TCPv4" : "TCPv6"));
    }
  }
  if (received.size() < fixed_bytes + length)
    return incomplete(fixed_bytes + length - received.size());
  if (command == local) return ProxyHeader{};
  const std::string_view addresses = received.substr(fixed_bytes);
  return ProxyHeader{0, true, family == tcp4 ? endpoint_v4(addresses) : endpoint_v6(addresses)};
}

bool begins_like(std::string_view received, std::string_view start) {
  const std::size_t both = std::min(received.size(), start.size());
  return received.substr(0, both) == start.substr(0, both);
}

// An address in the form of version 6, an IPv4 one mapped.
std::array<std::uint8_t, 16> wide(const IpAddress& ip) {
  if (ip.is_v6()) return ip.bytes();
  std::array<std::uint8_t, 16> bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::copy_n(ip.bytes().begin(), 4, bytes.begin() + 12);
  return bytes;
}

std::string text_of(const IpAddress& ip, bool in_v6) {
  return in_v6 && !ip.is_v6() ? "::ffff:" + ip.text() : ip.text();
}

std::string line_of(const Endpoint& client, const Endpoint& server, bool in_v6) {
  return std::string(in_v6 ? "PROXY TCP6 " : "PROXY TCP4 ") + text_of(client.ip, in_v6) + ' ' +
         text_of(server.ip, in_v6) + ' ' + std::to_string(client.port) + ' ' +
         std::to_string(server.port) + "\r\n";
}

std::string bytes_of(const Endpoint& client, const Endpoint& server, bool in_v6) {
  std::string bytes(signature);
  bytes += in_v6 ? std::string_view("\x21\x21\0\x24", 4) : std::string_view("\x21\x11\0\x0c", 4);
  for (const IpAddress& ip : {client.ip, server.ip}) {
    const std::array<std::uint8_t, 16> address = in_v6 ? wide(ip) : ip.bytes();
    bytes.append(address.begin(), address.begin() + (in_v6 ? 16 : 4));
  }
  for (const std::uint16_t port : {client.port, server.port}) {
    bytes += static_cast<char>(port >> 8);
    bytes += static_cast<char>(port & 0xff);
  }
  return bytes;
}

}  // namespace

std::expected<ProxyHeader, std::string> read_proxy_header(std::string_view received) {
  if (!begins_like(received, line_start) && !begins_like(received, signature))
    return std::unexpected(std::string());
  if (received.size() < shortest_line) return incomplete(shortest_line - received.size());
  return received.starts_with(line_start) ? read_line(received) : read_binary(received);
}

std::string_view own_proxy_header(ProxyVersion version) {
  static const std::string binary = std::string(signature) + std::string("\x20\0\0\0", 4);
  return version == ProxyVersion::v1 ? std::string_view("PROXY UNKNOWN\r\n") : binary;
}

std::size_t write_proxy_header(ProxyVersion version, const Endpoint& client, const Endpoint& server,
                               std::span<char> room) {
  const bool in_v6 = client.ip.is_v6() || server.ip.is_v6();
  const std::string header = version == ProxyVersion::v1 ? line_of(client, server, in_v6)
                                                         : bytes_of(client, server, in_v6);
  CHECK(header.size() <= room.size());
  std::ranges::copy(header, room.begin());
  return header.size();
}

}  // namespace steelyard::http
