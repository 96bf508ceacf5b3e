#include "proxy/backend/http2_carrier.hpp"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>

#include "base/check.hpp"
#include "base/json_text.hpp"
#include "base/text.hpp"
#include "proxy/http2_text.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

// Frames are gathered up to so many bytes before they go to the stream below.
constexpr std::size_t batch_bytes = 16 * 1024;
// The connection's window is never what holds a member back (invariant 3); the lanes' are.
constexpr std::int32_t connection_window_bytes = (1 << 30) - 1;

// What members say is shown up to so many bytes.
constexpr std::size_t shown_bytes_max = 200;

std::string words_of(const io::IoResult& result) {
  if (result.status == io::IoStatus::end || result.error == 0) return "it ended the connection";
  return fmt::format("({}){}", result.error, std::generic_category().message(result.error));
}

std::string_view name_of(std::uint32_t code) { return nghttp2_http2_strerror(code); }

// A member's words, so that neither a line's end nor a terminal is fooled.
std::string shown(std::string_view words) {
  std::string text;
  append_json_string(words.substr(0, shown_bytes_max), text);
  return text;
}

std::string words_of(const nghttp2_goaway& said) {
  std::string words = fmt::format("it said GOAWAY: {}", name_of(said.error_code));
  if (said.opaque_data_len != 0)
    words += " " + shown(text_of(said.opaque_data, said.opaque_data_len));
  return words;
}

