#include "server/program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "apacheconf/summary.hpp"
#include "config/dump.hpp"
#include "server/configuration.hpp"
#include "server/control.hpp"
#include "server/ctl.hpp"
#include "server/demo_member.hpp"
#include "server/detachment.hpp"
#include "server/privileges.hpp"
#include "server/server.hpp"
#include "server/signals.hpp"
#include "server/tls_loading.hpp"
#include "server/top.hpp"
#include "server/version.hpp"

namespace steelyard::server {

namespace {

using Action = Options::Action;

constexpr int failed = 1;

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

// -E: what a start would say on the terminal goes to this file.
bool redirect_start_up_messages(const std::string& path) {
  if (path.empty()) return true;
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
  const Descriptor file(::open(path.c_str(), flags, 0644));
  if (file.is_open()) return ::dup2(file.number(), 2) == 2;
  complain(fmt::format("steelyard: could not open startup log {}\n", path));
  return false;
}

std::string run_report(const config::Config& config) {
  const auto identity = find_identity(config.user.empty() ? "#0" : config.user, config.group);
  if (!identity) return apacheconf::describe_run(config);
  return apacheconf::describe_run(
      config, config.user.empty() ? std::string() : std::to_string(identity->user),
      config.group.empty() ? std::string() : std::to_string(identity->group));
}

int report(const Options& options, const Configuration& configuration) {
  if (options.reports.certificates) print(apacheconf::describe_certificates(*configuration.config));
  if (options.action == Action::check) {
    complain("Syntax OK\n");
    return 0;
  }
  const config::Config& config = *configuration.config;
  const Reports& wanted = options.reports;
  if (wanted.includes) print(configuration.sources);
  if (wanted.hosts) print(apacheconf::describe_hosts(config));
  if (wanted.run) print(run_report(config));
  if (wanted.modules) print(apacheconf::describe_modules(config));
  if (wanted.config) print(config::dump(config));
  return 0;
}

int serve(const Options& options, Configuration configuration) {
  const ControlResult control =
      control_running_server(options.control, configuration.config->pid_file);
  if (!control.message.empty()) print(control.message + "\n");
  if (!control.go_on_and_start) return control.exit_status;
  std::fflush(stdout);
  // Before the terminal is left.
  PassPhrases phrases;
  phrases.begin(configuration.config->tls.pass_phrases, PassPhrases::Asker::start);
  if (const auto loaded = load_tls(configuration, &phrases); !loaded) {
    complain(describe_all(loaded.error(), ShowNotes::no));
    return failed;
  }
  auto detachment = options.foreground ? Detachment::foreground() : Detachment::background();
  if (!detachment) {
    complain("steelyard: could not go to the background: " + detachment.error() + "\n");
    return failed;
  }
  auto signals = Signals::block_and_listen();
  if (!signals) {
    complain("steelyard: " + signals.error() + "\n");
    return failed;
  }
  Server server(options, std::move(*signals), std::move(phrases));
  if (auto prepared = server.prepare(std::move(configuration)); !prepared) {
    complain(prepared.error() + "\n");
    return failed;
  }
  server.run(*detachment);
  return 0;
}

int read_and_act(const Options& options) {
  if (!redirect_start_up_messages(options.startup_log)) return failed;
  auto configuration = read_configuration(options);
  const auto notes = options.show_notes ? ShowNotes::yes : ShowNotes::no;
  if (!configuration) {
    complain(describe_all(configuration.error(), notes));
    return failed;
  }
  // Whoever tells a running server to stop needs no keys: serve() loads them.
  if (options.action == Action::check) {
    if (const auto loaded = load_tls(*configuration, nullptr); !loaded) {
      complain(describe_all(loaded.error(), notes));
      return failed;
    }
  }
  complain(describe_all(configuration->remarks, notes));
  if (options.action != Action::serve) return report(options, *configuration);
  return serve(options, std::move(*configuration));
}

}  // namespace

int run_program(std::span<const char* const> arguments) {
  const std::string program = arguments.empty() ? "steelyard" : arguments[0];
  const auto options = parse_options(arguments);
  if (!options) {
    complain(fmt::format("{}: {}\n{}", program, options.error(), usage(program)));
    return failed;
  }
  switch (options->action) {
    case Action::help:
      print(usage(program));
      return 0;
    case Action::version:
      print(version_text());
      return 0;
    case Action::build_settings:
      print(build_settings_text());
      return 0;
    case Action::list_modules:
      print(apacheconf::list_compiled_modules());
      return 0;
    case Action::list_directives:
      print(apacheconf::list_directives());
      return 0;
    case Action::demo_member:
      return run_demo_member(options->demo);
    case Action::ctl:
      return run_ctl(arguments.subspan(2));
    case Action::top:
      return run_top(arguments.subspan(2));
    default:
      return read_and_act(*options);
  }
}

}  // namespace steelyard::server
