#pragma once

#include <openssl/x509_vfy.h>

#include <expected>
#include <memory>
#include <string>

#include "tls/inquiry.hpp"

// One inquiry on its way: of whom what has to be asked next, until there is a finding. It waits for
// nobody itself.
//
//   errand() ─▶ somebody asks ─▶ hear() ─▶ errand() ... null ─▶ finding()
//
// Invariant: after hear() with an error there is no errand.
// Threads: one at a time.

namespace steelyard::tls {

class Pursuit {
 public:
  // The error is why there is none.
  using Answer = std::expected<std::string, std::string>;

  explicit Pursuit(std::shared_ptr<const Inquiry> inquiry);
  Pursuit(const Pursuit&) = delete;
  Pursuit& operator=(const Pursuit&) = delete;
  ~Pursuit();

  // Views into this object. Null: the finding is there. It may be another than a moment ago: what
  // another pursuit found out meanwhile is not asked about again.
  const OcspErrand* errand();
  // What came of the errand.
  void hear(const Answer& text);
  // Once there is no errand.
  InquiryFinding& finding() { return finding_; }

 private:
  class Question;

  const config::TlsOcsp& settings() const;
  X509* certificate() const;
  bool needs_no_answer() const;
  void go_on();
  bool passes_unasked();
  std::string responder() const;
  void refuse(InquiryFinding::Remark remark, int error = X509_V_ERR_APPLICATION_VERIFICATION);

  const std::shared_ptr<const Inquiry> inquiry_;
  std::size_t left_;  // certificates; the last of them is the one that is asked about
  std::unique_ptr<Question> question_;
  std::string url_;
  OcspErrand errand_{};
  InquiryFinding finding_{};
};

}  // namespace steelyard::tls
