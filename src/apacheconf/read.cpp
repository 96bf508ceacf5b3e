#include "apacheconf/read.hpp"

#include "apacheconf/composer.hpp"
#include "apacheconf/idle_protocols.hpp"
#include "apacheconf/sections.hpp"
#include "apacheconf/tables.hpp"

namespace steelyard::apacheconf {

namespace {

void begin(Reading& reading, const ReadOptions& options, const Files& files) {
  reading.config = std::make_unique<config::Config>();
  reading.server_root = options.server_root;
  reading.environment = options.environment;
  reading.file_exists = [&files](const std::string& path) { return files.exists(path); };
  reading.read_file = [&files](const std::string& path) { return files.read(path); };
  reading.host_name = options.host_name;
  reading.resolve_host = options.resolve_host;
  reading.machine = options.machine;
  reading.config->servers.push_back(std::make_unique<config::Server>());
}

// httpd: the main server first; a virtual host inherits whatever the main server says, even below.
void execute(Reading& reading, const std::vector<Statement>& statements) {
  config::Server& main_server = *reading.config->servers.front();
  Frame frame;
  frame.settings = &main_server.defaults;
  Scope scope(reading, main_server, frame);
  scope.execute(statements);
  finish_settings(scope);
  execute_virtual_hosts(reading);
}

// The two phases report by turns; readers want the file's order.
void sort_diagnostics(std::vector<Diagnostic>& diagnostics) {
  std::vector<std::pair<std::uint32_t, std::size_t>> keys;
  keys.reserve(diagnostics.size());
  for (const Diagnostic& each : diagnostics) keys.emplace_back(each.order, keys.size());
  std::sort(keys.begin(), keys.end());
  std::vector<Diagnostic> sorted;
  sorted.reserve(diagnostics.size());
  for (const auto& [order, at] : keys) sorted.push_back(std::move(diagnostics[at]));
  diagnostics = std::move(sorted);
}

void finish(Reading& reading, const Composer& composer) {
  reading.order = UINT32_MAX;  // what only the whole can tell stands behind everything else
  reading.config->server_root = reading.server_root;
  for (const Composer::Define& define : composer.defines()) {
    reading.config->defines.push_back(define.value ? define.name + '=' + *define.value
                                                   : define.name);
  }
  finish_servers(reading);
  finish_traces(reading);
  finish_proxy(reading);
  finish_rewriting(reading);
  finish_tls(reading);
  warn_of_idle_protocols(reading);
  finish_tls_members(reading);
  finish_heartbeats(reading);
  finish_remote_ip(reading);
  finish_auth(reading);
  finish_forward(reading);
  finish_pages(reading);
  sort_diagnostics(reading.diagnostics);
}

}  // namespace

std::expected<ReadResult, std::vector<Diagnostic>> read_configuration(const ReadOptions& options,
                                                                      const Files& files) {
  Reading reading;
  begin(reading, options, files);
  Composer composer(options, files, reading);
  const std::vector<Statement> statements = composer.compose();
  // The file cannot be opened: whatever it lacks need not be said.
  if (statements.empty() && !reading.diagnostics.empty())
    return std::unexpected(std::move(reading.diagnostics));
  execute(reading, statements);
  finish(reading, composer);
  const bool is_faulty = std::any_of(
      reading.diagnostics.begin(), reading.diagnostics.end(),
      [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::fault; });
  if (is_faulty) return std::unexpected(std::move(reading.diagnostics));
  return ReadResult{std::move(reading.config), std::move(reading.diagnostics), composer.sources()};
}

}  // namespace steelyard::apacheconf
