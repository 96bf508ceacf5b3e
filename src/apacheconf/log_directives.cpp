// Where the error log and the access logs go and what a line of them says.
#include <array>
#include <map>

#include "apacheconf/logs.hpp"
#include "apacheconf/modules.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::LogLevel;
using config::LogTarget;

constexpr std::string_view level_complaint =
    "Log level keyword must be one of "
    "emerg/alert/crit/error/warn/notice/info/debug/trace1/.../trace8";

// "|command", "||command": the program itself; "|$command": by the shell.
LogTarget parse_target(Scope& scope, const std::string& word) {
  LogTarget target;
  const Machine& machine = scope.reading.machine;
  if (!word.starts_with('|')) {
    target.text = scope.reading.resolve_path(word);
    const std::string folder = target.text.substr(0, target.text.rfind('/'));
    if (machine.is_folder && !folder.empty() && !machine.is_folder(folder))
      scope.complain(scope.statement().name + ": there is no directory " + folder,
                     "Make it, or write another path.");
    return target;
  }
  std::string_view command = std::string_view(word).substr(1);
  target.kind = LogTarget::Kind::pipe;
  if (command.starts_with('$')) target.kind = LogTarget::Kind::pipe_shell;
  if (command.starts_with('$') || command.starts_with('|')) command.remove_prefix(1);
  target.text = std::string(trim(command));
  const std::string program = target.text.substr(0, target.text.find_first_of(" \t"));
  const bool is_path = target.kind == LogTarget::Kind::pipe && program.starts_with('/');
  if (is_path && machine.is_file && !machine.is_file(program))
    scope.warn(scope.statement().name + ": there is no program " + program,
               "Its log cannot be written: install it, or write where it is.");
  return target;
}

void error_log(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (equals_ignoring_case(word, "syslog") || starts_with_ignoring_case(word, "syslog:")) {
    scope.server.error_log.kind = LogTarget::Kind::syslog;
    scope.server.error_log.text = word.size() > 7 ? word.substr(7) : std::string();
    return;
  }
  scope.server.error_log = parse_target(scope, word);
}

// "mod_proxy.c", "proxy_module" and "proxy" are one module.
std::string short_module_name(std::string_view word) {
  if (word.ends_with(".c")) word.remove_suffix(2);
  if (word.starts_with("mod_")) word.remove_prefix(4);
  if (word.ends_with("_module")) word.remove_suffix(7);
  return std::string(word);
}

std::string meant_module(const Scope& scope, std::string_view name) {
  std::vector<std::string> loaded;
  for (const Module& module : known_modules()) {
    if (scope.reading.has_module(module.identifier))
      loaded.push_back(short_module_name(module.identifier));
  }
  const std::string_view near = nearest(name, {loaded.begin(), loaded.end()});
  return near.empty() ? "Its LoadModule line must stand before."
                      : "Did you mean " + std::string(near) + '?';
}

void set_level(Scope& scope, config::LogLevels& levels, const std::string& word) {
  const std::size_t colon = word.rfind(':');
  const bool is_general = colon == std::string::npos;
  const std::string level_word = is_general ? word : word.substr(colon + 1);
  const std::optional<LogLevel> level = config::parse_log_level(level_word);
  if (!level) {
    const std::string_view near =
        nearest(level_word, {config::log_level_names.begin(), config::log_level_names.end()});
    scope.complain((is_general ? "" : word + ": ") + std::string(level_complaint),
                   near.empty() ? "\"" + level_word + "\" is none of them."
                                : "Did you mean " + std::string(near) + '?');
    return;
  }
  if (is_general) {
    levels.general = *level;
    levels.says_general = true;
    levels.modules.clear();
    return;
  }
  const std::string written = word.substr(0, colon);
  const std::string name = short_module_name(written);
  if (!scope.reading.has_module(written) && !scope.reading.has_module(name + "_module")) {
    scope.complain("Cannot find module " + written, meant_module(scope, name));
    return;
  }
  const auto same = [&](const auto& each) { return each.first == name; };
  const auto found = std::find_if(levels.modules.begin(), levels.modules.end(), same);
  if (found == levels.modules.end()) {
    levels.modules.emplace_back(name, *level);
  } else {
    found->second = *level;
  }
}

void log_level(Scope& scope, const Statement& statement) {
  if (scope.at_server_level()) {
    for (const std::string& word : statement.words) set_level(scope, scope.server.log_levels, word);
    return;
  }
  std::optional<config::LogLevels>& levels = scope.settings().log_levels;
  if (!levels) levels.emplace();
  for (const std::string& word : statement.words) set_level(scope, *levels, word);
}

template <class Format>
bool accept_format(Scope& scope, const std::expected<Format, expr::Complaint>& compiled) {
  if (!compiled) {
    scope.complain(compiled.error().text, compiled.error().advice);
    return false;
  }
  if (!compiled->names_tls()) return true;
  if (!scope.reading.has_module("ssl_module")) {
    scope.complain("Unrecognized LogFormat directive %x or %c",
                   "It is mod_ssl's: load ssl_module, or leave it out.");
    return false;
  }
  return true;
}

bool check_format(Scope& scope, const std::string& format) {
  return accept_format(scope, expr::LogFormat::compile(format));
}

void log_format(Scope& scope, const Statement& statement) {
  const std::string& format = statement.words[0];
  LogDrafts& drafts = scope.reading.part<LogDrafts>();
  ServerLogs& logs = drafts.servers[&scope.server];
  if (statement.words.size() == 1) {
    if (check_format(scope, format)) logs.default_format = format;
  } else {
    // A faulty one has its name all the same: who uses it has no fault of his own.
    const bool is_usable = check_format(scope, format);
    logs.formats[statement.words[1]] = is_usable ? format : std::string(expr::common_log_format);
  }
}

