#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip.hpp"
#include "expr/local_files.hpp"

// What stands behind an exchange and does not change while it runs: the process and the client's
// connection. Threads: the shard's.

namespace steelyard::tls {
class TlsStream;
}

namespace steelyard::proxy {

// What the process says of itself; the server knows, the data path only repeats it.
struct ProcessFacts {
  std::int64_t process_id = 0, thread_id = 0;
  std::function<std::string()> load_averages;  // "0.12 0.08 0.01"
  const expr::LocalFiles* files = nullptr;     // null: conditions find no file
  // Of all shards; the shard sets it. A lock that is shared: for who asks, not for every request.
  std::function<std::uint64_t()> busy_connections;
};

struct ByteCounts {
  std::int64_t received = 0, sent = 0;  // on the client's side, heads included
  std::int64_t body_sent = 0;
};

// Whom those in front of us say a request comes from.
struct NamedClient {
  std::optional<Endpoint> endpoint;
  std::string_view ip;      // its text
  bool is_decided = false;  // nobody is asked a second time
};

// What the connection under an exchange is and says; filled by the client connection.
struct ClientFacts {
  const ProcessFacts* process = nullptr;
  Endpoint peer, local;
  // Whom the peer speaks for: RemoteIPProxyProtocol.
  std::optional<Endpoint> announced;
  tls::TlsStream* tls = nullptr;  // the client's stream, if it is one
  std::array<char, 48> peer_text{}, local_text{};
  std::uint8_t peer_text_bytes = 0, local_text_bytes = 0;
  std::uint32_t requests_before = 0;  // on this connection
  std::uint64_t connection_id = 0;
  std::uint32_t http2_stream = 0;  // the exchange's; 0: HTTP/1
  // The stream asks for a tunnel (CONNECT, plain or extended): any success would tell its client
  // that it is open (RFC 9110 9.3.6, RFC 8441 5).
  bool opens_tunnel = false;
  // Sec-WebSocket-Accept of whoever takes the WebSocket that the client opens on its stream (RFC
  // 8441); empty: it asks for something else, or speaks HTTP/1.
  std::string_view websocket_accept;

  std::string_view peer_ip() const { return {peer_text.data(), peer_text_bytes}; }
  std::string_view local_ip() const { return {local_text.data(), local_text_bytes}; }
};

}  // namespace steelyard::proxy
