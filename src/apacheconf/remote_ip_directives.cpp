// Who says where a request comes from: RemoteIPHeader and the proxies that are believed, the PROXY
// protocol (httpd: mod_remoteip).
#include <algorithm>
#include <array>

#include "apacheconf/files.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::ProxyProtocolSettings;
using config::RemoteIpSettings;

constexpr std::string_view proxy_advice =
    "Write an address, a network or a host name: 192.0.2.1, 10.0.0.0/8, lb.example.org.";

// What is said at one level counts before what an outer one says, so it is put together at the end.
struct ServerRemoteIp {
  std::vector<RemoteIpSettings::Proxy> proxies;
  std::optional<bool> speaks_proxy_protocol;
};
struct RemoteIpDrafts {
  std::map<config::Server*, ServerRemoteIp> servers;
};

ServerRemoteIp& draft_of(Scope& scope) {
  return scope.reading.part<RemoteIpDrafts>().servers[&scope.server];
}

RemoteIpSettings& settings_of(Scope& scope) { return scope.server.client.remote_ip; }

void header(Scope& scope, const Statement& statement) {
  settings_of(scope).header = statement.words[0];
}

void proxies_header(Scope& scope, const Statement& statement) {
  settings_of(scope).proxies_header = statement.words[0];
}

// httpd: what has no slash and is no address is a host's name.
bool looks_like_a_name(std::string_view word) {
  return word.find_first_not_of("0123456789./") != word.npos && word.find(':') == word.npos &&
         word.find('/') == word.npos;
}

void add_proxy(Scope& scope, const std::string& word, bool is_internal, std::string_view where) {
  std::vector<RemoteIpSettings::Proxy>& proxies = draft_of(scope).proxies;
  std::string why = "Name or service not known";
  if (looks_like_a_name(word)) {
    const std::vector<IpAddress> found =
        scope.reading.resolve_host ? scope.reading.resolve_host(word) : std::vector<IpAddress>();
    for (const IpAddress& ip : found)
      proxies.push_back({*IpNetwork::parse(ip.text()), is_internal});
    if (!found.empty()) return;
  } else if (const auto network = IpNetwork::parse(word)) {
    proxies.push_back({*network, is_internal});
    return;
  } else {
    why = network.error();
  }
  scope.complain("RemoteIP: Error parsing IP " + word + " (" + why + " error) for " +
                     scope.statement().name + std::string(where),
                 std::string(proxy_advice));
}

template <bool is_internal>
void proxy(Scope& scope, const Statement& statement) {
  for (const std::string& word : statement.words) add_proxy(scope, word, is_internal, {});
}

// Words of a line up to '#'.
void add_proxies_of_line(Scope& scope, std::string_view line, bool is_internal,
                         const std::string& where) {
  line = line.substr(0, line.find('#'));
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == line.npos) return;
    line.remove_prefix(begin);
    const std::string word(line.substr(0, line.find_first_of(" \t\r")));
    add_proxy(scope, word, is_internal, where);
    line.remove_prefix(word.size());
  }
}

