#include "tls/variables.hpp"

#include <openssl/ssl.h>

#include <algorithm>

#include "base/text.hpp"
#include "tls/certificate_text.hpp"
#include "tls/hosts.hpp"
#include "tls/verification.hpp"

namespace steelyard::tls {

namespace {

using Text = std::optional<std::string_view>;

std::string_view library_text() {
  static const std::string text = [] {
    // "OpenSSL 3.0.15 3 Sep 2024" as "OpenSSL/3.0.15".
    std::string words = OpenSSL_version(OPENSSL_VERSION);
    const std::size_t blank = words.find(' ');
    if (blank == words.npos) return words;
    words[blank] = '/';
    return words.substr(0, words.find(' '));
  }();
  return text;
}

std::string_view hex_of(std::span<const unsigned char> bytes, Arena& arena) {
  constexpr std::string_view digits = "0123456789abcdef";
  char* const room = arena.take(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    room[2 * i] = digits[bytes[i] >> 4];
    room[2 * i + 1] = digits[bytes[i] & 15];
  }
  return {room, bytes.size() * 2};
}

Text session_id(SSL* ssl, Arena& arena) {
  const SSL_SESSION* const session = SSL_get_session(ssl);
  if (session == nullptr) return std::nullopt;
  unsigned bytes = 0;
  const unsigned char* const id = SSL_SESSION_get_id(session, &bytes);
  return hex_of({id, bytes}, arena);
}

Text client_verification(SSL* ssl, Arena& arena) {
  switch (standing_of_peer(ssl)) {
    case PeerStanding::none:
      return "NONE";
    case PeerStanding::success:
      return "SUCCESS";
    case PeerStanding::failed:
      break;
  }
  return arena.join("FAILED:", X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
}

std::string_view key_bits(SSL* ssl, bool of_algorithm, Arena& arena) {
  int of_algorithm_bits = 0;
  const int used = SSL_CIPHER_get_bits(SSL_get_current_cipher(ssl), &of_algorithm_bits);
  return arena.decimal(
      static_cast<std::uint64_t>(std::max(of_algorithm ? of_algorithm_bits : used, 0)));
}

Text host_variable(SSL* ssl) {
  const std::string_view host = named_host(ssl);
  return host.empty() ? Text() : Text(host);
}

Text connection_variable(SSL* ssl, std::string_view name, Arena& arena) {
  const auto is = [name](std::string_view word) { return equals_ignoring_case(name, word); };
  if (is("PROTOCOL")) return SSL_get_version(ssl);
  if (is("CIPHER")) return SSL_get_cipher_name(ssl);
  if (is("CIPHER_EXPORT")) return "false";
  if (is("CIPHER_USEKEYSIZE")) return key_bits(ssl, false, arena);
  if (is("CIPHER_ALGKEYSIZE")) return key_bits(ssl, true, arena);
  if (is("SESSION_ID")) return session_id(ssl, arena);
  if (is("SESSION_RESUMED")) return SSL_session_reused(ssl) == 1 ? "Resumed" : "Initial";
  if (is("SECURE_RENEG")) return SSL_get_secure_renegotiation_support(ssl) == 1 ? "true" : "false";
  if (is("COMPRESS_METHOD")) return "NULL";
  if (is("VERSION_INTERFACE")) return "Steelyard/" STEELYARD_TLS_VERSION;
  if (is("VERSION_LIBRARY")) return library_text();
  if (is("TLS_SNI")) return host_variable(ssl);
  if (is("CLIENT_VERIFY")) return client_verification(ssl, arena);
  return std::nullopt;
}

// httpd: SSL_CLIENT_CERT_CHAIN_0 is the first one above the client's own, which the library leaves
// out of a client's chain.
Text chain_certificate(SSL* ssl, std::string_view number, Arena& arena) {
  const auto index = parse_unsigned(number);
  const STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(ssl);
  if (!index || chain == nullptr || *index >= static_cast<std::uint64_t>(sk_X509_num(chain)))
    return std::nullopt;
  return pem_of(*sk_X509_value(chain, static_cast<int>(*index)), arena);
}

constexpr std::string_view prefix = "SSL_", of_client = "CLIENT_", of_server = "SERVER_",
                           of_chain = "CERT_CHAIN_";

Text certificate_variable(SSL* ssl, std::string_view name, const VariableContext& context,
                          Arena& arena) {
  const bool is_client = starts_with_ignoring_case(name, of_client);
  if (!is_client && !starts_with_ignoring_case(name, of_server)) return std::nullopt;
  const std::string_view what = name.substr(of_client.size());
  if (is_client && starts_with_ignoring_case(what, of_chain))
    return chain_certificate(ssl, what.substr(of_chain.size()), arena);
  if (!is_client && equals_ignoring_case(what, "CERT_RFC4523_CEA")) return std::nullopt;
  X509* const certificate = is_client ? SSL_get0_peer_certificate(ssl) : SSL_get_certificate(ssl);
  if (certificate == nullptr) return std::nullopt;
  const bool legacy = context.options.has(config::TlsOptions::legacy_names);
  return text_of(*certificate, {.what = what, .legacy_names = legacy, .now = context.now}, arena);
}

}  // namespace

std::optional<std::string_view> variable(SSL* ssl, std::string_view name,
                                         const VariableContext& context, Arena& arena) {
  if (equals_ignoring_case(name, "HTTPS")) return "on";
  if (!starts_with_ignoring_case(name, prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  if (const Text text = connection_variable(ssl, name, arena)) return text;
  return certificate_variable(ssl, name, context, arena);
}

}  // namespace steelyard::tls
