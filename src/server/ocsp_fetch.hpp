#pragma once

#include <atomic>
#include <expected>
#include <string>

#include "tls/ocsp.hpp"

// One question to an authority, by plain HTTP (RFC 6960 A.1): the answer is signed.
//
// Threads: any; the caller's waits.

namespace steelyard::server {

struct CurlLibrary;  // curl_library.hpp

// What was answered, not looked into; at most as much as an answer can be. The error is for people.
// Once `stopping` is true it ends within a second.
std::expected<std::string, std::string> fetch_ocsp(const CurlLibrary& curl,
                                                   const tls::OcspErrand& errand,
                                                   const std::atomic<bool>& stopping);

}  // namespace steelyard::server
