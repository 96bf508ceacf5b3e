#include "tls/environment.hpp"

#include <openssl/ssl.h>

#include <algorithm>

#include "base/text.hpp"
#include "tls/hosts.hpp"

namespace steelyard::tls {

namespace {

using config::TlsOptions;
using Text = std::optional<std::string_view>;

// httpd's list for StdEnvVars. What is empty is left out.
constexpr std::string_view standard[] = {"SSL_VERSION_INTERFACE", "SSL_VERSION_LIBRARY",
                                         "SSL_PROTOCOL",          "SSL_SECURE_RENEG",
                                         "SSL_COMPRESS_METHOD",   "SSL_CIPHER",
                                         "SSL_CIPHER_EXPORT",     "SSL_CIPHER_USEKEYSIZE",
                                         "SSL_CIPHER_ALGKEYSIZE", "SSL_CLIENT_VERIFY",
                                         "SSL_CLIENT_M_VERSION",  "SSL_CLIENT_M_SERIAL",
                                         "SSL_CLIENT_V_START",    "SSL_CLIENT_V_END",
                                         "SSL_CLIENT_V_REMAIN",   "SSL_CLIENT_S_DN",
                                         "SSL_CLIENT_I_DN",       "SSL_CLIENT_A_KEY",
                                         "SSL_CLIENT_A_SIG",      "SSL_CLIENT_CERT_RFC4523_CEA",
                                         "SSL_SERVER_M_VERSION",  "SSL_SERVER_M_SERIAL",
                                         "SSL_SERVER_V_START",    "SSL_SERVER_V_END",
                                         "SSL_SERVER_S_DN",       "SSL_SERVER_I_DN",
                                         "SSL_SERVER_A_KEY",      "SSL_SERVER_A_SIG",
                                         "SSL_SESSION_ID",        "SSL_SESSION_RESUMED"};

// The variables that count what a certificate has.
struct Family {
  std::string_view prefix;
  enum class What { subject, issuer, alternatives } what;
  Side side;
};
constexpr Family families[] = {
    {"SSL_SERVER_S_DN_", Family::What::subject, Side::server},
    {"SSL_SERVER_I_DN_", Family::What::issuer, Side::server},
    {"SSL_CLIENT_S_DN_", Family::What::subject, Side::client},
    {"SSL_CLIENT_I_DN_", Family::What::issuer, Side::client},
    {"SSL_SERVER_SAN_", Family::What::alternatives, Side::server},
    {"SSL_CLIENT_SAN_", Family::What::alternatives, Side::client},
};

void append_family(Variables& out, SSL* ssl, const Family& family, Arena& arena) {
  X509* const certificate =
      family.side == Side::client ? SSL_get0_peer_certificate(ssl) : SSL_get_certificate(ssl);
  if (certificate == nullptr) return;
  switch (family.what) {
    case Family::What::subject:
      return append_name_parts(out, *X509_get_subject_name(certificate), family.prefix, arena);
    case Family::What::issuer:
      return append_name_parts(out, *X509_get_issuer_name(certificate), family.prefix, arena);
    case Family::What::alternatives:
      return append_alternative_names(out, *certificate, family.side, family.prefix, arena);
  }
}

constexpr std::string_view certificates[] = {"SSL_SERVER_CERT", "SSL_CLIENT_CERT"};
constexpr std::string_view of_chain = "SSL_CLIENT_CERT_CHAIN_";

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::any_of(
      names, [name](std::string_view each) { return equals_ignoring_case(each, name); });
}

// httpd writes "SSL_CLIENT_CERT_CHAIN_0", no further zeros.
bool is_of_chain(std::string_view name) {
  return starts_with_ignoring_case(name, of_chain) &&
         (name.substr(of_chain.size()) == "0" || !name.substr(of_chain.size()).starts_with('0'));
}

Text unless_empty(Text text) { return text && !text->empty() ? text : std::nullopt; }

Text cert_data(SSL* ssl, std::string_view name, const VariableContext& context, Arena& arena) {
  const Text text = variable(ssl, name, context, arena);
  // httpd: empty where the client has shown none.
  return is_of_chain(name) ? text : text.value_or("");
}

Text standard_variable(SSL* ssl, std::string_view name, const VariableContext& context,
                       Arena& arena) {
  if (is_one_of(standard, name)) return unless_empty(variable(ssl, name, context, arena));
  const auto* const family = std::ranges::find_if(families, [name](const Family& each) {
    return starts_with_ignoring_case(name, each.prefix);
  });
  if (family == std::end(families)) return std::nullopt;
  Variables found;
  append_family(found, ssl, *family, arena);
  for (const auto& each : found)
    if (equals_ignoring_case(each.name, name)) return each.value;
  return std::nullopt;
}

Text host_variable(SSL* ssl) { return unless_empty(named_host(ssl)); }

}  // namespace

Variables environment(SSL* ssl, const VariableContext& context, Arena& arena) {
  Variables out{{"HTTPS", "on"}};
  if (const Text host = host_variable(ssl)) out.push_back({"SSL_TLS_SNI", *host});
  if (context.options.has(TlsOptions::std_env_vars)) {
    for (const Family& family : families) append_family(out, ssl, family, arena);
    for (const std::string_view name : standard)
      if (const Text text = standard_variable(ssl, name, context, arena))
        out.push_back({name, *text});
  }
  if (context.options.has(TlsOptions::cert_data)) {
    const auto add = [&](std::string_view name) {
      const Text text = cert_data(ssl, name, context, arena);
      if (text) out.push_back({name, *text});
      return text.has_value();
    };
    for (const std::string_view name : certificates) add(name);
    for (std::uint64_t i = 0; add(arena.join(of_chain, arena.decimal(i))); ++i) {
    }
  }
  return out;
}

std::optional<std::string_view> environment_variable(SSL* ssl, std::string_view name,
                                                     const VariableContext& context, Arena& arena) {
  if (equals_ignoring_case(name, "HTTPS")) return "on";
  if (!starts_with_ignoring_case(name, "SSL_")) return std::nullopt;
  if (equals_ignoring_case(name, "SSL_TLS_SNI")) return host_variable(ssl);
  if (is_one_of(certificates, name) || is_of_chain(name)) {
    if (!context.options.has(TlsOptions::cert_data)) return std::nullopt;
    return cert_data(ssl, name, context, arena);
  }
  if (!context.options.has(TlsOptions::std_env_vars)) return std::nullopt;
  return standard_variable(ssl, name, context, arena);
}

}  // namespace steelyard::tls