std::vector<nghttp2_nv> rows_of(const http::FieldList& fields) {
  std::vector<nghttp2_nv> rows;
  rows.reserve(fields.size());
  for (const http::Field& field : fields) {
    rows.push_back({bytes_of(field.name), bytes_of(field.value), field.name.size(),
                    field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return rows;
}

}  // namespace

std::unique_ptr<BackendConnection> lane_on(std::shared_ptr<Http2Carrier> carrier) {
  auto connection = std::make_unique<BackendConnection>();
  connection->stream = std::make_unique<Http2Lane>(std::move(carrier));
  return connection;
}

// What the library calls. A lane that is gone has left no pointer behind.
struct Http2Carrier::Calls {
  static Http2Lane* lane_of(nghttp2_session* session, std::int32_t id) {
    return static_cast<Http2Lane*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static bool is_head(const nghttp2_frame& frame) { return frame.hd.type == NGHTTP2_HEADERS; }

  static int begin_head(nghttp2_session* session, const nghttp2_frame* frame, void* /*carrier*/) {
    Http2Lane* const lane = is_head(*frame) ? lane_of(session, frame->hd.stream_id) : nullptr;
    return lane == nullptr || lane->begin_head() ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int take_field(nghttp2_session* session, const nghttp2_frame* frame,
                        const std::uint8_t* name, std::size_t name_bytes, const std::uint8_t* value,
                        std::size_t value_bytes, std::uint8_t /*flags*/, void* /*carrier*/) {
    Http2Lane* const lane = is_head(*frame) ? lane_of(session, frame->hd.stream_id) : nullptr;
    if (lane == nullptr) return 0;
    return lane->add_field(text_of(name, name_bytes), text_of(value, value_bytes))
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int take_data(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                       const std::uint8_t* data, std::size_t count, void* /*carrier*/) {
    nghttp2_session_consume_connection(session, count);
    if (Http2Lane* const lane = lane_of(session, id)) lane->add_data(text_of(data, count));
    return 0;
  }

  static int take_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    auto& carrier = *static_cast<Http2Carrier*>(user);
    const bool acknowledges = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_SETTINGS && !acknowledges) {
      carrier.settled_ = true;
      carrier.tell_of_room();
    }
    if (frame->hd.type == NGHTTP2_WINDOW_UPDATE && frame->hd.stream_id == 0) carrier.tell_of_room();
    if (frame->hd.type == NGHTTP2_GOAWAY) carrier.goaway_ = words_of(frame->goaway);
    if (frame->hd.type == NGHTTP2_PING && acknowledges) {
      for (Http2Lane* const lane : carrier.lanes_) {
        lane->heard_ping_ = true;
        carrier.stir(*lane, true, true);
      }
    }
    Http2Lane* const lane = lane_of(session, frame->hd.stream_id);
    if (lane == nullptr) return 0;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
      lane->why_ = fmt::format("it reset the stream: {}", name_of(frame->rst_stream.error_code));
    if (is_head(*frame)) {
      carrier.answered_ = true;
      lane->end_head(ends);
    }
    if (ends && (is_head(*frame) || frame->hd.type == NGHTTP2_DATA)) lane->end();
    return 0;
  }

  static int close_stream(nghttp2_session* session, std::int32_t id, std::uint32_t code,
                          void* user) {
    auto& carrier = *static_cast<Http2Carrier*>(user);
    if (Http2Lane* const lane = lane_of(session, id)) {
      lane->id_ = 0;
      using Fate = Http2Lane::Fate;
      const Fate fate = code == NGHTTP2_REFUSED_STREAM ? Fate::refused
                        : code == NGHTTP2_NO_ERROR     ? Fate::left_in_peace
                                                       : Fate::reset;
      lane->close(fate, fate == Fate::refused ? carrier.goaway_ : std::string());
    }
    return 0;
  }

  // What the library says of a peer's mistake, before it tells which frame that is in. It quotes
  // fields: their names are shown, not what a member's answer says in them.
  static int take_fault(nghttp2_session* /*session*/, int /*code*/, const char* text,
                        std::size_t bytes, void* user) {
    const std::string_view words(text, bytes);
    static_cast<Http2Carrier*>(user)->fault_ = shown(words.substr(0, words.find(", value: [")));
    return 0;
  }

  // The stream is reset for it, or the connection ends.
  static int take_wrong_frame(nghttp2_session* session, const nghttp2_frame* frame, int code,
                              void* user) {
    auto& carrier = *static_cast<Http2Carrier*>(user);
    if (carrier.fault_.empty())
      carrier.fault_ =
          fmt::format("a wrong frame of type {}: {}", frame->hd.type, nghttp2_strerror(code));
    Http2Lane* const lane = lane_of(session, frame->hd.stream_id);
    if (lane != nullptr && lane->why_.empty()) lane->why_ = carrier.fault_;
    return 0;
  }

  static ssize_t give_data(nghttp2_session* session, std::int32_t id, std::uint8_t* room,
                           std::size_t bytes, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                           void* /*carrier*/) {
    Http2Lane* const lane = lane_of(session, id);
    if (lane == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    bool over = false;
    const std::size_t given = lane->give(reinterpret_cast<char*>(room), bytes, over);
    if (over) {
      lane->request_ = Http2Lane::Request::sent;
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!lane->trailers_.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto rows = rows_of(lane->trailers_);
        nghttp2_submit_trailer(session, id, rows.data(), rows.size());
      }
    } else if (given == 0) {
      lane->out_waits_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(given);
  }

  static nghttp2_session_callbacks* all() {
    static nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* callbacks = nullptr;
      CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_head);
      nghttp2_session_callbacks_set_on_header_callback(callbacks, take_field);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, take_data);
      nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, take_frame);
      nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, close_stream);
      nghttp2_session_callbacks_set_error_callback2(callbacks, take_fault);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, take_wrong_frame);
      return callbacks;
    }();
    return made;
  }
};

std::shared_ptr<Http2Carrier> Http2Carrier::begin(std::unique_ptr<BackendConnection> connection,
                                                  io::Loop& loop, const LaneRoom& expected) {
  auto carrier = std::make_shared<Http2Carrier>(std::move(connection), loop, expected);
  carrier->flush();
  // The member's settings may have come with its handshake.
  carrier->receive();
  carrier->flush();
  return carrier;
}

Http2Carrier::Http2Carrier(std::unique_ptr<BackendConnection> connection, io::Loop& loop,
                           const LaneRoom& expected)
    : loop_(loop), connection_(std::move(connection)), rests_since_(loop.now()), room_(expected) {
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_max_deflate_dynamic_table_size(option, 4096);
  // A head that our own limits let in goes out (the library's would be 64 KiB).
  nghttp2_option_set_max_send_header_block_length(option, 2 * head_buffer_bytes_max);
  CHECK(nghttp2_session_client_new2(&session_, Calls::all(), this, option) == 0);
  nghttp2_option_del(option);
  const std::array settings{
      nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, lane_window_bytes},
      nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, lane_head_bytes_max}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, connection_window_bytes);
  below().set_idle_watcher(this);
}

