// Fuzz target: a client's certificate in the words that rules, logs and members get.
//
// The bytes are the certificate (DER). Whatever is in it, each question has an answer or none, all
// that is told of its name is also the answer to the question for it, and the certificate as text
// is that certificate.
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "tls/certificate_text.hpp"
#include "tls/handles.hpp"

namespace steelyard {

namespace {

constexpr auto questions = std::to_array<std::string_view>({"M_VERSION",
                                                            "M_SERIAL",
                                                            "V_START",
                                                            "V_END",
                                                            "V_REMAIN",
                                                            "A_SIG",
                                                            "A_KEY",
                                                            "CERT_RFC4523_CEA",
                                                            "S_DN",
                                                            "I_DN",
                                                            "S_DN_CN",
                                                            "S_DN_CN_RAW",
                                                            "S_DN_OU_1",
                                                            "S_DN_Email",
                                                            "I_DN_O_0",
                                                            "S_DN_",
                                                            "S_DN_x_99999",
                                                            "SAN_DNS_0",
                                                            "SAN_DNS_1",
                                                            "SAN_Email_0",
                                                            "SAN_OTHER_msUPN_0",
                                                            "SAN_OTHER_dnsSRV_0",
                                                            "EXT_0:1.2.3.4",
                                                            "EXT_1:subjectAltName",
                                                            "EXT_0:2.5.29.17",
                                                            "EXT_0:keyUsage",
                                                            "EXT_0:1.2.3.5",
                                                            "CERT"});

void check_pem(X509* certificate, std::string_view pem) {
  const tls::BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const tls::CertificateHandle again(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  CHECK(again != nullptr && X509_cmp(again.get(), certificate) == 0);
}

void check_lists(X509& certificate, Arena& arena) {
  tls::Variables told;
  tls::append_name_parts(told, *X509_get_subject_name(&certificate), "S_DN_", arena);
  for (const auto& [name, value] : told)
    CHECK(tls::text_of(certificate, {.what = name}, arena) == value);
  CHECK(told.size() <= tls::told_max);
  // These are counted in another way than they are asked for: without text they do not count.
  for (const tls::Side side : {tls::Side::client, tls::Side::server})
    tls::append_alternative_names(told, certificate, side, "SAN_", arena);
  CHECK(told.size() <= 3 * tls::told_max);
}

}  // namespace

void fuzz_one(std::string_view input) {
  Pieces pieces(input);
  const std::string_view text = pieces.prefix(input.size());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const tls::CertificateHandle certificate(
      d2i_X509(nullptr, &bytes, static_cast<long>(text.size())));
  if (certificate == nullptr) return;
  Arena arena;
  for (const std::string_view what : questions)
    for (const bool legacy_names : {false, true})
      (void)tls::text_of(*certificate, {.what = what, .legacy_names = legacy_names}, arena);
  check_lists(*certificate, arena);
  check_pem(certificate.get(), tls::pem_of(*certificate, arena));
}

}  // namespace steelyard
