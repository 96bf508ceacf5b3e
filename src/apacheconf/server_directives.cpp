// What a server is called and how it treats the requests that it owns.
#include <array>

#include "apacheconf/choices.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/tls_drafts.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::Server;

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const std::int64_t port = parse_lax(text);
  if (port < 1 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// [scheme://]name[:port]
void server_name(Scope& scope, const Statement& statement) {
  const std::string& argument = statement.words[0];
  if (argument.find_first_of("*?[]") != std::string::npos) {
    scope.complain("Invalid ServerName \"" + argument +
                   "\" use ServerAlias to set multiple server names.");
    return;
  }
  std::string_view rest = argument;
  std::string scheme;
  if (const std::size_t end = rest.find("://"); end != std::string_view::npos) {
    scheme = to_lower(rest.substr(0, end));
    rest.remove_prefix(end + 3);
  }
  std::optional<std::uint16_t> port;
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    port = parse_port(rest.substr(colon + 1));
    if (!port) {
      scope.complain("The port number \"" + argument +
                     "\" is outside the appropriate range (i.e., 1..65535).");
      return;
    }
    rest = rest.substr(0, colon);
  }
  scope.reading.part<TlsDrafts>().servers[&scope.server].has_name = true;
  scope.server.name = std::string(rest);
  scope.server.name_port = port;
  scope.server.name_scheme = scheme;
}

void server_alias(Scope& scope, const Statement& statement) {
  if (scope.in_main_server) {
    scope.complain("ServerAlias only used in <VirtualHost>");
    return;
  }
  for (const std::string& word : statement.words) {
    const bool is_wild = word.find_first_of("*?") != std::string::npos;
    (is_wild ? scope.server.wild_aliases : scope.server.aliases).push_back(to_lower(word));
  }
}

void server_path(Scope& scope, const Statement& statement) {
  scope.server.legacy_path = statement.words[0];
}

void server_admin(Scope& scope, const Statement& statement) {
  scope.server.admin = statement.words[0];
}

void server_signature(Scope& scope, const Statement& statement) {
  static constexpr Choices<config::Signature, 3> choices{
      "ServerSignature: use one of: off | on | email",
      {{{"off", config::Signature::off},
        {"on", config::Signature::on},
        {"email", config::Signature::email}}}};
  choices.choose(scope, statement.words[0], scope.settings().signature);
}

void use_canonical_name(Scope& scope, const Statement& statement) {
  static constexpr Choices<config::CanonicalName, 3> choices{
      "parameter must be 'on', 'off', or 'dns'",
      {{{"on", config::CanonicalName::on},
        {"off", config::CanonicalName::off},
        {"dns", config::CanonicalName::dns}}}};
  choices.choose(scope, statement.words[0], scope.settings().canonical_name);
  if (scope.settings().canonical_name == config::CanonicalName::dns) {
    scope.warn(
        "UseCanonicalName DNS: no name is looked up for the server's own address here; it "
        "acts as On",
        "Write UseCanonicalName On, and the name in ServerName.");
  }
}

void use_canonical_physical_port(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (!equals_ignoring_case(word, "on") && !equals_ignoring_case(word, "off")) {
    scope.complain("parameter must be 'on' or 'off'");
    return;
  }
  scope.settings().canonical_physical_port = equals_ignoring_case(word, "on");
}

void trace_enable(Scope& scope, const Statement& statement) {
  static constexpr Choices<config::TraceMode, 3> choices{
      "TraceEnable must be one of 'on', 'off', or 'extended'",
      {{{"on", config::TraceMode::on},
        {"off", config::TraceMode::off},
        {"extended", config::TraceMode::extended}}}};
  choices.choose(scope, statement.words[0], scope.server.trace);
}

void allow_encoded_slashes(Scope& scope, const Statement& statement) {
  static constexpr Choices<config::EncodedSlashes, 3> choices{
      "AllowEncodedSlashes must be On, Off, or NoDecode",
      {{{"on", config::EncodedSlashes::decode},
        {"off", config::EncodedSlashes::refuse},
        {"nodecode", config::EncodedSlashes::keep}}}};
  choices.choose(scope, statement.words[0], scope.server.encoded_slashes);
}

void merge_slashes(Scope& scope, const Statement& statement) {
  scope.server.merge_slashes = is_on(statement);
}

void strict_host_check(Scope& scope, const Statement& statement) {
  scope.server.strict_host_check = is_on(statement);
}

void hostname_lookups(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (equals_ignoring_case(word, "on") || equals_ignoring_case(word, "double")) {
    scope.complain("HostnameLookups " + word +
                       " is not supported: it would look up every client's name while it waits",
                   "Write HostnameLookups Off, and resolve the addresses of a log afterwards "
                   "(logresolve).");
  } else if (!equals_ignoring_case(word, "off")) {
    scope.complain("parameter must be 'on', 'off', or 'double'");
  }
}

