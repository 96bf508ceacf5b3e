#include "proxy/small_body.hpp"

#include <algorithm>

#include "proxy/body_deadline.hpp"

namespace steelyard::proxy {

io::Task<SmallBody> read_small_body(Exchange& x, Shard::Core& core, ClientSide client,
                                    RequestBody& body, std::size_t bytes_max) {
  const Instant began = core.now();
  SmallBody read;
  while (!read.is_cut) {
    const auto progress = body.pull();
    if (progress == RequestBody::Progress::finished) break;
    if (progress == RequestBody::Progress::failed) {
      read.status = status_of(body.failure());
      break;
    }
    if (progress == RequestBody::Progress::blocked) {
      io::Wait wait(client.timer, body_deadline(x, began, body.received(), core.now()));
      if (co_await wait.readable(client.stream) != io::Woken::timed_out) continue;
      read.status = 408;
      break;
    }
    const std::string_view piece = body.pending().substr(0, bytes_max - read.text.size());
    read.is_cut = piece.size() < body.pending().size();
    read.text.append(piece);
    body.take(body.pending().size());
  }
  co_return read;
}

}  // namespace steelyard::proxy
