#include <algorithm>
#include <array>

#include "http/status.hpp"
#include "proxy/access_record.hpp"
#include "proxy/ask_desk.hpp"
#include "proxy/client/http1_connection.hpp"
#include "proxy/heartbeat_post.hpp"
#include "proxy/internal_redirect.hpp"
#include "proxy/limits.hpp"
#include "proxy/message_writer.hpp"
#include "proxy/reply.hpp"

// What a client gets for its request: a member's answer, a page of ours, an ErrorDocument.

namespace steelyard::proxy {

io::Task<Routing> ClientConnection::resolve_client() {
  Exchange& x = exchange();
  io::Resolver& resolver = core_.parts.dialer.resolver();
  std::string name = co_await resolver.name_of(x.client_address());
  if (!name.empty()) {
    // Double reverse: the name only counts if it leads back to the address.
    const auto addresses = co_await resolver.addresses(name);
    if (std::ranges::find(addresses, x.client_address()) != addresses.end())
      x.client_host = std::move(name);
  }
  co_return continue_routing(x, core_);
}

io::Task<> ClientConnection::answer_here(Routing routing, RequestBody& body) {
  Exchange& x = exchange();
  if (routing.reads_body && body.framing().has_bytes() && !give_leave()) {
    x.status = routing.status;
    co_return;
  }
  LocalAnswer answer;
  if (routing.kind == Routing::Kind::heartbeat) {
    answer = co_await take_heartbeat(x, core_, side(), body);
  } else if (routing.kind == Routing::Kind::desk) {
    answer = co_await ask_desk(x, core_, side(), body);
  } else {
    answer.status = routing.status;
    answer.location = routing.location;
    answer.html_note = routing.html_note;
    if (x.proxied) answer.proxy_error = routing.detail;
  }
  co_await answer_locally(answer, body);
}

io::Task<> ClientConnection::answer_after(ForwardEnd end, RequestBody& body) {
  LocalAnswer answer;
  answer.status = end.status;
  answer.proxy_error = end.proxy_error;
  if (end.overridden) answer.reason = end.reason;
  co_await answer_locally(answer, body);
}

// The client got its answer, or nothing that could be gone on with.
bool ClientConnection::is_over(const ForwardEnd& end) {
  Exchange& x = exchange();
  if (!end.silent) return end.status == 0;
  x.keep_client = false;
  x.broken_off = true;
  if (x.status == 0) x.status = end.status != 0 ? end.status : 400;
  return true;
}

io::Task<> ClientConnection::answer_locally(LocalAnswer answer, RequestBody& body) {
  Exchange& x = exchange();
  // httpd: such a status closes, even if a document of another status takes its place.
  if (http::closes_connection(answer.status)) {
    x.keep_client = false;
  } else {
    co_await drop_body(body);
  }
  const std::string_view path = error_document_path(x, answer);
  if (!path.empty()) co_return co_await answer_by_document(answer, path);
  prepare_local_answer(x, core_, answer);
  if (answer.feed == nullptr) co_return co_await send_answer();
  co_await send_feed(*answer.feed);
}

// To send the body. False: half of the word would garble the answer, so the client is given up.
bool ClientConnection::give_leave() {
  Exchange& x = exchange();
  if (!std::exchange(x.request.expects_continue, false)) return true;
  const std::string_view pieces[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
  const io::IoResult result = stream_->write(pieces);
  x.bytes.sent += static_cast<std::int64_t>(result.bytes);
  x.client_gone = result.bytes != pieces[0].size();
  return !x.client_gone;
}

// ErrorDocument with a path: the answer is what a GET for that path gets (httpd: internal
// redirect).
io::Task<> ClientConnection::answer_by_document(LocalAnswer answer, std::string_view path) {
  Exchange& x = exchange();
  begin_internal_redirect(x, answer.status, path);
  Routing routing = route(x, core_);
  if (routing.kind == Routing::Kind::needs_client_host) routing = co_await resolve_client();
  Workspace& workspace = *workspace_;
  const RequestBody::Sources sources{*stream_,
                                     workspace.client_head,
                                     workspace.client_body,
                                     workspace.kept_body,
                                     x.request_trailers,
                                     x.arena};
  RequestBody none(sources, x.request.body, {}, core_.parts.open_spill_file);
  if (routing.kind == Routing::Kind::desk) {
    LocalAnswer page = co_await ask_desk(x, core_, side(), none);
    page.status = answer.status;
    prepare_local_answer(x, core_, page);
    co_return co_await send_answer();
  }
  if (routing.kind == Routing::Kind::proxy) {
    const ForwardEnd end = co_await forward(x, core_, side(), none);
    if (is_over(end)) co_return;
    routing.status = end.status;
  }
  const bool fails = routing.location.empty();
  if (fails) {
    answer.failed_document_status = routing.status;
    if (http::closes_connection(routing.status)) x.keep_client = false;
  } else {
    answer.status = routing.status;
    answer.location = routing.location;
  }
  prepare_local_answer(x, core_, answer);
  co_await send_answer();
  if (!fails) co_return;
  // httpd's log tells how the document ended: with nothing of its own.
  x.status = routing.status;
  x.normal.clear();
  x.always.clear();
  x.bytes.body_sent = 0;
}

// A body that nobody wants is read and dropped so that the connection can go on, unless it is large
// or the client waits for leave to send it (httpd drops it too).
io::Task<> ClientConnection::drop_body(RequestBody& body) {
  Exchange& x = exchange();
  const Instant deadline = core_.now() + linger_time;
  while (!body.received_all() && !x.request.expects_continue &&
         body.received() < linger_bytes_max) {
    const auto progress = body.pull();
    if (progress == RequestBody::Progress::data) body.take(body.pending().size());
    if (progress == RequestBody::Progress::failed) break;
    if (progress != RequestBody::Progress::blocked) continue;
    io::Wait wait(timer_, deadline);
    if (co_await wait.readable(*stream_) == io::Woken::timed_out) break;
  }
  if (!body.received_all()) x.keep_client = false;
}

// Sends what prepare_local_answer left: head and page.
io::Task<> ClientConnection::send_answer() {
  Exchange& x = exchange();
  const bool has_body = x.request.method_id != http::Method::head && !http::has_no_body(x.status);
  write_reply_head(x, core_, {}, workspace_->to_client);
  MessageWriter writer;
  writer.begin(workspace_->to_client.view(), Framing::plain);
  std::string_view page = has_body ? std::string_view(core_.page) : std::string_view();
  // Others of this shard may write their pages while this one waits.
  std::string_view rest = x.arena.copy(page);
  const Instant deadline = core_.now() + x.server->client.timeout;
  x.first_byte_at = core_.now();
  while (!writer.done()) {
    const auto result = writer.write(*stream_, rest, true);
    rest.remove_prefix(result.taken);
    if (result.status == io::IoStatus::failed) break;
    if (result.status == io::IoStatus::ok) continue;
    io::Wait wait(timer_, deadline);
    if (co_await wait.writable(*stream_) == io::Woken::timed_out) break;
  }
  x.head_sent = true;
  x.bytes.sent += static_cast<std::int64_t>(writer.bytes_written());
  x.bytes.body_sent += static_cast<std::int64_t>(page.size() - rest.size());
  if (!writer.done()) x.client_gone = true;
}

namespace {

// Wakes the exchange that a feed's text is for, wherever it was said.
struct Ear {
  io::Loop* loop;
  io::Wait* wait = nullptr;  // the loop's thread only
};

// Listens as long as it lives.
class Listening {
 public:
  Listening(Feed& feed, io::Loop& loop) : feed_(feed), ear_(std::make_shared<Ear>(&loop)) {
    feed_.listen([ear = ear_] {
      ear->loop->post([ear] {
        if (ear->wait != nullptr) ear->wait->wake(io::Woken::ready);
      });
    });
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() {
    feed_.close();
    ear_->wait = nullptr;
  }
  void sleep_in(io::Wait* wait) { ear_->wait = wait; }

 private:
  Feed& feed_;
  const std::shared_ptr<Ear> ear_;
};

}  // namespace

// Head and page, and then what the feed says until it ends or the client goes.
io::Task<> ClientConnection::send_feed(Feed& feed) {
  Exchange& x = exchange();
  Listening listening(feed, core_.parts.loop);
  if (x.request.method_id == http::Method::head) co_return co_await send_answer();
  const bool chunks = x.request.version.minor >= 1;
  write_reply_head(x, core_,
                   {.framing = chunks ? Framing::chunked : Framing::plain,
                    .has_body = true,
                    .ends_by_closing = !chunks},
                   workspace_->to_client);
  MessageWriter writer;
  writer.begin(workspace_->to_client.view(), chunks ? Framing::chunked : Framing::plain);
  x.first_byte_at = core_.now();
  x.head_sent = true;
  Feed::Taken news{.text = core_.page};
  std::size_t gone = 0;
  bool watches_client = true;
  while (true) {
    const auto result =
        writer.write(*stream_, std::string_view(news.text).substr(gone), news.ended);
    gone += result.taken;
    if (result.status == io::IoStatus::failed) break;
    const bool is_full = result.status == io::IoStatus::would_block;
    if (!is_full && gone == news.text.size()) {
      if (news.ended) break;
      news = feed.take();
      gone = 0;
      if (!news.text.empty() || news.ended) continue;
    }
    io::Wait wait(timer_, is_full ? core_.now() + x.server->client.timeout : never);
    if (is_full) wait.writable(*stream_);
    if (watches_client) wait.readable(*stream_);
    listening.sleep_in(&wait);
    const io::Woken woken = co_await wait;
    listening.sleep_in(nullptr);
    if (woken == io::Woken::timed_out) break;
    if (!watches_client) continue;
    // Whoever listens has nothing more to say: what comes is not looked at, and the connection ends
    // with the feed.
    std::array<char, 512> bytes;
    const io::IoResult heard = stream_->read(bytes);
    if (heard.status == io::IoStatus::would_block) continue;
    if (heard.status != io::IoStatus::ok) break;
    watches_client = false;
    x.keep_client = false;
  }
  x.bytes.sent += static_cast<std::int64_t>(writer.bytes_written());
  x.bytes.body_sent += static_cast<std::int64_t>(writer.body_bytes_written());
  if (!writer.done()) x.client_gone = true;
}

io::Task<ClientConnection::Next> ClientConnection::answer_fault() {
  Exchange& x = exchange();
  x.request_line = x.request.line;
  x.bytes.received = static_cast<std::int64_t>(workspace_->client_head.data().size());
  x.keep_client = false;
  choose_server(x);
  x.path = x.request.target.path;
  LocalAnswer answer;
  answer.status = fault_.status;
  describe_fault(fault_, answer);
  prepare_local_answer(x, core_, answer);
  co_await send_answer();
  finish_exchange();
  co_return x.client_gone ? Next::close : Next::linger;
}

io::Task<ClientConnection::Next> ClientConnection::answer_timeout() {
  Exchange& x = exchange();
  x.keep_client = false;
  choose_server(x);
  if (!reader_.has_line()) {
    // httpd: without a request line there is nobody to answer; only the first one is recorded.
    x.status = 408;
    x.request_line = {};
    x.client_gone = true;
    if (facts_.requests_before == 0) finish_exchange();
    co_return Next::close;
  }
  x.request_line = x.request.line;
  prepare_local_answer(x, core_, {.status = 408});
  co_await send_answer();
  finish_exchange();
  co_return Next::linger;
}

}  // namespace steelyard::proxy