template <bool is_internal>
void proxy_list(Scope& scope, const Statement& statement) {
  const std::string path = scope.reading.resolve_path(statement.words[0]);
  const auto text = scope.reading.read_file(path);
  if (!text) {
    scope.complain(statement.name + ": Could not open file " + path + ": " + text.error());
    return;
  }
  std::string_view rest = *text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    add_proxies_of_line(scope, rest.substr(0, end), is_internal,
                        " at line " + std::to_string(number) + " of " + path);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

void proxy_protocol(Scope& scope, const Statement& statement) {
  draft_of(scope).speaks_proxy_protocol = is_on(statement);
}

void exceptions(Scope& scope, const Statement& statement) {
  for (const std::string& word : statement.words) {
    const auto network = IpNetwork::parse(word);
    if (network) {
      scope.config.proxy_protocol.exceptions.push_back(*network);
      continue;
    }
    scope.complain("ip address '" + word.substr(0, word.find('/')) + "' appears to be invalid" +
                       (network.error().empty() ? "" : ": " + network.error()),
                   "Write addresses or networks of clients that speak no PROXY protocol.");
  }
}

constexpr std::string_view vhost_wins = "the virtual host's counts, else the main server's";
constexpr std::string_view both_count =
    "all together; the virtual host's are looked at before the main server's";

constexpr auto directives = std::to_array<Directive>({
    {.name = "RemoteIPHeader",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = header,
     .merge = vhost_wins,
     .help = "Specifies a request header to trust as the client IP, e.g. X-Forwarded-For",
     .module = "remoteip_module"},
    {.name = "RemoteIPProxiesHeader",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = proxies_header,
     .merge = vhost_wins,
     .help = "Specifies a request header to record proxy IP's, e.g. X-Forwarded-By; if not given "
             "then do not record",
     .module = "remoteip_module"},
    {.name = "RemoteIPTrustedProxy",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = proxy<false>,
     .merge = both_count,
     .help = "Specifies one or more proxies which are trusted to present IP headers",
     .module = "remoteip_module"},
    {.name = "RemoteIPInternalProxy",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = proxy<true>,
     .merge = both_count,
     .help = "Specifies one or more internal (transparent) proxies which are trusted to present "
             "IP headers",
     .module = "remoteip_module"},
    {.name = "RemoteIPTrustedProxyList",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = proxy_list<false>,
     .merge = both_count,
     .help = "The filename to read the list of trusted proxies, see the RemoteIPTrustedProxy "
             "directive",
     .module = "remoteip_module"},
    {.name = "RemoteIPInternalProxyList",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = proxy_list<true>,
     .merge = both_count,
     .help = "The filename to read the list of internal proxies, see the RemoteIPInternalProxy "
             "directive",
     .module = "remoteip_module"},
    {.name = "RemoteIPProxyProtocol",
     .contexts = in_servers,
     .arguments = Arguments::flag,
     .handler = proxy_protocol,
     .merge = "by the addresses of the virtual host, for everybody there; of two that share one "
              "the last counts",
     .help = "Enable PROXY protocol handling ('on', 'off')",
     .module = "remoteip_module"},
    {.name = "RemoteIPProxyProtocolExceptions",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = exceptions,
     .merge = "all together, wherever they stand",
     .help = "Disable PROXY protocol handling for this list of networks in CIDR format",
     .module = "remoteip_module"},
});

// httpd: an address is on one of the two lists, by who spoke of it last.
void put_address(ProxyProtocolSettings& settings, const ProxyProtocolSettings::Address& address,
                 bool on) {
  std::erase(settings.on, address);
  std::erase(settings.off, address);
  (on ? settings.on : settings.off).push_back(address);
}

void put_server(ProxyProtocolSettings& settings, const config::Server& server, bool on) {
  if (server.index == 0) put_address(settings, {}, on);
  for (const config::HostAddress& address : server.addresses)
    put_address(settings, {address.ip, address.port}, on);
}

}  // namespace

std::span<const Directive> remote_ip_directives() { return directives; }

void finish_remote_ip(Reading& reading) {
  RemoteIpDrafts& drafts = reading.part<RemoteIpDrafts>();
  const std::vector<RemoteIpSettings::Proxy>& of_main =
      drafts.servers[reading.config->servers.front().get()].proxies;
  for (const std::unique_ptr<config::Server>& server : reading.config->servers) {
    ServerRemoteIp& own = drafts.servers[server.get()];
    if (own.speaks_proxy_protocol)
      put_server(reading.config->proxy_protocol, *server, *own.speaks_proxy_protocol);
    std::vector<RemoteIpSettings::Proxy>& proxies = server->client.remote_ip.proxies;
    proxies = own.proxies;
    if (server->index == 0 || of_main.empty()) continue;
    if (!proxies.empty()) {
      reading.warn_at(server->place,
                      "RemoteIP proxy entries are configured in both the main server and this "
                      "virtual host, they are merged");
    }
    proxies.insert(proxies.end(), of_main.begin(), of_main.end());
  }
}

}  // namespace steelyard::apacheconf
