#include "proxy/echo.hpp"

#include "proxy/small_body.hpp"

namespace steelyard::proxy {

namespace {

using config::LogLevel;
using config::TraceMode;

// httpd: 64 KiB where a length is announced. Of chunks it takes what its buffer has room for, which
// is 8 KiB more, less the head that lies in it, too.
constexpr std::size_t body_bytes_max = 65536;
constexpr std::size_t chunked_body_bytes_max = body_bytes_max + 8192;

}  // namespace

Routing answer_trace(const Exchange& x, Shard::Core& core) {
  const http::BodyFraming& body = x.request.body;
  if (x.server->trace == TraceMode::off) return {Routing::Kind::answer, 405, {}, {}};
  if (body.has_bytes() && x.server->trace != TraceMode::extended) {
    if (core.wants(x, LogLevel::info, "http"))
      core.log(x, LogLevel::info, "http",
               x.arena.join("AH01595: TRACE with body is not allowed for ", x.path));
    return {Routing::Kind::answer, 413, {}, {}};
  }
  if (body.length > body_bytes_max) return {Routing::Kind::answer, 413, {}, {}};
  Routing echo{Routing::Kind::echo, 200, {}, {}};
  echo.reads_body = true;
  return echo;
}

int refuse_proxied_trace(const Exchange& x, Shard::Core& core) {
  if (x.request.method_id != http::Method::trace || x.server->trace != TraceMode::off) return 0;
  if (core.wants(x, LogLevel::error, "proxy"))
    core.log(x, LogLevel::error, "proxy", "AH01139: TRACE forbidden by server configuration");
  return 405;
}

io::Task<LocalAnswer> echo_request(Exchange& x, Shard::Core& core, ClientSide client,
                                   RequestBody& body) {
  if (!body.framing().has_bytes()) co_return LocalAnswer{.status = 200};
  const SmallBody read = co_await read_small_body(x, core, client, body, chunked_body_bytes_max);
  if (read.status != 0) co_return LocalAnswer{.status = read.status};
  if (read.is_cut) co_return LocalAnswer{.status = 413};
  co_return LocalAnswer{.status = 200, .text = x.arena.copy(read.text)};
}

}  // namespace steelyard::proxy
