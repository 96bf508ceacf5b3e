#include "proxy/client/serving.hpp"

#include <algorithm>

#include "http/status.hpp"
#include "proxy/access_record.hpp"
#include "proxy/account.hpp"
#include "proxy/admission.hpp"
#include "proxy/ask_desk.hpp"
#include "proxy/client_wish.hpp"
#include "proxy/connect_request.hpp"
#include "proxy/echo.hpp"
#include "proxy/heartbeat_post.hpp"
#include "proxy/internal_redirect.hpp"
#include "proxy/limits.hpp"
#include "proxy/timeline.hpp"
#include "proxy/trace.hpp"

// What a client gets for its request: a member's answer, a page of ours, an ErrorDocument.

namespace steelyard::proxy {

namespace {

constexpr int questions_max = 20;  // about one client, before a request is answered

}  // namespace

void begin_exchange(Exchange& x, Shard::Core& core, const ClientFacts& client) {
  x.begin();
  x.generation = core.generation;
  x.client = &client;
  x.began_at = core.now();
  x.began = x.wall_now = core.parts.loop.wall_now();
  x.log_id = core.parts.random();
}

void finish_exchange(Exchange& x, Shard::Core& core) {
  x.ended_at = core.now();
  x.wall_now = core.parts.loop.wall_now();
  account_exchange(x, core.cells_of(x), core.cells());
  end_timeline(x);
  record_access(x, core);
  record_spans(x, core);
  x.leases.clear();
}

// Each coroutine of a request costs some fifty nanoseconds: few of them lie between this one and
// the member's answer.
io::Task<Serving::End> Serving::serve(Shard::Core& core, ClientSide client) {
  Serving self(core, client);
  Exchange& x = self.exchange();
  Workspace& workspace = client.workspace;
  choose_server(x);
  const RequestBody::Sources sources{client.stream,         workspace.client_head,
                                     workspace.client_body, workspace.kept_body,
                                     x.request_trailers,    x.arena};
  RequestBody::Limits limits;
  limits.kept_memory_bytes = x.generation->config().body_spool_memory_bytes;
  limits.kept_file_bytes = kept_body_file_bytes_max;
  limits.kept_in_files = &core.kept_in_files;
  RequestBody body(sources, x.request.body, limits, core.parts.open_spill_file);
  Routing routing = route(x, core);
  if (routing.kind >= Routing::Kind::needs_client_host)
    routing = co_await self.settle(routing, body);
  std::unique_ptr<Tunnel> tunnel;
  if (x.broken_off) {
    x.status = routing.status;
  } else if (routing.kind == Routing::Kind::proxy) {
    ForwardEnd end = co_await forward(x, core, client, body);
    tunnel = std::move(end.tunnel);
    if (!self.is_over(end)) co_await self.answer_after(end, body);
  } else if (routing.kind == Routing::Kind::tunnel) {
    ForwardEnd end = co_await connect_elsewhere(x, core, client);
    tunnel = std::move(end.tunnel);
    if (!self.is_over(end)) co_await self.answer_after(end, body);
  } else {
    co_await self.answer_here(routing, body);
  }
  x.bytes.received += static_cast<std::int64_t>(body.wire_bytes());
  co_return End{body.received_all(), std::move(tunnel)};
}

// What could not be decided at once. Each round answers its question for good, but for rules that
// send the request elsewhere; nobody needs many.
io::Task<Routing> Serving::settle(Routing routing, RequestBody& body) {
  Exchange& x = exchange();
  for (int rounds = 0; routing.kind >= Routing::Kind::needs_client_host; ++rounds) {
    if (rounds == questions_max) {
      x.keep_client = false;
      co_return Routing{Routing::Kind::answer, 500, {}, {}};
    }
    if (routing.kind == Routing::Kind::needs_handshake) {
      routing = co_await ask_client(x, core_, client_, body);
    } else if (routing.kind == Routing::Kind::needs_client_host) {
      routing = co_await resolve_client();
    } else if (const int status = co_await identify(x, core_, client_); status != 0) {
      co_return Routing{Routing::Kind::answer, status, {}, {}};
    } else {
      routing = continue_routing(x, core_);
    }
  }
  co_return routing;
}

io::Task<Routing> Serving::resolve_client() {
  Exchange& x = exchange();
  io::Resolver& resolver = core_.parts.dialer.resolver();
  std::string name = co_await resolver.name_of(x.client_address());
  if (!name.empty()) {
    // Double reverse: the name only counts if it leads back to the address.
    const auto addresses = co_await resolver.addresses(name);
    if (std::ranges::find(addresses, x.client_address()) != addresses.end())
      x.client_host = x.arena.copy(name);
  }
  co_return continue_routing(x, core_);
}

io::Task<> Serving::answer_here(Routing routing, RequestBody& body) {
  Exchange& x = exchange();
  // No page of ours is a tunnel, and a success would say that it is (httpd, of a WebSocket: 502).
  const bool succeeds = routing.kind != Routing::Kind::answer || http::is_success(routing.status);
  if (succeeds && awaits_tunnel(x)) {
    routing = Routing();
    routing.status = 502;
  }
  if (routing.reads_body && body.framing().has_bytes() && !give_leave()) {
    x.status = routing.status;
    co_return;
  }
  LocalAnswer answer;
  if (routing.kind == Routing::Kind::heartbeat) {
    answer = co_await take_heartbeat(x, core_, client_, body);
  } else if (routing.kind == Routing::Kind::desk) {
    answer = co_await ask_desk(x, core_, client_, body);
  } else if (routing.kind == Routing::Kind::echo) {
    answer = co_await echo_request(x, core_, client_, body);
  } else {
    answer.status = routing.status;
    answer.location = routing.location;
    answer.by_directive = routing.author != Routing::Author::server;
    answer.html_note = routing.html_note;
    if (x.proxied) answer.proxy_error = routing.detail;
  }
  co_await answer_locally(answer, body);
}

io::Task<> Serving::answer_after(const ForwardEnd& end, RequestBody& body) {
  LocalAnswer answer;
  answer.status = end.status;
  answer.proxy_error = end.proxy_error;
  if (end.overridden) answer.reason = end.reason;
  co_await answer_locally(answer, body);
}

// The client got its answer, or nothing that could be gone on with.
bool Serving::is_over(const ForwardEnd& end) {
  Exchange& x = exchange();
  if (!end.silent) return end.status == 0;
  x.keep_client = false;
  x.broken_off = true;
  if (x.status == 0) x.status = end.status != 0 ? end.status : 400;
  return true;
}

io::Task<> Serving::answer_locally(LocalAnswer answer, RequestBody& body) {
  Exchange& x = exchange();
  // httpd: such a status closes, even if a document of another status takes its place.
  if (http::closes_connection(answer.status)) {
    x.keep_client = false;
  } else {
    co_await drop_body(body);
  }
  const std::string_view path = error_document_path(x, core_, answer);
  if (!path.empty()) co_return co_await answer_by_document(answer, path);
  prepare_local_answer(x, core_, answer);
  if (answer.feed == nullptr) co_return co_await send_answer();
  co_await send_feed(*answer.feed);
}

// To send the body. False: half of the word would garble the answer, so the client is given up.
bool Serving::give_leave() {
  Exchange& x = exchange();
  if (!std::exchange(x.request.expects_continue, false)) return true;
  const std::string_view pieces[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
  const io::IoResult result = client_.stream.write(pieces);
  x.bytes.sent += static_cast<std::int64_t>(result.bytes);
  x.client_gone = result.bytes != pieces[0].size();
  return !x.client_gone;
}

// ErrorDocument with a path: the answer is what a GET for that path gets (httpd: internal
// redirect).
io::Task<> Serving::answer_by_document(LocalAnswer answer, std::string_view path) {
  Exchange& x = exchange();
  begin_internal_redirect(x, answer.status, path);
  Workspace& workspace = client_.workspace;
  const RequestBody::Sources sources{client_.stream,        workspace.client_head,
                                     workspace.client_body, workspace.kept_body,
                                     x.request_trailers,    x.arena};
  RequestBody none(sources, x.request.body, {}, core_.parts.open_spill_file);
  Routing routing = route(x, core_);
  if (routing.kind >= Routing::Kind::needs_client_host) routing = co_await settle(routing, none);
  if (x.broken_off) {
    x.status = routing.status;
    co_return;
  }
  if (routing.kind == Routing::Kind::desk) {
    LocalAnswer page = co_await ask_desk(x, core_, client_, none);
    page.status = answer.status;
    prepare_local_answer(x, core_, page);
    co_return co_await send_answer();
  }
  if (routing.kind == Routing::Kind::proxy) {
    const ForwardEnd end = co_await forward(x, core_, client_, none);
    if (is_over(end)) co_return;
    routing.status = end.status;
  }
  // httpd: the page of the first error names that error again, whatever became of the document, a
  // Redirect as well. What a RewriteRule says is an answer to the client or another error. A 200
  // is none, neither the first one nor the document's.
  constexpr int ok = 200;
  const bool by_rewriting = routing.author == Routing::Author::rewriting;
  const bool tells_own =
      answer.status == ok || (by_rewriting && (!routing.location.empty() || routing.status == ok));
  if (tells_own) {
    answer.status = routing.status;
    answer.location = routing.location;
    answer.by_directive = routing.author != Routing::Author::server;
  } else {
    answer.failed_document_status = by_rewriting ? routing.status : answer.status;
    if (http::closes_connection(routing.status)) x.keep_client = false;
  }
  prepare_local_answer(x, core_, answer);
  co_await send_answer();
  if (tells_own) co_return;
  // httpd's log tells how the document ended: with nothing of its own.
  x.status = routing.status;
  x.normal.clear();
  x.always.clear();
  if (!routing.location.empty()) x.normal.add("Location", routing.location);
  x.bytes.body_sent = 0;
}

// A body that nobody wants is read and dropped so that the connection can go on, unless it is large
// or the client waits for leave to send it (httpd drops it too).
io::Task<> Serving::drop_body(RequestBody& body) {
  Exchange& x = exchange();
  const Instant deadline = core_.now() + linger_time;
  while (!body.received_all() && !x.request.expects_continue &&
         body.received() < linger_bytes_max) {
    const auto progress = body.pull();
    if (progress == RequestBody::Progress::data) body.take(body.pending().size());
    if (progress == RequestBody::Progress::failed) break;
    if (progress != RequestBody::Progress::blocked) continue;
    io::Wait wait(client_.timer, deadline);
    if (co_await wait.readable(client_.stream) == io::Woken::timed_out) break;
  }
  if (!body.received_all()) x.keep_client = false;
}

}  // namespace steelyard::proxy