Http2Carrier::~Http2Carrier() {
  CHECK(lanes_.empty());
  keeper_ = nullptr;
  // As far as it goes at once.
  if (!broken_) nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
  flush();
  below().set_idle_watcher(nullptr);
  nghttp2_session_del(session_);
}

LaneRoom Http2Carrier::room() const {
  LaneRoom room = room_;
  if (settled_)
    room.by_settings =
        nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return room;
}

bool Http2Carrier::takes_more(bool sends_body) const {
  if (broken_ || lanes_.size() >= room().lanes() || makes_way()) return false;
  if (sends_body && nghttp2_session_get_remote_window_size(session_) <= 0) return false;
  return nghttp2_session_check_request_allowed(session_) != 0;
}

bool Http2Carrier::will_have_room() const {
  if (broken_ || nghttp2_session_check_request_allowed(session_) == 0) return false;
  const std::size_t most = room().lanes();
  return lanes_.size() < most || (most != 0 && !lasts(*lanes_.back()));
}

void Http2Carrier::watch_lanes() {
  if (lasting_.deadline() == never && !lanes_.empty())
    lasting_.arm(loop_.timers(), lanes_.front()->entered_ + lasting_lane);
}

// Members count differently from us, and change their minds: what one refused shows how many it
// looks at.
bool Http2Carrier::note_refusal() {
  const auto under_way = static_cast<std::size_t>(
      std::ranges::count_if(lanes_, [](const Http2Lane* lane) { return !lane->is_closed(); }));
  if (under_way == 0) return false;
  room_.by_refusals = under_way;
  return true;
}

void Http2Carrier::tell_of_room() {
  if (keeper_ != nullptr && !broken_) keeper_->carrier_has_room(*this);
}

void Http2Carrier::enter(Http2Lane& lane) {
  lanes_.push_back(&lane);
  lane.entered_ = loop_.now();
  if (broken_) return lane.close(Http2Lane::Fate::refused);
  note_passed_over();
}

void Http2Carrier::note_passed_over() {
  if (keeper_ == nullptr || !keeper_->slot_is_wanted_elsewhere()) {
    passed_over_ = 0;
    return;
  }
  if (has_lasting_lane()) return;
  ++passed_over_;
  watch_lanes();
}

bool Http2Carrier::lasts(const Http2Lane& lane) const {
  return loop_.now() - lane.entered_ >= lasting_lane;
}

// The oldest is in front.
bool Http2Carrier::has_lasting_lane() const { return !lanes_.empty() && lasts(*lanes_.front()); }

void Http2Carrier::look_for_lasting() {
  if (has_lasting_lane()) {
    passed_over_ = 0;
    tell_of_room();
  }
  const auto next =
      std::ranges::find_if(lanes_, [this](const Http2Lane* lane) { return !lasts(*lane); });
  if (next != lanes_.end()) lasting_.arm(loop_.timers(), (*next)->entered_ + lasting_lane);
}

void Http2Carrier::leave(Http2Lane& lane) {
  std::erase(lanes_, &lane);
  if (lane.id_ != 0 && !broken_) {
    nghttp2_session_set_stream_user_data(session_, lane.id_, nullptr);
    const bool complete = lane.ended_ && lane.request_ == Http2Lane::Request::sent;
    if (!complete)
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, lane.id_,
                                lane.ended_ ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
    flush();
  }
  if (lanes_.empty()) {
    room_.by_refusals = lanes_max;
    rests_since_ = loop_.now();
  }
  tell_of_room();
  if (lanes_.empty() && keeper_ != nullptr) keeper_->carrier_rests(*this);
}

void Http2Carrier::ask(Http2Lane& lane, const http::FieldList& head, bool ends) {
  if (broken_) return;
  const auto rows = rows_of(head);
  nghttp2_data_provider provider{};
  provider.read_callback = Calls::give_data;
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, rows.data(), rows.size(),
                                                 ends ? nullptr : &provider, &lane);
  if (id < 0) return lane.close(Http2Lane::Fate::refused);
  lane.id_ = id;
  flush();
}

void Http2Carrier::go_on_sending(Http2Lane& lane) {
  if (broken_ || lane.id_ == 0) return;
  if (std::exchange(lane.out_waits_, false)) nghttp2_session_resume_data(session_, lane.id_);
  flush();
}

void Http2Carrier::consumed(const Http2Lane& lane, std::size_t bytes) {
  if (broken_ || lane.id_ == 0) return;
  nghttp2_session_consume_stream(session_, lane.id_, bytes);
  flush();
}

