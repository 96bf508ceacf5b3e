#include "config/path_settings.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/auth_settings.hpp"
#include "config/compression.hpp"
#include "config/path_tls.hpp"
#include "rewrite/rule_set.hpp"

namespace steelyard::config {

namespace {

template <class T>
void override_with(std::optional<T>& outer, const std::optional<T>& inner) {
  if (inner) outer = inner;
}

template <class T>
void append(std::vector<T>& outer, const std::vector<T>& inner) {
  outer.insert(outer.end(), inner.begin(), inner.end());
}

using Env = std::vector<std::pair<std::string, std::optional<std::string>>>;

// Names compare without case, as httpd keeps them in one table. UnsetEnv is settled here.
void merge_env(Env& outer, const Env& inner) {
  for (const auto& entry : inner) {
    std::erase_if(outer, [&](const auto& old) {
      return !old.second || equals_ignoring_case(old.first, entry.first);
    });
    if (entry.second) outer.push_back(entry);
  }
}

void merge_tls(std::shared_ptr<const PathTls>& outer, const std::shared_ptr<const PathTls>& inner) {
  if (inner == nullptr) return;
  outer = outer == nullptr ? inner : std::make_shared<const PathTls>(merge(*outer, *inner));
}

void merge_compression(std::shared_ptr<const Compression>& outer,
                       const std::shared_ptr<const Compression>& inner) {
  if (inner == nullptr) return;
  outer = outer == nullptr ? inner : std::make_shared<const Compression>(merge(*outer, *inner));
}

bool is_for_whole_section(const Redirect& redirect) {
  return redirect.path.empty() && !redirect.regex;
}

// httpd asks the inner section's first; of those for a whole section only the innermost exists.
std::vector<Redirect> merge_redirects(const std::vector<Redirect>& outer,
                                      const std::vector<Redirect>& inner) {
  std::vector<Redirect> merged = inner;
  const bool replaced = std::ranges::any_of(inner, is_for_whole_section);
  for (const Redirect& redirect : outer) {
    if (!replaced || !is_for_whole_section(redirect)) merged.push_back(redirect);
  }
  return merged;
}

expr::RequireMerge merge_mode(const std::optional<AuthMerging>& merging) {
  switch (merging.value_or(AuthMerging::off)) {
    case AuthMerging::both:
      return expr::RequireMerge::both;
    case AuthMerging::either:
      return expr::RequireMerge::either;
    case AuthMerging::off:
      break;
  }
  return expr::RequireMerge::replace;
}

// httpd: the statuses of all levels add up, the innermost switch counts.
void merge_error_override(std::optional<ErrorOverride>& outer,
                          const std::optional<ErrorOverride>& inner) {
  if (!inner) return;
  ErrorOverride merged = *inner;
  if (outer)
    merged.statuses.insert(merged.statuses.begin(), outer->statuses.begin(), outer->statuses.end());
  outer = std::move(merged);
}

// A general level replaces all that is said around it, levels of modules are added (httpd).
void merge_log_levels(std::optional<LogLevels>& outer, const std::optional<LogLevels>& inner) {
  if (!inner) return;
  if (!outer || inner->says_general) {
    outer = inner;
    return;
  }
  for (const auto& added : inner->modules) {
    std::erase_if(outer->modules, [&](const auto& old) { return old.first == added.first; });
    outer->modules.push_back(added);
  }
}

}  // namespace

std::string_view handler_name(Responder responder) {
  switch (responder) {
    case Responder::none:
      return {};
    case Responder::heartbeat:
      return "heartbeat";
    case Responder::balancer_manager:
      return "balancer-manager";
    case Responder::server_status:
      return "server-status";
    case Responder::metrics:
      return "steelyard-metrics";
    case Responder::api:
      return "steelyard-api";
  }
  return {};
}

PathSettings merge(const PathSettings& outer, const PathSettings& inner) {
  PathSettings merged = outer;
  override_with(merged.preserve_host, inner.preserve_host);
  override_with(merged.add_headers, inner.add_headers);
  override_with(merged.continue_100, inner.continue_100);
  override_with(merged.interpolate_env, inner.interpolate_env);
  if (inner.responder) {
    merged.responder = inner.responder;
    merged.handler = inner.handler;
  }
  override_with(merged.fcgi_backend, inner.fcgi_backend);
  override_with(merged.cgi_pass_auth, inner.cgi_pass_auth);
  override_with(merged.signature, inner.signature);
  override_with(merged.body_bytes_max, inner.body_bytes_max);
  merge_log_levels(merged.log_levels, inner.log_levels);
  override_with(merged.default_charset, inner.default_charset);
  merge_compression(merged.compression, inner.compression);
  override_with(merged.canonical_name, inner.canonical_name);
  override_with(merged.canonical_physical_port, inner.canonical_physical_port);
  override_with(merged.redirect_relative, inner.redirect_relative);
  override_with(merged.auth_merging, inner.auth_merging);
  override_with(merged.requires_tls, inner.requires_tls);
  override_with(merged.ftp_charset, inner.ftp_charset);
  override_with(merged.ftp_lists_on_wildcard, inner.ftp_lists_on_wildcard);
  override_with(merged.ftp_escapes_wildcards, inner.ftp_escapes_wildcards);
  if (inner.tls_options)
    merged.tls_options = inner.tls_options->over(outer.tls_options.value_or(TlsOptions()));
  merge_tls(merged.tls, inner.tls);
  merge_error_override(merged.error_override, inner.error_override);

  append(merged.response_always, inner.response_always);
  append(merged.response_normal, inner.response_normal);
  append(merged.request_rules, inner.request_rules);
  append(merged.env_rules, inner.env_rules);
  append(merged.fcgi_variables, inner.fcgi_variables);
  append(merged.conditionals, inner.conditionals);
  merged.rewriting = rewrite::merge(outer.rewriting, inner.rewriting);
  append(merged.reverse_urls, inner.reverse_urls);
  append(merged.reverse_cookie_domains, inner.reverse_cookie_domains);
  append(merged.reverse_cookie_paths, inner.reverse_cookie_paths);
  merge_env(merged.env, inner.env);
  merged.redirects = merge_redirects(outer.redirects, inner.redirects);
  for (const auto& [status, document] : inner.error_documents) {
    merged.error_documents.insert_or_assign(status, document);
  }

  // httpd: AuthMerging Off drops what is around it, also without a Require of its own.
  const bool drops_outer = inner.auth_merging == AuthMerging::off;
  merged.require =
      expr::Require::merge(drops_outer ? expr::Require::without_tree(outer.require) : outer.require,
                           inner.require, merge_mode(inner.auth_merging));
  merged.auth = merge(outer.auth, inner.auth);
  if (inner.route) merged.route = inner.route;
  return merged;
}

bool Section::covers_path(std::string_view path) const {
  switch (kind) {
    case Kind::regex:
      return regex->search(path);
    case Kind::glob:
      return matches_glob(pattern, path, true);
    case Kind::prefix:
      break;
  }
  if (!path.starts_with(pattern)) return false;
  return path.size() == pattern.size() || pattern.ends_with('/') || path[pattern.size()] == '/';
}

bool Section::covers_url(std::string_view url) const {
  switch (kind) {
    case Kind::regex:
      return regex->search(url);
    case Kind::glob:
      return matches_glob(pattern, url);
    case Kind::prefix:
      break;
  }
  return url.starts_with(pattern);
}

}  // namespace steelyard::config
