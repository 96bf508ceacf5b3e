#include "tls/staple.hpp"

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "tls/ocsp.hpp"

namespace steelyard::tls {

namespace {

// Among what is sent along, or what is believed.
CertificateHandle issuer_of(SSL_CTX& context, X509* certificate) {
  for (const bool extra : {false, true}) {
    STACK_OF(X509)* chain = nullptr;
    if (extra) {
      // The library's macros make a void* of it.
      // NOLINTNEXTLINE(bugprone-multi-level-implicit-pointer-conversion)
      SSL_CTX_get_extra_chain_certs_only(&context, &chain);
    } else {
      // NOLINTNEXTLINE(bugprone-multi-level-implicit-pointer-conversion)
      SSL_CTX_get0_chain_certs(&context, &chain);
    }
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      X509* const candidate = sk_X509_value(chain, i);
      if (X509_check_issued(candidate, certificate) == X509_V_OK) return share(candidate);
    }
  }
  const std::unique_ptr<X509_STORE_CTX, Release<X509_STORE_CTX_free>> lookup(X509_STORE_CTX_new());
  X509* found = nullptr;
  if (lookup != nullptr &&
      X509_STORE_CTX_init(lookup.get(), SSL_CTX_get_cert_store(&context), nullptr, nullptr) == 1 &&
      X509_STORE_CTX_get1_issuer(&found, lookup.get(), certificate) == 1)
    return CertificateHandle(found);
  return nullptr;
}

std::string url_of(X509* certificate) {
  for (std::string& url : ocsp_urls_of(certificate))
    if (url.starts_with("http://")) return std::move(url);
  return {};
}

std::string subject_of(X509* certificate) {
  std::array<char, 256> text{};
  X509_NAME_oneline(X509_get_subject_name(certificate), text.data(), text.size());
  return text.data();
}

std::string request_about(X509* certificate, X509* issuer) {
  const OcspRequestHandle request(OCSP_REQUEST_new());
  CHECK(request);
  CHECK(OCSP_request_add0_id(request.get(), ocsp_id_of(certificate, issuer).release()) != nullptr);
  return bytes_of(request.get());
}

void let_go(void* /*context*/, void* staples, CRYPTO_EX_DATA* /*data*/, int /*index*/,
            long /*number*/, void* /*pointer*/) {
  delete static_cast<std::shared_ptr<Staples>*>(staples);
}

int staples_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, let_go);
  return index;
}

