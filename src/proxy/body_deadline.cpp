#include "proxy/body_deadline.hpp"

#include <algorithm>

#include "proxy/bought_time.hpp"

namespace steelyard::proxy {

Duration client_patience(const Exchange& x) {
  const config::ClientSettings& settings = x.server->client;
  const bool has_its_own = x.client->http2_stream != 0 && settings.http2.stream_timeout.count() > 0;
  return has_its_own ? settings.http2.stream_timeout : settings.timeout;
}

Instant body_deadline(const Exchange& x, Instant began, std::uint64_t received, Instant now) {
  const config::ReadTimeout& limit = x.server->client.read_body;
  const Instant next = now + client_patience(x);
  if (limit.first.count() <= 0) return next;
  Duration allowed = limit.first;
  if (limit.bytes_per_second != 0) {
    allowed += bought_time(limit, received);
    if (limit.most.count() > 0) allowed = std::min(allowed, limit.most);
  }
  return std::min(began + allowed, next);
}

}  // namespace steelyard::proxy
