#include "tls/pursuit.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"

namespace steelyard::tls {

namespace {

using config::LogLevel;
using Remark = InquiryFinding::Remark;

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

bool is_http(std::string_view url) { return starts_with_ignoring_case(url, "http://"); }

long seconds_of(Duration time) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

// One certificate, and what is asked about it.
class Pursuit::Question {
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

namespace {

Remark about_status(const X509* certificate, int status, int reason) {
  const bool is_good = status == V_OCSP_CERTSTATUS_GOOD;
  return {is_good ? LogLevel::info : LogLevel::error,
          std::string("AH03239: OCSP validation completed, certificate status: ") +
              OCSP_cert_status_str(status) + " (" + std::to_string(status) + ", " +
              std::to_string(reason) + ')' + description_of(certificate)};
}

}  // namespace

Pursuit::Pursuit(std::shared_ptr<const Inquiry> inquiry)
    : inquiry_(std::move(inquiry)), left_(inquiry_->count()) {
  if (!inquiry_->chain_.empty()) {
    go_on();
    return;
  }
  finding_.remarks.push_back({LogLevel::error,
                              "AH02038: cannot perform OCSP validation for cert if issuer has not "
                              "been verified (optional_no_ca configured)"});
}

Pursuit::~Pursuit() = default;

const config::TlsOcsp& Pursuit::settings() const { return inquiry_->rules_->settings; }

X509* Pursuit::certificate() const { return inquiry_->chain_[left_ - 1].get(); }

bool Pursuit::needs_no_answer() const {
  return inquiry_->needs_no_answer(left_ - 1, std::chrono::system_clock::now());
}

const OcspErrand* Pursuit::errand() {
  if (question_ != nullptr && needs_no_answer()) {
    question_.reset();
    go_on();
  }
  return question_ == nullptr ? nullptr : &errand_;
}

// As they were verified: from the root's side.
void Pursuit::go_on() {
  for (; left_ > 0; --left_)
    if (!needs_no_answer() && !passes_unasked()) return;
  finding_.is_good = true;
}

// Empty: there is nobody. httpd: the first; here the first that can be asked.
std::string Pursuit::responder() const {
  if (settings().overrides) return settings().default_url;
  const std::vector<std::string> named = ocsp_urls_of(certificate());
  const auto usable = std::ranges::find_if(named, is_http);
  if (usable != named.end()) return *usable;
  return named.empty() ? settings().default_url : named.front();
}

void Pursuit::refuse(Remark remark, int error) {
  finding_.remarks.push_back(std::move(remark));
  finding_.remarks.push_back({LogLevel::info, "AH02276: Certificate Verification: Error (" +
                                                  std::to_string(error) +
                                                  "): " + X509_verify_cert_error_string(error) +
                                                  description_of(certificate())});
}

// False: there is an errand now, or it is refused.
bool Pursuit::passes_unasked() {
  const auto& chain = inquiry_->chain_;
  if (left_ >= chain.size()) {
    refuse({LogLevel::error, "AH01921: could not retrieve certificate id"});
    return false;
  }
  url_ = responder();
  if (url_.empty()) {
    Remark nobody{LogLevel::debug,
                  "AH01918: no OCSP responder specified in certificate and no default configured"};
    const bool passes = settings().needs_no_responder;
    if (passes) {
      finding_.remarks.push_back(std::move(nobody));
    } else {
      refuse(std::move(nobody));
    }
    return passes;
  }
  if (!is_http(url_)) {
    refuse({LogLevel::error, "AH01920: cannot handle OCSP responder URI '" + url_ + "'"});
    return false;
  }
  question_ = std::make_unique<Question>(*inquiry_->rules_, certificate(), chain[left_].get());
  errand_ = {.url = url_,
             .proxy_url = settings().proxy_url,
             .request = question_->bytes(),
             .patience = settings().patience};
  return false;
}

void Pursuit::hear(const Answer& text) {
  const auto question = std::move(question_);
  if (!text)
    return refuse({LogLevel::error,
                   "AH01974: OCSP responder '" + url_ + "' gave no answer: " + text.error()});
  const WallTime now = std::chrono::system_clock::now();
  const auto answer = question->read(*text, now);
  if (!answer) return refuse({LogLevel::error, answer.error() + ": " + url_});
  Remark remark = about_status(certificate(), answer->status, answer->reason);
  if (answer->status == V_OCSP_CERTSTATUS_REVOKED)
    return refuse(std::move(remark), X509_V_ERR_CERT_REVOKED);
  if (answer->status != V_OCSP_CERTSTATUS_GOOD) return refuse(std::move(remark));
  finding_.remarks.push_back(std::move(remark));
  inquiry_->rules_->known.add(inquiry_->key_of(left_ - 1), answer->good_until, now);
  --left_;
  go_on();
}

}  // namespace steelyard::tls
