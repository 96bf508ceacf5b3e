#include "http/websocket_key.hpp"

#include "base/base64.hpp"
#include "base/digest.hpp"

namespace steelyard::http {

std::string websocket_accept(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const auto digest = sha1(text);
  return base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

WebsocketKey make_websocket_key(std::uint64_t first, std::uint64_t second) {
  std::string bytes;
  for (const std::uint64_t word : {first, second})
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(word >> shift);
  WebsocketKey key{.asked = base64(bytes), .accepted = {}};
  key.accepted = websocket_accept(key.asked);
  return key;
}

}  // namespace steelyard::http