void http_protocol_options(Scope& scope, const Statement& statement) {
  const auto says = [&](std::string_view option) {
    return std::any_of(statement.words.begin(), statement.words.end(),
                       [&](const auto& word) { return equals_ignoring_case(word, option); });
  };
  const std::array<std::pair<std::string_view, std::string_view>, 3> pairs{
      {{"Strict", "Unsafe"}, {"RegisteredMethods", "LenientMethods"}, {"Require1.0", "Allow0.9"}}};
  std::size_t known = 0;
  for (const auto& [one, other] : pairs) {
    if (says(one) && says(other)) {
      scope.complain("HttpProtocolOptions '" + std::string(one) + "' and '" + std::string(other) +
                     "' are mutually exclusive");
    }
  }
  for (const std::string& word : statement.words) {
    for (const auto& [one, other] : pairs) {
      known += equals_ignoring_case(word, one) || equals_ignoring_case(word, other) ? 1 : 0;
    }
  }
  if (known != statement.words.size()) {
    scope.complain(
        "HttpProtocolOptions accepts 'Unsafe' or 'Strict' (default), 'RegisteredMethods' or "
        "'LenientMethods' (default), and 'Require1.0' or 'Allow0.9' (default)");
  }
  if (says("Unsafe")) {
    scope.complain(
        "HttpProtocolOptions Unsafe is not supported: it would let malformed requests in",
        "Write HttpProtocolOptions Strict.");
  }
  if (says("RegisteredMethods")) {
    scope.complain(
        "HttpProtocolOptions RegisteredMethods is not supported: it would refuse methods that "
        "httpd does not know",
        "Write Require method inside a <Location>.");
  }
}

void document_root(Scope& scope, const Statement& statement) {
  scope.server.document_root = scope.reading.resolve_path(statement.words[0]);
}

void error(Scope& scope, const Statement& statement) {
  if (statement.words.empty()) {
    scope.complain("The Error directive was used with no message.");
    return;
  }
  scope.complain(statement.words.size() == 1 ? statement.words[0] : statement.text);
}

constexpr std::string_view vhost_wins = "the virtual host's counts, else the main server's";

constexpr auto directives = std::to_array<Directive>({
    {.name = "ServerName",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = server_name,
     .merge = vhost_wins,
     .help = "The hostname and port of the server",
     .module = "core_module"},
    {.name = "ServerAlias",
     .contexts = in_servers,
     .handler = server_alias,
     .merge = "added to those of the same virtual host",
     .help = "further names of a virtual host, with * and ? as wildcards",
     .module = "core_module"},
    {.name = "ServerPath",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = server_path,
     .merge = "not inherited",
     .help = "The pathname the server can be reached at",
     .module = "core_module"},
    {.name = "ServerAdmin",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = server_admin,
     .merge = vhost_wins,
     .help = "The email address of the server administrator",
     .module = "core_module"},
    {.name = "ServerSignature",
     .arguments = Arguments::one,
     .handler = server_signature,
     .merge = "the innermost one counts",
     .help = "whether error pages end with a line about the server: off, on or email",
     .module = "core_module"},
    {.name = "UseCanonicalName",
     .arguments = Arguments::one,
     .handler = use_canonical_name,
     .merge = "the innermost one counts",
     .help = "whether the server's own URLs use ServerName (on) or the request's host (off)",
     .module = "core_module"},
    {.name = "UseCanonicalPhysicalPort",
     .arguments = Arguments::one,
     .handler = use_canonical_physical_port,
     .merge = "the innermost one counts",
     .help = "whether the server's own URLs use the port of the connection",
     .module = "core_module"},
    {.name = "TraceEnable",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = trace_enable,
     .merge = vhost_wins,
     .help = "'on', 'off' or 'extended' to trace request body content",
     .module = "core_module"},
    {.name = "AllowEncodedSlashes",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = allow_encoded_slashes,
     .merge = "not inherited",
     .help = "what becomes of %2F in a path: Off is answered with 404, On decodes, NoDecode keeps",
     .module = "core_module"},
    {.name = "MergeSlashes",
     .contexts = in_servers,
     .arguments = Arguments::flag,
     .handler = merge_slashes,
     .merge = vhost_wins,
     .help = "whether // in a path becomes /",
     .module = "core_module"},
    {.name = "StrictHostCheck",
     .contexts = in_servers,
     .arguments = Arguments::flag,
     .handler = strict_host_check,
     .merge = vhost_wins,
     .help = "whether a host that no server is called is answered with 400",
     .module = "core_module"},
    {.name = "HostnameLookups",
     .arguments = Arguments::one,
     .handler = hostname_lookups,
     .merge = "the innermost one counts",
     .help = "whether clients' names are looked up; only Off",
     .module = "core_module"},
    {.name = "HttpProtocolOptions",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = http_protocol_options,
     .merge = vhost_wins,
     .help = "how strictly requests are read; only Strict and LenientMethods",
     .module = "core_module",
     .support = Support::accepted_with_note,
     .note = "requests are always read strictly and any method passes"},
    {.name = "DocumentRoot",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = document_root,
     .merge = vhost_wins,
     .help = "where files would be",
     .module = "core_module",
     .support = Support::accepted_with_note,
     .note = "no files are served; it is known as %{DOCUMENT_ROOT} only"},
    {.name = "Error",
     .handler = error,
     .help = "a fault that the configuration finds in itself",
     .module = "core_module"},
});

}  // namespace

std::span<const Directive> server_directives() { return directives; }

}  // namespace steelyard::apacheconf
