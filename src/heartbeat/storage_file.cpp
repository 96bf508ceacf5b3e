#include "heartbeat/storage_file.hpp"

#include <map>

#include "base/text.hpp"

namespace steelyard::heartbeat {

namespace {

// What lines said of one address so far.
struct Said {
  int ready = 0;
  int busy = 0;
  int age = -1;
  std::uint16_t port = default_port;
};

// The address and the rest of a line; an empty address for lines that are none.
std::pair<std::string_view, std::string_view> split_line(std::string_view line) {
  if (line.starts_with('#')) return {};
  const std::size_t blank = line.find(' ');
  if (blank == line.npos) return {};
  return {line.substr(0, blank), line.substr(blank + 1)};
}

void take_line(std::string_view text, Said& said) {
  const Pairs pairs(trim(text));
  if (const auto ready = pairs.value("ready")) said.ready = parse_count(*ready).value_or(0);
  if (const auto busy = pairs.value("busy")) said.busy = parse_count(*busy).value_or(0);
  if (const auto age = pairs.value("lastseen")) said.age = parse_count(*age).value_or(-1);
  if (const auto port = pairs.value("port")) {
    const int number = parse_count(*port).value_or(0);
    if (number >= 1 && number <= 65535) said.port = static_cast<std::uint16_t>(number);
  }
}

std::string line_of(const Server& server, Instant now) {
  const Message& message = server.message;
  return server.ip + " &ready=" + std::to_string(message.ready) +
         "&busy=" + std::to_string(message.busy) +
         "&lastseen=" + std::to_string(server.age_seconds(now)) +
         "&port=" + std::to_string(message.port) + '\n';
}

}  // namespace

Servers read_storage(std::string_view text) {
  std::map<std::string_view, Said> by_address;
  text = text.substr(0, storage_bytes_max);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const auto [ip, rest] = split_line(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (ip.empty()) continue;
    const bool known = by_address.contains(ip);
    if (!known && by_address.size() == storage_servers_max) continue;
    take_line(rest, by_address[ip]);
  }
  std::vector<Server> servers;
  servers.reserve(by_address.size());
  for (const auto& [ip, said] : by_address) {
    servers.push_back({.ip = std::string(ip),
                       .message = {.ready = said.ready, .busy = said.busy, .port = said.port},
                       .seen_at = {},
                       .written_age = said.age});
  }
  return Servers(std::move(servers));
}

std::string write_storage(std::span<const Server> servers, Instant now) {
  std::string text;
  for (const Server& server : servers) text += line_of(server, now);
  return text;
}

std::string with_server(std::string_view text, const Server& server, Instant now) {
  std::string result;
  bool placed = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (split_line(line).first != server.ip) {
      result.append(line) += '\n';
    } else if (!std::exchange(placed, true)) {
      result += line_of(server, now);
    }
  }
  if (!placed) result += line_of(server, now);
  return result;
}

}  // namespace steelyard::heartbeat
