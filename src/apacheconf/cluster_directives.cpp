// SteelyardCluster etcd://HOST[:PORT][,...]/PREFIX [tls=] [ca=] [certificate=] [key=] [user=]
// [passwordfile=] [name=]
#include <algorithm>
#include <array>
#include <map>

#include "apacheconf/addresses.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"
#include "config/cluster_spec.hpp"

namespace steelyard::apacheconf {

namespace {

using config::ClusterSpec;

constexpr std::size_t addresses_max = 16;
constexpr std::size_t text_length_max = 200;
constexpr std::uint16_t etcd_port = 2379;
constexpr std::string_view scheme = "etcd://";
constexpr std::string_view form = "Write etcd://HOST:PORT[,HOST:PORT...]/PREFIX.";

// Of a prefix, and of an instance's name: what is seen in keys and in the log.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= text_length_max && std::ranges::all_of(text, [](char c) {
    return is_alnum(c) || c == '.' || c == '-' || c == '_';
  });
}

bool is_prefix(std::string_view path) {
  if (path.size() < 2 || path.size() > text_length_max) return false;
  const auto parts = split(path.substr(1), '/');
  return std::ranges::all_of(parts, is_name);
}

bool is_this_host(std::string_view host) {
  if (equals_ignoring_case(host, "localhost")) return true;
  const auto ip = IpAddress::parse(std::string(host));
  if (!ip) return false;
  return ip->is_v6() ? ip->text() == "::1" : ip->v4_host_order() >> 24 == 127;
}

// What a URL leads to, beside the spec.
struct Reach {
  bool stays_here = true;  // no address is another machine's
};

bool read_address(Scope& scope, std::string_view text, ClusterSpec& spec, Reach& reach) {
  const auto parsed = parse_host_port(text);
  const bool is_host =
      parsed && !parsed->host.empty() && std::ranges::all_of(parsed->host, [](char c) {
        return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
      });
  if (!is_host) {
    scope.complain("SteelyardCluster: " + quoted(text) + " is no address", std::string(form));
    return false;
  }
  const std::string& host = parsed->host;
  const std::string shown = host.contains(':') ? '[' + host + ']' : host;
  spec.addresses.push_back(shown + ':' + std::to_string(parsed->port.value_or(etcd_port)));
  reach.stays_here = reach.stays_here && is_this_host(host);
  return true;
}

bool read_url(Scope& scope, const std::string& url, ClusterSpec& spec, Reach& reach) {
  spec.url = url;
  if (!url.starts_with(scheme)) {
    scope.complain("SteelyardCluster: " + quoted(url) + " is no URL of an etcd", std::string(form));
    return false;
  }
  const std::string_view rest = std::string_view(url).substr(scheme.size());
  const std::size_t slash = rest.find('/');
  spec.prefix = slash == rest.npos ? "" : rest.substr(slash);
  if (!is_prefix(spec.prefix)) {
    scope.complain(
        "SteelyardCluster: the URL needs a prefix of letters, digits, dots, hyphens and "
        "underscores, under which this cluster's keys lie",
        std::string(form));
    return false;
  }
  if (rest.contains('@')) {
    scope.complain("SteelyardCluster: a URL with a password would be seen by everybody",
                   "Write user=NAME passwordfile=PATH behind it.");
    return false;
  }
  const auto addresses = split(rest.substr(0, slash), ',');
  if (addresses.size() > addresses_max) {
    scope.complain("SteelyardCluster: more than " + std::to_string(addresses_max) + " addresses");
    return false;
  }
  return std::ranges::all_of(addresses, [&](std::string_view address) {
    return read_address(scope, address, spec, reach);
  });
}

struct Said {
  std::map<std::string, std::string> values;

  [[nodiscard]] bool has(const std::string& name) const { return values.contains(name); }
  [[nodiscard]] std::string of(const std::string& name) const {
    const auto found = values.find(name);
    return found != values.end() ? found->second : std::string();
  }
};

bool read_parameters(Scope& scope, const Statement& statement, Said& said) {
  constexpr std::array<std::string_view, 7> names{"tls",  "ca",           "certificate", "key",
                                                  "user", "passwordfile", "name"};
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const std::string& word = statement.words[i];
    const std::size_t equals = word.find('=');
    const std::string name = to_lower(word.substr(0, equals));
    if (equals == word.npos || std::ranges::find(names, name) == names.end()) {
      scope.complain("SteelyardCluster: unknown parameter " + quoted(word),
                     "There are tls=, ca=, certificate=, key=, user=, passwordfile= and name=.");
      return false;
    }
    if (equals + 1 == word.size()) {
      scope.complain("SteelyardCluster: " + name + "= needs a value");
      return false;
    }
    if (!said.values.emplace(name, word.substr(equals + 1)).second) {
      scope.complain("SteelyardCluster: " + name + "= is given twice");
      return false;
    }
  }
  return true;
}

