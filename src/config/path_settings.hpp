#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/regex.hpp"
#include "config/log_level.hpp"
#include "config/place.hpp"
#include "config/tls_settings.hpp"
#include "expr/env_rule.hpp"
#include "expr/header_rule.hpp"
#include "expr/log_format.hpp"
#include "expr/require.hpp"
#include "expr/string_expression.hpp"
#include "http/error_page.hpp"

// Everything that a section (<Location>, <Proxy>, ...) or the server level can say about the
// requests it covers. Unset values come from the section around it; see merge().

namespace steelyard::rewrite {
struct RuleSet;  // rewrite/rule_set.hpp
class Maps;      // rewrite/map.hpp
}  // namespace steelyard::rewrite

namespace steelyard::config {

struct ErrorDocument {
  enum class Kind : std::uint8_t { standard, text, local_path, url } kind = Kind::standard;
  std::string target{};  // local_path, url
  // text; also local_path and url when they hold variables, and then instead of `target`
  std::shared_ptr<const expr::StringExpression> text{};
};

// Redirect, RedirectMatch and their relatives. One of `path`, `regex`, `expression` says when and
// where to.
struct Redirect {
  std::string path{};  // prefix on a component boundary; empty when `regex` is set
  std::optional<Regex> regex{};
  std::string target{};                                        // empty for statuses outside 3xx
  std::shared_ptr<const expr::StringExpression> expression{};  // Redirect in a section
  int status = 302;
};

// ProxyPassReverse, ProxyPassReverseCookiePath, ProxyPassReverseCookieDomain.
struct ReverseMap {
  std::string internal;  // what the backend says
  std::string external;  // what the client shall see
  bool interpolate = false;
};

struct ErrorOverride {
  bool on = false;
  std::vector<int> statuses;  // empty: every status from 400
};

using http::Signature;
enum class CanonicalName : std::uint8_t { off, on, dns };
enum class AuthMerging : std::uint8_t { off, both, either };  // Off, And, Or

// SetHandler: what answers instead of a member or the lack of one.
enum class Responder : std::uint8_t {
  none,
  heartbeat,
  balancer_manager,
  server_status,
  metrics,  // steelyard-metrics
  api,      // steelyard-api
};
// As SetHandler calls it; empty for none.
std::string_view handler_name(Responder responder);

struct Route;
struct Conditional;   // conditional.hpp
struct FcgiVariable;  // fcgi_settings.hpp
struct AuthSettings;  // auth_settings.hpp
struct PathTls;       // path_tls.hpp
struct ProxyHandler;
struct Compression;      // compression.hpp
struct DeflateSettings;  // compression.hpp
enum class FcgiBackend : std::uint8_t;

struct PathSettings {
  std::optional<bool> preserve_host, add_headers, continue_100, interpolate_env;
  std::optional<ErrorOverride> error_override;
  std::optional<Signature> signature;
  std::optional<std::uint64_t> body_bytes_max;  // LimitRequestBody, 0: no limit
  std::optional<LogLevels> log_levels;
  std::optional<std::string> default_charset;      // AddDefaultCharset; empty: off
  std::shared_ptr<const Compression> compression;  // SetOutputFilter, ...; null: says nothing
  std::optional<CanonicalName> canonical_name;     // UseCanonicalName; nullopt: off
  std::optional<bool> canonical_physical_port;     // UseCanonicalPhysicalPort
  std::optional<Responder> responder;              // SetHandler
  std::optional<bool> redirect_relative;           // RedirectRelative
  std::shared_ptr<const ProxyHandler> handler;     // SetHandler "proxy:..."; only with a responder
  std::optional<FcgiBackend> fcgi_backend;         // ProxyFCGIBackendType
  std::optional<bool> cgi_pass_auth;               // CGIPassAuth
  std::optional<bool> requires_tls;                // SSLRequireSSL
  std::optional<std::string> ftp_charset;          // ProxyFtpDirCharset
  std::optional<bool> ftp_lists_on_wildcard, ftp_escapes_wildcards;  // ProxyFtp...Wildcard(s)
  std::optional<TlsOptions> tls_options;                             // SSLOptions
  std::shared_ptr<const PathTls> tls;  // what a path asks of its clients; null: nothing

  std::vector<expr::HeaderRule> response_always, response_normal, request_rules;
  std::vector<expr::EnvRule> env_rules;                             // SetEnvIf in sections
  std::vector<std::shared_ptr<const FcgiVariable>> fcgi_variables;  // ProxyFCGISetEnvIf
  // SetEnv and PassEnv; nullopt (UnsetEnv) takes back what an outer level set, nothing else, and
  // is gone once the levels are merged.
  std::vector<std::pair<std::string, std::optional<std::string>>> env;
  std::vector<ReverseMap> reverse_urls, reverse_cookie_domains, reverse_cookie_paths;
  std::map<int, ErrorDocument> error_documents;
  std::vector<Redirect> redirects;  // those written in sections

  std::shared_ptr<const expr::Require> require;  // nullptr: says nothing
  std::optional<AuthMerging> auth_merging;
  std::shared_ptr<const AuthSettings> auth;  // AuthType and its relatives; nullptr: says nothing
  std::shared_ptr<const Route> route;        // ProxyPass in a <Location>

  std::vector<std::shared_ptr<const Conditional>> conditionals;  // <If> and its relatives
  std::shared_ptr<const rewrite::RuleSet> rewriting;             // rules of sections; may be null
};

// What holds inside `inner` when `outer` is around it (config.md 4: scalars override, lists append,
// Require is replaced unless AuthMerging says otherwise).
PathSettings merge(const PathSettings& outer, const PathSettings& inner);

// One <Location>, <LocationMatch>, <Proxy> or <ProxyMatch>.
struct Section {
  enum class Kind : std::uint8_t { prefix, glob, regex } kind = Kind::prefix;
  std::string pattern;
  std::optional<Regex> regex;
  PathSettings settings;
  std::optional<TlsBackendSettings> tls_backend;  // SSLProxy... in a <Proxy>
  Place place;

  // For <Location>: whole path components; `path` is decoded, slashes merged.
  bool covers_path(std::string_view path) const;
  // For <Proxy>: against the URL the request is proxied to.
  bool covers_url(std::string_view url) const;
};

}  // namespace steelyard::config
