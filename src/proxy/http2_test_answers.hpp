#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"

// What an HTTP/2 client on the simulated network heard, stream by stream. For tests only.

namespace steelyard::proxy {

struct Http2TestAnswers {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Answer {
    std::vector<Fields> heads;  // interim ones, then the final one, then trailers
    std::string body;
    bool ended = false;
    std::optional<std::uint32_t> reset;
    std::string value(const std::string& name) const {
      for (const Fields& head : heads)
        for (const auto& [each, text] : head)
          if (each == name) return text;
      return {};
    }
  };

  std::map<std::int32_t, Answer> by_stream;
  std::optional<std::uint32_t> goaway;

  // Of a session whose user data these are; to be deleted by the caller.
  static nghttp2_session_callbacks* callbacks() {
    nghttp2_session_callbacks* calls = nullptr;
    CHECK(nghttp2_session_callbacks_new(&calls) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(calls, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, frame);
    return calls;
  }

 private:
  static Http2TestAnswers& self(void* user) { return *static_cast<Http2TestAnswers*>(user); }
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    self(user).by_stream[frame->hd.stream_id].heads.emplace_back();
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                    std::uint8_t, void* user) {
    self(user).by_stream[frame->hd.stream_id].heads.back().emplace_back(
        std::string(name, name + name_bytes), std::string(value, value + value_bytes));
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    self(user).by_stream[id].body.append(reinterpret_cast<const char*>(bytes), size);
    return 0;
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Answer& answer = self(user).by_stream[frame->hd.stream_id];
    const bool is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (is_message && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) answer.ended = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM) answer.reset = frame->rst_stream.error_code;
    if (frame->hd.type == NGHTTP2_GOAWAY) self(user).goaway = frame->goaway.error_code;
    return 0;
  }
};

}  // namespace steelyard::proxy
