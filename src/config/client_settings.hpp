#pragma once

#include <chrono>
#include <cstdint>

#include "base/time.hpp"
#include "config/http2_settings.hpp"
#include "config/remote_ip.hpp"
#include "http/request_head.hpp"

// How long and how much a client may send. Threads: a value.

namespace steelyard::config {

// RequestReadTimeout: the limit starts at `first` and grows by one second for each
// `bytes_per_second` received, up to `most`. Zero means no limit.
struct ReadTimeout {
  Duration first{}, most{};
  std::uint32_t bytes_per_second = 0;
};

// What a connection to a client obeys.
struct ClientSettings {
  Duration timeout = std::chrono::seconds(60);
  bool keep_alive = true;
  Duration keep_alive_timeout = std::chrono::seconds(5);
  std::uint32_t keep_alive_requests_max = 100;  // 0: no limit
  http::RequestLimits limits;
  ReadTimeout read_header{std::chrono::seconds(20), std::chrono::seconds(40), 500};
  ReadTimeout read_body{std::chrono::seconds(20), {}, 500};
  RemoteIpSettings remote_ip;
  ClientProtocols protocols;
  Http2Settings http2;
};

}  // namespace steelyard::config
