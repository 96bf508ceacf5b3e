// Table: mod_rewrite.

#include <algorithm>
#include <array>
#include <map>

#include "apacheconf/handlers.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"
#include "rewrite/line_reader.hpp"
#include "rewrite/map.hpp"
#include "rewrite/rule_set.hpp"

namespace steelyard::apacheconf {

namespace {

using rewrite::Map;
using rewrite::RuleSet;

// What was read of one place so far.
struct Draft {
  std::shared_ptr<RuleSet> rules;
  std::vector<rewrite::RuleCondition> conditions;  // those that wait for their rule
  config::Place condition_place;
};

struct AskedMap {
  const config::Server* server;
  std::string name;
  config::Place place;
};

struct RewriteDrafts {
  std::map<const config::Server*, Draft> servers;
  // Of sections by the RuleSet that their settings hold.
  std::map<const RuleSet*, Draft> sections;
  std::map<const config::Server*, std::shared_ptr<rewrite::Maps>> maps;
  std::vector<AskedMap> asked;
};

std::string directory_of(const Frame& frame) {
  std::string path = frame.kind == SectionKind::condition ? "*If" : frame.argument;
  if (!path.ends_with('/')) path += '/';
  return path;
}

Draft& draft_of_section(Scope& scope) {
  auto& sections = scope.reading.part<RewriteDrafts>().sections;
  auto& held = scope.settings().rewriting;
  if (held) return sections.at(held.get());
  Draft draft;
  draft.rules = std::make_shared<RuleSet>();
  if (!scope.at_server_level()) draft.rules->directory = directory_of(scope.frame());
  held = draft.rules;
  return sections.emplace(held.get(), std::move(draft)).first->second;
}

// Where rules and options of the line belong.
Draft& draft_of(Scope& scope) {
  if (!scope.at_server_level()) return draft_of_section(scope);
  Draft& draft = scope.reading.part<RewriteDrafts>().servers[&scope.server];
  if (!draft.rules) draft.rules = std::make_shared<RuleSet>();
  return draft;
}

void rewrite_engine(Scope& scope, const Statement& statement) {
  draft_of(scope).rules->engine = is_on(statement);
  // httpd: the server's switch is that of its sections, too.
  if (scope.at_server_level()) draft_of_section(scope).rules->engine = is_on(statement);
}

struct Option {
  std::string_view name;
  bool rewrite::Options::* field;  // null: about files, or targets that are no paths
};
constexpr auto options = std::to_array<Option>({
    {"inherit", &rewrite::Options::inherits},
    {"inheritbefore", &rewrite::Options::inherits_before},
    {"inheritdown", &rewrite::Options::gives_down},
    {"inheritdownbefore", &rewrite::Options::gives_down_before},
    {"ignoreinherit", &rewrite::Options::refuses_gifts},
    {"mergebase", &rewrite::Options::merges_base},
    {"allowanyuri", nullptr},
    {"allownoslash", nullptr},
    {"ignorecontextinfo", nullptr},
    {"legacyprefixdocroot", nullptr},
    {"unsafeprefixstat", nullptr},
});

void rewrite_options(Scope& scope, const Statement& statement) {
  rewrite::Options& chosen = draft_of(scope).rules->options;
  chosen.written = true;
  for (const std::string& word : statement.words) {
    if (starts_with_ignoring_case(word, "MaxRedirects=")) {
      scope.warn(
          "RewriteOptions: MaxRedirects option has been removed in favor of the global "
          "LimitInternalRecursion directive and will be ignored.");
      continue;
    }
    const auto* const known = std::ranges::find_if(
        options, [&word](const Option& option) { return equals_ignoring_case(option.name, word); });
    if (known == options.end()) {
      scope.complain("RewriteOptions: unknown option '" + word + "'");
    } else if (known->field != nullptr) {
      chosen.*known->field = true;
    } else {
      scope.note("RewriteOptions " + word +
                 ": no files are served and only paths are routed, so it has no effect");
    }
  }
}

void rewrite_base(Scope& scope, const Statement& statement) {
  const std::string& base = statement.words[0];
  if (scope.at_server_level()) {
    scope.complain("RewriteBase: only valid in per-directory config files",
                   "Rules of a server see whole paths; leave it out.");
    return;
  }
  if (base.empty()) {
    scope.complain("RewriteBase: empty URL not allowed", "Write a path: RewriteBase /app");
  } else if (base.front() != '/') {
    scope.complain("RewriteBase: argument is not a valid URL", "Write a path: RewriteBase /app");
  } else {
    draft_of(scope).rules->base = base;
  }
}

void note_maps(Scope& scope, const rewrite::Template& text) {
  for (const std::string& name : text.maps()) {
    scope.reading.part<RewriteDrafts>().asked.push_back({&scope.server, name, scope.place()});
  }
}

void rewrite_condition(Scope& scope, const Statement& statement) {
  Draft& draft = draft_of(scope);
  std::vector<std::string> remarks;
  auto condition = rewrite::read_condition(statement.text, remarks);
  for (std::string& remark : remarks) scope.warn(std::move(remark));
  draft.condition_place = statement.place();
  if (!condition) {
    scope.complain(condition.error().text, condition.error().advice);
    return;
  }
  note_maps(scope, condition->subject);
  draft.conditions.push_back(std::move(*condition));
}

void rewrite_rule(Scope& scope, const Statement& statement) {
  Draft& draft = draft_of(scope);
  std::vector<std::string> remarks;
  auto rule = rewrite::read_rule(statement.text, remarks);
  for (std::string& remark : remarks) scope.warn(std::move(remark));
  auto conditions = std::exchange(draft.conditions, {});
  if (!rule) {
    scope.complain(rule.error().text, rule.error().advice);
    return;
  }
  if (!rule->handler.empty() &&
      !read_handler(scope, "RewriteRule: flag H=" + rule->handler, rule->handler))
    return;
  note_maps(scope, rule->substitution);
  for (const auto* list : {&rule->variables, &rule->cookies}) {
    for (const rewrite::Template& text : *list) note_maps(scope, text);
  }
  rule->conditions = std::move(conditions);
  draft.rules->rules.push_back(std::make_shared<const rewrite::Rule>(std::move(*rule)));
}

struct InternalMap {
  std::string_view name;
  Map::Kind kind;
};
constexpr auto internal_maps = std::to_array<InternalMap>({
    {"tolower", Map::Kind::to_lower},
    {"toupper", Map::Kind::to_upper},
    {"escape", Map::Kind::escape},
    {"unescape", Map::Kind::unescape},
});

struct RefusedMap {
  std::string_view prefix, would, advice;
};
constexpr auto refused_maps = std::to_array<RefusedMap>({
    {"prg:", "ask a program that runs beside the server",
     "Let the program write its answers to a file, and name that with txt:."},
    {"dbm:", "look words up in a DBM file",
     "Write the table as text, a key and a value a line, and name it with txt:."},
    {"dbm=", "look words up in a DBM file",
     "Write the table as text, a key and a value a line, and name it with txt:."},
    {"dbd:", "ask a database",
     "Write the table to a file every now and then, and name it with txt:."},
    {"fastdbd:", "ask a database",
     "Write the table to a file every now and then, and name it with txt:."},
});

// nullopt after a complaint.
std::optional<Map> read_map(Scope& scope, const std::string& name, std::string_view source) {
  for (const RefusedMap& refused : refused_maps) {
    if (!source.starts_with(refused.prefix)) continue;
    scope.complain("RewriteMap " + name + ' ' + std::string(source) +
                       " is not supported: it would " + std::string(refused.would),
                   std::string(refused.advice));
    return std::nullopt;
  }
  if (source.starts_with("int:")) {
    source.remove_prefix(4);
    const auto* const known = std::ranges::find_if(
        internal_maps, [source](const InternalMap& map) { return map.name == source; });
    if (known != internal_maps.end()) return Map{.kind = known->kind};
    scope.complain("RewriteMap: internal map not found:" + std::string(source),
                   "Write int:tolower, int:toupper, int:escape or int:unescape.");
    return std::nullopt;
  }
  Map map;
  if (source.starts_with("rnd:")) map.kind = Map::Kind::random;
  if (source.starts_with("rnd:") || source.starts_with("txt:")) source.remove_prefix(4);
  map.path = scope.reading.resolve_path(source);
  if (scope.reading.file_exists && !scope.reading.file_exists(map.path)) {
    scope.complain("RewriteMap: file for map " + name + " not found:" + map.path);
    return std::nullopt;
  }
  return map;
}

void rewrite_map(Scope& scope, const Statement& statement) {
  const std::string& name = statement.words[0];
  auto map = read_map(scope, name, statement.words[1]);
  if (!map) return;
  auto& maps = scope.reading.part<RewriteDrafts>().maps[&scope.server];
  if (!maps) maps = std::make_shared<rewrite::Maps>();
  maps->add(name, std::move(*map));
}

void warn_of_lonely_conditions(Reading& reading, const Draft& draft) {
  if (draft.conditions.empty()) return;
  reading.warn_at(draft.condition_place, "RewriteCond without a RewriteRule behind it",
                  "Write the rule it belongs to, or leave it out.");
}

void warn_of_unknown_maps(Reading& reading, const RewriteDrafts& drafts) {
  for (const AskedMap& asked : drafts.asked) {
    const auto& maps = asked.server->rewrite_maps;
    if (maps && maps->find(asked.name) != nullptr) continue;
    reading.warn_at(asked.place,
                    "there is no RewriteMap '" + asked.name + "' here, so ${" + asked.name +
                        ":...} is what stands behind its '|'",
                    "Virtual hosts have maps of their own: write the RewriteMap line there.");
  }
}

// httpd: a virtual host has the main server's switch, but its rules and maps only if somebody said
// Inherit.
void inherit(RewriteDrafts& drafts, config::Server& server, const config::Server& main_server) {
  const Draft& outer = drafts.servers[&main_server];
  const Draft& own = drafts.servers[&server];
  server.rewriting = rewrite::merge(outer.rules, own.rules);
  const auto& outer_maps = drafts.maps[&main_server];
  if (!outer_maps ||
      inheritance(outer.rules->options, own.rules->options) == rewrite::Inheritance::none)
    return;
  auto& maps = drafts.maps[&server];
  if (!maps) maps = std::make_shared<rewrite::Maps>();
  maps->inherit(*outer_maps);
}

constexpr std::string_view module = "rewrite_module";
constexpr std::string_view replaced =
    "the innermost section that has any counts alone, unless it says RewriteOptions Inherit";

constexpr Directive row(std::string_view name, Arguments arguments, Handler handler,
                        std::string_view merge, std::string_view help,
                        Contexts contexts = anywhere) {
  return {.name = name,
          .contexts = contexts,
          .arguments = arguments,
          .handler = handler,
          .merge = merge,
          .help = help,
          .module = module};
}

constexpr auto table = std::to_array<Directive>({
    row("RewriteEngine", Arguments::flag, rewrite_engine, "the inner one counts",
        "On or Off to enable or disable (default) the whole rewriting engine"),
    row("RewriteOptions", Arguments::one_or_more, rewrite_options, "the inner one counts",
        "List of option strings to set"),
    row("RewriteBase", Arguments::one, rewrite_base, "the inner one counts",
        "the base URL of the per-directory context"),
    row("RewriteCond", Arguments::raw, rewrite_condition, replaced,
        "an input string and a to be applied regexp-pattern"),
    row("RewriteRule", Arguments::raw, rewrite_rule, replaced,
        "an URL-applied regexp-pattern and a substitution URL"),
    row("RewriteMap", Arguments::two_or_three, rewrite_map,
        "a virtual host has its own, and the main server's if it inherits rules",
        "a mapname and a filename and options", in_servers),
});

}  // namespace

std::span<const Directive> rewrite_directives() { return table; }

void finish_rewriting(Reading& reading) {
  RewriteDrafts& drafts = reading.part<RewriteDrafts>();
  const config::Server& main_server = *reading.config->servers.front();
  for (const auto& server : reading.config->servers) {
    Draft& draft = drafts.servers[server.get()];
    if (!draft.rules) draft.rules = std::make_shared<RuleSet>();
    server->rewriting = draft.rules;
    if (server.get() != &main_server) inherit(drafts, *server, main_server);
    server->rewrite_maps = drafts.maps[server.get()];
    // What is switched off is as good as not there.
    if (!server->rewriting->is_on()) server->rewriting = nullptr;
    warn_of_lonely_conditions(reading, draft);
  }
  for (const auto& [rules, draft] : drafts.sections) warn_of_lonely_conditions(reading, draft);
  warn_of_unknown_maps(reading, drafts);
}

}  // namespace steelyard::apacheconf
