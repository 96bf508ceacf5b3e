#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "config/named_file.hpp"

// Whether authorities are asked if clients' certificates are still good, and how (SSLOCSP...; RFC
// 6960).
//
// Threads: values.

namespace steelyard::config {

struct TlsOcsp {
  enum class About : std::uint8_t { nobody, leaf, chain };  // SSLOCSPEnable off, leaf, on

  About about = About::nobody;
  bool needs_no_responder = false;  // no_ocsp_for_cert_ok
  std::string default_url;          // SSLOCSPDefaultResponder
  bool overrides = false;           // ... whomever certificates name
  std::string proxy_url;
  Duration skew = std::chrono::seconds(300);
  std::optional<Duration> age_max;  // of an answer; unset: as long as it is in force
  Duration patience = std::chrono::seconds(10);
  bool sends_nonce = true;
  bool trusts_anybody = false;          // SSLOCSPNoVerify
  std::optional<NamedFile> responders;  // certificates that answers may be signed with
};

}  // namespace steelyard::config
