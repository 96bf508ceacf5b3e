#pragma once

#include <nghttp2/nghttp2.h>

#include <optional>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "proxy/http2_test_answers.hpp"
#include "proxy/test_world.hpp"

// An HTTP/2 client on the simulated network, by the library's other half. For tests only.

namespace steelyard::proxy {

class Http2TestClient {
 public:
  using Fields = Http2TestAnswers::Fields;

  // `window`: of each stream, for answers; other than the usual one it grows by widen() alone.
  explicit Http2TestClient(TestWorld& world, std::uint32_t window = 65535,
                           const io::SimLink& link = {})
      : world_(world), stream_(world.connect(link)) {
    nghttp2_session_callbacks* const calls = Http2TestAnswers::callbacks();
    nghttp2_option* option = nullptr;
    CHECK(nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_auto_window_update(option, window == 65535 ? 0 : 1);
    CHECK(nghttp2_session_client_new2(&session_, calls, &answers_, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry entries[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries, 1);
  }
  Http2TestClient(const Http2TestClient&) = delete;
  Http2TestClient& operator=(const Http2TestClient&) = delete;
  ~Http2TestClient() { nghttp2_session_del(session_); }

  static Fields post(const std::string& path, const Fields& more = {}) {
    return get(path, more, "POST");
  }
  static Fields get(const std::string& path, const Fields& more = {},
                    const std::string& method = "GET") {
    Fields fields{{":method", method}, {":scheme", "http"}, {":authority", "x"}, {":path", path}};
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  }

  // A request; with `goes_on` its body follows by say().
  std::int32_t ask(const Fields& fields, bool goes_on = false) {
    const auto rows = rows_of(fields);
    const std::int32_t id =
        nghttp2_submit_headers(session_, goes_on ? NGHTTP2_FLAG_NONE : NGHTTP2_FLAG_END_STREAM, -1,
                               nullptr, rows.data(), rows.size(), nullptr);
    CHECK(id > 0);
    talk();
    return id;
  }
  // A DATA frame as it is, whatever the windows say.
  void say(std::int32_t id, const std::string& text, bool last) {
    frame_of(0, last ? NGHTTP2_FLAG_END_STREAM : 0, id, text);
  }
  void frame_of(std::size_t type, std::size_t flags, std::int32_t id, const std::string& payload) {
    const auto byte = [](std::size_t number, int shift) {
      return static_cast<char>(number >> shift);
    };
    const auto size = payload.size();
    const auto stream = static_cast<std::size_t>(id);
    const std::string head{byte(size, 16),   byte(size, 8),   byte(size, 0),
                           byte(type, 0),    byte(flags, 0),  byte(stream, 24),
                           byte(stream, 16), byte(stream, 8), byte(stream, 0)};
    raw(head + payload);
  }
  void raw(const std::string& bytes) {
    stream_->say(bytes);
    talk();
  }
  void reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
    talk();
  }
  // Until both sides have nothing more to say.
  void talk() {
    while (true) {
      const std::uint8_t* bytes = nullptr;
      ssize_t count = 0;
      while ((count = nghttp2_session_mem_send(session_, &bytes)) > 0)
        stream_->say({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count)});
      world_.loop.settle();
      const std::string heard = stream_->take_all();
      if (heard.empty()) break;
      const auto* const begin = reinterpret_cast<const std::uint8_t*>(heard.data());
      nghttp2_session_mem_recv(session_, begin, heard.size());
    }
  }

  Http2TestAnswers::Answer& operator[](std::int32_t id) { return answers_.by_stream[id]; }
  std::optional<std::uint32_t> goaway() const { return answers_.goaway; }
  bool closed() const { return stream_->ended(); }
  nghttp2_session* session() { return session_; }

 private:
  static std::vector<nghttp2_nv> rows_of(const Fields& fields) {
    std::vector<nghttp2_nv> rows;
    for (const auto& [name, value] : fields) {
      rows.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                      value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return rows;
  }
  TestWorld& world_;
  std::unique_ptr<io::SimStream> stream_;
  nghttp2_session* session_ = nullptr;
  Http2TestAnswers answers_;
};

}  // namespace steelyard::proxy
