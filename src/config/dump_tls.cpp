#include <array>

#include "config/dump_writer.hpp"
#include "config/path_tls.hpp"

namespace steelyard::config {

namespace {

constexpr std::array<std::string_view, 4> verify_names{"none", "optional", "require",
                                                       "optional-no-ca"};
constexpr std::array<std::string_view, 3> revocation_names{"none", "leaf", "chain"};
constexpr std::array<std::string_view, 4> policy_names{"strict", "secure", "authonly", "insecure"};

std::string versions_text(TlsVersions versions) {
  std::string text;
  const auto add = [&](TlsVersions bit, std::string_view name) {
    if ((versions & bit) != 0) text.append(text.empty() ? "" : " ").append(name);
  };
  add(tls_1_0, "1.0");
  add(tls_1_1, "1.1");
  add(tls_1_2, "1.2");
  add(tls_1_3, "1.3");
  return text;
}

void dump_file(DumpWriter& out, std::string_view key, const std::optional<NamedFile>& file) {
  if (file) out.line(key, quoted(file->path));
}

template <class Enum, std::size_t count>
void dump_word(DumpWriter& out, std::string_view key,
               const std::array<std::string_view, count>& names, Enum value) {
  out.line(key, names[static_cast<std::size_t>(value)]);
}

void dump_verification(DumpWriter& out, const TlsServerSettings& tls) {
  if (tls.verify != PeerVerify::none) {
    dump_word(out, "verify", verify_names, tls.verify);
    out.number("verify-depth", tls.verify_depth);
  }
  dump_file(out, "authorities", tls.trust.ca_file);
  dump_file(out, "authorities-in", tls.trust.ca_path);
  dump_file(out, "told-authorities", tls.trust.names_file);
  dump_file(out, "told-authorities-in", tls.trust.names_path);
  dump_file(out, "revoked", tls.trust.crl_file);
  dump_file(out, "revoked-in", tls.trust.crl_path);
  if (tls.trust.revocation != RevocationCheck::none)
    dump_word(out, "revocation", revocation_names, tls.trust.revocation);
  if (tls.trust.needs_no_crl) out.line("needs-no-crl", "on");
}

}  // namespace

void dump_tls(DumpWriter& out, const TlsServerSettings& tls) {
  if (!tls.is_on()) return;
  const TlsServerSettings usual;
  out.line("tls", "on");
  out.indent();
  for (const NamedFile& file : tls.certificates) out.line("certificate", quoted(file.path));
  for (const NamedFile& file : tls.keys) out.line("key", quoted(file.path));
  dump_file(out, "chain", tls.chain);
  if (tls.versions != usual.versions) out.line("versions", versions_text(tls.versions));
  out.text_unless_empty("ciphers", tls.ciphers);
  out.text_unless_empty("suites", tls.suites);
  if (tls.honors_order) out.line("honors-order", "on");
  if (!tls.tickets) out.line("tickets", "off");
  if (tls.strict_sni) out.line("strict-sni", "on");
  if (tls.sni_policy != usual.sni_policy)
    dump_word(out, "sni-policy", policy_names, tls.sni_policy);
  if (tls.session_life != usual.session_life) out.milliseconds("session-life", tls.session_life);
  if (tls.handshake_time != Duration{}) out.milliseconds("handshake-time", tls.handshake_time);
  for (const TlsCommand& command : tls.commands)
    out.line("library-command", quoted(command.name) + ' ' + quoted(command.value));
  dump_verification(out, tls);
  out.unindent();
}

void dump_tls_backend(DumpWriter& out, const TlsBackendSettings& tls) {
  if (tls.place.file == nullptr) return;  // nothing was said
  out.line("member-tls");
  out.indent();
  out.flag("engine", tls.engine);
  if (tls.versions) out.line("versions", versions_text(*tls.versions));
  out.text_unless_empty("ciphers", tls.ciphers.value_or(""));
  out.text_unless_empty("suites", tls.suites.value_or(""));
  if (tls.verify) dump_word(out, "verify", verify_names, *tls.verify);
  out.number("verify-depth", tls.verify_depth);
  dump_file(out, "authorities", tls.ca_file);
  dump_file(out, "authorities-in", tls.ca_path);
  dump_file(out, "revoked", tls.crl_file);
  dump_file(out, "revoked-in", tls.crl_path);
  if (tls.revocation) dump_word(out, "revocation", revocation_names, *tls.revocation);
  dump_file(out, "own-certificate", tls.own_file);
  dump_file(out, "own-certificates-in", tls.own_path);
  dump_file(out, "own-intermediates", tls.own_chain);
  out.flag("checks-expiry", tls.checks_expiry);
  out.flag("checks-name", tls.checks_name);
  out.flag("checks-common-name", tls.checks_common_name);
  out.unindent();
}

void dump_path_tls(DumpWriter& out, const PathTls& tls) {
  if (tls.verify) dump_word(out, "client-verify", verify_names, *tls.verify);
  out.number("client-verify-depth", tls.verify_depth);
  if (tls.ciphers) out.line("client-ciphers", quoted(*tls.ciphers));
  out.number("handshake-buffer-bytes", tls.buffer_bytes);
  if (tls.user_name) out.line("user-name", quoted(*tls.user_name));
  for (const auto& requirement : tls.requirements)
    out.line("client-requires", quoted(requirement->text()));
}

}  // namespace steelyard::config
