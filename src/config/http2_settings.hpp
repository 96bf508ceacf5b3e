#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/time.hpp"

// Which protocols are spoken with clients, and how HTTP/2 is. Threads: a value.

namespace steelyard::config {

enum class ClientProtocol : std::uint8_t { http1, h2, h2c };

// Protocols, in the order of the line; without one: http/1.1 alone.
struct ClientProtocols {
  std::array<ClientProtocol, 3> listed{ClientProtocol::http1};
  std::uint8_t count = 1;
  bool honors_order = true;  // ProtocolsHonorOrder

  bool has(ClientProtocol protocol) const {
    for (std::uint8_t i = 0; i < count; ++i)
      if (listed[i] == protocol) return true;
    return false;
  }
  // Once each.
  void add(ClientProtocol protocol) {
    if (!has(protocol)) listed[count++] = protocol;
  }
};

struct Http2Settings {
  std::uint32_t streams_max = 100;            // H2MaxSessionStreams: at a time
  std::uint32_t window_bytes = 65535;         // H2WindowSize, of each stream
  std::uint32_t stream_buffer_bytes = 65536;  // H2StreamMaxMemSize: of an answer
  std::uint32_t data_frame_bytes_max = 0;     // H2MaxDataFrameLen; 0: the protocol's
  std::uint32_t head_bytes_max = 0;           // H2MaxHeaderBlockLen; 0: the library's
  std::uint32_t stream_errors_max = 8;        // H2MaxStreamErrors; 0: no limit
  std::optional<bool> direct;                 // H2Direct; nullopt: on in the clear
  std::optional<bool> upgrade;                // H2Upgrade; nullopt: on in the clear
  bool needs_modern_tls = true;               // H2ModernTLSOnly
  bool passes_early_hints = false;            // H2EarlyHints
  bool takes_websockets = false;              // H2WebSockets: extended CONNECT (RFC 8441)
  Duration stream_timeout{};                  // H2StreamTimeout; zero: Timeout
};

}  // namespace steelyard::config
