// What httpd does with files of its own, so that the lines of a stock configuration are accepted.
// Of what would change a proxied answer, types by name are among them: docs and warnings say so.
#include <array>

#include "apacheconf/aliases.hpp"
#include "apacheconf/handlers.hpp"
#include "apacheconf/listed.hpp"
#include "apacheconf/methods.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view wrap =
    "Remove it, or keep it for httpd inside <IfModule !steelyard_module>.";

// Handlers that a module of httpd brings.
struct ModuleHandler {
  config::Responder responder;
  std::string_view module, file;
};
constexpr auto module_handlers = std::to_array<ModuleHandler>({
    {config::Responder::heartbeat, "heartmonitor_module", "mod_heartmonitor.so"},
    {config::Responder::balancer_manager, "proxy_balancer_module", "mod_proxy_balancer.so"},
    {config::Responder::server_status, "status_module", "mod_status.so"},
    // Our own need none.
    {config::Responder::metrics, {}, {}},
    {config::Responder::api, {}, {}},
});

void set_handler(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  config::PathSettings& settings = scope.settings();
  if (is_proxy_handler(word)) {
    if (auto handler = read_proxy_handler(scope, word)) {
      settings.responder = config::Responder::none;
      settings.handler = std::move(handler);
    }
    return;
  }
  const auto responder = read_handler(scope, "SetHandler " + word, word);
  if (!responder) return;
  settings.responder = responder;
  settings.handler = nullptr;
}

void add_default_charset(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  std::string& charset = scope.settings().default_charset.emplace(word);
  if (equals_ignoring_case(word, "off")) charset.clear();
  if (equals_ignoring_case(word, "on")) charset = "iso-8859-1";
}

void allow_override(Scope& scope, const Statement& statement) {
  if (scope.frame().kind == SectionKind::directory) return;
  scope.warn("Useless use of " + statement.name + " in " + scope.frame().name,
             "Only files have a .htaccess; leave the line out.");
}

void options(Scope& scope, const Statement& statement) {
  constexpr std::array<std::string_view, 11> known{"None",
                                                   "All",
                                                   "Indexes",
                                                   "Includes",
                                                   "IncludesNoExec",
                                                   "FollowSymLinks",
                                                   "SymLinksIfOwnerMatch",
                                                   "ExecCGI",
                                                   "MultiViews",
                                                   "RunScripts",
                                                   "OldMultiViews"};
  for (const std::string& word : statement.words) {
    std::string_view name = word;
    if (name.starts_with('+') || name.starts_with('-')) name.remove_prefix(1);
    const bool is_known = std::any_of(known.begin(), known.end(), [&](std::string_view each) {
      return equals_ignoring_case(each, name);
    });
    if (is_known) continue;
    const std::string_view near = nearest(name, {known.begin(), known.end()});
    scope.complain("Illegal option " + std::string(name),
                   near.empty() ? std::string() : "Did you mean " + std::string(near) + '?');
  }
}

// The same for every row but name, handler, module and words.
constexpr Directive handled(std::string_view name, Handler handler, std::string_view help,
                            std::string_view module = "core_module") {
  return {.name = name,
          .contexts = anywhere,
          .arguments = Arguments::one,
          .handler = handler,
          .merge = "the innermost one counts",
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {}};
}

constexpr Directive noted(Directive directive, std::string_view note) {
  directive.support = Support::accepted_with_note;
  directive.note = note;
  return directive;
}

constexpr auto handled_directives = std::to_array<Directive>({
    handled(
        "SetHandler", set_handler,
        "what answers these requests: balancer-manager, heartbeat (POST of a heartbeat), "
        "server-status, steelyard-api, steelyard-metrics, none, or proxy:fcgi://... for scripts "
        "of DocumentRoot"),
    handled(
        "AddDefaultCharset", add_default_charset,
        "charset of text/html and text/plain that name none: a name, On for iso-8859-1, or Off"),
});

constexpr std::string_view files = "no files are served, so it does not act on any request";
constexpr std::string_view types =
    "answers of members pass as they are: no Content-Type, Content-Language or Content-Encoding is "
    "added to them";
constexpr std::string_view no_aliases =
    "no files are served: a path that no ProxyPass covers is 404";