void Http2Carrier::ping() {
  if (broken_) return;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  flush();
}

// Frames into out_, up to a batch.
void Http2Carrier::gather() {
  in_library_ = true;
  while (out_.size() < batch_bytes) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
    if (count < 0) broken_ = true;
    if (count <= 0) break;
    out_.append(text_of(bytes, static_cast<std::size_t>(count)));
  }
  in_library_ = false;
}

void Http2Carrier::flush() {
  if (in_library_ || broken_) return;
  while (true) {
    if (out_begin_ == out_.size()) {
      out_.clear();
      out_begin_ = 0;
      gather();
      if (broken_) return break_off();
      if (out_.empty()) break;
    }
    const std::string_view pieces[] = {std::string_view(out_).substr(out_begin_)};
    const io::IoResult result = below().write(pieces);
    if (result.status == io::IoStatus::would_block) break;
    if (result.status != io::IoStatus::ok) return break_off(words_of(result));
    out_begin_ += result.bytes;
  }
  const bool is_over = nghttp2_session_want_read(session_) == 0 &&
                       nghttp2_session_want_write(session_) == 0 && out_begin_ == out_.size();
  if (is_over) break_off();
}

void Http2Carrier::receive() {
  std::array<char, batch_bytes> room;
  std::size_t bytes = 0;
  while (!broken_) {
    if (bytes >= relay_bytes_a_turn) {
      if (std::exchange(reads_later_, true)) return;
      loop_.post([self = weak_from_this()] {
        const auto carrier = self.lock();
        if (carrier == nullptr) return;
        carrier->reads_later_ = false;
        carrier->idle_stream_became(carrier->below(), true, false);
      });
      return;
    }
    const io::IoResult result = below().read(room);
    if (result.status == io::IoStatus::would_block) return;
    if (result.status != io::IoStatus::ok) return break_off(words_of(result));
    bytes += result.bytes;
    in_library_ = true;
    const ssize_t taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(room.data()), result.bytes);
    in_library_ = false;
    if (taken < 0) return break_off(nghttp2_strerror(static_cast<int>(taken)));
  }
}

void Http2Carrier::idle_stream_became(io::Stream& /*stream*/, bool readable, bool /*writable*/) {
  const auto self = shared_from_this();
  wakes_later_ = true;  // here, below
  if (readable) receive();
  flush();
  fault_.clear();  // it ended the connection, or a stream, or nothing
  wake_stirred();
  if (!goaway_.empty()) tell_of_room();
  if (broken_ && keeper_ != nullptr) keeper_->carrier_ended(*this);
}

// Whoever is on its stack may still use it: lanes are told, the keeper is when they are.
// What the member said last tells more than how the connection ended then.
void Http2Carrier::break_off(std::string_view why) {
  broken_ = true;
  why_ = !fault_.empty() ? fault_ : !goaway_.empty() ? goaway_ : std::string(why);
  for (Http2Lane* const lane : lanes_) lane->close(Http2Lane::Fate::lost);
  wake_later();
}

void Http2Carrier::stir(Http2Lane& lane, bool readable, bool writable) {
  lane.stirred_read_ = lane.stirred_read_ || readable;
  lane.stirred_write_ = lane.stirred_write_ || writable;
  wake_later();
}

// From within a lane's call others must not run; an event's end, or the turn's, is soon enough.
void Http2Carrier::wake_later() {
  if (std::exchange(wakes_later_, true)) return;
  loop_.defer([self = weak_from_this()] {
    const auto carrier = self.lock();
    if (carrier == nullptr) return;
    carrier->wake_stirred();
    if (carrier->broken_ && carrier->keeper_ != nullptr) carrier->keeper_->carrier_ended(*carrier);
  });
}

// Each may end others, or itself.
void Http2Carrier::wake_stirred() {
  wakes_later_ = false;
  const std::vector<Http2Lane*> all = lanes_;
  for (Http2Lane* const lane : all) {
    if (std::ranges::find(lanes_, lane) == lanes_.end()) continue;
    const bool readable = std::exchange(lane->stirred_read_, false);
    const bool writable = std::exchange(lane->stirred_write_, false);
    if (readable || writable) lane->became(readable, writable);
  }
}

}  // namespace steelyard::proxy
