#pragma once

#include <openssl/ocsp.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "tls/handles.hpp"

// How authorities are asked about certificates (OCSP, RFC 6960): what those have in common who ask
// about our own (staple.hpp) and about clients' (inquiry.hpp).
//
// Threads: any.

namespace steelyard::tls {

using OcspRequestHandle = std::unique_ptr<OCSP_REQUEST, Release<OCSP_REQUEST_free>>;
using OcspResponseHandle = std::unique_ptr<OCSP_RESPONSE, Release<OCSP_RESPONSE_free>>;
using OcspBasicHandle = std::unique_ptr<OCSP_BASICRESP, Release<OCSP_BASICRESP_free>>;
using OcspIdHandle = std::unique_ptr<OCSP_CERTID, Release<OCSP_CERTID_free>>;

struct StackRelease {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // not what is on it
};
using StackHandle = std::unique_ptr<STACK_OF(X509), StackRelease>;

// What is sent to whom; views into what its sender keeps.
struct OcspErrand {
  std::string_view url, proxy_url;  // proxy_url: empty: none
  std::string_view request;         // DER
  Duration patience{};              // for all of it
};

// Of its bytes.
std::string fingerprint(const X509* certificate);
// Who can be asked about it by its own word, in its order.
std::vector<std::string> ocsp_urls_of(X509* certificate);
// As authorities know it: by SHA-1 (RFC 6960 4.3; RFC 9654 changes nothing for them).
OcspIdHandle ocsp_id_of(const X509* certificate, const X509* issuer);
std::string bytes_of(const OCSP_REQUEST* request);
// The signed part of an answer (DER), not verified yet; the error is why there is none.
std::expected<OcspBasicHandle, std::string> read_ocsp_answer(std::string_view answer);
// The epoch, if it is none.
WallTime time_of(const ASN1_GENERALIZEDTIME* time);
// With the library's reasons, if it has any.
std::unexpected<std::string> because(const std::string& what);

}  // namespace steelyard::tls
