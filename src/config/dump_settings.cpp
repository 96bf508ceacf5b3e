#include <array>

#include "config/auth_settings.hpp"
#include "config/conditional.hpp"
#include "config/dump_writer.hpp"
#include "config/fcgi_settings.hpp"

namespace steelyard::config {

namespace {

void dump_maps(DumpWriter& out, std::string_view key, const std::vector<ReverseMap>& maps) {
  for (const ReverseMap& map : maps) {
    out.line(key, quoted(map.internal) + " -> " + quoted(map.external) +
                      (map.interpolate ? " interpolate" : ""));
  }
}

void dump_error_document(DumpWriter& out, int status, const ErrorDocument& document) {
  std::string text = std::to_string(status);
  switch (document.kind) {
    case ErrorDocument::Kind::standard:
      text += " standard";
      break;
    case ErrorDocument::Kind::text:
      text += " text " + quoted(document.text->text());
      break;
    case ErrorDocument::Kind::local_path:
      text += " path " + document.target;
      break;
    case ErrorDocument::Kind::url:
      text += " url " + document.target;
      break;
  }
  out.line("error-document", text);
}

void dump_error_override(DumpWriter& out, const ErrorOverride& rule) {
  std::string text = rule.on ? "on" : "off";
  for (const int status : rule.statuses) text += ' ' + std::to_string(status);
  out.line("error-override", text);
}

void dump_tls_options(DumpWriter& out, const TlsOptions& options) {
  std::string text = options.replaces ? "only" : "";
  const auto add = [&](TlsOptions::Set option, std::string_view name) {
    if (options.has(option)) text.append(text.empty() ? "+" : " +").append(name);
    if ((options.off & option) != 0) text.append(text.empty() ? "-" : " -").append(name);
  };
  add(TlsOptions::std_env_vars, "env-vars");
  add(TlsOptions::cert_data, "cert-data");
  add(TlsOptions::legacy_names, "legacy-names");
  add(TlsOptions::keeps_ciphers, "keeps-ciphers");
  add(TlsOptions::fakes_basic_auth, "fake-basic-auth");
  out.line("tls-options", text);
}

constexpr std::array<std::string_view, 3> signature_names{"off", "on", "email"};
constexpr std::array<std::string_view, 3> merging_names{"off", "and", "or"};
constexpr std::array<std::string_view, 3> canonical_names{"off", "on", "dns"};

void dump_scalars(DumpWriter& out, const PathSettings& settings) {
  out.flag("preserve-host", settings.preserve_host);
  out.flag("add-headers", settings.add_headers);
  out.flag("continue-100", settings.continue_100);
  out.flag("interpolate-env", settings.interpolate_env);
  if (settings.error_override) dump_error_override(out, *settings.error_override);
  if (settings.signature) {
    out.line("signature", signature_names[static_cast<std::size_t>(*settings.signature)]);
  }
  if (settings.default_charset) out.line("default-charset", *settings.default_charset);
  if (settings.compression) dump_compression(out, *settings.compression);
  if (settings.canonical_name) {
    out.line("canonical-name", canonical_names[static_cast<std::size_t>(*settings.canonical_name)]);
  }
  out.flag("canonical-physical-port", settings.canonical_physical_port);
  out.flag("redirect-relative", settings.redirect_relative);
  if (settings.ftp_charset) out.line("ftp-charset", *settings.ftp_charset);
  out.flag("ftp-lists-on-wildcard", settings.ftp_lists_on_wildcard);
  out.flag("ftp-escapes-wildcards", settings.ftp_escapes_wildcards);
  if (settings.handler) {
    out.line("responder", "proxy:" + settings.handler->url);
  } else if (settings.responder) {
    const std::string_view name = handler_name(*settings.responder);
    out.line("responder", name.empty() ? "none" : name);
  }
  out.flag("cgi-pass-auth", settings.cgi_pass_auth);
  if (settings.fcgi_backend) {
    out.line("fcgi-backend", *settings.fcgi_backend == FcgiBackend::fpm ? "fpm" : "generic");
  }
  out.flag("requires-tls", settings.requires_tls);
  if (settings.tls_options) dump_tls_options(out, *settings.tls_options);
  if (settings.tls != nullptr) dump_path_tls(out, *settings.tls);
  out.number("body-bytes-max", settings.body_bytes_max);
  if (const auto& levels = settings.log_levels) {
    dump_log_levels(out, levels->says_general ? level_name(levels->general) : "inherited", *levels);
  }
  if (settings.auth_merging) {
    out.line("auth-merging", merging_names[static_cast<std::size_t>(*settings.auth_merging)]);
  }
}

std::string_view mapping_text(PathMapping mapping) {
  switch (mapping) {
    case PathMapping::plain:
      return {};
    case PathMapping::encoded:
      return " mapping=encoded";
    case PathMapping::servlet:
      return " mapping=servlet";
  }
  return {};
}

void dump_auth(DumpWriter& out, const AuthSettings& auth) {
  if (auth.type) out.line("auth-type", auth.is_basic() ? "basic" : "none");
  if (auth.realm) out.line("auth-realm", quoted(auth.realm->text()));
  if (auth.user_file) out.line("auth-user-file", *auth.user_file);
  if (auth.group_file) out.line("auth-group-file", *auth.group_file);
  out.flag("auth-authoritative", auth.is_authoritative);
  out.flag("auth-forbids-on-failure", auth.forbids_on_failure);
  if (!auth.fake) return;
  const std::string login =
      quoted(auth.fake->user.text()) + ' ' + quoted(auth.fake->password.text());
  out.line("auth-fake", auth.fake->is_on ? login : "off");
}

void dump_require(DumpWriter& out, const expr::Require& require) {
  out.line("access");
  out.indent();
  for (const std::string& line : require.describe()) out.line(line);
  out.unindent();
}

}  // namespace

void dump_rules(DumpWriter& out, std::string_view key, const std::vector<expr::HeaderRule>& rules) {
  for (const expr::HeaderRule& rule : rules) {
    out.line(key, rule.describe());
  }
}

void dump_fcgi_variables(DumpWriter& out, const PathSettings& settings) {
  for (const auto& variable : settings.fcgi_variables) {
    const std::string what = variable->value
                                 ? variable->name + "=" + quoted(variable->value->text())
                                 : "!" + variable->name;
    out.line("fcgi-variable", what + " if " + quoted(variable->condition.text()));
  }
}

void dump_env_rules(DumpWriter& out, const std::vector<expr::EnvRule>& rules) {
  for (const expr::EnvRule& rule : rules) out.line(rule.describe());
}

void dump_log_levels(DumpWriter& out, std::string_view general, const LogLevels& levels) {
  std::string text(general);
  for (const auto& [module, level] : levels.modules) {
    text.append(" ").append(module).append(":").append(level_name(level));
  }
  out.line("log-level", text);
}

void dump_route(DumpWriter& out, const Route& route) {
  std::string text;
  if (route.regex) {
    text = "~ " + quoted(route.regex->pattern());
  } else {
    text = quoted(route.location.empty() ? route.path : route.location);
  }
  text += " -> " + (route.excludes ? std::string("excluded") : route.target);
  if (route.raw_path) text += " nocanon";
  if (route.interpolate) text += " interpolate";
  text += mapping_text(route.mapping);
  if (route.balancer) text += " [balancer " + std::to_string(*route.balancer) + ']';
  if (route.backend) text += " [backend " + std::to_string(*route.backend) + ']';
  out.line("route", text);
}

void dump_redirect(DumpWriter& out, const Redirect& redirect) {
  std::string text = std::to_string(redirect.status);
  if (redirect.regex) text += " ~ " + quoted(redirect.regex->pattern());
  if (!redirect.path.empty()) text += ' ' + quoted(redirect.path);
  if (redirect.expression) {
    text += " -> expression " + quoted(redirect.expression->text());
  } else if (!redirect.target.empty()) {
    text += " -> " + redirect.target;
  }
  out.line("redirect", text);
}

void dump_conditional(DumpWriter& out, const Conditional& conditional) {
  constexpr std::array<std::string_view, 3> branches{"if", "else-if", "else"};
  out.line(branches[static_cast<std::size_t>(conditional.branch)],
           conditional.condition ? quoted(conditional.condition->text()) : std::string());
  out.indent();
  dump_settings(out, conditional.settings);
  out.unindent();
}

void dump_settings(DumpWriter& out, const PathSettings& settings) {
  dump_scalars(out, settings);
  dump_rules(out, "header-always", settings.response_always);
  dump_rules(out, "header", settings.response_normal);
  dump_rules(out, "request-header", settings.request_rules);
  dump_env_rules(out, settings.env_rules);
  dump_fcgi_variables(out, settings);
  for (const auto& [name, value] : settings.env) {
    out.line("env", name + (value ? '=' + quoted(*value) : std::string(" unset")));
  }
  dump_maps(out, "reverse-url", settings.reverse_urls);
  dump_maps(out, "reverse-cookie-domain", settings.reverse_cookie_domains);
  dump_maps(out, "reverse-cookie-path", settings.reverse_cookie_paths);
  for (const auto& [status, document] : settings.error_documents) {
    dump_error_document(out, status, document);
  }
  for (const Redirect& redirect : settings.redirects) dump_redirect(out, redirect);
  if (settings.rewriting) dump_rewriting(out, *settings.rewriting);
  if (settings.auth) dump_auth(out, *settings.auth);
  if (settings.require) dump_require(out, *settings.require);
  if (settings.route) dump_route(out, *settings.route);
  for (const auto& conditional : settings.conditionals) dump_conditional(out, *conditional);
}

void dump_section(DumpWriter& out, std::string_view key, const Section& section) {
  constexpr std::array<std::string_view, 3> kinds{"prefix ", "glob ", "regex "};
  out.line(key,
           std::string(kinds[static_cast<std::size_t>(section.kind)]) + quoted(section.pattern));
  out.indent();
  if (section.tls_backend) dump_tls_backend(out, *section.tls_backend);
  dump_settings(out, section.settings);
  out.unindent();
}

}  // namespace steelyard::config
