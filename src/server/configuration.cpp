#include "server/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "apacheconf/files.hpp"
#include "apacheconf/read.hpp"
#include "journal/folder.hpp"
#include "server/cluster_secrets.hpp"
#include "server/curl_library.hpp"
#include "server/host_names.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

using apacheconf::Diagnostic;
using apacheconf::Severity;

std::optional<std::string> environment(std::string_view name) {
  const char* value = ::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::string identity_fault(const std::string& user, const std::string& group) {
  const auto found = find_identity(user, group);
  return found ? std::string() : found.error();
}

Diagnostic fault(std::string text) {
  Diagnostic diagnostic;
  diagnostic.text = std::move(text);
  return diagnostic;
}

bool persists(const config::Config& config) {
  return std::ranges::any_of(config.servers, &config::Server::persists_changes);
}

// httpd's own names where the configuration says nothing.
void fill_in_files(config::Config& config) {
  if (config.pid_file.empty()) {
    config.pid_file = apacheconf::join_path(config.server_root, "logs/httpd.pid");
  }
  if (!config.control_socket) config.control_socket = config.pid_file + ".ctl";
  if (!config.journal_folder && persists(config))
    config.journal_folder = config.pid_file + ".journal";
  for (const auto& server : config.servers) {
    config::LogTarget& log = server->error_log;
    if (log.kind == config::LogTarget::Kind::file && log.text.empty()) {
      log.text = apacheconf::join_path(config.server_root, "logs/error_log");
    }
  }
}

// Said by -t and at the start, which would find out too, but only once something is running.
void warn_of_missing_place(apacheconf::ReadResult& read) {
  const std::string folder = read.config->journal_folder.value_or("");
  if (folder.empty()) return;
  const std::filesystem::path holder = std::filesystem::path(folder).parent_path();
  std::error_code ignored;
  if (std::filesystem::is_directory(holder, ignored)) return;
  Diagnostic warning = fault("The journal cannot be made: " + holder.string() + " is no directory");
  warning.severity = Severity::warning;
  warning.advice = "Make it, or write SteelyardJournal with another path.";
  read.remarks.push_back(std::move(warning));
}

// As httpd's own, whose directory is in /run on most systems. Who writes BalancerPersist may expect
// more.
void warn_of_place_in_memory(apacheconf::ReadResult& read) {
  const config::Config& config = *read.config;
  const std::string folder = config.journal_folder.value_or("");
  if (folder.empty() || !persists(config) || !journal::is_in_memory(folder)) return;
  Diagnostic warning = fault(fmt::format(
      "BalancerPersist On: changes are kept over a restart, but not over a boot: {} is in memory",
      folder));
  warning.severity = Severity::warning;
  warning.advice = "Name a directory on a disk, as SteelyardJournal /var/lib/steelyard.";
  read.remarks.push_back(std::move(warning));
}

// Who sends spans, talks to etcd or asks authorities; empty: nobody does.
std::string_view who_needs_curl(const config::Config& config) {
  if (config.cluster) return "SteelyardCluster";
  if (config.trace_export) return "SteelyardTraceExport";
  for (const auto& server : config.servers) {
    if (!server->tls.is_on()) continue;
    if (server->tls.stapling.is_on) return "SSLUseStapling";
    if (server->tls.ocsp.about != config::TlsOcsp::About::nobody) return "SSLOCSPEnable";
  }
  return {};
}

std::expected<void, Diagnostic> check_curl(const config::Config& config) {
  const std::string_view who = who_needs_curl(config);
  if (who.empty()) return {};
  const auto curl = CurlLibrary::load();
  if (curl) return {};
  Diagnostic missing = fault(std::string(who) + " needs libcurl: " + curl.error());
  missing.advice = "Install it (Debian: libcurl4), or leave the line out.";
  return std::unexpected(std::move(missing));
}

}  // namespace

std::expected<Configuration, std::vector<Diagnostic>> read_configuration(const Options& options,
                                                                         Purpose purpose) {
  apacheconf::ReadOptions reading;
  reading.file = options.config_path();
  reading.server_root = options.root();
  reading.defines = options.defines;
  reading.before = options.before;
  reading.after = options.after;
  reading.environment = environment;
  reading.resolve_host = addresses_of;
  reading.host_name = full_host_name;
  reading.machine = {.is_folder = is_folder, .is_file = is_file, .identity_fault = identity_fault};
  auto read = apacheconf::read_configuration(reading, apacheconf::DiskFiles());
  if (!read) return std::unexpected(std::move(read.error()));
  fill_in_files(*read->config);
  const config::Config& config = *read->config;
  // httpd looks names of users up while reading, so -t finds a wrong one.
  if (!config.user.empty() || !config.group.empty()) {
    const auto identity = find_identity(config.user.empty() ? "#0" : config.user, config.group);
    if (!identity) {
      read->remarks.push_back(fault(identity.error()));
      return std::unexpected(std::move(read->remarks));
    }
  }
  if (purpose == Purpose::serve) {
    if (auto checked = check_curl(config); !checked) {
      read->remarks.push_back(std::move(checked.error()));
      return std::unexpected(std::move(read->remarks));
    }
  }
  warn_of_missing_place(*read);
  warn_of_place_in_memory(*read);
  if (config.cluster) {
    const auto complaints = complaints_about_files(*config.cluster);
    for (const std::string& complaint : complaints) read->remarks.push_back(fault(complaint));
    if (!complaints.empty()) return std::unexpected(std::move(read->remarks));
  }
  return Configuration{std::move(read->config), std::move(read->remarks), nullptr,
                       std::move(read->sources)};
}

std::string describe_all(const std::vector<Diagnostic>& diagnostics, ShowNotes notes) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Severity::note && notes == ShowNotes::no) continue;
    text += apacheconf::describe(diagnostic) + "\n";
  }
  return text;
}

}  // namespace steelyard::server
