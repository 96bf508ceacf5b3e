#include "server/options.hpp"

#include <fmt/format.h>
#include <getopt.h>

#include <array>
#include <filesystem>
#include <utility>

#include "base/text.hpp"

namespace steelyard::server {

namespace {

using Action = Options::Action;

constexpr std::array<std::pair<std::string_view, Control>, 5> controls{{
    {"start", Control::start},
    {"stop", Control::stop},
    {"graceful", Control::graceful},
    {"graceful-stop", Control::graceful_stop},
    {"restart", Control::restart},
}};

std::optional<Control> find_control(std::string_view name) {
  for (const auto& [key, control] : controls) {
    if (equals_ignoring_case(key, name)) return control;
  }
  return std::nullopt;
}

constexpr std::array<std::pair<std::string_view, bool Reports::*>, 5> dumps{{
    {"DUMP_INCLUDES", &Reports::includes},
    {"DUMP_VHOSTS", &Reports::hosts},
    {"DUMP_RUN_CFG", &Reports::run},
    {"DUMP_MODULES", &Reports::modules},
    {"DUMP_CONFIG", &Reports::config},
}};

// -D also steers what the program does; those names are defined nevertheless, as in httpd.
void define(Options& options, std::string_view name) {
  if (name == "FOREGROUND" || name == "NO_DETACH") options.foreground = true;
  if (name == "DUMP_CERTS") options.reports.certificates = true;
  for (const auto& [dump, report] : dumps) {
    if (name != dump) continue;
    options.reports.*report = true;
    options.action = Action::report;
  }
  options.defines.emplace_back(name);
}

// A server in the background stands elsewhere, and a reload reads the same names again.
std::string from_here(std::string_view folder) {
  if (folder.empty() || folder.starts_with('/')) return std::string(folder);
  std::error_code failure;
  const std::filesystem::path here = std::filesystem::current_path(failure);
  if (failure) return std::string(folder);
  std::string path = (here / folder).lexically_normal().string();
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

void ask_for_version(Options& options) {
  options.show_notes = true;
  if (options.action == Action::serve) options.action = Action::version;
}

void ask_for_check(Options& options) {
  if (options.action != Action::report) options.action = Action::check;  // httpd: a dump wins
}

// Returns the complaint; empty when all is well.
std::string apply_valued(Options& options, char flag, std::string_view value) {
  switch (flag) {
    case 'f':
      options.config_file = value;
      return {};
    case 'd':
      options.server_root = from_here(value);
      return {};
    case 'D':
      define(options, value);
      return {};
    case 'C':
      options.before.emplace_back(value);
      return {};
    case 'c':
      options.after.emplace_back(value);
      return {};
    case 'E':
      options.startup_log = value;
      return {};
    case 'e':
      options.startup_level = config::parse_log_level(value);
      if (options.startup_level) return {};
      return fmt::format("-e takes a log level (emerg ... trace8), not \"{}\"", value);
    case 'k':
      if (const auto control = find_control(value)) {
        options.control = *control;
        return {};
      }
      return fmt::format("-k takes start, stop, graceful, graceful-stop or restart, not \"{}\"",
                         value);
    default:
      return {};
  }
}

void apply_switch(Options& options, char flag) {
  switch (flag) {
    case 't':
      ask_for_check(options);
      break;
    case 'S':
      define(options, "DUMP_VHOSTS");
      define(options, "DUMP_RUN_CFG");
      break;
    case 'M':
      define(options, "DUMP_MODULES");
      break;
    case 'l':
      options.action = Action::list_modules;
      break;
    case 'L':
      options.action = Action::list_directives;
      break;
    case 'v':
      ask_for_version(options);
      break;
    case 'V':
      options.action = Action::build_settings;
      break;
    case 'h':
      options.action = Action::help;
      break;
    case 'X':
      options.foreground = options.single_shard = true;
      break;
    default:
      break;  // -T: there is no document root to check.
  }
}

// getopt keeps its place in globals; 0 makes glibc begin anew.
std::vector<char*> for_getopt(std::span<const char* const> arguments) {
  std::vector<char*> result;
  result.reserve(arguments.size() + 1);
  for (const char* argument : arguments) result.push_back(const_cast<char*>(argument));
  result.push_back(nullptr);
  optind = 0;
  opterr = 0;
  return result;
}

std::expected<Options, std::string> parse_demo_member(std::span<const char* const> arguments) {
  Options options;
  options.action = Action::demo_member;
  static constexpr option names[] = {{"port", required_argument, nullptr, 'p'},
                                     {"name", required_argument, nullptr, 'n'},
                                     {"route", required_argument, nullptr, 'r'},
                                     {nullptr, 0, nullptr, 0}};
  auto words = for_getopt(arguments);
  const int count = static_cast<int>(arguments.size());
  int flag = 0;
  while ((flag = getopt_long(count, words.data(), "+", names, nullptr)) != -1) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    if (flag == 'n') {
      options.demo.name = value;
    } else if (flag == 'r') {
      options.demo.route = value;
    } else if (flag == 'p') {
      const auto port = parse_unsigned(value);
      if (!port || *port > 65535) {
        return std::unexpected(fmt::format("--port takes a number up to 65535, not \"{}\"", value));
      }
      options.demo.port = static_cast<std::uint16_t>(*port);
    } else {
      return std::unexpected("demo-member takes --port N --name NAME --route ROUTE");
    }
  }
  if (optind != count) {
    return std::unexpected(fmt::format("demo-member: unexpected word \"{}\"", words[optind]));
  }
  if (options.demo.route.empty()) options.demo.route = options.demo.name;
  if (options.demo.name.empty()) options.demo.name = options.demo.route;
  return options;
}

}  // namespace

std::expected<Options, std::string> parse_options(std::span<const char* const> arguments) {
  if (arguments.size() > 1 && std::string_view(arguments[1]) == "demo-member") {
    return parse_demo_member(arguments.subspan(1));
  }
  for (const auto& [word, action] :
       {std::pair("ctl", Action::ctl), std::pair("top", Action::top)}) {
    if (arguments.size() < 2 || std::string_view(arguments[1]) != word) continue;
    Options options;
    options.action = action;
    return options;
  }
  Options options;
  if (arguments.size() == 2 && std::string_view(arguments[1]) == "--help") {
    options.action = Action::help;
    return options;
  }
  auto words = for_getopt(arguments);
  const int count = static_cast<int>(arguments.size());
  int flag = 0;
  while ((flag = getopt(count, words.data(), "+:D:C:c:d:f:e:E:k:vVlLtTSMhX")) != -1) {
    const char failed = static_cast<char>(optopt);
    if (flag == '?') return std::unexpected(fmt::format("illegal option -- {}", failed));
    if (flag == ':')
      return std::unexpected(fmt::format("option requires an argument -- {}", failed));
    if (optarg == nullptr) {
      apply_switch(options, static_cast<char>(flag));
      continue;
    }
    std::string complaint = apply_valued(options, static_cast<char>(flag), optarg);
    if (!complaint.empty()) return std::unexpected(std::move(complaint));
  }
  if (optind != count) {
    return std::unexpected(fmt::format("unexpected word \"{}\"", words[optind]));
  }
  return options;
}

std::string Options::root() const {
  if (!server_root.empty()) return server_root;
  if (!config_file.starts_with('/')) return std::string(default_server_root);
  std::string_view folder = config_file;
  folder = folder.substr(0, folder.rfind('/'));
  if (folder.ends_with("/conf")) folder.remove_suffix(std::string_view("/conf").size());
  return folder.empty() ? "/" : std::string(folder);
}

std::string Options::config_path() const {
  const std::string name = config_file.empty() ? std::string(default_config_file) : config_file;
  return name.starts_with('/') ? name : root() + "/" + name;
}

std::string usage(std::string_view program) {
  return fmt::format(
      "Usage: {0} [-D name] [-d directory] [-f file]\n"
      "       {1} [-C \"directive\"] [-c \"directive\"]\n"
      "       {1} [-k start|restart|graceful|graceful-stop|stop]\n"
      "       {1} [-e level] [-E file] [-v] [-V] [-h] [-l] [-L] [-t] [-T] [-S] [-M] [-X]\n"
      "       {0} demo-member --port number [--name name] [--route route]\n"
      "       {0} ctl help\n"
      "       {0} top [--help]\n"
      "  -f file         the configuration, relative to the server root (default: {3})\n"
      "  -d directory    the server root (default: {2})\n"
      "  -D name         define a name for <IfDefine>; -D FOREGROUND does not detach\n"
      "  -C directive    read this line before the configuration\n"
      "  -c directive    read this line after the configuration\n"
      "  -k request      start, or signal the server that runs\n"
      "  -t              check the configuration and report every fault; with -v, notes as well\n"
      "  -S              show the virtual hosts and the run settings\n"
      "  -M              show the modules that are in use\n"
      "  -t -D DUMP_INCLUDES  show the files that were read (also DUMP_VHOSTS, DUMP_RUN_CFG,\n"
      "                  DUMP_MODULES, DUMP_CONFIG)\n"
      "  -T              start without looking for document roots, which nothing here needs\n"
      "  -l, -L          list the built-in modules; list the directives\n"
      "  -e level        write start-up messages from this level on\n"
      "  -E file         write start-up messages to this file\n"
      "  -X              one shard, not detached (debugging)\n"
      "  -v, -V, -h      version; build settings; this page\n"
      "  demo-member     a small web server to try balancing with\n"
      "  ctl             asks the server that runs about its members, and takes them out\n"
      "  top             shows in a terminal what the members of that server do\n",
      program, std::string(program.size(), ' '), default_server_root, default_config_file);
}

}  // namespace steelyard::server
