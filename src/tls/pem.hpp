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
// Perhaps none. The error: a part is damaged, which must not look like a list that revokes less.
std::expected<std::vector<RevocationListHandle>, std::string> read_revocation_lists(
    std::string_view pem);

// Of the curve that "EC PARAMETERS" name, the library's number; 0: none, or one without a name.
int read_curve(std::string_view pem);

struct KeyFault {
  std::string text;
  bool is_locked = false;  // it has a pass phrase, and that was not it
};
// The first private key. `phrase`: null when none is known.
std::expected<KeyHandle, KeyFault> read_key(std::string_view pem, const std::string* phrase);
// All private keys, at least one; none may have a pass phrase.
std::expected<std::vector<KeyHandle>, KeyFault> read_keys(std::string_view pem);

}  // namespace steelyard::tls
