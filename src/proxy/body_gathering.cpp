#include "proxy/body_gathering.hpp"

#include <algorithm>

#include "io/next_turn.hpp"
#include "proxy/body_deadline.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

io::Task<Failure> gather_body(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body,
                              Gathering wanted) {
  if (wanted.asks && !tell_client(x, client, "HTTP/1.1 100 Continue\r\n\r\n"))
    co_return Failure{Party::client, Cause::gone};
  while (true) {
    const auto progress = body.fetch(std::min(wanted.bytes, body.received() + relay_bytes_a_turn));
    if (progress == RequestBody::Progress::failed) co_return body.failure();
    if (progress == RequestBody::Progress::finished) co_return Failure{};
    if (progress == RequestBody::Progress::data) {
      if (body.received() >= wanted.bytes) co_return Failure{};
      co_await io::NextTurn(core.parts.loop);
      continue;
    }
    io::Wait wait(client.timer, body_deadline(x, wanted.began, body.received(), core.now()));
    if (co_await wait.readable(client.stream) == io::Woken::timed_out)
      co_return Failure{Party::client, Cause::body_timed_out};
  }
}

bool tell_client(Exchange& x, const ClientSide& client, std::string_view text) {
  const std::string_view pieces[] = {text};
  const io::IoResult result = client.stream.write(pieces);
  x.bytes.sent += static_cast<std::int64_t>(result.bytes);
  return result.status == io::IoStatus::ok && result.bytes == text.size();
}

}  // namespace steelyard::proxy
