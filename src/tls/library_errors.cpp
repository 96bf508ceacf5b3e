#include "tls/library_errors.hpp"

#include <openssl/err.h>

namespace steelyard::tls {

std::string take_library_errors(const char* otherwise) {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    const char* const reason = ERR_reason_error_string(error);
    // One and the same reason at every level of the library is one.
    if (reason == nullptr || text.ends_with(reason)) continue;
    if (!text.empty()) text += ": ";
    text += reason;
  }
  return text.empty() ? otherwise : text;
}

}  // namespace steelyard::tls