bool read_files(Scope& scope, const Said& said, ClusterSpec& spec) {
  const std::array<std::pair<const char*, std::string*>, 4> files{
      {{"ca", &spec.ca_file},
       {"certificate", &spec.certificate_file},
       {"key", &spec.key_file},
       {"passwordfile", &spec.password_file}}};
  bool all = true;
  for (const auto& [name, path] : files) {
    if (!said.has(name)) continue;
    *path = scope.reading.resolve_path(said.of(name));
    if (scope.reading.file_exists(*path)) continue;
    scope.complain("SteelyardCluster: " + std::string(name) + "=: there is no file " + *path);
    all = false;
  }
  return all;
}

bool belong_together(Scope& scope, const Said& said, const char* one, const char* other) {
  if (said.has(one) == said.has(other)) return true;
  const char* const missing = said.has(one) ? other : one;
  scope.complain("SteelyardCluster: " + std::string(one) + "= and " + other + "= belong together",
                 "Write " + std::string(missing) + "= as well.");
  return false;
}

// Changes of members are orders: who can listen or answer in etcd's place could give them.
bool read_tls(Scope& scope, const Said& said, const Reach& reach, ClusterSpec& spec) {
  const std::string word = to_lower(said.of("tls"));
  if (said.has("tls") && word != "on" && word != "off") {
    scope.complain("SteelyardCluster: tls= must be On or Off");
    return false;
  }
  const bool has_files = said.has("ca") || said.has("certificate");
  spec.tls = word == "on" || has_files;
  if (word == "off" && has_files) {
    scope.complain("SteelyardCluster: tls=Off has no use for ca= and certificate=");
    return false;
  }
  if (spec.tls || reach.stays_here) return true;
  if (word != "off") {
    scope.complain(
        "SteelyardCluster: without TLS anybody between here and etcd could change members",
        "Write ca=FILE, or tls=On for the system's authorities, or tls=Off if the network is to be "
        "trusted.");
    return false;
  }
  if (said.has("user")) {
    scope.complain("SteelyardCluster: the password would be sent in plain text",
                   "Write ca=FILE or tls=On.");
    return false;
  }
  scope.warn("SteelyardCluster " + spec.url +
             ": tls=Off: anybody between here and etcd can change members");
  return true;
}

void steelyard_cluster(Scope& scope, const Statement& statement) {
  if (scope.config.cluster) {
    scope.complain("SteelyardCluster may only be given once", "Remove one of the lines.");
    return;
  }
  ClusterSpec spec;
  Reach reach;
  Said said;
  if (!read_url(scope, statement.words[0], spec, reach)) return;
  if (!read_parameters(scope, statement, said)) return;
  bool good = read_files(scope, said, spec);
  good = belong_together(scope, said, "certificate", "key") && good;
  good = belong_together(scope, said, "user", "passwordfile") && good;
  good = read_tls(scope, said, reach, spec) && good;
  spec.user = said.of("user");
  spec.name = said.of("name");
  if (said.has("name") && !is_name(spec.name)) {
    scope.complain(
        "SteelyardCluster: name= must be letters, digits, dots, hyphens and underscores");
    good = false;
  }
  if (!good) return;
  scope.note("SteelyardCluster: operators' changes are shared with all instances that name " +
             spec.url + (spec.tls ? ", over TLS" : ", in plain text"));
  scope.config.cluster = std::move(spec);
}

constexpr auto directives = std::to_array<Directive>({
    {.name = "SteelyardCluster",
     .contexts = in_main,
     .arguments = Arguments::one_or_more,
     .handler = steelyard_cluster,
     .merge = "one for the whole",
     .help = "the etcd through which instances share what operators change: "
             "etcd://HOST:PORT[,...]/PREFIX, and tls=, ca=, certificate=, key=, user=, "
             "passwordfile=, name=",
     .module = "steelyard_module",
     .support = Support::implemented,
     .note = {},
     .other_module = {}},
});

}  // namespace

std::span<const Directive> cluster_directives() { return directives; }

}  // namespace steelyard::apacheconf