bool read_condition(Scope& scope, const std::string& word, AccessLogDraft& draft) {
  const bool is_expression = expr::LineCondition::is_expression(word);
  if (!is_expression && !starts_with_ignoring_case(word, "env=")) {
    scope.complain("error in condition clause", "Write env=NAME, env=!NAME or expr=CONDITION.");
    return false;
  }
  if (is_expression && word.ends_with('=') && word.find('=') == word.size() - 1) {
    scope.complain("missing condition", "Write expr=CONDITION, in quotes if it has blanks.");
    return false;
  }
  auto condition = expr::LineCondition::parse(word);
  if (!condition) {
    scope.complain(condition.error().text, condition.error().advice);
    return false;
  }
  draft.condition = std::move(*condition);
  return true;
}

// CustomLog, GlobalLog, TransferLog.
void access_log(Scope& scope, const Statement& statement) {
  AccessLogDraft draft;
  draft.target = parse_target(scope, statement.words[0]);
  draft.place = statement.place();
  if (statement.words.size() > 1) draft.format = statement.words[1];
  bool usable = true;
  if (draft.format && draft.format->find('%') != std::string::npos) {
    usable = check_format(scope, *draft.format);
  }
  if (statement.words.size() > 2) {
    usable = read_condition(scope, statement.words[2], draft) && usable;
  }
  if (!usable) return;
  LogDrafts& drafts = scope.reading.part<LogDrafts>();
  const bool is_global = equals_ignoring_case(statement.name, "GlobalLog");
  (is_global ? drafts.global : drafts.servers[&scope.server].logs).push_back(std::move(draft));
}

bool is_condition(const std::string& word) {
  return expr::LineCondition::is_expression(word) || starts_with_ignoring_case(word, "env=");
}

// FILE or |program, fields, and perhaps a condition as the last word.
void json_log(Scope& scope, const Statement& statement) {
  AccessLogDraft draft;
  draft.target = parse_target(scope, statement.words[0]);
  draft.place = statement.place();
  std::vector<std::string> fields(statement.words.begin() + 1, statement.words.end());
  bool usable = true;
  if (!fields.empty() && is_condition(fields.back())) {
    usable = read_condition(scope, fields.back(), draft);
    fields.pop_back();
  }
  for (const std::string& word : fields) {
    if (!is_condition(word)) continue;
    scope.complain("\"" + word + "\" is a condition, and those stand last",
                   "There can be one: write it behind the fields.");
    return;
  }
  auto format = expr::JsonFormat::compile(fields);
  if (!accept_format(scope, format) || !usable) return;
  draft.json = std::move(*format);
  scope.reading.part<LogDrafts>().servers[&scope.server].logs.push_back(std::move(draft));
}

constexpr auto directives = std::to_array<Directive>({
    {.name = "ErrorLog",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = error_log,
     .merge = "the virtual host's counts, else the main server's",
     .help = "The filename of the error log",
     .module = "core_module"},
    {.name = "LogLevel",
     .arguments = Arguments::one_or_more,
     .handler = log_level,
     .merge = "the innermost general level counts; single modules are added to what is around",
     .help = "Level of verbosity in error logging",
     .module = "core_module"},
    {.name = "LogFormat",
     .contexts = in_servers,
     .arguments = Arguments::one_or_two,
     .handler = log_format,
     .merge = "names of the main server hold in virtual hosts too",
     .help = "a log format string (see docs) and an optional format name",
     .module = "log_config_module"},
    {.name = "CustomLog",
     .contexts = in_servers,
     .arguments = Arguments::two_or_three,
     .handler = access_log,
     .merge = "a virtual host with a log of its own does not write to the main server's",
     .help = "a file name, a custom log format string or format name, and an optional \"env=\" or "
             "\"expr=\" clause (see docs)",
     .module = "log_config_module"},
    {.name = "GlobalLog",
     .contexts = in_main,
     .arguments = Arguments::two_or_three,
     .handler = access_log,
     .merge = "written by every server, beside its own logs",
     .help = "Same as CustomLog, but forces virtualhosts to inherit the log",
     .module = "log_config_module"},
    {.name = "TransferLog",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = access_log,
     .merge = "as CustomLog",
     .help = "the filename of the access log",
     .module = "log_config_module"},
    {.name = "SteelyardJsonLog",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = json_log,
     .merge = "as CustomLog, beside which it counts as a log of its own",
     .help =
         "an access log with a JSON object a line: a file name or |program, then fields as NAME "
         "or NAME=FORMAT (else the usual ones) and an optional env= or expr= clause",
     .module = "steelyard_module"},
    {.name = "BufferedLogs",
     .contexts = in_main,
     .arguments = Arguments::flag,
     .merge = "one for the whole",
     .help = "whether access log lines are collected before they are written",
     .module = "log_config_module",
     .support = Support::accepted_with_note,
     .note = "lines are always written beside the traffic, several at a time when they come fast"},
    {.name = "LogIOTrackTTFB",
     .arguments = Arguments::flag,
     .merge = "the innermost one counts",
     .help = "whether %^FB, the time to the first byte, is measured",
     .module = "logio_module",
     .support = Support::accepted_with_note,
     .note = "it is always measured"},
    {.name = "ErrorLogFormat",
     .help = "shape the lines of the error log",
     .module = "core_module",
     .support = Support::refused,
     .note = "Lines have httpd's default shape; remove the directive or keep it for httpd inside "
             "<IfModule !steelyard_module>."},
});

}  // namespace

std::span<const Directive> log_directives() { return directives; }

}  // namespace steelyard::apacheconf
