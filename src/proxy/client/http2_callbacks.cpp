#include "proxy/client/http2_callbacks.hpp"

#include <string_view>

#include "base/check.hpp"
#include "proxy/client/http2_session.hpp"
#include "proxy/http2_text.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

// The library holds at most so many answers to PING and SETTINGS before it gives a client up.
constexpr std::size_t waiting_acks_max = 100;
// Frames that go on with a head (CONTINUATION), of one head.
constexpr std::size_t continuations_max = 64;
constexpr unsigned first_unknown_kind = 0x0a;

// What a GOAWAY names that only announces another (RFC 9113 6.8).
constexpr std::int32_t notice_stream_id = 0x7fffffff;

bool moves_something(const nghttp2_frame_hd& head) {
  switch (head.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_RST_STREAM:  // counted by itself
    case NGHTTP2_GOAWAY:
    case NGHTTP2_WINDOW_UPDATE:
      return true;
    case NGHTTP2_DATA:
      return head.length != 0 || (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING:
      return (head.flags & NGHTTP2_FLAG_ACK) != 0;
    default:
      return false;
  }
}

}  // namespace

struct Http2Callbacks {
  static Http2Session& session_of(void* user) { return *static_cast<Http2Session*>(user); }
  static Http2Stream* stream_of(nghttp2_session* library, std::int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(library, id));
  }

  static int begin_frame(nghttp2_session* /*library*/, const nghttp2_frame_hd* head, void* user) {
    Http2Session& session = session_of(user);
    session.frame_brought_data_ = false;
    if (moves_something(*head) || spend_idle_frame(session)) return 0;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  // False: that was one too many.
  static bool spend_idle_frame(Http2Session& session) {
    if (session.idle_frames_.spend(session.core_.now())) return true;
    session.give_up_code_ = NGHTTP2_ENHANCE_YOUR_CALM;
    return false;
  }

  // A frame of a kind that nobody knows; begin_frame() has counted it.
  static int pass_over(nghttp2_session* /*library*/, void** /*payload*/,
                       const nghttp2_frame_hd* /*head*/, void* /*user*/) {
    return NGHTTP2_ERR_CANCEL;
  }

  static int begin_headers(nghttp2_session* /*library*/, const nghttp2_frame* frame, void* user) {
    Http2Session& session = session_of(user);
    session.head_began_ = session.core_.now();
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) session.open(frame->hd.stream_id);
    return 0;
  }

  static int header(nghttp2_session* library, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                    std::uint8_t /*flags*/, void* user) {
    Http2Stream* const stream = stream_of(library, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const std::string_view name_text = text_of(name, name_bytes);
    const std::string_view value_text = text_of(value, value_bytes);
    if (!stream->is_reading_head()) {
      stream->add_trailer(name_text, value_text);
      return 0;
    }
    if (stream->request().add(name_text, value_text)) return 0;
    session_of(user).give_up_code_ = NGHTTP2_ENHANCE_YOUR_CALM;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  // One that the library would pass over: the message is malformed all the same.
  static int invalid_header(nghttp2_session* /*library*/, const nghttp2_frame* /*frame*/,
                            const std::uint8_t* /*name*/, std::size_t /*name_bytes*/,
                            const std::uint8_t* /*value*/, std::size_t /*value_bytes*/,
                            std::uint8_t /*flags*/, void* /*user*/) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int frame_received(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
    Http2Session& session = session_of(user);
    const nghttp2_frame_hd& head = frame->hd;
    if (head.type == NGHTTP2_PING && (head.flags & NGHTTP2_FLAG_ACK) != 0 && session.drains_) {
      // What was on its way when we asked the client to go has arrived.
      nghttp2_submit_goaway(library, NGHTTP2_FLAG_NONE,
                            nghttp2_session_get_last_proc_stream_id(library), NGHTTP2_NO_ERROR,
                            nullptr, 0);
      return 0;
    }
    if (head.type == NGHTTP2_RST_STREAM)
      return client_reset(session, stream_of(library, head.stream_id));
    if (head.type != NGHTTP2_HEADERS && head.type != NGHTTP2_DATA) return 0;
    Http2Stream* const stream = stream_of(library, head.stream_id);
    if (head.type == NGHTTP2_HEADERS) session.head_began_ = never;
    if (stream == nullptr) return 0;
    // RFC 9113 8.5: of the frames of messages DATA alone belongs on a connected stream.
    if (head.type == NGHTTP2_HEADERS && stream->asks_for_tunnel()) {
      session.reset(*stream, NGHTTP2_PROTOCOL_ERROR);
      return 0;
    }
    const bool ends = (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const bool is_padding =
        head.type == NGHTTP2_DATA && !ends && head.length != 0 && !session.frame_brought_data_;
    if (is_padding && !spend_idle_frame(session)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (ends) stream->end_body();
    if (stream->is_reading_head()) {
      stream->begin_serving(!ends);
    }
    session.note_news(*stream);
    return 0;
  }

  static int client_reset(Http2Session& session, const Http2Stream* stream) {
    const bool is_cheap = stream == nullptr || stream->is_served();
    if (is_cheap ? session.idle_frames_.spend(session.core_.now())
                 : session.resets_.spend(session.core_.now()))
      return 0;
    session.give_up_code_ = NGHTTP2_ENHANCE_YOUR_CALM;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int data_chunk(nghttp2_session* library, std::uint8_t /*flags*/, std::int32_t id,
                        const std::uint8_t* data, std::size_t bytes, void* user) {
    Http2Stream* const stream = stream_of(library, id);
    session_of(user).frame_brought_data_ = true;
    if (stream == nullptr || stream->is_served()) {
      // Nobody reads it; the connection's window must not run dry.
      nghttp2_session_consume(library, id, bytes);
      return 0;
    }
    stream->take_data(text_of(data, bytes));
    session_of(user).note_news(*stream);
    return 0;
  }

  static int stream_closed(nghttp2_session* library, std::int32_t id, std::uint32_t code,
                           void* user) {
    Http2Stream* const stream = stream_of(library, id);
    if (stream == nullptr) return 0;
    nghttp2_session_set_stream_user_data(library, id, nullptr);
    stream->leave(code);
    session_of(user).note_news(*stream);
    return 0;
  }

  // What we make of a client's mistakes counts as its doing, or it would have us do the resetting.
  static int frame_sent(nghttp2_session* library, const nghttp2_frame* frame, void* user) {
    Http2Session& session = session_of(user);
    const nghttp2_frame_hd& head = frame->hd;
    if (head.type == NGHTTP2_RST_STREAM) {
      const std::uint32_t code = frame->rst_stream.error_code;
      const bool is_mistake = code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_STREAM_CLOSED ||
                              code == NGHTTP2_FLOW_CONTROL_ERROR ||
                              code == NGHTTP2_FRAME_SIZE_ERROR || code == NGHTTP2_REFUSED_STREAM;
      if (!is_mistake) return 0;
      const std::uint32_t most = session.settings().stream_errors_max;
      if (code != NGHTTP2_REFUSED_STREAM && most != 0 && ++session.stream_errors_ > most)
        session.give_up_code_ = NGHTTP2_PROTOCOL_ERROR;
      if (!session.resets_.spend(session.core_.now()))
        session.give_up_code_ = NGHTTP2_ENHANCE_YOUR_CALM;
      return 0;
    }
    if (head.type == NGHTTP2_GOAWAY && session.drains_ &&
        frame->goaway.last_stream_id == notice_stream_id) {
      // Its answer tells that the notice was heard.
      nghttp2_submit_ping(library, NGHTTP2_FLAG_NONE, nullptr);
      return 0;
    }
    const bool ends = (head.type == NGHTTP2_HEADERS || head.type == NGHTTP2_DATA) &&
                      (head.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!ends || nghttp2_session_get_stream_remote_close(library, head.stream_id) != 0) return 0;
    const Http2Stream* const stream = stream_of(library, head.stream_id);
    // RFC 9113 8.1: the answer is whole; the rest of the request would be read for nothing.
    if (stream != nullptr && stream->wants_no_more())
      nghttp2_submit_rst_stream(library, NGHTTP2_FLAG_NONE, head.stream_id, NGHTTP2_NO_ERROR);
    return 0;
  }

  // A head that is too long, mostly: the client must not wait for it.
  static int frame_not_sent(nghttp2_session* library, const nghttp2_frame* frame, int /*error*/,
                            void* /*user*/) {
    if (frame->hd.type == NGHTTP2_HEADERS)
      nghttp2_submit_rst_stream(library, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  static ssize_t read_body(nghttp2_session* library, std::int32_t id, std::uint8_t* /*room*/,
                           std::size_t room_bytes, std::uint32_t* flags,
                           nghttp2_data_source* /*source*/, void* user) {
    Http2Stream* const found = stream_of(library, id);
    if (found == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    Http2Stream& stream = *found;
    std::size_t most = room_bytes;
    if (const std::uint32_t limit = session_of(user).settings().data_frame_bytes_max; limit != 0)
      most = std::min<std::size_t>(most, limit);
    const Http2Stream::Piece piece = stream.next_piece(most);
    if (piece.bytes == 0 && !piece.ends) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (piece.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (piece.ends && piece.has_trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto rows = stream.trailers();
      if (nghttp2_submit_trailer(library, id, rows.data(), rows.size()) != 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return static_cast<ssize_t>(piece.bytes);
  }

  static int send_body(nghttp2_session* library, nghttp2_frame* frame,
                       const std::uint8_t* frame_head, std::size_t bytes,
                       nghttp2_data_source* /*source*/, void* user) {
    constexpr std::size_t frame_head_bytes = 9;
    Http2Stream* const stream = stream_of(library, frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::string& out = *session_of(user).gathering_;
    if (out.size() >= http2_piece_bytes) return NGHTTP2_ERR_WOULDBLOCK;
    out.append(text_of(frame_head, frame_head_bytes));
    out.append(stream->unsent().substr(0, bytes));
    stream->sent(bytes);
    return 0;
  }
};

namespace {

// Made once and shared by all sessions.
const nghttp2_session_callbacks* http2_callbacks() {
  static nghttp2_session_callbacks* const made = [] {
    nghttp2_session_callbacks* callbacks = nullptr;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    using Calls = Http2Callbacks;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Calls::begin_frame);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, Calls::pass_over);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Calls::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, Calls::header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, Calls::invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Calls::frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Calls::data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Calls::stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Calls::frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Calls::frame_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, Calls::send_body);
    return callbacks;
  }();
  return made;
}

}  // namespace

nghttp2_session* make_http2_library(const config::Http2Settings& settings, void* user) {
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_outbound_ack(option, waiting_acks_max);
  nghttp2_option_set_max_continuations(option, continuations_max);
  // Only of kinds that somebody wants the library says that one begins (RFC 9113 5.5).
  for (unsigned kind = first_unknown_kind; kind <= 0xff; ++kind)
    nghttp2_option_set_user_recv_extension_type(option, static_cast<std::uint8_t>(kind));
  if (settings.head_bytes_max != 0)
    nghttp2_option_set_max_send_header_block_length(option, settings.head_bytes_max);
  nghttp2_session* library = nullptr;
  CHECK(nghttp2_session_server_new2(&library, http2_callbacks(), user, option) == 0);
  nghttp2_option_del(option);
  return library;
}

nghttp2_data_source_read_callback http2_body_source() { return Http2Callbacks::read_body; }

}  // namespace steelyard::proxy
