#include "proxy/body_deadline.hpp"

#include <algorithm>

#include "proxy/bought_time.hpp"

namespace steelyard::proxy {

Instant body_deadline(const config::ClientSettings& client, Instant began, std::uint64_t received,
                      Instant now) {
  const config::ReadTimeout& limit = client.read_body;
  if (limit.first.count() <= 0) return now + client.timeout;
  Duration allowed = limit.first;
  if (limit.bytes_per_second != 0) {
    allowed += bought_time(limit, received);
    if (limit.most.count() > 0) allowed = std::min(allowed, limit.most);
  }
  return std::min(began + allowed, now + client.timeout);
}

}  // namespace steelyard::proxy