int show(SSL* ssl, void* staples) {
  const X509* const certificate = SSL_get_certificate(ssl);
  for (const auto& one : static_cast<const Staples*>(staples)->all) {
    if (!one->is_of(certificate)) continue;
    const auto answer = one->answer(std::chrono::system_clock::now());
    if (answer == nullptr) return SSL_TLSEXT_ERR_NOACK;
    auto* const copy = static_cast<unsigned char*>(OPENSSL_malloc(answer->size()));
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    std::ranges::copy(*answer, copy);
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(answer->size()));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Staple::Staple(CertificateHandle certificate, CertificateHandle issuer,
               const config::TlsStapling& settings)
    : certificate_(std::move(certificate)),
      issuer_(std::move(issuer)),
      settings_(settings),
      subject_(subject_of(certificate_.get())),
      url_(settings.forced_url.empty() ? url_of(certificate_.get()) : settings.forced_url),
      request_(request_about(certificate_.get(), issuer_.get())) {
  identity_ = fingerprint(certificate_.get()) + fingerprint(issuer_.get()) + url_;
}

Staple::~Staple() = default;

std::expected<std::shared_ptr<Staple>, std::string> Staple::make(
    SSL_CTX& context, const config::TlsStapling& settings) {
  X509* const certificate = SSL_CTX_get0_certificate(&context);
  CHECK(certificate != nullptr);
  CertificateHandle issuer = issuer_of(context, certificate);
  if (issuer == nullptr)
    return std::unexpected(subject_of(certificate) +
                           ": the certificate of its authority is neither in its file nor in "
                           "SSLCertificateChainFile");
  std::shared_ptr<Staple> made(new Staple(share(certificate), std::move(issuer), settings));
  if (made->url_.empty())
    return std::unexpected(made->subject_ + ": it names nobody who could be asked (no OCSP URL)");
  return made;
}

bool Staple::is_of(const X509* certificate) const {
  return certificate != nullptr && X509_cmp(certificate, certificate_.get()) == 0;
}

std::expected<void, std::string> Staple::take(std::string_view answer, WallTime now) {
  const auto read = read_ocsp_answer(answer);
  if (!read) return std::unexpected(read.error());
  OCSP_BASICRESP* const basic = read->get();

  const StoreHandle store(X509_STORE_new());
  const StackHandle known(sk_X509_new_null());
  CHECK(store && known && X509_STORE_add_cert(store.get(), issuer_.get()) == 1 &&
        sk_X509_push(known.get(), issuer_.get()) > 0);
  // The issuer is believed whether or not it is a root.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  if (OCSP_basic_verify(basic, known.get(), store.get(), OCSP_TRUSTOTHER) != 1)
    return because("its signature is not the authority's");

  const OcspIdHandle id = ocsp_id_of(certificate_.get(), issuer_.get());
  int status = 0;
  int reason = 0;
  ASN1_GENERALIZEDTIME* revoked = nullptr;
  ASN1_GENERALIZEDTIME* since = nullptr;
  ASN1_GENERALIZEDTIME* until = nullptr;
  if (OCSP_resp_find_status(basic, id.get(), &status, &reason, &revoked, &since, &until) != 1)
    return std::unexpected("it is about another certificate");
  if (status != V_OCSP_CERTSTATUS_GOOD)
    return std::unexpected(std::string("it says that the certificate is ") +
                           OCSP_cert_status_str(status));
  const auto seconds_of = [](Duration time) {
    return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
  };
  const long age_max = settings_.age_max ? seconds_of(*settings_.age_max) : -1;
  if (OCSP_check_validity(since, until, seconds_of(settings_.skew), age_max) != 1)
    return because("it is not in force");
  // One that does not say how long counts until it should have been renewed twice.
  WallTime good_until = until != nullptr ? time_of(until) : now + 2 * settings_.renew;
  if (settings_.age_max) good_until = std::min(good_until, time_of(since) + *settings_.age_max);
  if (good_until <= now) return std::unexpected("it is over");
  const std::lock_guard hold(lock_);
  answer_ = std::make_shared<const std::string>(answer);
  good_until_ = good_until;
  return {};
}

void Staple::take_over(const Staple& earlier) {
  const std::scoped_lock hold(lock_, earlier.lock_);
  answer_ = earlier.answer_;
  good_until_ = earlier.good_until_;
}

std::shared_ptr<const std::string> Staple::answer(WallTime now) const {
  const std::lock_guard hold(lock_);
  return now < good_until_ ? answer_ : nullptr;
}

WallTime Staple::good_until() const {
  const std::lock_guard hold(lock_);
  return good_until_;
}

std::shared_ptr<Staples> staple(SSL_CTX& context, const config::TlsStapling& settings) {
  auto staples = std::make_shared<Staples>();
  for (long more = SSL_CTX_set_current_cert(&context, SSL_CERT_SET_FIRST); more == 1;
       more = SSL_CTX_set_current_cert(&context, SSL_CERT_SET_NEXT)) {
    auto made = Staple::make(context, settings);
    if (made) {
      staples->all.push_back(std::move(*made));
    } else {
      staples->remarks.push_back(std::move(made.error()));
    }
  }
  SSL_CTX_set_ex_data(&context, staples_index(), new std::shared_ptr<Staples>(staples));
  SSL_CTX_set_tlsext_status_cb(&context, show);
  SSL_CTX_set_tlsext_status_arg(&context, staples.get());
  return staples;
}

}  // namespace steelyard::tls
