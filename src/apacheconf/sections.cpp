#include "apacheconf/sections.hpp"

#include <array>
#include <deque>

#include "apacheconf/addresses.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/words.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"
#include "config/conditional.hpp"

namespace steelyard::apacheconf {

namespace {

using config::Conditional;
using config::Section;

// What the main pass leaves for execute_virtual_hosts().
struct PendingHost {
  const Statement* statement;              // the statements outlive the reading
  std::optional<std::uint16_t> main_port;  // ServerName's port, when it stood above
};
struct PendingHosts {
  std::deque<PendingHost> hosts;
};

void virtual_host(Scope& scope, const Statement& statement) {
  scope.reading.part<PendingHosts>().hosts.push_back({&statement, scope.server.name_port});
}

bool set_regex(Scope& scope, Section& section) {
  section.kind = Section::Kind::regex;
  std::expected<Regex, std::string> regex = Regex::compile(section.pattern);
  if (!regex) {
    scope.complain("Regex could not be compiled", "\"" + section.pattern + "\": " + regex.error());
    return false;
  }
  section.regex = std::move(*regex);
  return true;
}

void run_section(Scope& scope, const Statement& statement, SectionKind kind, Section& section,
                 std::string name) {
  Frame frame;
  frame.kind = kind;
  frame.name = std::move(name);
  frame.argument = section.pattern;
  frame.section = &section;
  frame.settings = &section.settings;
  section.place = statement.place();
  scope.execute(statement.children, frame);
}

void location(Scope& scope, const Statement& statement) {
  const bool is_match = equals_ignoring_case(statement.name, "<LocationMatch");
  std::string_view rest = statement.text;
  Section section;
  take_word(rest, section.pattern);
  const bool is_tilde = !is_match && section.pattern == "~";
  if (is_tilde) take_word(rest, section.pattern);
  bool usable = rest.empty();
  if (!usable) {
    scope.complain("Multiple <" + statement.name.substr(1) + "> arguments not (yet) supported.",
                   "Quote an argument that contains blanks; write one section for each path.");
  }
  if (is_match || is_tilde) {
    usable = set_regex(scope, section) && usable;
  } else if (has_wildcards(section.pattern)) {
    section.kind = Section::Kind::glob;
  }
  run_section(scope, statement, is_match ? SectionKind::location_match : SectionKind::location,
              section, is_match ? "<LocationMatch>" : "<Location>");
  if (usable) scope.server.locations.push_back(std::move(section));
}

void proxy(Scope& scope, const Statement& statement) {
  const bool is_match = equals_ignoring_case(statement.name, "<ProxyMatch");
  std::string_view rest = statement.text;
  Section section;
  take_word(rest, section.pattern);
  if (starts_with_ignoring_case(section.pattern, "proxy:")) section.pattern.erase(0, 6);
  if (!rest.empty() && (is_match || section.pattern.find(':') == std::string::npos)) {
    scope.complain(is_match ? "<ProxyMatch> arguments are not supported."
                            : "<Proxy> arguments are not supported for non url.",
                   section.pattern == "~" ? "Write <ProxyMatch " + std::string(rest) + ">." : "");
    return;
  }
  bool usable = true;
  if (is_match) {
    usable = set_regex(scope, section);
  } else if (has_wildcards(section.pattern)) {
    section.kind = Section::Kind::glob;
  }
  run_section(scope, statement, is_match ? SectionKind::proxy_match : SectionKind::proxy, section,
              is_match ? "<ProxyMatch>" : "<Proxy>");
  // Requests are known by URLs without one.
  if (!is_match) section.pattern = balance::without_password(section.pattern);
  if (usable) scope.server.proxies.push_back(std::move(section));
}

// Nothing is served from files, so what stands inside is checked and forgotten.
void directory(Scope& scope, const Statement& statement) {
  config::PathSettings forgotten;
  Frame frame;
  frame.kind = SectionKind::directory;
  frame.name = statement.name + '>';
  frame.argument = statement.words.empty() ? std::string() : statement.words.back();
  frame.settings = &forgotten;
  frame.is_inert = true;
  const bool is_regex = statement.name.size() > 6 && statement.name.ends_with("Match");
  if (is_regex || (statement.words.size() > 1 && statement.words[0] == "~")) {
    const std::expected<Regex, std::string> regex = Regex::compile(frame.argument);
    if (!regex) scope.complain("Regex could not be compiled", regex.error());
  }
  scope.execute(statement.children, frame);
}

void limit(Scope& scope, const Statement& statement) {
  Frame frame = scope.frame();
  frame.kind = SectionKind::limit;
  frame.name = equals_ignoring_case(statement.name, "<Limit") ? "<Limit>" : "<LimitExcept>";
  frame.argument = statement.text;
  for (const std::string& method : statement.words) {
    if (method == "TRACE") scope.complain("TRACE cannot be controlled by <Limit>, see TraceEnable");
  }
  scope.execute(statement.children, frame);
}

// Whether an <ElseIf> or <Else> has something to follow; other lines may stand between (httpd).
bool follows_condition(const Scope& scope) {
  const auto& before = scope.settings().conditionals;
  return !before.empty() && before.back()->branch != Conditional::Branch::otherwise;
}

void run_conditional(Scope& scope, const Statement& statement,
                     std::shared_ptr<Conditional> conditional) {
  Frame frame;
  frame.kind = SectionKind::condition;
  frame.name = statement.name + '>';
  frame.argument = statement.text;
  frame.settings = &conditional->settings;
  conditional->place = statement.place();
  scope.execute(statement.children, frame);
  scope.settings().conditionals.push_back(std::move(conditional));
}

void read_condition(Scope& scope, const Statement& statement, Conditional& conditional) {
  std::string_view rest = statement.text;
  std::string text;
  take_word(rest, text);
  if (!rest.empty()) {
    scope.complain("Multiple " + statement.name + "> arguments not supported.",
                   "Put quotes around the whole condition.");
    return;
  }
  auto condition = expr::Condition::compile(text);
  if (condition) {
    conditional.condition = std::move(*condition);
  } else {
    scope.complain("Cannot parse condition clause: " + condition.error().text,
                   condition.error().advice);
  }
}

template <Conditional::Branch branch>
void conditional_section(Scope& scope, const Statement& statement) {
  if (branch != Conditional::Branch::first && !follows_condition(scope)) {
    scope.complain(
        "<Else> or <ElseIf> section without previous <If> or <ElseIf> section in same scope",
        "Write it behind an <If>, inside of the same section.");
    return;
  }
  auto conditional = std::make_shared<Conditional>();
  conditional->branch = branch;
  if (branch != Conditional::Branch::otherwise) read_condition(scope, statement, *conditional);
  run_conditional(scope, statement, std::move(conditional));
}

constexpr std::string_view no_files = "no files are served, so it does not act on any request";
constexpr std::string_view after_sections =
    "over all other sections; all that hold, outer ones first";

constexpr auto directives = std::to_array<Directive>({
    {.name = "<VirtualHost",
     .contexts = in_main,
     .arguments = Arguments::section,
     .handler = virtual_host,
     .merge = "what it does not say comes from the main server",
     .help = "settings for requests that arrive at these addresses: addr[:port] ...",
     .module = "core_module"},
    {.name = "<Location",
     .contexts = in_servers,
     .arguments = Arguments::section,
     .handler = location,
     .merge = "main server's sections first, then the virtual host's, in file order",
     .help = "settings for a path prefix, a path with wildcards, or ~ and a regular expression",
     .module = "core_module"},
    {.name = "<LocationMatch",
     .contexts = in_servers,
     .arguments = Arguments::section,
     .handler = location,
     .merge = "in one list with <Location>",
     .help = "settings for paths that match a regular expression",
     .module = "core_module"},
    {.name = "<Proxy",
     .contexts = in_servers,
     .arguments = Arguments::section,
     .handler = proxy,
     .merge = "main server's sections first, then the virtual host's, in file order",
     .help = "a balancer with its members, or settings for requests proxied to a URL",
     .module = "proxy_module"},
    {.name = "<ProxyMatch",
     .contexts = in_servers,
     .arguments = Arguments::section,
     .handler = proxy,
     .merge = "in one list with <Proxy>",
     .help = "settings for requests proxied to URLs that match a regular expression",
     .module = "proxy_module"},
    {.name = "<Directory",
     .contexts = in_servers,
     .arguments = Arguments::section,
     .handler = directory,
     .help = "settings for files below a directory",
     .module = "core_module",
     .support = Support::accepted_with_note,
     .note = no_files},
    {.name = "<DirectoryMatch",
     .contexts = in_servers,
     .arguments = Arguments::section,
     .handler = directory,
     .help = "settings for files below directories that match a regular expression",
     .module = "core_module",
     .support = Support::accepted_with_note,
     .note = no_files},
    {.name = "<Files",
     .contexts = in_servers | in_directory | in_condition,
     .arguments = Arguments::section,
     .handler = directory,
     .help = "settings for files by name",
     .module = "core_module",
     .support = Support::accepted_with_note,
     .note = no_files},
    {.name = "<FilesMatch",
     .contexts = in_servers | in_directory | in_condition,
     .arguments = Arguments::section,
     .handler = directory,
     .help = "settings for files whose names match a regular expression",
     .module = "core_module",
     .support = Support::accepted_with_note,
     .note = no_files},
    {.name = "<Limit",
     .contexts = in_sections,
     .arguments = Arguments::section,
     .handler = limit,
     .help = "access rules for these methods only",
     .module = "core_module"},
    {.name = "<LimitExcept",
     .contexts = in_sections,
     .arguments = Arguments::section,
     .handler = limit,
     .help = "access rules for all methods but these",
     .module = "core_module"},
    {.name = "<If",
     .contexts = anywhere,
     .arguments = Arguments::section,
     .handler = conditional_section<Conditional::Branch::first>,
     .merge = after_sections,
     .help = "settings for requests of which an expression is true",
     .module = "core_module"},
    {.name = "<ElseIf",
     .contexts = anywhere,
     .arguments = Arguments::section,
     .handler = conditional_section<Conditional::Branch::further>,
     .merge = after_sections,
     .help = "the same, if no condition held since the <If> before",
     .module = "core_module"},
    {.name = "<Else",
     .contexts = anywhere,
     .arguments = Arguments::empty_section,
     .handler = conditional_section<Conditional::Branch::otherwise>,
     .merge = after_sections,
     .help = "settings for requests of which no condition held since the <If> before",
     .module = "core_module"},
});

// What the main server says, without what a virtual host has of its own. AllowEncodedSlashes is not
// inherited (httpd).
std::unique_ptr<config::Server> inherit(const config::Server& main_server) {
  auto server = std::make_unique<config::Server>();
  server->name = main_server.name;
  server->admin = main_server.admin;
  server->document_root = main_server.document_root;
  server->merge_slashes = main_server.merge_slashes;
  server->strict_host_check = main_server.strict_host_check;
  server->trace = main_server.trace;
  server->client = main_server.client;
  server->tls = main_server.tls;
  server->proxy = main_server.proxy;
  server->tls_backend = main_server.tls_backend;
  server->error_log = main_server.error_log;
  server->log_levels = main_server.log_levels;
  server->tracing = main_server.tracing;
  return server;
}

// One word of a <VirtualHost> line; httpd ignores a name that has no address.
void add_address(Scope& scope, const PendingHost& pending, std::string_view word) {
  std::string_view text = word;
  const bool any_port = text.size() > 1 && text.ends_with(":*");
  if (any_port) text.remove_suffix(2);
  const std::optional<HostPort> parsed = parse_host_port(text);
  if (!parsed) {
    scope.complain("The address or port is invalid", "Write addr:port, *:port or [v6]:port.");
    return;
  }
  if (parsed->host.empty()) {
    scope.complain("Missing address for VirtualHost",
                   "Write *:" + std::string(word) + " for every address.");
    return;
  }
  config::HostAddress address;
  address.port = parsed->port;
  if (!address.port && !any_port) address.port = pending.main_port;
  address.host = to_lower(parsed->host);
  if (parsed->host == "*" || equals_ignoring_case(parsed->host, "_default_")) {
    scope.server.addresses.push_back(address);
    return;
  }
  address.ip = IpAddress::parse(parsed->host);
  if (address.ip) {
    scope.server.addresses.push_back(address);
    return;
  }
  const std::vector<IpAddress> found = scope.reading.resolve_host
                                           ? scope.reading.resolve_host(parsed->host)
                                           : std::vector<IpAddress>();
  if (found.empty()) {
    scope.warn("Could not resolve host name " + parsed->host + " -- ignoring!",
               "This virtual host answers no request at that address.");
  }
  for (const IpAddress& ip : found) {
    address.ip = ip;
    scope.server.addresses.push_back(address);
  }
}

}  // namespace

void execute_virtual_hosts(Reading& reading) {
  // A host that stands in another one by mistake is found while that one is read.
  std::deque<PendingHost>& hosts = reading.part<PendingHosts>().hosts;
  for (std::size_t next = 0; next < hosts.size(); ++next) {
    const PendingHost& pending = hosts[next];
    std::vector<std::unique_ptr<config::Server>>& servers = reading.config->servers;
    servers.push_back(inherit(*servers.front()));
    config::Server& server = *servers.back();
    server.index = static_cast<std::uint32_t>(servers.size() - 1);
    const Statement& statement = *pending.statement;
    server.place = statement.place();

    Frame frame;
    frame.kind = SectionKind::virtual_host;
    frame.name = "<VirtualHost>";
    frame.argument = statement.text;
    frame.settings = &server.defaults;
    Scope scope(reading, server, frame);
    scope.execute_host(statement, [&] {
      for (const std::string& word : statement.words) add_address(scope, pending, word);
      server.name_port = pending.main_port;
      if (!server.addresses.empty() && server.addresses.front().port) {
        server.name_port = server.addresses.front().port;
      }
    });
  }
}

std::span<const Directive> section_directives() { return directives; }

}  // namespace steelyard::apacheconf
