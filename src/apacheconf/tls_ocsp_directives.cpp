// Whether authorities are asked about clients' certificates (httpd: mod_ssl's SSLOCSP...).
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "apacheconf/tables.hpp"
#include "apacheconf/tls_drafts.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::TlsOcsp;

TlsOcsp& settings_of(Scope& scope) { return scope.server.tls.ocsp; }

void enable(Scope& scope, const Statement& statement) {
  using About = TlsOcsp::About;
  const auto refuse = [&](std::string_view word) {
    scope.complain(statement.name + ": Invalid argument '" + std::string(word) + "'",
                   "Write off, leaf or on, and after it perhaps no_ocsp_for_cert_ok.");
  };
  const auto& words = statement.words;
  if (words.empty()) return refuse("");
  TlsOcsp& ocsp = settings_of(scope);
  if (equals_ignoring_case(words[0], "off")) {
    ocsp.about = About::nobody;
  } else if (equals_ignoring_case(words[0], "leaf")) {
    ocsp.about = About::leaf;
  } else if (equals_ignoring_case(words[0], "on")) {
    ocsp.about = About::chain;
  } else {
    return refuse(words[0]);
  }
  ocsp.needs_no_responder = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!equals_ignoring_case(words[i], "no_ocsp_for_cert_ok")) return refuse(words[i]);
    ocsp.needs_no_responder = true;
  }
}

bool is_http(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  return starts_with_ignoring_case(url, scheme) && url.size() > scheme.size() &&
         !std::string_view("/:?#").contains(url[scheme.size()]);
}

// httpd takes anything here, and refuses the clients for whom it would be asked.
void default_responder(Scope& scope, const Statement& statement) {
  const std::string& url = statement.words[0];
  if (!is_http(url))
    scope.warn(statement.name + ": '" + url + "' is no http:// URL, so nobody can be asked by it",
               "Answers are signed; authorities are asked without TLS.");
  settings_of(scope).default_url = url;
}

void proxy_url(Scope& scope, const Statement& statement) {
  const std::string& url = statement.words[0];
  if (is_http(url)) {
    settings_of(scope).proxy_url = url;
  } else {
    scope.complain(statement.name + ": Cannot parse URL " + url, "Write http://HOST:PORT/.");
  }
}

template <auto member>
void set_flag(Scope& scope, const Statement& statement) {
  settings_of(scope).*member = is_on(statement);
}

std::optional<Duration> read_seconds(Scope& scope, const Statement& statement) {
  constexpr std::uint64_t seconds_max = 366 * 24 * 3600;
  const auto time = parse_unsigned(statement.words[0]);
  if (time && *time <= seconds_max) return std::chrono::seconds(*time);
  scope.complain(statement.name + ": invalid argument", "Write a number of seconds.");
  return std::nullopt;
}

void skew(Scope& scope, const Statement& statement) {
  if (const auto time = read_seconds(scope, statement)) settings_of(scope).skew = *time;
}

// httpd takes no -1, which is what counts without the line.
void age_max(Scope& scope, const Statement& statement) {
  if (const auto time = read_seconds(scope, statement)) settings_of(scope).age_max = *time;
}

void patience(Scope& scope, const Statement& statement) {
  if (const auto time = read_seconds(scope, statement))
    settings_of(scope).patience = std::max<Duration>(*time, std::chrono::seconds(1));
}

void responders(Scope& scope, const Statement& statement) {
  if (auto file = read_tls_file(scope, statement)) settings_of(scope).responders = std::move(*file);
}

constexpr Directive row(std::string_view name, Handler handler, Arguments arguments,
                        std::string_view help) {
  return {.name = name,
          .contexts = in_servers,
          .arguments = arguments,
          .handler = handler,
          .merge = "the virtual host's counts, else the main server's",
          .help = help,
          .module = "ssl_module"};
}

constexpr auto directives = std::to_array<Directive>({
    row("SSLOCSPEnable", enable, Arguments::raw,
        "whether authorities are asked if clients' certificates are still good: off, leaf, on (the "
        "whole chain); then perhaps no_ocsp_for_cert_ok"),
    row("SSLOCSPDefaultResponder", default_responder, Arguments::one,
        "who is asked about certificates that name nobody"),
    row("SSLOCSPOverrideResponder", set_flag<&TlsOcsp::overrides>, Arguments::flag,
        "whether it is asked about all others, too"),
    row("SSLOCSPResponseTimeSkew", skew, Arguments::one,
        "how far an authority's clock may be off, in seconds"),
    row("SSLOCSPResponseMaxAge", age_max, Arguments::one,
        "how old an answer may be, in seconds; without it: as long as it says itself"),
    row("SSLOCSPResponderTimeout", patience, Arguments::one,
        "how long an authority may take to answer, in seconds"),
    row("SSLOCSPUseRequestNonce", set_flag<&TlsOcsp::sends_nonce>, Arguments::flag,
        "whether answers have to repeat a random number, which old ones cannot"),
    row("SSLOCSPProxyURL", proxy_url, Arguments::one,
        "an HTTP proxy by which authorities are asked"),
    row("SSLOCSPNoVerify", set_flag<&TlsOcsp::trusts_anybody>, Arguments::flag,
        "whether an answer counts whoever signed it; for trying out"),
    row("SSLOCSPResponderCertificateFile", responders, Arguments::one,
        "certificates in PEM that answers may be signed with, besides the authorities' own"),
});

}  // namespace

std::span<const Directive> tls_ocsp_directives() { return directives; }

}  // namespace steelyard::apacheconf
