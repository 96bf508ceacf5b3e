#include "proxy/client/http2_session.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "proxy/client/http2_callbacks.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

using ReadRoom = std::array<char, 32 * 1024>;

// Used from one call to its end, so one a thread is enough.
ReadRoom& read_room() {
  thread_local ReadRoom room;
  return room;
}
std::string& piece_room() {
  thread_local std::string room;
  room.clear();
  return room;
}

// For names of streams in logs (H2_STREAM_TAG).
std::uint64_t next_connection_id() {
  thread_local std::uint64_t last = 0;
  return ++last;
}

// All windows of streams together, within what the protocol has numbers for.
std::int32_t connection_window(const config::Http2Settings& settings) {
  constexpr std::uint64_t most = 0x7fffffff;
  const std::uint64_t wanted = std::uint64_t{settings.window_bytes} * settings.streams_max;
  return static_cast<std::int32_t>(
      std::clamp<std::uint64_t>(wanted, NGHTTP2_INITIAL_CONNECTION_WINDOW_SIZE, most));
}

}  // namespace

Http2Session::Http2Session(Shard::Core& core, io::Stream& stream, ClientFacts& facts)
    : core_(core),
      stream_(stream),
      facts_(facts),
      client_of_(core.adoptions - 1),
      idle_frames_(http2_idle_frames_max, http2_idle_frames_a_second, core.now()),
      resets_(http2_resets_max, http2_resets_a_second, core.now()),
      idle_since_(core.now()) {
  facts_.connection_id = next_connection_id();
  library_ = make_http2_library(settings(), this);
  submit_settings();
  talk();
}

Http2Session::~Http2Session() {
  *alive_ = nullptr;
  streams_.clear();
  nghttp2_session_del(library_);
}

const config::ClientSettings& Http2Session::client() const {
  if (client_of_ != core_.adoptions) {
    client_of_ = core_.adoptions;
    client_ = core_.generation->hosts().group(facts_.local).first().client;
  }
  return client_;
}

void Http2Session::submit_settings() {
  const std::array<nghttp2_settings_entry, 4> entries{{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings().streams_max},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings().window_bytes},
      // The tree of priorities is dead (RFC 9113 5.3); what is left of them is an order of wishes.
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      // Without it the library takes no :protocol. What was said once holds for the connection.
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  const std::size_t count = entries.size() - (settings().takes_websockets ? 0 : 1);
  nghttp2_submit_settings(library_, NGHTTP2_FLAG_NONE, entries.data(), count);
  nghttp2_session_set_local_window_size(library_, NGHTTP2_FLAG_NONE, 0,
                                        connection_window(settings()));
}

bool Http2Session::upgrade(std::string_view payload, std::unique_ptr<Workspace> workspace) {
  const bool is_head = workspace->exchange.request.method_id == http::Method::head;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
  if (nghttp2_session_upgrade2(library_, bytes, payload.size(), is_head ? 1 : 0, nullptr) != 0)
    return false;
  Http2Stream& stream = *streams_.emplace_back(std::make_unique<Http2Stream>(*this, 1));
  nghttp2_session_set_stream_user_data(library_, 1, &stream);
  stream.adopt(std::move(workspace));
  note_news(stream);
  hand_out_news();
  return true;
}

Http2Stream& Http2Session::open(std::int32_t id) {
  Http2Stream& stream = *streams_.emplace_back(std::make_unique<Http2Stream>(*this, id));
  nghttp2_session_set_stream_user_data(library_, id, &stream);
  stream.begin_head();
  return stream;
}

// --- from the client -----------------------------------------------------------------------------

void Http2Session::take(std::string_view bytes) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const ssize_t taken = nghttp2_session_mem_recv(library_, begin, bytes.size());
  hand_out_news();
  if (give_up_code_ != 0) return be_calm(give_up_code_);
  if (taken == NGHTTP2_ERR_FLOODED) return be_calm(NGHTTP2_ENHANCE_YOUR_CALM);
  if (taken < 0) return break_off();
  talk();
}

void Http2Session::feed(std::string_view bytes) {
  if (!bytes.empty() && !over_) take(bytes);
}

Http2Session::Received Http2Session::receive() {
  ReadRoom& room = read_room();
  std::size_t received = 0;
  while (!over_ && !ending_) {
    if (received >= http2_bytes_a_turn) return Received::others_turn;
    const io::IoResult result = stream_.read(room);
    if (result.status == io::IoStatus::would_block) break;
    if (result.status != io::IoStatus::ok) {
      peer_left_ = true;
      break_off();
      break;
    }
    received += result.bytes;
    take({room.data(), result.bytes});
  }
  return Received::all;
}

