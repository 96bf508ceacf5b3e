#include "proxy/client/http2_stream.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "http/chunked.hpp"
#include "http/connection_names.hpp"
#include "http/status.hpp"
#include "http/websocket_key.hpp"
#include "proxy/client/http2_callbacks.hpp"
#include "proxy/client/http2_session.hpp"
#include "proxy/client/serving.hpp"
#include "proxy/client_wish.hpp"
#include "proxy/named_host.hpp"

namespace steelyard::proxy {

namespace {

constexpr int switching_protocols = 101;
constexpr int early_hints = 103;

// RFC 9110 6.5.1: what decides about the message itself is no trailer.
bool may_trail(http::FieldId id) {
  using http::FieldId;
  return id != FieldId::content_length && id != FieldId::host && id != FieldId::transfer_encoding &&
         id != FieldId::trailer && id != FieldId::connection && id != FieldId::set_cookie;
}

// A tunnel's head brings its first words with it.
std::string_view head_of(std::string_view piece) {
  constexpr std::string_view head_end = "\r\n\r\n";
  const std::size_t end = piece.find(head_end);
  CHECK(end != std::string_view::npos);
  return piece.substr(0, end + head_end.size());
}

std::span<char> writable(const http::HeadText& text) {
  return {const_cast<char*>(text.view().data()), text.view().size()};
}

}  // namespace

Http2Stream::Http2Stream(Http2Session& session, std::int32_t id)
    : session_(session), id_(id), facts_(session.facts()), timer_(session.core().timers()) {
  facts_.http2_stream = static_cast<std::uint32_t>(id);
  facts_.requests_before = 0;
}

Http2Stream::~Http2Stream() = default;

void Http2Stream::begin_head() {
  workspace_ = session_.core().borrow_workspace();
  begin_exchange(exchange(), session_.core(), facts_);
  request_.begin(exchange().request, exchange().arena, session_.client().limits);
}

// --- the request ---------------------------------------------------------------------------------

void Http2Stream::begin_serving(bool has_body) {
  Exchange& x = exchange();
  const auto result = request_.finish(has_body);
  x.request_line = x.request.line;
  x.bytes.received = static_cast<std::int64_t>(x.request.head_bytes);
  chunked_ = x.request.body.kind == http::BodyFraming::Kind::chunked;
  using Kind = Http2RequestReader::Result::Kind;
  if (result.kind == Kind::tunnel) ask_for_tunnel(Wish::tunnel);
  if (result.kind == Kind::websocket) ask_for_websocket();
  if (result.kind == Kind::malformed) return session_.reset(*this, NGHTTP2_PROTOCOL_ERROR);
  if (result.kind == Kind::fault) refused_status_ = result.status;
  state_ = State::starting;
}

void Http2Stream::ask_for_tunnel(Wish wish) {
  wish_ = wish;
  facts_.opens_tunnel = true;
}

// As a client of HTTP/1 would, with a key that none of ours needs (RFC 8441 5.1).
void Http2Stream::ask_for_websocket() {
  ask_for_tunnel(Wish::websocket);
  Exchange& x = exchange();
  const auto& random = session_.core().parts.random;
  const http::WebsocketKey key = http::make_websocket_key(random(), random());
  x.request.fields.set("Sec-WebSocket-Key", x.arena.copy(key.asked));
  facts_.websocket_accept = x.arena.copy(key.accepted);
}

void Http2Stream::adopt(std::unique_ptr<Workspace> workspace) {
  workspace_ = std::move(workspace);
  Exchange& x = exchange();
  x.client = &facts_;
  http::RequestHead& head = x.request;
  head.received_version = {2, 0};
  head.connection = {};
  const http::ConnectionNames named(head.fields);
  if (!named.empty())
    head.fields.remove_if([&](const http::Field& row) { return named.contains(row.name); });
  for (const auto id :
       {http::FieldId::connection, http::FieldId::upgrade, http::FieldId::http2_settings})
    head.fields.remove(id);
  x.request_line = x.arena.join(head.method, " ", head.target.text, " HTTP/2.0");
  body_ended_ = true;
  state_ = State::starting;
}

void Http2Stream::add_trailer(std::string_view name, std::string_view value) {
  if (workspace_ == nullptr || wish_ != Wish::none || !may_trail(http::field_id(name))) return;
  Exchange& x = exchange();
  const std::size_t most = session_.client().limits.fields_max;
  if (most != 0 && x.request_trailers->size() >= most) return;
  x.request_trailers.write().add(camel_case(name, x.arena), x.arena.copy(value));
}

io::IoResult Http2Stream::read(std::span<char> room) {
  if (closed_) return {io::IoStatus::failed, 0, ECONNRESET};
  const std::size_t got = chunked_ ? read_chunks(room) : copy_received(room);
  if (got != 0) return {io::IoStatus::ok, got};
  if (is_tunnel_ && body_ended_) return {io::IoStatus::end};
  // Also at the end: whoever has sent all still listens, which an end would deny.
  readable_ = false;
  return {io::IoStatus::would_block};
}

std::size_t Http2Stream::copy_received(std::span<char> room) {
  const std::size_t bytes = std::min(room.size(), received_.data().size());
  if (bytes == 0) return 0;
  std::memcpy(room.data(), received_.data().data(), bytes);
  received_.consume(bytes);
  if (is_tunnel_ && received_.empty()) received_.release();  // it may be silent for hours
  session_.consumed(*this, bytes);
  return bytes;
}

void Http2Stream::put_prefix(std::string_view text) {
  CHECK(text.size() <= sizeof prefix_);
  std::memcpy(prefix_, text.data(), text.size());
  prefix_begin_ = 0;
  prefix_end_ = static_cast<std::uint8_t>(text.size());
}

// What came so far is one chunk.
std::size_t Http2Stream::read_chunks(std::span<char> room) {
  std::size_t got = 0;
  while (got < room.size()) {
    const std::span<char> rest = room.subspan(got);
    if (prefix_begin_ != prefix_end_) {
      const std::size_t bytes = std::min<std::size_t>(rest.size(), prefix_end_ - prefix_begin_);
      std::memcpy(rest.data(), prefix_ + prefix_begin_, bytes);
      prefix_begin_ = static_cast<std::uint8_t>(prefix_begin_ + bytes);
      got += bytes;
    } else if (chunk_left_ != 0) {
      const std::size_t bytes = copy_received(rest.first(std::min(rest.size(), chunk_left_)));
      chunk_left_ -= bytes;
      got += bytes;
      if (chunk_left_ == 0) put_prefix(http::chunk_end);
    } else if (!received_.empty()) {
      chunk_left_ = received_.data().size();
      std::array<char, http::chunk_head_bytes_max> head;
      put_prefix(http::write_chunk_head(head, chunk_left_));
    } else if (body_ended_ && !std::exchange(said_last_chunk_, true)) {
      put_prefix(http::last_chunk);
    } else {
      break;
    }
  }
  return got;
}

// --- the answer ----------------------------------------------------------------------------------

io::IoResult Http2Stream::write(std::span<const std::string_view> pieces) {
  if (closed_ || broken_) return {io::IoStatus::failed, 0, ECONNRESET};
  const std::size_t most = session_.settings().stream_buffer_bytes;
  std::size_t taken = 0;
  for (std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (!has_head_) {
      const std::string_view head = wish_ != Wish::none ? head_of(piece) : piece;
      take_head(head);
      taken += head.size();
      piece.remove_prefix(head.size());
      if (piece.empty()) continue;
    }
    const std::size_t room = most - std::min(most, unsent_.data().size());
    unsent_.append(piece.substr(0, room));
    taken += std::min(room, piece.size());
    if (room < piece.size()) break;
  }
  session_.note_output(*this);
  if (taken != 0) return {io::IoStatus::ok, taken};
  writable_ = false;
  return {io::IoStatus::would_block};
}

// Success is said of tunnels alone (ClientFacts::opens_tunnel).
bool Http2Stream::grants_wish(int status) const {
  return wish_ == Wish::websocket ? status == switching_protocols
                                  : wish_ == Wish::tunnel && http::is_success(status);
}

// A whole head, as all who write one offer it.
void Http2Stream::take_head(std::string_view text) {
  head_.clear();
  head_.append(text);
  const int status = Http2Fields::status_of(text);
  is_tunnel_ = grants_wish(status);
  // A client that had said all before is at its end now (see read()).
  if (is_tunnel_) readable_ = true;
  if (is_tunnel_ && wish_ == Wish::websocket) Http2Fields::set_status(writable(head_), "200");
  has_head_ = is_tunnel_ || !http::is_interim(status);
  if (has_head_ || (status == early_hints && !session_.settings().passes_early_hints)) return;
  fields_.read_head(writable(head_));
  nghttp2_submit_headers(session_.library(), NGHTTP2_FLAG_NONE, id_, nullptr, fields_.rows().data(),
                         fields_.rows().size(), nullptr);
}

void Http2Stream::end_writing() {
  if (std::exchange(ended_, true)) return;
  keep_trailers();
  session_.note_output(*this);
}

// The exchange's memory may be gone when they are sent.
void Http2Stream::keep_trailers() {
  const Exchange& x = exchange();
  if (x.own_answer) return;
  for (const http::Field& field : *x.response_trailers)
    if (may_trail(field.id)) trailers_.append_field(field);
}

bool Http2Stream::hand_over() {
  if (closed_ || !has_head_) return true;
  if (submitted_) {
    const bool goes_on = deferred_ && (!unsent_.empty() || ended_);
    if (!goes_on) return true;
    deferred_ = false;
    return nghttp2_session_resume_data(session_.library(), id_) == 0;
  }
  submitted_ = true;
  fields_.read_head(writable(head_));
  nghttp2_data_provider body{{.ptr = nullptr}, http2_body_source()};
  const bool is_empty = ended_ && unsent_.empty() && trailers_.size() == 0;
  const int result = nghttp2_submit_response(session_.library(), id_, fields_.rows().data(),
                                             fields_.rows().size(), is_empty ? nullptr : &body);
  if (is_tunnel_) {
    head_.release();
    fields_ = {};
  }
  return result == 0;
}

Http2Stream::Piece Http2Stream::next_piece(std::size_t bytes_max) {
  Piece piece;
  piece.bytes = std::min(bytes_max, unsent_.data().size());
  piece.ends = ended_ && piece.bytes == unsent_.data().size();
  piece.has_trailers = trailers_.size() != 0;
  deferred_ = piece.bytes == 0 && !piece.ends;
  return piece;
}

std::span<const nghttp2_nv> Http2Stream::trailers() {
  fields_.read_trailers(writable(trailers_));
  return fields_.rows();
}

void Http2Stream::sent(std::size_t bytes) {
  unsent_.consume(bytes);
  if (is_tunnel_ && unsent_.empty()) unsent_.release();
  if (patience_.count() != 0)
    stall_.arm(session_.core().timers(), session_.core().now() + patience_);
  if (!writable_ && unsent_.data().size() <= session_.settings().stream_buffer_bytes / 2)
    session_.note_news(*this);
}

void Http2Stream::watch_for_stall(Duration patience) {
  if (std::exchange(patience_, patience).count() != 0) return;
  stall_.arm(session_.core().timers(), session_.core().now() + patience);
}

void Http2Stream::Stall::expired() { stream_.session_.reset(stream_, NGHTTP2_CANCEL); }

// --- its life ------------------------------------------------------------------------------------

void Http2Stream::leave(std::uint32_t code) {
  const bool ended_in_order = code == NGHTTP2_NO_ERROR && body_ended_ && ended_;
  is_detached_ = is_tunnel_ && is_serving() && ended_in_order && session_.may_detach();
  closed_ = !is_detached_;
}

bool Http2Stream::heed_news() {
  if (closed_ || (is_detached_ && is_served())) {
    abandon();
    return false;
  }
  if (state_ == State::starting) {
    state_ = State::serving;
    life_ = live();
    life_.start();
    return true;
  }
  if (state_ != State::serving) return true;
  const bool has_room = unsent_.data().size() <= session_.settings().stream_buffer_bytes / 2;
  became(!received_.empty() || body_ended_, has_room && !writable_);
  return true;
}

io::Task<> Http2Stream::live() {
  bool received_all = false;
  if (refused_status_ != 0) {
    co_await answer_fault();
  } else {
    Serving::End served = co_await Serving::serve(session_.core(), side());
    if (served.tunnel) co_await served.tunnel->run(session_.core(), side());
    received_all = served.received_all;
  }
  wind_up((received_all && wish_ == Wish::none) || body_ended_);
}

io::Task<> Http2Stream::answer_fault() {
  Exchange& x = exchange();
  choose_server(x);
  x.path = x.request.target.path;
  prepare_local_answer(x, session_.core(), {.status = refused_status_});
  co_await Serving(session_.core(), side()).send_answer();
}

// What stands for a reset of the other connection: RFC 9113 8.5, of a WebSocket RFC 8441 5.
std::uint32_t Http2Stream::reason_to_reset(bool asks_for_http1) const {
  if (is_tunnel_) return wish_ == Wish::websocket ? NGHTTP2_CANCEL : NGHTTP2_CONNECT_ERROR;
  return asks_for_http1 ? NGHTTP2_HTTP_1_1_REQUIRED : NGHTTP2_INTERNAL_ERROR;
}

void Http2Stream::wind_up(bool received_all) {
  Exchange& x = exchange();
  // A tunnel that was idle for too long ends as one that was closed (httpd).
  if (is_tunnel_ && !broken_) end_writing();
  const bool is_whole = ended_ && !broken_ && !x.broken_off;
  wants_no_more_ = !received_all;
  const bool asks_for_http1 = x.notes.has(renegotiation_note);
  const bool is_outdated = x.notes.has(outdated_note);
  finish_exchange(x, session_.core());
  session_.core().give_back(std::move(workspace_));
  state_ = State::served;
  // What nobody reads any more must not keep the connection's window small.
  session_.consumed(*this, received_.data().size());
  received_.release();
  if (!is_whole && !is_detached_) session_.reset(*this, reason_to_reset(asks_for_http1));
  if (is_detached_) session_.note_news(*this);
  session_.note_served(*this);
  if (is_outdated) session_.drain();
}

// The client gave the stream up, or is gone.
void Http2Stream::abandon() {
  const bool was_serving = state_ == State::serving;
  life_ = io::Task<>();
  if (workspace_ == nullptr) return;
  Exchange& x = exchange();
  if (was_serving) {
    constexpr int bad_request = 400;  // as of an HTTP/1 client that left
    x.client_gone = true;
    if (x.status == 0) x.status = bad_request;
    finish_exchange(x, session_.core());
  }
  session_.core().give_back(std::move(workspace_));
  session_.consumed(*this, received_.data().size());
  received_.release();
  state_ = State::served;
}

}  // namespace steelyard::proxy
