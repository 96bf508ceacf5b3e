// Table: requests to places that the client names, and other proxies on the way to anywhere
// (mod_proxy, mod_proxy_connect). And what only the whole file can tell of them.

#include <array>
#include <set>

#include "apacheconf/tables.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "config/forward_proxy.hpp"
#include "config/open_page.hpp"

namespace steelyard::apacheconf {

namespace {

using config::DirectHost;
using config::ForwardProxy;
using config::RemoteProxy;
using config::Server;

// The virtual hosts that wrote AllowCONNECT themselves: they do not add to the main server's.
struct ConnectPorts {
  std::set<const Server*> written;
};

// A virtual host begins with what the main server has.
template <class Change>
void edit(Scope& scope, Change change) {
  const auto& known = scope.server.proxy.forward;
  auto forward = std::make_shared<ForwardProxy>(known != nullptr ? *known : ForwardProxy());
  change(*forward);
  scope.server.proxy.forward = std::move(forward);
}

void requests(Scope& scope, const Statement& statement) {
  if (!is_on(statement) && scope.server.proxy.forward == nullptr) return;
  edit(scope, [&](ForwardProxy& forward) {
    forward.takes_requests.reset();
    if (is_on(statement)) forward.takes_requests = statement.place();
  });
}

void domain(Scope& scope, const Statement& statement) {
  if (!statement.words[0].starts_with('.')) {
    scope.complain("ProxyDomain: domain name must start with a dot.");
    return;
  }
  edit(scope, [&](ForwardProxy& forward) { forward.domain = statement.words[0]; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_unsigned(text);
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// nullopt after a complaint. httpd takes numbers that are no ports and ranges that hold none.
std::optional<config::PortRange> parse_ports(Scope& scope, std::string_view word) {
  if (!is_digit(word.front())) {
    scope.complain("AllowCONNECT: port numbers must be numeric");
    return std::nullopt;
  }
  const std::size_t dash = word.find('-');
  const bool is_range = dash != word.npos;
  // People write 0-65535 for all.
  const auto first = is_range && word.substr(0, dash) == "0" ? 1 : parse_port(word.substr(0, dash));
  const auto last = is_range ? parse_port(word.substr(dash + 1)) : first;
  if (!first || !last || *last < *first) {
    scope.complain("Cannot parse '" + std::string(word) + "' as port number",
                   "Write ports from 1 to 65535, or ranges of them: AllowCONNECT 443 8000-8099.");
    return std::nullopt;
  }
  return config::PortRange{*first, *last};
}

void allow_connect(Scope& scope, const Statement& statement) {
  std::vector<config::PortRange> ranges;
  for (const std::string& word : statement.words) {
    const auto range = parse_ports(scope, word);
    if (!range) return;
    ranges.push_back(*range);
  }
  const bool is_first = scope.reading.part<ConnectPorts>().written.insert(&scope.server).second;
  edit(scope, [&](ForwardProxy& forward) {
    if (is_first) forward.connect_ports.clear();
    forward.connect_ports.insert(forward.connect_ports.end(), ranges.begin(), ranges.end());
  });
}

// httpd looks the names up when it starts; words without a dot are no names to it.
void block(Scope& scope, const Statement& statement) {
  config::ProxySettings& proxy = scope.server.proxy;
  for (const std::string& word : statement.words) {
    if (word.starts_with('*') && word != "*") {
      scope.warn("ProxyBlock " + word + " blocks every place, as in httpd",
                 "Write ProxyBlock " + word.substr(word.find_first_not_of('*')) +
                     " for names that have that in them, or ProxyBlock * for all.");
    }
    proxy.blocked_hosts.push_back(word.starts_with('*') ? "*" : to_lower(word));
    if (word.find('.') == word.npos) continue;
    std::vector<IpAddress> found;
    if (const auto literal = IpAddress::parse(word)) {
      found.push_back(*literal);
    } else if (scope.reading.resolve_host && !word.starts_with('.')) {
      found = scope.reading.resolve_host(word);
    }
    proxy.blocked_addresses.insert(proxy.blocked_addresses.end(), found.begin(), found.end());
  }
}

// "10.", "10.1.0.0" and "10.1.0.0/16": trailing zero bytes are a mask where none is written.
std::optional<IpNetwork> parse_network(std::string_view word) {
  const std::size_t slash = word.find('/');
  std::string_view rest = word.substr(0, slash);
  std::array<std::uint64_t, 4> bytes{};
  std::size_t count = 0;
  while (!rest.empty() && count < bytes.size()) {
    const std::size_t dot = rest.find('.');
    const auto byte = parse_unsigned(rest.substr(0, dot));
    if (!byte || *byte > 255) return std::nullopt;
    bytes[count++] = *byte;
    rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
  }
  if (!rest.empty() || count == 0 || (count == bytes.size() && word.ends_with('.')))
    return std::nullopt;
  std::string bits(slash == word.npos ? std::string_view() : word.substr(slash + 1));
  if (slash == word.npos) {
    while (count > 0 && bytes[count - 1] == 0) --count;
    if (count == 0) return std::nullopt;
    bits = std::to_string(8 * count);
  }
  std::string text;
  for (const std::uint64_t byte : bytes) text += (text.empty() ? "" : ".") + std::to_string(byte);
  auto network = IpNetwork::parse(text + '/' + bits);
  return network ? std::optional(*network) : std::nullopt;
}

bool is_name(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == text.npos;
}

// As httpd sorts them: a name that nobody knows when the program starts is a word.
DirectHost direct_host(Scope& scope, const std::string& word) {
  DirectHost direct;
  direct.text = to_lower(word);
  direct.network = parse_network(word);
  if (direct.network) {
    direct.kind = DirectHost::Kind::network;
  } else if (direct.text.starts_with('.') && is_name(direct.text.substr(1))) {
    direct.kind = DirectHost::Kind::domain;
  } else if (is_name(direct.text) && scope.reading.resolve_host &&
             !scope.reading.resolve_host(direct.text).empty()) {
    direct.kind = DirectHost::Kind::host;
  }
  if (direct.kind != DirectHost::Kind::word && direct.text.ends_with('.')) direct.text.pop_back();
  return direct;
}

void no_proxy(Scope& scope, const Statement& statement) {
  edit(scope, [&](ForwardProxy& forward) {
    for (const std::string& word : statement.words)
      forward.direct_hosts.push_back(direct_host(scope, word));
  });
}

constexpr std::string_view usual_remote =
    "Write http://HOST:PORT, as in http://proxy.example:3128.";

// False after a complaint. httpd speaks plain HTTP whatever scheme is written.
bool read_server(Scope& scope, std::string_view name, std::string_view text, RemoteProxy& remote) {
  const std::string fault = std::string(name) + ": Bad syntax for a remote proxy server";
  const std::size_t colon = text.find("://");
  if (colon == text.npos || colon + 3 == text.size()) {
    scope.complain(fault, std::string(usual_remote));
    return false;
  }
  if (!equals_ignoring_case(text.substr(0, colon), "http")) {
    scope.complain(
        std::string(name) + ": a remote proxy is spoken to over http:// only",
        "httpd ignores what is written here and does the same. " + std::string(usual_remote));
    return false;
  }
  std::string_view host = text.substr(colon + 3);
  host = host.substr(0, host.find('/'));
  remote.port = 80;
  const std::size_t port = host.starts_with('[') ? host.find(':', host.find(']')) : host.find(':');
  if (port != host.npos) {
    const auto parsed = parse_port(host.substr(port + 1));
    if (!parsed) {
      scope.complain(fault + " (bad port number)", std::string(usual_remote));
      return false;
    }
    remote.port = *parsed;
    host = host.substr(0, port);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  remote.host = to_lower(host);
  const bool is_plain = is_name(remote.host) || IpAddress::parse(remote.host).has_value();
  if (!is_plain) scope.complain(fault, std::string(usual_remote));
  return is_plain;
}

void add_remote(Scope& scope, const Statement& statement, RemoteProxy remote) {
  const std::vector<std::string>& words = statement.words;
  if (!read_server(scope, statement.name, words[1], remote)) return;
  if (words.size() > 2) remote.authorization = "Basic " + base64(words[2]);
  remote.place = statement.place();
  edit(scope, [&](ForwardProxy& forward) { forward.remotes.push_back(std::move(remote)); });
}

void remote(Scope& scope, const Statement& statement) {
  RemoteProxy remote;
  remote.match = statement.words[0];
  add_remote(scope, statement, std::move(remote));
}

void remote_match(Scope& scope, const Statement& statement) {
  auto regex = Regex::compile(statement.words[0]);
  if (!regex) {
    scope.complain("Regular expression for ProxyRemoteMatch could not be compiled.", regex.error());
    return;
  }
  RemoteProxy remote;
  remote.match = statement.words[0];
  remote.regex = std::move(*regex);
  add_remote(scope, statement, std::move(remote));
}

constexpr std::string_view vhost_counts = "the virtual host's counts";
constexpr std::string_view proxy = "proxy_module";

constexpr auto table = std::to_array<Directive>({
    {"ProxyRequests", in_servers, Arguments::flag, requests, vhost_counts,
     "on if the true proxy requests should be accepted", proxy},
    {"AllowCONNECT", in_servers, Arguments::one_or_more, allow_connect, vhost_counts,
     "A list of ports or port ranges which CONNECT may connect to", "proxy_connect_module"},
    {"ProxyBlock", in_servers, Arguments::one_or_more, block, "adds up",
     "A list of names, hosts or domains to which the proxy will not connect", proxy},
    {"NoProxy", in_servers, Arguments::one_or_more, no_proxy, "adds up",
     "A list of domains, hosts, or subnets to which the proxy will connect directly", proxy},
    {"ProxyDomain", in_servers, Arguments::one, domain, vhost_counts,
     "The default intranet domain name (in absence of a domain in the URL)", proxy},
    {"ProxyRemote", in_servers, Arguments::two_or_three, remote, "adds up",
     "a scheme, partial URL or '*' and a proxy server", proxy},
    {"ProxyRemoteMatch", in_servers, Arguments::two_or_three, remote_match, "adds up",
     "a regex pattern and a proxy server", proxy},
});

// What any place would be like that nobody thought of.
constexpr auto anywhere_else = std::to_array<std::string_view>({
    "http://forward-proxy.invalid/",
    "https://forward-proxy.invalid/",
    "ftp://forward-proxy.invalid/",
    "http://forward-proxy.invalid:8080/x",
    "http://192.0.2.1/",
    "forward-proxy.invalid:443",
    "192.0.2.1:443",
});
constexpr auto any_methods = std::to_array<std::string_view>(
    {"GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "UNHEARD-OF"});

bool leaves_open(const Server& server, std::string_view url) {
  config::PathSettings settings = server.defaults;
  for (const config::Section& section : server.proxies) {
    if (section.covers_url(url)) settings = merge(settings, section.settings);
  }
  for (const config::Section& section : server.locations) {
    if (section.covers_path(url)) settings = merge(settings, section.settings);
  }
  const bool is_tunnel = url.find("://") == url.npos;
  return std::ranges::any_of(any_methods, [&](std::string_view method) {
    return (method == "CONNECT") == is_tunnel && is_left_open(settings, method);
  });
}

// Not all addresses, as 0.0.0.0 is.
bool is_one(const std::optional<IpAddress>& ip) { return ip && !ip->is_any(); }

bool is_at(const std::optional<IpAddress>& ip, std::optional<std::uint16_t> port,
           const Endpoint& place) {
  const bool is_here = is_one(ip) ? *ip == place.ip : place.ip.is_loopback() || place.ip.is_any();
  return is_here && (!port || *port == place.port);
}

// Whether who connects there may come to this very server.
bool answers_at(const config::Config& config, const Server& server, const Endpoint& place) {
  const bool is_listened_at = std::ranges::any_of(
      config.listens, [&](const config::Listen& each) { return is_at(each.ip, each.port, place); });
  if (!is_listened_at || server.index == 0) return is_listened_at;
  return std::ranges::any_of(server.addresses, [&](const config::HostAddress& each) {
    return (!is_one(each.ip) || *each.ip == place.ip) && (!each.port || *each.port == place.port);
  });
}

bool leads_back(Reading& reading, const Server& server, const RemoteProxy& remote) {
  std::vector<IpAddress> found;
  if (const auto literal = IpAddress::parse(remote.host)) {
    found.push_back(*literal);
  } else if (std::ranges::any_of(reading.config->listens,
                                 [&](const auto& each) { return each.port == remote.port; }) &&
             reading.resolve_host) {
    found = reading.resolve_host(remote.host);
  }
  return std::ranges::any_of(found, [&](const IpAddress& ip) {
    return answers_at(*reading.config, server, {ip, remote.port});
  });
}

// A line is told once, however many virtual hosts have it.
using Told = std::set<std::pair<const std::string*, std::uint32_t>>;
bool is_news(Told& told, const config::Place& place) {
  return told.emplace(place.file.get(), place.line).second;
}

// httpd goes round until it has no connections left.
void check_circles(Reading& reading, const Server& server, Told& told) {
  for (const RemoteProxy& remote : server.proxy.forward->remotes) {
    if (!leads_back(reading, server, remote) || !is_news(told, remote.place)) continue;
    reading.complain_at(remote.place,
                        "ProxyRemote leads back to the server that has it: " + remote.host + ':' +
                            std::to_string(remote.port),
                        "Name another proxy, or give this one a virtual host at an address of its "
                        "own, without this line.");
  }
}

void check_openness(Reading& reading, const Server& server, Told& told) {
  const std::optional<config::Place>& place = server.proxy.forward->takes_requests;
  if (!place) return;
  const auto* const open = std::ranges::find_if(
      anywhere_else, [&](std::string_view url) { return leaves_open(server, url); });
  if (open == anywhere_else.end() || !is_news(told, *place)) return;
  reading.complain_at(
      *place,
      "ProxyRequests On would be an open proxy: anybody could reach anything through it (" +
          std::string(*open) + ", for one)",
      "Say who may use it: <Proxy \"*\"> with Require ip and the addresses of your clients. And "
      "no section that covers everything may say Require all granted.");
}

}  // namespace

// After finish_proxy(): virtual hosts have the main server's sections, too.
void finish_forward(Reading& reading) {
  Told told;
  for (const std::unique_ptr<Server>& server : reading.config->servers) {
    if (server->proxy.forward == nullptr) continue;
    check_circles(reading, *server, told);
    check_openness(reading, *server, told);
  }
}

std::span<const Directive> forward_directives() { return table; }

}  // namespace steelyard::apacheconf
