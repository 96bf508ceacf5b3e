// TLS towards members (httpd: SSLProxy... of mod_ssl).
#include <array>

#include "apacheconf/tables.hpp"
#include "apacheconf/tls_drafts.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::TlsBackendSettings;

TlsBackendSettings& settings_of(Scope& scope) {
  config::Section* const section = scope.frame().section;
  TlsBackendSettings* settings = &scope.server.tls_backend;
  if (section != nullptr) {
    if (!section->tls_backend) section->tls_backend.emplace();
    settings = &*section->tls_backend;
  }
  settings->place = scope.place();
  return *settings;
}

template <auto member>
void flag(Scope& scope, const Statement& statement) {
  settings_of(scope).*member = is_on(statement);
}

template <auto member>
void file(Scope& scope, const Statement& statement) {
  if (auto named = read_tls_file(scope, statement)) settings_of(scope).*member = std::move(*named);
}

void protocol(Scope& scope, const Statement& statement) {
  if (const auto versions = read_tls_versions(scope, statement))
    settings_of(scope).versions = *versions;
}

void cipher_suite(Scope& scope, const Statement& statement) {
  CipherTexts texts = read_ciphers(scope, statement);
  if (texts.ciphers) settings_of(scope).ciphers = std::move(texts.ciphers);
  if (texts.suites) settings_of(scope).suites = std::move(texts.suites);
}

void verify(Scope& scope, const Statement& statement) {
  if (const auto word = read_peer_verify(scope, statement)) settings_of(scope).verify = *word;
}

void verify_depth(Scope& scope, const Statement& statement) {
  if (const auto depth = read_verify_depth(scope, statement))
    settings_of(scope).verify_depth = *depth;
}

void revocation_check(Scope& scope, const Statement& statement) {
  const auto words = read_revocation(scope, statement);
  if (!words) return;
  settings_of(scope).revocation = words->check;
  settings_of(scope).needs_no_crl = words->needs_no_crl;
  if (scope.frame().section == nullptr)
    scope.reading.part<TlsDrafts>().servers[&scope.server].member_revocation_check = scope.place();
}

constexpr Directive row(std::string_view name, Handler handler, Arguments arguments,
                        std::string_view help) {
  return {.name = name,
          .contexts = in_servers | in_proxy,
          .arguments = arguments,
          .handler = handler,
          .merge = "the <Proxy> section's counts, else the virtual host's, else the main server's",
          .help = help,
          .module = "ssl_module"};
}

constexpr auto directives = std::to_array<Directive>({
    row("SSLProxyEngine", flag<&TlsBackendSettings::engine>, Arguments::flag,
        "whether TLS is spoken with https:// members"),
    row("SSLProxyProtocol", protocol, Arguments::one_or_more,
        "versions of TLS with members: [+-]VERSION ..."),
    row("SSLProxyCipherSuite", cipher_suite, Arguments::one_or_two,
        "ciphers with members, up to TLS 1.2, or behind TLSv1.3 those of that version"),
    row("SSLProxyVerify", verify, Arguments::one,
        "whether a member's certificate must come from a known authority: none, optional, require, "
        "optional_no_ca"),
    row("SSLProxyVerifyDepth", verify_depth, Arguments::one,
        "how many certificates may lie between a member's and an authority's"),
    row("SSLProxyCACertificateFile", file<&TlsBackendSettings::ca_file>, Arguments::one,
        "authorities of members' certificates, in PEM"),
    row("SSLProxyCACertificatePath", file<&TlsBackendSettings::ca_path>, Arguments::one,
        "directory of authorities of members' certificates"),
    row("SSLProxyCARevocationFile", file<&TlsBackendSettings::crl_file>, Arguments::one,
        "revoked certificates of members, in PEM"),
    row("SSLProxyCARevocationPath", file<&TlsBackendSettings::crl_path>, Arguments::one,
        "directory of lists of revoked certificates"),
    row("SSLProxyCARevocationCheck", revocation_check, Arguments::one_or_two,
        "whose revocation is looked up: none, leaf, chain; then perhaps no_crl_for_cert_ok"),
    row("SSLProxyMachineCertificateFile", file<&TlsBackendSettings::own_file>, Arguments::one,
        "certificates with their keys that members are shown, in PEM: that of an authority which "
        "the member names"),
    row("SSLProxyMachineCertificatePath", file<&TlsBackendSettings::own_path>, Arguments::one,
        "directory of such files"),
    row("SSLProxyMachineCertificateChainFile", file<&TlsBackendSettings::own_chain>, Arguments::one,
        "what lies between these certificates and their authorities, in PEM; it is believed of "
        "members, too"),
    row("SSLProxyCheckPeerExpire", flag<&TlsBackendSettings::checks_expiry>, Arguments::flag,
        "whether a member's certificate must not have expired"),
    row("SSLProxyCheckPeerName", flag<&TlsBackendSettings::checks_name>, Arguments::flag,
        "whether a member's certificate must name the host that was asked for"),
    row("SSLProxyCheckPeerCN", flag<&TlsBackendSettings::checks_common_name>, Arguments::flag,
        "whether its common name must, where SSLProxyCheckPeerName is off"),
});

}  // namespace

std::span<const Directive> tls_backend_directives() { return directives; }

}  // namespace steelyard::apacheconf
