#include "config/dump.hpp"

#include <fmt/format.h>

#include <array>

#include "config/dump_writer.hpp"
#include "config/forward_proxy.hpp"

namespace steelyard::config {

namespace {

constexpr std::array<std::string_view, 4> via_names{"off", "on", "full", "block"};
constexpr std::array<std::string_view, 3> bad_header_names{"is-error", "ignore", "start-body"};
constexpr std::array<std::string_view, 3> encoded_slash_names{"refuse", "decode", "keep"};
constexpr std::array<std::string_view, 3> trace_names{"on", "off", "extended"};
constexpr std::array<std::string_view, 6> token_names{"full",  "os",    "minimal",
                                                      "minor", "major", "product"};

template <class Enum, std::size_t count>
void name_unless(DumpWriter& out, std::string_view key,
                 const std::array<std::string_view, count>& names, Enum value, Enum usual) {
  if (value != usual) out.line(key, names[static_cast<std::size_t>(value)]);
}

std::string address_text(const std::optional<IpAddress>& ip,
                         const std::optional<std::uint16_t>& port) {
  std::string text = "*";
  if (ip) text = ip->is_v6() ? '[' + ip->text() + ']' : ip->text();
  return text + ':' + (port ? std::to_string(*port) : std::string("*"));
}

std::string target_text(const LogTarget& target) {
  constexpr std::array<std::string_view, 4> kinds{"file ", "pipe ", "pipe-shell ", "syslog "};
  return std::string(kinds[static_cast<std::size_t>(target.kind)]) + quoted(target.text);
}

void dump_client(DumpWriter& out, const ClientSettings& client) {
  const ClientSettings usual;
  if (client.timeout != usual.timeout) out.milliseconds("timeout", client.timeout);
  if (!client.keep_alive) out.line("keep-alive", "off");
  if (client.keep_alive_timeout != usual.keep_alive_timeout) {
    out.milliseconds("keep-alive-timeout", client.keep_alive_timeout);
  }
  out.number_unless("keep-alive-requests-max", client.keep_alive_requests_max,
                    usual.keep_alive_requests_max);
  out.number_unless("line-bytes-max", static_cast<std::int64_t>(client.limits.line_bytes_max),
                    static_cast<std::int64_t>(usual.limits.line_bytes_max));
  out.number_unless("field-bytes-max", static_cast<std::int64_t>(client.limits.field_bytes_max),
                    static_cast<std::int64_t>(usual.limits.field_bytes_max));
  out.number_unless("fields-max", static_cast<std::int64_t>(client.limits.fields_max),
                    static_cast<std::int64_t>(usual.limits.fields_max));
}

void dump_remote_ip(DumpWriter& out, const RemoteIpSettings& remote) {
  out.text_unless_empty("client-header", remote.header);
  out.text_unless_empty("client-proxies-header", remote.proxies_header);
  for (const auto& proxy : remote.proxies)
    out.line(proxy.is_internal ? "internal-proxy" : "trusted-proxy", proxy.network.text());
}

void dump_proxy_protocol(DumpWriter& out, const ProxyProtocolSettings& settings) {
  for (const auto& address : settings.on)
    out.line("proxy-protocol", address_text(address.ip, address.port));
  for (const auto& address : settings.off)
    out.line("no-proxy-protocol", address_text(address.ip, address.port));
  for (const IpNetwork& network : settings.exceptions)
    out.line("no-proxy-protocol-from", network.text());
}

// Credentials are secrets.
void dump_forward(DumpWriter& out, const ForwardProxy& forward) {
  if (forward.takes_requests) out.line("takes-proxy-requests", "on");
  for (const PortRange& ports : forward.connect_ports)
    out.line("connect-ports", fmt::format("{}-{}", ports.first, ports.last));
  out.text_unless_empty("proxy-domain", forward.domain);
  for (const RemoteProxy& remote : forward.remotes) {
    out.line("remote-proxy",
             fmt::format("{} {}:{}{}", quoted(remote.match), remote.host, remote.port,
                         remote.authorization.empty() ? "" : " with credentials"));
  }
  for (const DirectHost& direct : forward.direct_hosts)
    out.line("direct-host", direct.network ? direct.network->text() : direct.text);
}

void dump_proxy(DumpWriter& out, const ProxySettings& proxy) {
  const ProxySettings usual;
  out.milliseconds("proxy-timeout", proxy.timeout);
  name_unless(out, "via", via_names, proxy.via, usual.via);
  name_unless(out, "bad-header", bad_header_names, proxy.bad_header, usual.bad_header);
  out.number_unless("max-forwards", proxy.max_forwards, usual.max_forwards);
  out.number_unless("io-buffer-bytes", proxy.io_buffer_bytes, usual.io_buffer_bytes);
  out.number_unless("receive-buffer-bytes", proxy.receive_buffer_bytes, usual.receive_buffer_bytes);
  if (proxy.source_address) out.line("source-address", proxy.source_address->text());
  for (const std::string& host : proxy.blocked_hosts) out.line("blocked-host", host);
  if (proxy.shows_status) out.line("proxy-status", "on");
  if (proxy.forward != nullptr) dump_forward(out, *proxy.forward);
}

void dump_names(DumpWriter& out, const Server& server) {
  for (const HostAddress& address : server.addresses) {
    out.line("address", address_text(address.ip, address.port));
  }
  out.number("name-port", server.name_port);
  out.text_unless_empty("name-scheme", server.name_scheme);
  for (const std::string& alias : server.aliases) out.line("alias", alias);
  for (const std::string& alias : server.wild_aliases) out.line("wild-alias", alias);
  out.text_unless_empty("legacy-path", server.legacy_path);
  out.text_unless_empty("admin", server.admin);
}

std::string format_text(const AccessLog& log) {
  if (const auto* json = std::get_if<expr::JsonFormat>(&log.format))
    return "json " + json->describe();
  return quoted(std::get<expr::LogFormat>(log.format).text());
}

void dump_tracing(DumpWriter& out, const TraceSettings& tracing) {
  if (!tracing.on) return;
  std::string text = fmt::format("sampled {:g}", tracing.sampled);
  text += tracing.joins_all ? " joins all" : " joins";
  for (const IpNetwork& network : tracing.joins) text += ' ' + network.text();
  if (!tracing.joins_all && tracing.joins.empty()) text += " nobody";
  out.line("tracing", text);
}

void dump_export(DumpWriter& out, const TraceExport& to) {
  out.line("trace-export", quoted(to.url));
  out.indent();
  out.line("service", quoted(to.service));
  // Values are secrets, as a rule.
  for (const std::string& header : to.headers)
    out.line("header", header.substr(0, header.find(':')));
  out.text_unless_empty("ca-file", to.ca_file);
  out.milliseconds("timeout", to.timeout);
  out.number("caller-limit", to.caller_limit);
  out.unindent();
}

void dump_logs(DumpWriter& out, const Server& server) {
  for (const AccessLog& log : server.access_logs) {
    std::string text = target_text(log.target) + ' ' + format_text(log);
    if (log.condition) text += ' ' + log.condition->describe();
    out.line("access-log", text);
  }
  if (!server.error_log.text.empty()) out.line("error-log", target_text(server.error_log));
  const LogLevels& levels = server.log_levels;
  if (levels.general != LogLevel::warn || !levels.modules.empty()) {
    dump_log_levels(out, level_name(levels.general), levels);
  }
}

void dump_server(DumpWriter& out, const Server& server, std::string_view kind) {
  const Server usual;
  out.line(kind, quoted(server.name));
  out.indent();
  dump_names(out, server);
  name_unless(out, "encoded-slashes", encoded_slash_names, server.encoded_slashes,
              usual.encoded_slashes);
  if (!server.merge_slashes) out.line("merge-slashes", "off");
  if (server.strict_host_check) out.line("strict-host-check", "on");
  name_unless(out, "trace", trace_names, server.trace, usual.trace);
  if (server.deflate) dump_deflate(out, *server.deflate);
  dump_client(out, server.client);
  dump_remote_ip(out, server.client.remote_ip);
  dump_tls(out, server.tls);
  dump_proxy(out, server.proxy);
  dump_tls_backend(out, server.tls_backend);
  dump_logs(out, server);
  dump_tracing(out, server.tracing);
  if (server.persists_changes) out.line("persists-changes", "on");
  for (const auto& named : server.health_conditions) {
    out.line("health-condition", named.name + ' ' + quoted(named.condition.text()));
  }
  for (const auto& balancer : server.balancers) dump_balancer(out, *balancer);
  for (const auto& backend : server.backends) dump_member(out, "backend", *backend);
  dump_rules(out, "request-header-early", server.early_rules);
  if (server.rewrite_maps) dump_rewrite_maps(out, *server.rewrite_maps);
  if (server.rewriting) dump_rewriting(out, *server.rewriting);
  for (const Route& route : server.routes) dump_route(out, route);
  for (const Redirect& redirect : server.redirects) dump_redirect(out, redirect);
  dump_env_rules(out, server.env_rules);
  dump_settings(out, server.defaults);
  for (const Section& section : server.proxies) dump_section(out, "proxy", section);
  for (const Section& section : server.locations) dump_section(out, "location", section);
  out.unindent();
}

void dump_heartbeats(DumpWriter& out, const HeartbeatSettings& heartbeat) {
  const HeartbeatSettings usual;
  if (heartbeat.listen) out.line("heartbeat-listen", heartbeat.listen->text());
  if (heartbeat.send_to) out.line("heartbeat-address", heartbeat.send_to->text());
  out.text_unless_empty("heartbeat-storage", heartbeat.storage_path);
  out.number_unless("heartbeat-servers-max", heartbeat.servers_max, usual.servers_max);
  out.number_unless("heartbeat-capacity", heartbeat.capacity, usual.capacity);
}

void dump_cluster(DumpWriter& out, const ClusterSpec& cluster) {
  for (const std::string& address : cluster.addresses) out.line("cluster-address", address);
  out.line("cluster-prefix", cluster.prefix);
  out.text_unless_empty("cluster-name", cluster.name);
  out.line("cluster-tls", cluster.tls ? "on" : "off");
  out.text_unless_empty("cluster-ca", cluster.ca_file);
  out.text_unless_empty("cluster-certificate", cluster.certificate_file);
  out.text_unless_empty("cluster-key", cluster.key_file);
  out.text_unless_empty("cluster-user", cluster.user);
  out.text_unless_empty("cluster-password-file", cluster.password_file);
}

}  // namespace

std::string dump(const Config& config) {
  DumpWriter out;
  for (const Listen& listen : config.listens) {
    out.line("listen", address_text(listen.ip, listen.port));
  }
  out.text_unless_empty("pid-file", config.pid_file);
  if (config.control_socket) {
    out.line("control-socket",
             config.control_socket->empty() ? "off" : quoted(*config.control_socket));
  }
  if (config.journal_folder) {
    out.line("journal", config.journal_folder->empty() ? "off" : quoted(*config.journal_folder));
  }
  if (config.cluster) dump_cluster(out, *config.cluster);
  out.text_unless_empty("user", config.user);
  out.text_unless_empty("group", config.group);
  out.number_unless("shards", config.shards, 0);
  for (const Endpoint& server : config.name_servers) out.line("name-server", server.text());
  out.number_unless("graceful-shutdown-seconds", config.graceful_shutdown_seconds, 0);
  name_unless(out, "tokens", token_names, config.tokens, ServerTokens::full);
  out.number_unless("listen-backlog", config.listen_backlog, 511);
  using Dialog = PassPhraseDialog::Kind;
  const PassPhraseDialog& phrases = config.tls.pass_phrases;
  if (phrases.kind == Dialog::program) out.line("pass-phrases-of", quoted(phrases.command));
  if (phrases.kind == Dialog::dialog) out.line("pass-phrases-of", quoted("|" + phrases.command));
  if (config.tls.caches_sessions) out.number("tls-sessions-max", config.tls.cached_sessions_max);
  if (config.tls.kernel_encrypts) out.line("tls-by", "kernel");
  dump_heartbeats(out, config.heartbeat);
  dump_proxy_protocol(out, config.proxy_protocol);
  if (config.trace_export) dump_export(out, *config.trace_export);
  for (std::size_t i = 0; i < config.servers.size(); ++i) {
    dump_server(out, *config.servers[i], i == 0 ? "main-server" : "virtual-host");
  }
  return out.take();
}

}  // namespace steelyard::config
