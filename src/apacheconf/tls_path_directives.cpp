// What lines ask of a client's connection, for a whole server or for a path (httpd: mod_ssl's
// context "directory").
#include <algorithm>
#include <array>

#include "apacheconf/tables.hpp"
#include "apacheconf/tls_drafts.hpp"
#include "base/text.hpp"
#include "config/path_tls.hpp"

namespace steelyard::apacheconf {

namespace {

using config::PathTls;
using config::TlsOptions;
using config::TlsServerSettings;

void change(Scope& scope, const auto& how) {
  auto& held = scope.settings().tls;
  PathTls changed = held == nullptr ? PathTls() : *held;
  how(changed);
  held = std::make_shared<const PathTls>(std::move(changed));
}

void cipher_suite(Scope& scope, const Statement& statement) {
  CipherTexts texts = read_ciphers(scope, statement);
  if (!scope.at_server_level()) {
    if (texts.suites)
      scope.complain("TLSv1.3 ciphers cannot be set inside a directory context",
                     "Write them in the <VirtualHost>: TLS 1.3 never agrees on ciphers anew.");
    if (!texts.ciphers) return;
    change(scope, [&](PathTls& tls) { tls.ciphers = std::move(texts.ciphers); });
    scope.config.tls.shakes_hands_anew = true;
    return;
  }
  TlsServerSettings& tls = scope.server.tls;
  if (texts.ciphers) {
    tls.ciphers = std::move(*texts.ciphers);
    tls.ciphers_place = scope.place();
  }
  if (texts.suites) {
    tls.suites = std::move(*texts.suites);
    tls.suites_place = scope.place();
  }
}

void verify_client(Scope& scope, const Statement& statement) {
  const auto verify = read_peer_verify(scope, statement);
  if (!verify) return;
  if (scope.at_server_level()) {
    scope.server.tls.verify = *verify;
    return;
  }
  change(scope, [&](PathTls& tls) { tls.verify = verify; });
  // Of <Directory> nothing counts.
  if (scope.frame().kind == SectionKind::directory || *verify == config::PeerVerify::none) return;
  scope.server.tls.verifies_in_sections = true;
  scope.config.tls.shakes_hands_anew = true;
}

void verify_depth(Scope& scope, const Statement& statement) {
  const auto depth = read_verify_depth(scope, statement);
  if (!depth) return;
  if (scope.at_server_level()) {
    scope.server.tls.verify_depth = *depth;
  } else {
    change(scope, [&](PathTls& tls) { tls.verify_depth = depth; });
    scope.config.tls.shakes_hands_anew = true;
  }
}

void buffer_size(Scope& scope, const Statement& statement) {
  constexpr std::uint64_t bytes_max = std::uint64_t{1} << 31;
  const auto bytes = parse_unsigned(statement.words[0]);
  if (!bytes || *bytes > bytes_max) {
    scope.complain("Invalid size for SSLRenegBufferSize: " + statement.words[0],
                   "Write a number of bytes.");
    return;
  }
  change(scope, [&](PathTls& tls) { tls.buffer_bytes = bytes; });
}

struct OptionWord {
  std::string_view name;
  TlsOptions::Set option;
};
// 0: what it asks for holds anyway.
constexpr auto option_words = std::to_array<OptionWord>({
    {"StdEnvVars", TlsOptions::std_env_vars},
    {"ExportCertData", TlsOptions::cert_data},
    {"LegacyDNStringFormat", TlsOptions::legacy_names},
    {"StrictRequire", 0},
    {"OptRenegotiate", TlsOptions::keeps_ciphers},
    {"FakeBasicAuth", TlsOptions::fakes_basic_auth},
});

void options(Scope& scope, const Statement& statement) {
  TlsOptions said;
  for (const std::string& word : statement.words) {
    const bool has_sign = word.starts_with('+') || word.starts_with('-');
    const std::string_view name = std::string_view(word).substr(has_sign ? 1 : 0);
    const auto* const known = std::ranges::find_if(option_words, [&](const OptionWord& each) {
      return equals_ignoring_case(each.name, name);
    });
    if (known == option_words.end()) {
      scope.complain("SSLOptions: Illegal option '" + std::string(name) + "'",
                     "Known are StdEnvVars, ExportCertData, FakeBasicAuth, StrictRequire, "
                     "OptRenegotiate and LegacyDNStringFormat, with + or -.");
      continue;
    }
    if (!has_sign) said = {true, known->option, 0};
    if (word.starts_with('+')) said.on = static_cast<TlsOptions::Set>(said.on | known->option);
    if (word.starts_with('-')) {
      said.on = static_cast<TlsOptions::Set>(said.on & ~known->option);
      said.off = static_cast<TlsOptions::Set>(said.off | known->option);
    }
  }
  auto& settings = scope.settings().tls_options;
  settings = said.over(settings.value_or(TlsOptions()));
}

void user_name(Scope& scope, const Statement& statement) {
  change(scope, [&](PathTls& tls) { tls.user_name = statement.words[0]; });
}

void require_ssl(Scope& scope, const Statement& /*statement*/) {
  scope.settings().requires_tls = true;
}

void ssl_require(Scope& scope, const Statement& statement) {
  auto requirement = expr::SslRequirement::compile(statement.text);
  if (!requirement) {
    scope.complain("SSLRequire: " + requirement.error().text, requirement.error().advice);
    return;
  }
  change(scope, [&](PathTls& tls) {
    tls.requirements.push_back(
        std::make_shared<const expr::SslRequirement>(std::move(*requirement)));
  });
}

constexpr std::string_view inner_wins =
    "the innermost section's counts, else the virtual host's, else the main server's";

constexpr Directive row(std::string_view name, Handler handler, Arguments arguments,
                        std::string_view help, std::string_view merge = inner_wins) {
  return {.name = name,
          .contexts = anywhere,
          .arguments = arguments,
          .handler = handler,
          .merge = merge,
          .help = help,
          .module = "ssl_module"};
}

constexpr auto directives = std::to_array<Directive>({
    row("SSLCipherSuite", cipher_suite, Arguments::one_or_two,
        "ciphers in OpenSSL's words, up to TLS 1.2, or behind TLSv1.3 those of that version; in a "
        "section another handshake of TLS 1.2 sees to it"),
    row("SSLVerifyClient", verify_client, Arguments::one,
        "whether clients show a certificate: none, optional, require, optional_no_ca; in a section "
        "another handshake asks for it"),
    row("SSLVerifyDepth", verify_depth, Arguments::one,
        "how many certificates may lie between a client's and an authority's"),
    row("SSLRenegBufferSize", buffer_size, Arguments::one,
        "how much of a body is kept until another handshake is over, in bytes"),
    row("SSLOptions", options, Arguments::one_or_more,
        "StdEnvVars, ExportCertData, FakeBasicAuth, LegacyDNStringFormat, OptRenegotiate: "
        "[+-]OPTION ...",
        "the inner one counts; with signs it changes the outer one"),
    row("SSLUserName", user_name, Arguments::one,
        "a variable of the client's certificate that names the user: SSL_CLIENT_S_DN_CN"),
    row("SSLRequire", ssl_require, Arguments::raw,
        "a condition that requests over TLS have to fulfil: EXPRESSION, in which a longer text is "
        "greater than a shorter one",
        "those of all sections have to be fulfilled"),
    row("SSLRequireSSL", require_ssl, Arguments::none, "requests without TLS are refused",
        "counts for all inside"),
});

}  // namespace

std::span<const Directive> tls_path_directives() { return directives; }

}  // namespace steelyard::apacheconf
