#include <array>

#include "http/status.hpp"
#include "proxy/body_deadline.hpp"
#include "proxy/client/serving.hpp"
#include "proxy/limits.hpp"
#include "proxy/message_writer.hpp"
#include "proxy/reply.hpp"

// Sending what is made here: pages, and feeds that go on.

namespace steelyard::proxy {

namespace {

// Of a body whose length no field tells.
ReplyFraming open_framing(const Exchange& x) {
  const bool chunks = x.request.version.minor >= 1;
  const Framing framing = speaks_http2(x) ? Framing::stream
                          : chunks        ? Framing::chunked
                                          : Framing::plain;
  return {.framing = framing, .has_body = true, .ends_by_closing = !chunks};
}

}  // namespace

// Sends what prepare_local_answer left: head and page.
io::Task<> Serving::send_answer() {
  Exchange& x = exchange();
  const bool has_body = x.request.method_id != http::Method::head && !http::has_no_body(x.status);
  const bool is_open = has_body && !x.normal.has(http::FieldId::content_length);
  const ReplyFraming framing = is_open ? open_framing(x) : ReplyFraming{whole_framing(x)};
  write_reply_head(x, core_, framing, client_.workspace.to_client);
  MessageWriter writer;
  writer.begin(client_.workspace.to_client.view(), framing.framing);
  std::string_view page = has_body ? std::string_view(core_.page) : std::string_view();
  // Others of this shard may write their pages while this one waits.
  std::string_view rest = x.arena.copy(page);
  const Instant deadline = core_.now() + client_patience(x);
  x.first_byte_at = core_.now();
  while (!writer.done()) {
    const auto result = writer.write(client_.stream, rest, true);
    rest.remove_prefix(result.taken);
    if (result.status == io::IoStatus::failed) break;
    if (result.status == io::IoStatus::ok) continue;
    io::Wait wait(client_.timer, deadline);
    if (co_await wait.writable(client_.stream) == io::Woken::timed_out) break;
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
io::Task<> Serving::send_feed(Feed& feed) {
  Exchange& x = exchange();
  Listening listening(feed, core_.parts.loop);
  if (x.request.method_id == http::Method::head) co_return co_await send_answer();
  const ReplyFraming framing = open_framing(x);
  write_reply_head(x, core_, framing, client_.workspace.to_client);
  MessageWriter writer;
  writer.begin(client_.workspace.to_client.view(), framing.framing);
  x.first_byte_at = core_.now();
  x.head_sent = true;
  Feed::Taken news{.text = core_.page};
  std::size_t gone = 0;
  bool watches_client = true;
  while (true) {
    const auto result =
        writer.write(client_.stream, std::string_view(news.text).substr(gone), news.ended);
    gone += result.taken;
    if (result.status == io::IoStatus::failed) break;
    const bool is_full = result.status == io::IoStatus::would_block;
    if (!is_full && gone == news.text.size()) {
      if (news.ended) break;
      news = feed.take();
      gone = 0;
      if (!news.text.empty() || news.ended) continue;
    }
    io::Wait wait(client_.timer, is_full ? core_.now() + client_patience(x) : never);
    if (is_full) wait.writable(client_.stream);
    if (watches_client) wait.readable(client_.stream);
    listening.sleep_in(&wait);
    const io::Woken woken = co_await wait;
    listening.sleep_in(nullptr);
    if (woken == io::Woken::timed_out) break;
    if (!watches_client) continue;
    // Whoever listens has nothing more to say: what comes is not looked at, and the connection ends
    // with the feed.
    std::array<char, 512> bytes;
    const io::IoResult heard = client_.stream.read(bytes);
    if (heard.status == io::IoStatus::would_block) continue;
    if (heard.status != io::IoStatus::ok) break;
    watches_client = false;
    x.keep_client = false;
  }
  x.bytes.sent += static_cast<std::int64_t>(writer.bytes_written());
  x.bytes.body_sent += static_cast<std::int64_t>(writer.body_bytes_written());
  if (!writer.done()) x.client_gone = true;
}

}  // namespace steelyard::proxy
