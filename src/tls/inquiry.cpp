#include "tls/inquiry.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"

namespace steelyard::tls {

namespace {

using config::LogLevel;
using Remark = InquiryFinding::Remark;

void let_go(void* /*context*/, void* rules, CRYPTO_EX_DATA* /*data*/, int /*index*/,
            long /*number*/, void* /*pointer*/) {
  delete static_cast<std::shared_ptr<InquiryRules>*>(rules);
}

int rules_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, let_go);
  return index;
}

// Of one line, whatever stands in it.
std::string text_of(const X509_NAME* name) {
  constexpr std::size_t bytes_max = 256;
  const BioHandle bio(BIO_new(BIO_s_mem()));
  CHECK(bio);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, std::min(static_cast<std::size_t>(bytes), bytes_max)};
}

std::string serial_of(const X509* certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  CHECK(bio);
  i2a_ASN1_INTEGER(bio.get(), X509_get0_serialNumber(certificate));
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(bytes)};
}

// httpd: what follows a line about a certificate.
std::string description_of(const X509* certificate) {
  return " [subject: " + text_of(X509_get_subject_name(certificate)) +
         " / issuer: " + text_of(X509_get_issuer_name(certificate)) +
         " / serial: " + serial_of(certificate) + ']';
}

bool is_self_issued(X509* certificate) {
  return X509_check_issued(certificate, certificate) == X509_V_OK;
}

bool is_http(std::string_view url) { return starts_with_ignoring_case(url, "http://"); }

long seconds_of(Duration time) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

// One certificate, and what is asked about it.
class Question {
 public:
  Question(const InquiryRules& rules, X509* certificate, X509* issuer)
      : rules_(rules), id_(ocsp_id_of(certificate, issuer)), request_(OCSP_REQUEST_new()) {
    OcspIdHandle asked(OCSP_CERTID_dup(id_.get()));
    CHECK(request_ && asked);
    CHECK(OCSP_request_add0_id(request_.get(), asked.release()) != nullptr);
    constexpr int usual_length = -1;
    if (rules.settings.sends_nonce)
      CHECK(OCSP_request_add1_nonce(request_.get(), nullptr, usual_length) == 1);
    bytes_ = bytes_of(request_.get());
  }

  const std::string& bytes() const { return bytes_; }

  struct Answer {
    int status = V_OCSP_CERTSTATUS_UNKNOWN, reason = -1;
    WallTime good_until;
  };
  // The error is httpd's sentence about what is of no use.
  std::expected<Answer, std::string> read(std::string_view text, WallTime now) const {
    const auto read = read_ocsp_answer(text);
    if (!read) return std::unexpected("AH01922: OCSP response not successful: " + read.error());
    OCSP_BASICRESP* const basic = read->get();
    const config::TlsOcsp& settings = rules_.settings;
    if (settings.sends_nonce && OCSP_check_nonce(request_.get(), basic) != 1)
      return std::unexpected("AH01924: Bad OCSP responder answer (bad nonce)");
    if (!settings.trusts_anybody && !is_signed(basic))
      return because("AH01925: failed to verify the OCSP response");
    Answer answer;
    ASN1_GENERALIZEDTIME* since = nullptr;
    ASN1_GENERALIZEDTIME* until = nullptr;
    if (OCSP_resp_find_status(basic, id_.get(), &answer.status, &answer.reason, nullptr, &since,
                              &until) != 1)
      return std::unexpected("AH02272: failed to retrieve OCSP response status");
    const long age_max = settings.age_max ? seconds_of(*settings.age_max) : -1;
    if (OCSP_check_validity(since, until, seconds_of(settings.skew), age_max) != 1)
      return because("AH02273: OCSP response outside validity period");
    answer.good_until = now + KnownGood::time_max;
    if (until != nullptr) answer.good_until = std::min(answer.good_until, time_of(until));
    if (settings.age_max)
      answer.good_until = std::min(answer.good_until, time_of(since) + *settings.age_max);
    return answer;
  }

 private:
  bool is_signed(OCSP_BASICRESP* basic) const {
    const StackHandle known(sk_X509_new_null());
    CHECK(known);
    for (const CertificateHandle& each : rules_.responders)
      CHECK(sk_X509_push(known.get(), each.get()) > 0);
    // httpd: those that are named in a file need nobody's word.
    const unsigned long flags = rules_.responders.empty() ? 0 : OCSP_TRUSTOTHER;
    return OCSP_basic_verify(basic, known.get(), rules_.store.get(), flags) == 1;
  }

  const InquiryRules& rules_;
  OcspIdHandle id_;
  OcspRequestHandle request_;
  std::string bytes_;
};

