#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/path_settings.hpp"

// The command line as a value. Flags, their combinations and the usage page follow httpd, so that
// scripts and test frameworks can exchange the binary; what goes beyond is a subcommand.

namespace steelyard::server {

// What -k asks of the server that runs (start: become that server).
enum class Control : std::uint8_t { start, stop, graceful, graceful_stop, restart };

struct DemoMemberOptions {
  std::uint16_t port = 0;  // 0: any free one, printed once it listens
  std::string name;
  std::string route;  // appended to the session cookie, and how the balancer names the member
};

// What is printed about a configuration instead of serving it, in this order.
struct Reports {
  bool includes = false;      // -D DUMP_INCLUDES
  bool hosts = false;         // -D DUMP_VHOSTS, -S
  bool run = false;           // -D DUMP_RUN_CFG, -S
  bool modules = false;       // -D DUMP_MODULES, -M
  bool config = false;        // -D DUMP_CONFIG
  bool certificates = false;  // -D DUMP_CERTS, beside what -t says
};

struct Options {
  enum class Action : std::uint8_t {
    serve,            // also with -k: see `control`
    check,            // -t
    report,           // -S, -M, -D DUMP_...: see `reports`
    list_modules,     // -l
    list_directives,  // -L
    version,          // -v
    build_settings,   // -V
    help,             // -h
    demo_member,
    ctl,  // the words behind it are ctl's own
    top,  // likewise
  };

  Action action = Action::serve;
  Reports reports;
  Control control = Control::start;
  std::string server_root;           // -d, empty: see root()
  std::string config_file;           // -f, relative to the server root; empty: default_config_file
  std::vector<std::string> defines;  // -D, without the ones that steer the start
  std::vector<std::string> before, after;         // -C, -c
  std::optional<config::LogLevel> startup_level;  // -e
  std::string startup_log;                        // -E
  bool foreground = false;                        // -DFOREGROUND, -X
  bool single_shard = false;                      // -X
  bool show_notes = false;                        // -t -v
  DemoMemberOptions demo;

  // The file to read, with the server root put before a relative name.
  std::string config_path() const;
  // What relative names belong to until the file has a ServerRoot line. Without -d it is the folder
  // of the file of -f, or the one above when that folder is named conf: each packaging of httpd has
  // its own root built in, and its files count on it (Debian's have no ServerRoot line).
  std::string root() const;
};

inline constexpr std::string_view default_server_root = "/etc/steelyard";
inline constexpr std::string_view default_config_file = "httpd.conf";

// The error is one complaint per line; the usage page belongs behind it.
std::expected<Options, std::string> parse_options(std::span<const char* const> arguments);

std::string usage(std::string_view program);

}  // namespace steelyard::server
