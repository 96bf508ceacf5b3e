#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "balance/spec.hpp"
#include "base/ip.hpp"
#include "base/time.hpp"
#include "config/client_settings.hpp"
#include "config/cluster_spec.hpp"
#include "config/health_condition.hpp"
#include "config/heartbeat.hpp"
#include "config/logs.hpp"
#include "config/path_settings.hpp"
#include "config/route.hpp"
#include "config/shared_list.hpp"
#include "config/tls_settings.hpp"
#include "config/tracing.hpp"
#include "http/path.hpp"
#include "http/response_head.hpp"

// One accepted configuration as a value: complete, validated, immutable. A reload makes another
// one. Inheritance is already applied: a Server holds everything that counts for its requests,
// whether its own section said it or the main server did.
//
// Threads: shared by all, never written after it was built.

namespace steelyard::config {

struct Listen {
  std::optional<IpAddress> ip;  // nullopt: every address, IPv6 and IPv4
  std::uint16_t port = 0;
  Place place;
  bool says_https = false;  // as its protocol, or by port 443

  bool operator==(const Listen& other) const { return ip == other.ip && port == other.port; }
};

// One `addr[:port]` of a <VirtualHost> line.
struct HostAddress {
  std::optional<IpAddress> ip;        // nullopt: `*`
  std::optional<std::uint16_t> port;  // nullopt: any port
  std::string host;                   // as written, lower case: a name that the vhost answers to
};

using http::EncodedSlashes;  // AllowEncodedSlashes
enum class TraceMode : std::uint8_t { on, off, extended };
enum class ServerTokens : std::uint8_t { full, os, minimal, minor, major, product };

struct ForwardProxy;

// What proxying obeys beyond a path's settings.
struct ProxySettings {
  std::optional<Duration> timeout;  // ProxyTimeout; nullopt: Timeout
  enum class Via : std::uint8_t { off, on, full, block } via = Via::off;
  http::BadHeader bad_header = http::BadHeader::is_error;  // ProxyBadHeader
  std::int32_t max_forwards = -1;
  std::uint32_t io_buffer_bytes = 8192;
  std::uint32_t receive_buffer_bytes = 0;
  std::optional<IpAddress> source_address;
  std::vector<std::string> blocked_hosts;    // ProxyBlock, lower case; "*" blocks all
  std::vector<IpAddress> blocked_addresses;  // what its names led to when they were read
  bool shows_status = false;                 // ProxyStatus: balancers on the status page
  // Requests to places of the client's choice, and other proxies on the way to anywhere; null:
  // there is nothing of that kind.
  std::shared_ptr<const ForwardProxy> forward;
};

// The main server (servers[0]) or a virtual host.
struct Server {
  std::uint32_t index = 0;  // position in Config::servers
  Place place;
  std::string name;  // ServerName without scheme and port
  std::optional<std::uint16_t> name_port;
  std::string name_scheme;                         // empty: http
  std::vector<std::string> aliases, wild_aliases;  // lower case
  std::string legacy_path;                         // ServerPath
  std::vector<HostAddress> addresses;              // empty for the main server
  std::string admin;
  std::string document_root;  // as text only: no files are served

  // What RewriteRules make of a path before routes see it; null: nothing. The maps they may ask.
  std::shared_ptr<const rewrite::RuleSet> rewriting;
  std::shared_ptr<const rewrite::Maps> rewrite_maps;

  EncodedSlashes encoded_slashes = EncodedSlashes::refuse;
  bool merge_slashes = true;
  bool strict_host_check = false;
  TraceMode trace = TraceMode::on;
  std::shared_ptr<const DeflateSettings> deflate;  // null: the defaults
  ClientSettings client;
  TlsServerSettings tls;
  ProxySettings proxy;
  TlsBackendSettings tls_backend;

  PathSettings defaults;                 // what the server level says, vhost over main
  std::vector<expr::EnvRule> env_rules;  // SetEnvIf at server level, main server's first
  // RequestHeader ... early at server level, main server's first: before all else, SetEnvIf too.
  std::vector<expr::HeaderRule> early_rules;
  SharedList<Section> locations;    // <Location>, <LocationMatch>; main server's first
  SharedList<Section> proxies;      // <Proxy>, <ProxyMatch>; main server's first
  SharedList<Route> routes;         // ProxyPass family; main server's first
  bool has_encoded_routes = false;  // some route matches the path before it is decoded
  std::vector<Redirect> redirects;  // server level; own first (httpd: alias list order)
  std::vector<std::shared_ptr<const balance::BalancerSpec>> balancers;
  // Indexes of the above in the order in which pages show them (httpd's); empty: as they stand.
  std::vector<std::uint32_t> balancer_order;
  std::vector<std::shared_ptr<const balance::MemberSpec>> backends;  // direct ones
  bool inherits_balancers = true, inherits_routes = true;  // BalancerInherit, ProxyPassInherit
  bool persists_changes = false;                           // BalancerPersist: of its own balancers
  HealthConditions health_conditions;  // ProxyHCExpr: the server's own, not inherited

  std::vector<AccessLog> access_logs;
  TraceSettings tracing;
  bool keeps_timelines = false;  // a log or a trace tells how exchanges went
  LogTarget error_log;
  LogLevels log_levels;
};

struct Config {
  std::vector<Listen> listens;
  std::vector<std::unique_ptr<Server>> servers;  // [0] is the main server
  std::string server_root, pid_file, runtime_dir;
  std::optional<std::string> control_socket;    // none: beside the pid file; empty: Off
  std::optional<std::string> journal_folder;    // none: if any Server persists_changes; empty: Off
  std::optional<ClusterSpec> cluster;           // none: nothing is shared
  std::string user, group;                      // as written; empty: stay who we are
  std::vector<Endpoint> name_servers;           // SteelyardResolver; empty: the system's
  std::uint32_t shards = 0;                     // 0: one a core
  std::uint32_t graceful_shutdown_seconds = 0;  // 0: no limit
  ServerTokens tokens = ServerTokens::full;
  std::uint32_t listen_backlog = 511;
  TlsProcessSettings tls;
  std::size_t body_spool_memory_bytes = 64 * 1024;  // request bodies kept for another attempt
  HeartbeatSettings heartbeat;
  ProxyProtocolSettings proxy_protocol;
  std::optional<TraceExport> trace_export;
  std::vector<std::string> defines;  // for -S: NAME or NAME=VALUE
  std::vector<std::string> modules;  // for -M: identifiers in load order
};

}  // namespace steelyard::config