Remark about_status(const X509* certificate, const Question::Answer& answer) {
  const bool is_good = answer.status == V_OCSP_CERTSTATUS_GOOD;
  return {is_good ? LogLevel::info : LogLevel::error,
          std::string("AH03239: OCSP validation completed, certificate status: ") +
              OCSP_cert_status_str(answer.status) + " (" + std::to_string(answer.status) + ", " +
              std::to_string(answer.reason) + ')' + description_of(certificate)};
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
                 std::vector<CertificateHandle> responders) {
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  X509_STORE_up_ref(store);
  auto rules = std::make_shared<InquiryRules>(settings, std::move(responders), StoreHandle(store));
  SSL_CTX_set_ex_data(&context, rules_index(), new std::shared_ptr(std::move(rules)));
}

std::shared_ptr<const Inquiry> Inquiry::about(SSL& ssl, SSL_CTX* context) {
  const auto* const rules = static_cast<const std::shared_ptr<InquiryRules>*>(
      SSL_CTX_get_ex_data(context != nullptr ? context : SSL_get_SSL_CTX(&ssl), rules_index()));
  if (rules == nullptr || SSL_get0_peer_certificate(&ssl) == nullptr) return nullptr;
  std::vector<CertificateHandle> chain;
  if (SSL_get_verify_result(&ssl) == X509_V_OK) {
    const STACK_OF(X509)* const verified = SSL_get0_verified_chain(&ssl);
    for (int i = 0; i < sk_X509_num(verified); ++i)
      chain.push_back(share(sk_X509_value(verified, i)));
  }
  return std::make_shared<Inquiry>(*rules, std::move(chain));
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

InquiryFinding Inquiry::pursue(const Fetch& fetch) const {
  InquiryFinding finding;
  if (chain_.empty()) {
    finding.remarks.push_back({LogLevel::error,
                               "AH02038: cannot perform OCSP validation for cert if issuer has not "
                               "been verified (optional_no_ca configured)"});
    return finding;
  }
  // As they were verified: from the root's side.
  for (std::size_t i = count(); i-- > 0;)
    if (!is_good(i, fetch, finding)) return finding;
  finding.is_good = true;
  return finding;
}

// Empty: there is nobody. httpd: the first; here the first that can be asked.
std::string Inquiry::url_about(X509* certificate) const {
  const config::TlsOcsp& settings = rules_->settings;
  if (settings.overrides) return settings.default_url;
  const std::vector<std::string> named = ocsp_urls_of(certificate);
  const auto usable = std::ranges::find_if(named, is_http);
  if (usable != named.end()) return *usable;
  return named.empty() ? settings.default_url : named.front();
}

void Inquiry::refuse(X509* certificate, int error, InquiryFinding& finding) const {
  finding.remarks.push_back({LogLevel::info, "AH02276: Certificate Verification: Error (" +
                                                 std::to_string(error) +
                                                 "): " + X509_verify_cert_error_string(error) +
                                                 description_of(certificate)});
}

bool Inquiry::is_good(std::size_t position, const Fetch& fetch, InquiryFinding& finding) const {
  if (needs_no_answer(position, std::chrono::system_clock::now())) return true;
  X509* const certificate = chain_[position].get();
  const auto refuse_by = [&](Remark remark, int error = X509_V_ERR_APPLICATION_VERIFICATION) {
    finding.remarks.push_back(std::move(remark));
    refuse(certificate, error, finding);
    return false;
  };
  if (position + 1 >= chain_.size())
    return refuse_by({LogLevel::error, "AH01921: could not retrieve certificate id"});
  const std::string url = url_about(certificate);
  if (url.empty()) {
    Remark nobody{LogLevel::debug,
                  "AH01918: no OCSP responder specified in certificate and no default configured"};
    if (!rules_->settings.needs_no_responder) return refuse_by(std::move(nobody));
    finding.remarks.push_back(std::move(nobody));
    return true;
  }
  if (!is_http(url))
    return refuse_by({LogLevel::error, "AH01920: cannot handle OCSP responder URI '" + url + "'"});
  const Question question(*rules_, certificate, chain_[position + 1].get());
  const auto text = fetch({.url = url,
                           .proxy_url = rules_->settings.proxy_url,
                           .request = question.bytes(),
                           .patience = rules_->settings.patience});
  if (!text)
    return refuse_by(
        {LogLevel::error, "AH01974: OCSP responder '" + url + "' gave no answer: " + text.error()});
  const WallTime now = std::chrono::system_clock::now();
  const auto answer = question.read(*text, now);
  if (!answer) return refuse_by({LogLevel::error, answer.error() + ": " + url});
  Remark remark = about_status(certificate, *answer);
  if (answer->status == V_OCSP_CERTSTATUS_REVOKED)
    return refuse_by(std::move(remark), X509_V_ERR_CERT_REVOKED);
  if (answer->status != V_OCSP_CERTSTATUS_GOOD) return refuse_by(std::move(remark));
  finding.remarks.push_back(std::move(remark));
  rules_->known.add(key_of(position), answer->good_until, now);
  return true;
}

}  // namespace steelyard::tls