std::vector<Directive> make_table() {
  std::vector<Directive> table = expand_lists(
      {
          {"core_module",
           "AccessFileName AcceptPathInfo FileETag "
           "ContentDigest DefaultType MaxRanges MaxRangeOverlaps MaxRangeReversals "
           "RLimitCPU RLimitMEM RLimitNPROC LimitXMLRequestBody "
           "LimitInternalRecursion QualifyRedirectURL RegexDefaultOptions MergeTrailers",
           "how files are found, described and run", files},
          {"dir_module",
           "DirectoryIndex DirectorySlash DirectoryCheckHandler DirectoryIndexRedirect",
           "what a directory of files answers with", files},
          {"core_module", "ForceType", "what type answers have that name none", types},
          {"mime_module",
           "TypesConfig AddType AddCharset AddEncoding AddLanguage DefaultLanguage RemoveCharset "
           "RemoveEncoding RemoveLanguage RemoveType ModMimeUsePathInfo",
           "what the name of a file says about it, and the path of a proxied request about its "
           "answer",
           types},
          {"mime_module", "AddHandler MultiviewsMatch RemoveHandler RemoveInputFilter",
           "what the name of a file says about it", files},
          {"mime_magic_module", "MimeMagicFile", "what the content of a file says about it", files},
          {"negotiation_module", "LanguagePriority ForceLanguagePriority CacheNegotiatedDocs",
           "which variant of a file is sent", files},
          {"autoindex_module",
           "AddIcon AddIconByType AddIconByEncoding AddAlt AddAltByType AddAltByEncoding "
           "IndexOptions IndexOrderDefault IndexIgnore IndexIgnoreReset AddDescription HeaderName "
           "ReadmeName FancyIndexing DefaultIcon IndexStyleSheet IndexHeadInsert",
           "how lists of files look", files},
          {"alias_module", "AliasPreservePath", "which path leads to which files", no_aliases},
      },
      Support::accepted_with_note);
  for (const std::string_view name : {"AllowOverride", "AllowOverrideList"}) {
    Directive row = handled(name, allow_override, "what .htaccess files may say");
    row.contexts = in_sections;
    row.arguments = Arguments::raw;
    table.push_back(noted(row, files));
  }
  for (const std::string_view name : {"Alias", "AliasMatch", "ScriptAlias", "ScriptAliasMatch"}) {
    Directive row = handled(name, alias, "which path leads to which files", "alias_module");
    row.arguments = Arguments::raw;
    table.push_back(noted(row, no_aliases));
  }
  Directive methods = handled("RegisterHttpMethod", register_methods,
                              "further methods that Require may name; any passes anyway");
  methods.arguments = Arguments::one_or_more;
  methods.contexts = in_main;
  table.push_back(methods);
  Directive row = handled("Options", options, "what may be done with the files of a directory");
  row.arguments = Arguments::raw;
  table.push_back(noted(row, files));
  table.insert(table.end(), handled_directives.begin(), handled_directives.end());
  return table;
}

}  // namespace

std::optional<config::Responder> read_handler(Scope& scope, const std::string& line,
                                              const std::string& word) {
  if (equals_ignoring_case(word, "none")) return config::Responder::none;
  for (const ModuleHandler& known : module_handlers) {
    if (word != handler_name(known.responder)) continue;
    if (known.module.empty() || scope.reading.has_module(known.module)) return known.responder;
    scope.warn(line + ": its path is answered like any other",
               "Add the line: LoadModule " + std::string(known.module) + " modules/" +
                   std::string(known.file));
    return std::nullopt;
  }
  if (word == "server-info" || word == "ldap-status") {
    scope.warn(line + ": this page is not served; its path is answered like any other",
               std::string(wrap));
    return std::nullopt;
  }
  if (scope.frame().is_inert) {
    scope.warn(line + ": no files are served, so it answers nothing here",
               "Let a member answer, and write ProxyPass for the paths.");
    return std::nullopt;
  }
  scope.complain(line + " is not supported: it would answer these requests by it",
                 is_proxy_handler(word) ? "Write ProxyPass " + word.substr(6) + " in a <Location>."
                                        : std::string(wrap));
  return std::nullopt;
}

std::span<const Directive> content_directives() {
  static const std::vector<Directive> table = make_table();
  return table;
}

}  // namespace steelyard::apacheconf
