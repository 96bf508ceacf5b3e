// Heartbeats: who is listened to, whom they are sent to, where they are kept.
#include <algorithm>
#include <array>

#include "apacheconf/addresses.hpp"
#include "apacheconf/files.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::int64_t servers_most = 65535;

// httpd's sentences for each of the two directives.
struct AddressWords {
  std::string_view unreadable, no_port, no_host, no_address;
};

std::optional<Endpoint> read_address(Scope& scope, const Statement& statement,
                                     const AddressWords& words) {
  const std::string advice = "Write an IPv4 address and a port: 239.0.0.1:27999.";
  const auto complain = [&](std::string_view sentence) {
    scope.complain(statement.name + ": " + std::string(sentence), advice);
    return std::nullopt;
  };
  const std::optional<HostPort> parsed = parse_host_port(statement.words[0]);
  if (!parsed || statement.words[0].starts_with(':')) return complain(words.unreadable);
  if (parsed->host.empty()) return complain(words.no_host);
  if (!parsed->port) return complain(words.no_port);
  std::vector<IpAddress> found;
  if (const auto ip = IpAddress::parse(parsed->host)) {
    found.push_back(*ip);
  } else if (scope.reading.resolve_host) {
    found = scope.reading.resolve_host(parsed->host);
  }
  const auto ip = std::ranges::find_if_not(found, &IpAddress::is_v6);
  if (ip == found.end()) return complain(words.no_address);
  return Endpoint{*ip, *parsed->port};
}

void set_once(Scope& scope, const Statement& statement, std::optional<Endpoint>& field,
              const AddressWords& words) {
  if (field) {
    scope.complain(statement.name + ": May only be specified once.", "Remove one of the lines.");
    return;
  }
  field = read_address(scope, statement, words);
}

bool is_multicast(const IpAddress& ip) { return (ip.v4_host_order() >> 28) == 0xe; }

void heartbeat_listen(Scope& scope, const Statement& statement) {
  std::optional<Endpoint>& field = scope.config.heartbeat.listen;
  set_once(scope, statement, field,
           {.unreadable = "Unable to parse multicast address.",
            .no_port = "No port provided in multicast address",
            .no_host = "No host provided in multicast address",
            .no_address = "apr_sockaddr_info_get failed on multicast address"});
  if (field && !is_multicast(field->ip)) {
    scope.note("HeartbeatListen " + statement.words[0] +
               " is no multicast group: datagrams sent to this address are taken, which httpd "
               "cannot do");
  }
}

void heartbeat_address(Scope& scope, const Statement& statement) {
  set_once(scope, statement, scope.config.heartbeat.send_to,
           {.unreadable = "Unable to parse address.",
            .no_port = "No port provided in address",
            .no_host = "No host provided in address",
            .no_address = "apr_sockaddr_info_get failed."});
}

void heartbeat_storage(Scope& scope, const Statement& statement) {
  scope.config.heartbeat.storage_path = statement.words[0];
}

void heartbeat_max_servers(Scope& scope, const Statement& statement) {
  const std::int64_t count = parse_lax(statement.words[0]);
  if (count != 0 && count < 10) {
    scope.complain(
        "HeartbeatMaxServers: Should be 0 for file storage, or greater or equal than 10 for "
        "slotmem");
    return;
  }
  if (count > servers_most) {
    scope.complain("HeartbeatMaxServers " + statement.words[0] + " is more than " +
                       std::to_string(servers_most),
                   "Write how many servers send heartbeats at most.");
    return;
  }
  scope.config.heartbeat.servers_max = static_cast<std::uint32_t>(count);
}

constexpr std::string_view monitor = "heartmonitor_module";

constexpr Directive row(std::string_view name, Handler handler, std::string_view help,
                        std::string_view module) {
  return {.name = name,
          .contexts = in_main,
          .arguments = Arguments::one,
          .handler = handler,
          .merge = "one for the whole",
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {},
          .other_module = {}};
}

constexpr Directive known_to(Directive directive, std::string_view other_module) {
  directive.other_module = other_module;
  return directive;
}

constexpr auto directives = std::to_array<Directive>({
    row("HeartbeatListen", heartbeat_listen, "Address to listen for heartbeat requests", monitor),
    row("HeartbeatMaxServers", heartbeat_max_servers,
        "Max number of servers when using slotmem (instead file) to store heartbeat data.",
        monitor),
    known_to(row("HeartbeatStorage", heartbeat_storage, "Path to store heartbeat data.", monitor),
             "lbmethod_heartbeat_module"),
    row("HeartbeatAddress", heartbeat_address, "Address to send heartbeat requests",
        "heartbeat_module"),
});

}  // namespace

std::span<const Directive> heartbeat_directives() { return directives; }

// httpd: a relative path lies in the runtime directory.
void finish_heartbeats(Reading& reading) {
  config::HeartbeatSettings& settings = reading.config->heartbeat;
  settings.monitors = reading.has_module(monitor);
  if (!settings.monitors && !reading.has_module("lbmethod_heartbeat_module")) return;
  const std::string& directory = reading.config->runtime_dir;
  settings.storage_path =
      join_path(directory.empty() ? reading.resolve_path("run") : directory,
                settings.storage_path.empty() ? "hb.dat" : settings.storage_path);
}

}  // namespace steelyard::apacheconf
