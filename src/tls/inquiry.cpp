#include "tls/inquiry.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace steelyard::tls {

namespace {

void let_go(void* /*context*/, void* rules, CRYPTO_EX_DATA* /*data*/, int /*index*/,
            long /*number*/, void* /*pointer*/) {
  delete static_cast<std::shared_ptr<InquiryRules>*>(rules);
}

int rules_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, let_go);
  return index;
}

// Who was found good, and by what. It may have shown another certificate since.
struct Settled {
  CertificateHandle certificate;
  std::string text;
};

void forget(void* /*ssl*/, void* settled, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*number*/,
            void* /*pointer*/) {
  delete static_cast<Settled*>(settled);
}

int settled_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, forget);
  return index;
}

const std::shared_ptr<InquiryRules>* rules_of(SSL_CTX* context) {
  if (context == nullptr) return nullptr;
  return static_cast<const std::shared_ptr<InquiryRules>*>(
      SSL_CTX_get_ex_data(context, rules_index()));
}

bool is_self_issued(X509* certificate) {
  return X509_check_issued(certificate, certificate) == X509_V_OK;
}

}  // namespace

bool KnownGood::holds(const std::string& certificate, WallTime now) const {
  const std::lock_guard hold(lock_);
  const auto found = until_.find(certificate);
  // A clock that was put back must not make an hour of it.
  return found != until_.end() && now < found->second && found->second <= now + time_max;
}

void KnownGood::add(std::string certificate, WallTime until, WallTime now) {
  if (until <= now) return;
  const std::lock_guard hold(lock_);
  if (until_.size() >= count_max)
    std::erase_if(until_, [now](const auto& each) { return each.second <= now; });
  if (until_.size() >= count_max) until_.erase(until_.begin());
  until_.insert_or_assign(std::move(certificate), until);
}

void set_inquiry(SSL_CTX& context, const config::TlsOcsp& settings,
                 std::vector<CertificateHandle> responders, std::string text) {
  for (const CertificateHandle& each : responders) text += fingerprint(each.get());
  auto rules = std::make_shared<InquiryRules>(
      settings, std::move(responders), share(SSL_CTX_get_cert_store(&context)), std::move(text));
  SSL_CTX_set_ex_data(&context, rules_index(), new std::shared_ptr(std::move(rules)));
}

std::shared_ptr<const Inquiry> Inquiry::about(SSL& ssl, SSL_CTX* context) {
  const auto* const rules = rules_of(context != nullptr ? context : SSL_get_SSL_CTX(&ssl));
  if (rules == nullptr || SSL_get0_peer_certificate(&ssl) == nullptr) return nullptr;
  std::vector<CertificateHandle> chain;
  if (SSL_get_verify_result(&ssl) == X509_V_OK) {
    const STACK_OF(X509)* const verified = SSL_get0_verified_chain(&ssl);
    for (int i = 0; i < sk_X509_num(verified); ++i)
      chain.push_back(share(sk_X509_value(verified, i)));
  }
  return std::make_shared<Inquiry>(*rules, std::move(chain));
}

void Inquiry::note_good(SSL& ssl) const {
  auto* const settled = static_cast<Settled*>(SSL_get_ex_data(&ssl, settled_index()));
  auto now = std::make_unique<Settled>(share(SSL_get0_peer_certificate(&ssl)), rules_->text);
  SSL_set_ex_data(&ssl, settled_index(), now.release());
  delete settled;
}

bool Inquiry::is_settled(SSL& ssl, SSL_CTX* context) {
  const auto* const rules = rules_of(context);
  const X509* const shown = rules == nullptr ? nullptr : SSL_get0_peer_certificate(&ssl);
  if (shown == nullptr) return true;
  const auto* const settled = static_cast<const Settled*>(SSL_get_ex_data(&ssl, settled_index()));
  return settled != nullptr && settled->certificate.get() == shown &&
         settled->text == (*rules)->text;
}

Inquiry::Inquiry(std::shared_ptr<InquiryRules> rules, std::vector<CertificateHandle> chain)
    : rules_(std::move(rules)), chain_(std::move(chain)) {}

// How many of them matter, from the client's own on.
std::size_t Inquiry::count() const {
  const bool only_own = rules_->settings.about == config::TlsOcsp::About::leaf;
  return only_own ? std::min<std::size_t>(chain_.size(), 1) : chain_.size();
}

Duration Inquiry::patience() const { return static_cast<int>(count()) * rules_->settings.patience; }

std::string Inquiry::key_of(std::size_t position) const {
  const bool has_issuer = position + 1 < chain_.size();
  return fingerprint(chain_[position].get()) +
         (has_issuer ? fingerprint(chain_[position + 1].get()) : std::string());
}

bool Inquiry::needs_no_answer(std::size_t position, WallTime now) const {
  // httpd: nobody vouches for what vouches for itself.
  return is_self_issued(chain_[position].get()) || rules_->known.holds(key_of(position), now);
}

std::optional<InquiryFinding> Inquiry::known(WallTime now) const {
  if (chain_.empty()) return std::nullopt;
  for (std::size_t i = 0; i < count(); ++i)
    if (!needs_no_answer(i, now)) return std::nullopt;
  return InquiryFinding{.is_good = true};
}

}  // namespace steelyard::tls