// Exchanges run here, and not while the library calls us.
void Http2Session::hand_out_news() {
  while (!news_.empty()) {
    running_.swap(news_);
    for (Http2Stream* const stream : running_) {
      stream->has_news = false;
      if (!stream->heed_news()) erase(*stream);
    }
    running_.clear();
  }
}

void Http2Session::erase(Http2Stream& stream) {
  for (auto* list : {&news_, &outputs_, &served_}) std::erase(*list, &stream);
  const auto at = std::ranges::find(streams_, &stream, &std::unique_ptr<Http2Stream>::get);
  CHECK(at != streams_.end());
  std::swap(*at, streams_.back());
  streams_.pop_back();
  if (streams_.empty()) idle_since_ = core_.now();
}

// The connection is of no more use.
void Http2Session::break_off() {
  over_ = true;
  for (const auto& stream : streams_) {
    stream->close();
    note_news(*stream);
  }
  hand_out_news();
  if (wait_ != nullptr) wait_->wake(io::Woken::ready);
}

// The client goes too far: it is told so, and nothing more of it is read.
void Http2Session::be_calm(std::uint32_t code) {
  if (std::exchange(ending_, true)) return;
  nghttp2_session_terminate_session(library_, code);
  abandon_streams();
  talk();
}

void Http2Session::abandon_streams() {
  for (const auto& stream : streams_) {
    nghttp2_session_set_stream_user_data(library_, stream->id(), nullptr);
    stream->close();
    note_news(*stream);
  }
  hand_out_news();
}

// --- to the client -------------------------------------------------------------------------------

// When the turn's events are through: what many streams wrote leaves in one piece.
void Http2Session::talk() {
  if (std::exchange(is_talkative_, true)) return;
  core_.parts.loop.defer([alive = alive_] {
    if (*alive != nullptr) (*alive)->send();
  });
}

void Http2Session::note_output(Http2Stream& stream) {
  if (!std::exchange(stream.has_output, true)) outputs_.push_back(&stream);
  talk();
}

void Http2Session::note_news(Http2Stream& stream) {
  if (!std::exchange(stream.has_news, true)) news_.push_back(&stream);
}

void Http2Session::note_served(Http2Stream& stream) {
  ++facts_.requests_before;
  idle_frames_.earn();
  resets_.earn();
  served_.push_back(&stream);
  talk();
}

void Http2Session::consumed(const Http2Stream& stream, std::size_t bytes) {
  if (bytes == 0) return;
  nghttp2_session_consume(library_, stream.id(), bytes);
  talk();
}

void Http2Session::reset(const Http2Stream& stream, std::uint32_t code) {
  nghttp2_submit_rst_stream(library_, NGHTTP2_FLAG_NONE, stream.id(), code);
  talk();
}

void Http2Session::push_outputs() {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    Http2Stream& stream = *outputs_[i];
    stream.has_output = false;
    if (!stream.hand_over()) reset(stream, NGHTTP2_INTERNAL_ERROR);
  }
  outputs_.clear();
}

// False: the client has no room, or is gone.
bool Http2Session::pay_owed() {
  while (!owed_.empty()) {
    const std::string_view pieces[] = {owed_};
    const io::IoResult result = stream_.write(pieces);
    if (result.status == io::IoStatus::would_block) {
      waits_for_room_ = true;
      return false;
    }
    if (result.status != io::IoStatus::ok) {
      peer_left_ = true;
      break_off();
      return false;
    }
    owed_since_ = core_.now();
    owed_.erase(0, result.bytes);
  }
  std::string().swap(owed_);
  return true;
}

// One piece. False: there is nothing more, or nothing more goes.
bool Http2Session::write_out() {
  std::string& piece = piece_room();
  gathering_ = &piece;
  while (piece.size() < http2_piece_bytes) {
    const std::uint8_t* frame = nullptr;
    const ssize_t bytes = nghttp2_session_mem_send(library_, &frame);
    if (bytes < 0) {
      gathering_ = nullptr;
      break_off();
      return false;
    }
    if (bytes == 0) break;
    piece.append(reinterpret_cast<const char*>(frame), static_cast<std::size_t>(bytes));
  }
  gathering_ = nullptr;
  if (piece.empty()) return false;
  const std::string_view pieces[] = {piece};
  const io::IoResult result = stream_.write(pieces);
  if (result.status == io::IoStatus::failed || result.status == io::IoStatus::end) {
    peer_left_ = true;
    break_off();
    return false;
  }
  const std::size_t written = result.status == io::IoStatus::ok ? result.bytes : 0;
  if (written == piece.size()) return true;
  owed_.assign(piece, written);
  owed_since_ = core_.now();
  return pay_owed();
}

