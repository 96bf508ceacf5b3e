// What can only be said when everything was read: names and logs of the servers.
#include "apacheconf/logs.hpp"
#include "apacheconf/tables.hpp"

namespace steelyard::apacheconf {

namespace {

using config::Server;

// By name in the virtual host, then in the main server; else the word is the format.
std::string format_text(const AccessLogDraft& draft, const ServerLogs& own,
                        const ServerLogs& main_server) {
  if (!draft.format) {
    if (own.default_format) return *own.default_format;
    return main_server.default_format.value_or(std::string(expr::common_log_format));
  }
  for (const ServerLogs* logs : {&own, &main_server}) {
    const auto found = logs->formats.find(*draft.format);
    if (found != logs->formats.end()) return found->second;
  }
  return *draft.format;
}

// Said once, also when several servers write this log.
void warn_of_unknown_name(Reading& reading, AccessLogDraft& draft, const std::string& format) {
  const bool looks_like_a_name =
      draft.format && format == *draft.format && format.find_first_of("% ") == std::string::npos;
  if (!looks_like_a_name || std::exchange(draft.warned, true)) return;
  reading.warn_at(
      draft.place,
      "No LogFormat is called \"" + format + "\", so every line of this log will be that word",
      "Define it with LogFormat \"...\" " + format + '.');
}

void add_log(Reading& reading, Server& server, AccessLogDraft& draft, const ServerLogs& own,
             const ServerLogs& main_server) {
  if (draft.json) {
    server.access_logs.push_back({draft.target, *draft.json, draft.condition});
    return;
  }
  auto format = expr::LogFormat::compile(format_text(draft, own, main_server));
  if (!format) {
    reading.complain_at(draft.place, format.error().text, format.error().advice);
    return;
  }
  warn_of_unknown_name(reading, draft, format->text());
  server.access_logs.push_back({draft.target, std::move(*format), draft.condition});
}

void name_servers(Reading& reading) {
  Server& main_server = *reading.config->servers.front();
  if (main_server.name.empty()) {
    if (reading.host_name) main_server.name = reading.host_name();
    if (main_server.name.empty()) main_server.name = "127.0.0.1";
    reading.warn_at(
        {},
        "Could not reliably determine the server's fully qualified domain name, using " +
            main_server.name,
        "Set the 'ServerName' directive globally to suppress this message");
  }
  for (const std::unique_ptr<Server>& server : reading.config->servers) {
    if (server->name.empty()) server->name = main_server.name;
  }
}

// Without the module no time is measured but Timeout.
void drop_read_timeouts(Reading& reading) {
  if (reading.has_module("reqtimeout_module")) return;
  for (const std::unique_ptr<Server>& server : reading.config->servers) {
    server->client.read_header = {};
    server->client.read_body = {};
  }
}

}  // namespace

void finish_logs(Reading& reading) {
  LogDrafts& drafts = reading.part<LogDrafts>();
  ServerLogs& main_server = drafts.servers[reading.config->servers.front().get()];
  for (const std::unique_ptr<Server>& server : reading.config->servers) {
    ServerLogs& own = drafts.servers[server.get()];
    for (AccessLogDraft& draft : own.logs.empty() ? main_server.logs : own.logs) {
      add_log(reading, *server, draft, own, main_server);
    }
    for (AccessLogDraft& draft : drafts.global) add_log(reading, *server, draft, own, main_server);
  }
}

void finish_servers(Reading& reading) {
  name_servers(reading);
  drop_read_timeouts(reading);
  finish_logs(reading);
  if (reading.config->listens.empty()) {
    // httpd finds out when it starts, and ends then; its -t and a reload take such a file.
    reading.complain_at({}, "no listening sockets available: there is no Listen line",
                        "Add one, for example: Listen 8080");
  }
}

}  // namespace steelyard::apacheconf
