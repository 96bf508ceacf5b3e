#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tls/handles.hpp"

// What PEM files hold. The error is a sentence about the file's content.
//
// Pure.

namespace steelyard::tls {

std::expected<std::vector<CertificateHandle>, std::string> read_certificates(std::string_view pem);
// The first private key. One with a pass phrase is an error that says so.
std::expected<KeyHandle, std::string> read_key(std::string_view pem);

}  // namespace steelyard::tls
