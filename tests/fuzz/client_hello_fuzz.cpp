// Fuzz target: the host that a stranger names in a TLS handshake.
//
// The bytes are the content of the extension. What is found lies within them, is no longer than a
// name may be, and has no null byte.
#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "tls/client_hello.hpp"

namespace steelyard {

void fuzz_one(std::string_view input) {
  Pieces pieces(input);
  const std::string_view text = pieces.prefix(input.size());
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(text.data()),
                                            text.size());
  const std::string_view host = tls::host_named_in(bytes);
  if (host.empty()) return;
  CHECK(host.data() >= text.data() && host.data() + host.size() <= text.data() + text.size());
  CHECK(host.size() <= 255 && host.find('\0') == host.npos);
}

}  // namespace steelyard
