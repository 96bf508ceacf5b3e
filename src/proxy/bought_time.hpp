#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "config/client_settings.hpp"

namespace steelyard::proxy {

// By how much MinRate= (which is set) puts off the end of RequestReadTimeout for what was received.
// As in httpd every byte counts, not every whole second of them.
inline Duration bought_time(const config::ReadTimeout& limit, std::uint64_t received) {
  constexpr Duration second = std::chrono::seconds(1);
  const auto rate = static_cast<std::int64_t>(limit.bytes_per_second);
  const auto bytes = static_cast<std::int64_t>(received);
  return second * (bytes / rate) + second * (bytes % rate) / rate;
}

}  // namespace steelyard::proxy
