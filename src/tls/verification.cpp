#include "tls/verification.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "tls/library_errors.hpp"
#include "tls/pem.hpp"

namespace steelyard::tls {

namespace {

using config::NamedFile;
using config::PeerVerify;

void free_rules(void* /*context*/, void* rules, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                long /*number*/, void* /*pointer*/) {
  delete static_cast<VerifyRules*>(rules);
}

int rules_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_rules);
  return index;
}

int own_rules_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_rules);
  return index;
}

const VerifyRules* own_rules_of(const SSL* ssl) {
  return static_cast<const VerifyRules*>(SSL_get_ex_data(ssl, own_rules_index()));
}

const VerifyRules* rules_of(const SSL* ssl) {
  if (const VerifyRules* const own = own_rules_of(ssl); own != nullptr) return own;
  return static_cast<const VerifyRules*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), rules_index()));
}

// httpd: what optional_no_ca lets pass.
bool is_about_the_authority(int error) {
  switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return true;
    default:
      return false;
  }
}

// The error that was let pass, of one verification.
int passed_error_index() {
  static const int index = X509_STORE_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// The library's opinion of one certificate of a chain, and what is made of it. An error that is let
// pass stays the verification's result, so that a resumed session does not look like a verified
// one.
int judge(int is_good, X509_STORE_CTX* store) {
  const auto* const ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const VerifyRules* const rules = rules_of(ssl);
  if (rules == nullptr) return is_good;
  const int error = X509_STORE_CTX_get_error(store);
  if (is_good == 0 && error == X509_V_ERR_UNABLE_TO_GET_CRL && rules->needs_no_crl) {
    const auto passed =
        reinterpret_cast<std::intptr_t>(X509_STORE_CTX_get_ex_data(store, passed_error_index()));
    X509_STORE_CTX_set_error(store, passed != 0 ? static_cast<int>(passed) : X509_V_OK);
    is_good = 1;
  }
  if (is_good == 0 && rules->verify == PeerVerify::optional_no_ca &&
      is_about_the_authority(error)) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the library keeps pointers only.
    auto* const passed = reinterpret_cast<void*>(static_cast<std::intptr_t>(error));
    X509_STORE_CTX_set_ex_data(store, passed_error_index(), passed);
    return 1;
  }
  if (X509_STORE_CTX_get_error_depth(store) > rules->depth) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_CHAIN_TOO_LONG);
    return 0;
  }
  return is_good;
}

// In a directory there may be other files, too.
enum class Strictness : std::uint8_t { each_must_fit, others_may_be_there };

void for_each_certificate(const NamedFile& file, const FileAccess& files, Strictness strictness,
                          Faults& faults, const std::function<void(X509*)>& use) {
  const auto text = files.read(file.path);
  if (!text)
    return faults.push_back({file.place, file.path + " cannot be read: " + text.error(), ""});
  const auto certificates = read_certificates(*text);
  if (!certificates && strictness == Strictness::others_may_be_there) return;
  if (!certificates)
    return faults.push_back({file.place, file.path + ' ' + certificates.error(),
                             "It begins with -----BEGIN CERTIFICATE-----."});
  for (const CertificateHandle& certificate : *certificates) use(certificate.get());
}

void for_each_authority(const std::optional<NamedFile>& file,
                        const std::optional<NamedFile>& directory, const FileAccess& files,
                        Faults& faults, const std::function<void(X509*)>& use) {
  if (file) for_each_certificate(*file, files, Strictness::each_must_fit, faults, use);
  if (!directory) return;
  for (const NamedFile& each : files_of(*directory, files, faults))
    for_each_certificate(each, files, Strictness::others_may_be_there, faults, use);
}

// How many lists it holds, all of which are believed now. The error: a part of it is damaged, which
// must not look like a list that revokes less.
std::expected<std::size_t, std::string> add_revocations(X509_STORE* store, const std::string& pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::size_t count = 0;
  ERR_clear_error();
  while (X509_CRL* const list = PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)) {
    X509_STORE_add_crl(store, list);
    X509_CRL_free(list);
    ++count;
  }
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!is_end) return std::unexpected(take_library_errors("not readable"));
  ERR_clear_error();
  return count;
}