void Http2Session::send() {
  // Exchanges that are woken meanwhile have their say in this very call.
  is_talkative_ = true;
  const bool is_through = over_ || send_pieces();
  is_talkative_ = false;
  if (!is_through) talk();
  if (over_) return;
  for (Http2Stream* const stream : served_) stream->watch_for_stall(stream_patience());
  finish_if_over();
  if (!waits_for_room_ || wait_ == nullptr) return;
  if (awaits_room_) {
    waits_for_room_ = false;  // the connection's coroutine waits for it already
  } else {
    wait_->wake(io::Woken::ready);
  }
}

// False: others shall have their turn first.
bool Http2Session::send_pieces() {
  constexpr std::size_t pieces_max = http2_bytes_a_turn / http2_piece_bytes;
  bool goes_on = pay_owed();
  for (std::size_t pieces = 0; goes_on && !over_; ++pieces) {
    if (pieces == pieces_max) return false;
    push_outputs();
    goes_on = write_out();
    hand_out_news();
    if (give_up_code_ != 0) be_calm(give_up_code_);
    const bool has_more = !outputs_.empty() || nghttp2_session_want_write(library_) != 0;
    goes_on = goes_on || (!over_ && owed_.empty() && has_more);
  }
  return true;
}

Duration Http2Session::stream_patience() const {
  const Duration own = settings().stream_timeout;
  return own.count() > 0 ? own : client().timeout;
}

void Http2Session::finish_if_over() {
  if (over_ || !owed_.empty()) return;
  const bool wants_more =
      nghttp2_session_want_read(library_) != 0 || nghttp2_session_want_write(library_) != 0;
  if (wants_more ||
      std::ranges::any_of(streams_, [](const auto& each) { return each->is_detached(); }))
    return;
  // The library says nothing more after a client's mistake: whoever is still served has no client.
  if (!streams_.empty() && !std::exchange(ending_, true)) abandon_streams();
  over_ = true;
  if (wait_ != nullptr) wait_->wake(io::Woken::ready);
}

void Http2Session::drain() {
  if (std::exchange(drains_, true) || over_ || ending_) return;
  // First a word, and the last one when that has been heard: nothing on its way is lost.
  nghttp2_submit_shutdown_notice(library_);
  talk();
}

void Http2Session::say_goodbye() {
  if (over_ || ending_) return;
  wait_ = nullptr;
  ending_ = true;
  nghttp2_session_terminate_session(library_, NGHTTP2_NO_ERROR);
  send();
}

// --- time ----------------------------------------------------------------------------------------

Instant Http2Session::deadline() const {
  const config::ClientSettings& client = this->client();
  if (!owed_.empty()) return owed_since_ + client.timeout;
  if (head_began_ != never) {
    const Duration limit = client.read_header.first;
    return head_began_ + (limit.count() > 0 ? limit : client.timeout);
  }
  const bool is_fresh = facts_.requests_before == 0;
  const Duration patience = is_fresh ? client.timeout : client.keep_alive_timeout;
  if (streams_.empty()) return idle_since_ + patience;
  // Streams have times of their own; whether they are gone is looked at now and then.
  return core_.now() + std::max<Duration>(client.keep_alive_timeout, std::chrono::seconds(1));
}

void Http2Session::time_is_up() {
  if (over_ || core_.now() < deadline()) return;
  if (!owed_.empty() || ending_) return break_off();
  ending_ = true;
  nghttp2_session_terminate_session(library_, NGHTTP2_NO_ERROR);
  abandon_streams();
  talk();
}

io::Wait& Http2Session::wait_for_client(io::Wait& wait) {
  // Of a client that is sent away nothing more is read.
  if (!ending_) wait.readable(stream_);
  if (std::exchange(waits_for_room_, false)) {
    wait.writable(stream_);
    awaits_room_ = true;
  }
  return wait;
}

void Http2Session::wake_up() {
  wait_ = nullptr;
  if (std::exchange(awaits_room_, false)) talk();
}

}  // namespace steelyard::proxy