void add_revocation_file(X509_STORE* store, const NamedFile& file, const FileAccess& files,
                         Strictness strictness, Faults& faults) {
  constexpr std::string_view advice = "It begins with -----BEGIN X509 CRL-----.";
  const auto complain = [&](const std::string& what) {
    faults.push_back({file.place, file.path + what, std::string(advice)});
  };
  const auto text = files.read(file.path);
  if (!text) return complain(" cannot be read: " + text.error());
  const auto count = add_revocations(store, *text);
  if (!count) return complain(" holds a damaged list of revoked certificates: " + count.error());
  if (*count == 0 && strictness == Strictness::each_must_fit)
    complain(" holds no list of revoked certificates in PEM");
}

// Once each: in a directory an authority's file has a link beside it that is named after its hash.
void tell_name(SSL_CTX& context, X509& authority) {
  const STACK_OF(X509_NAME)* const told = SSL_CTX_get_client_CA_list(&context);
  const X509_NAME* const name = X509_get_subject_name(&authority);
  for (int i = 0; told != nullptr && i < sk_X509_NAME_num(told); ++i)
    if (X509_NAME_cmp(sk_X509_NAME_value(told, i), name) == 0) return;
  SSL_CTX_add_client_CA(&context, &authority);
}

}  // namespace

std::vector<NamedFile> files_of(const NamedFile& directory, const FileAccess& files,
                                Faults& faults) {
  const auto names = files.list(directory.path);
  if (!names) {
    faults.push_back({directory.place, directory.path + " cannot be read: " + names.error(), ""});
    return {};
  }
  std::vector<NamedFile> found;
  for (const std::string& name : *names)
    found.push_back({directory.path + '/' + name, directory.place});
  return found;
}

void set_verification(SSL_CTX& context, const VerifyRules& rules) {
  int mode = SSL_VERIFY_NONE;
  if (rules.verify != PeerVerify::none) mode = SSL_VERIFY_PEER;
  if (rules.verify == PeerVerify::require) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_ex_data(&context, rules_index(), new VerifyRules(rules));
  SSL_CTX_set_verify(&context, mode, judge);
}

void set_verification(SSL& ssl, const VerifyRules& rules, int mode) {
  const std::unique_ptr<const VerifyRules> before(own_rules_of(&ssl));
  SSL_set_ex_data(&ssl, own_rules_index(), new VerifyRules(rules));
  SSL_set_verify(&ssl, mode, judge);
}

std::unique_ptr<const VerifyRules> take_own_rules(SSL& ssl) {
  std::unique_ptr<const VerifyRules> own(own_rules_of(&ssl));
  SSL_set_ex_data(&ssl, own_rules_index(), nullptr);
  return own;
}

void put_back_rules(SSL& ssl, std::unique_ptr<const VerifyRules> rules) {
  const auto others = take_own_rules(ssl);
  SSL_set_ex_data(&ssl, own_rules_index(), const_cast<VerifyRules*>(rules.release()));
}

int verification_depth(const SSL* ssl) {
  const VerifyRules* const rules = rules_of(ssl);
  return rules == nullptr ? VerifyRules().depth : rules->depth;
}

void add_trust(SSL_CTX& context, const config::TlsTrust& trust, const FileAccess& files,
               Faults& faults) {
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  ERR_clear_error();
  for_each_authority(trust.ca_file, trust.ca_path, files, faults,
                     [store](X509* authority) { X509_STORE_add_cert(store, authority); });
  // httpd: a file without a list is no fault while nobody asks for one.
  const bool asks_lists = trust.revocation != config::RevocationCheck::none;
  const Strictness of_file =
      asks_lists ? Strictness::each_must_fit : Strictness::others_may_be_there;
  if (trust.crl_file) add_revocation_file(store, *trust.crl_file, files, of_file, faults);
  if (trust.crl_path && asks_lists) {
    for (const NamedFile& each : files_of(*trust.crl_path, files, faults))
      add_revocation_file(store, each, files, Strictness::others_may_be_there, faults);
  }
  if (trust.revocation == config::RevocationCheck::leaf)
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  if (trust.revocation == config::RevocationCheck::chain)
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  ERR_clear_error();
}

void add_client_names(SSL_CTX& context, const config::TlsTrust& trust, const FileAccess& files,
                      Faults& faults) {
  const bool has_own = trust.names_file || trust.names_path;
  for_each_authority(has_own ? trust.names_file : trust.ca_file,
                     has_own ? trust.names_path : trust.ca_path, files, faults,
                     [&context](X509* authority) { tell_name(context, *authority); });
}

PeerStanding standing_of_peer(SSL* ssl) {
  if (SSL_get_verify_result(ssl) != X509_V_OK) return PeerStanding::failed;
  return SSL_get0_peer_certificate(ssl) != nullptr ? PeerStanding::success : PeerStanding::none;
}

}  // namespace steelyard::tls
