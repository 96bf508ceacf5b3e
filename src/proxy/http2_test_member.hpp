#pragma once

#include <nghttp2/nghttp2.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "io/sim/sim_network.hpp"
#include "proxy/http2_text.hpp"

// A member that speaks HTTP/2 on the simulated network, by the library's other half. It answers
// when the test says so. For tests only.

namespace steelyard::proxy {

class Http2TestMember {
 public:
  struct Asked {
    std::size_t connection;  // from 0
    std::int32_t stream;
    std::string path;
  };

  // `streams_max`: what the settings of new connections say; they come with the first talk().
  Http2TestMember(io::SimLoop& loop, io::SimDialer& dialer, const std::string& place,
                  std::uint32_t streams_max = 100)
      : streams_max(streams_max), loop_(loop) {
    dialer.listen(place, [this](auto peer) { open(std::move(peer)); });
  }
  Http2TestMember(const Http2TestMember&) = delete;
  Http2TestMember& operator=(const Http2TestMember&) = delete;

  // The member's end of a connection.
  void open(std::unique_ptr<io::SimStream> stream) {
    auto peer = std::make_unique<Peer>(this, peers_.size(), std::move(stream));
    nghttp2_session_callbacks* calls = nullptr;
    CHECK(nghttp2_session_callbacks_new(&calls) == 0);
    nghttp2_session_callbacks_set_on_header_callback(calls, take_field);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, close_stream);
    CHECK(nghttp2_session_server_new(&peer->session, calls, peer.get()) == 0);
    nghttp2_session_callbacks_del(calls);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, streams_max};
    nghttp2_submit_settings(peer->session, 0, &entry, 1);
    if (peer->number < broken_connections) peer->stream->refuse_from_now_on();
    peers_.push_back(std::move(peer));
  }
  // Hears and says everything that there is now. True: something moved.
  bool talk() {
    bool moved = false;
    for (const auto& peer : peers_) moved = exchange(*peer) || moved;
    return moved;
  }
  void talk_until_quiet() {
    do loop_.settle();
    while (talk());
  }
  void answer(const Asked& one, const std::string& status = "200") {
    const nghttp2_nv row{bytes_of(":status"), bytes_of(status), 7, status.size(), 0};
    nghttp2_submit_headers(session(one), NGHTTP2_FLAG_END_STREAM, one.stream, nullptr, &row, 1,
                           nullptr);
    forget(one);
  }
  void reset(const Asked& one, std::uint32_t code) {
    nghttp2_submit_rst_stream(session(one), 0, one.stream, code);
    forget(one);
  }
  // Nothing of what waits there was looked at.
  void go_away(std::size_t connection) {
    nghttp2_submit_goaway(peers_[connection]->session, 0, 0, NGHTTP2_NO_ERROR, nullptr, 0);
    std::erase_if(waiting_, [=](const Asked& one) { return one.connection == connection; });
  }
  std::size_t connections() const { return peers_.size(); }
  bool is_closed(std::size_t connection) const { return peers_[connection]->stream->ended(); }
  io::SimStream& wire(std::size_t connection) { return *peers_[connection]->stream; }
  // Requests that nobody answered yet, the oldest first.
  const std::vector<Asked>& waiting() const { return waiting_; }
  // Those of each connection that came behind so many others.
  std::vector<Asked> waiting_beyond(std::size_t count) const {
    std::vector<Asked> crowd;
    std::map<std::size_t, std::size_t> seen;
    for (const Asked& one : waiting_)
      if (++seen[one.connection] > count) crowd.push_back(one);
    return crowd;
  }
  std::vector<std::string> waiting_paths() const {
    std::vector<std::string> paths;
    paths.reserve(waiting_.size());
    for (const Asked& one : waiting_) paths.push_back(one.path);
    return paths;
  }

  std::uint32_t streams_max;
  std::size_t silent_connections = 0;  // so many, the oldest, say nothing
  std::size_t broken_connections = 0;  // so many, the oldest, break under the first byte

 private:
  struct Peer {
    Http2TestMember* member;
    std::size_t number;
    std::unique_ptr<io::SimStream> stream;
    nghttp2_session* session = nullptr;
    ~Peer() { nghttp2_session_del(session); }
  };

  bool exchange(Peer& peer) {
    const std::string heard = peer.stream->take_all();
    if (!heard.empty()) nghttp2_session_mem_recv(peer.session, bytes_of(heard), heard.size());
    if (peer.number < silent_connections) return !heard.empty();
    std::string said;
    const std::uint8_t* bytes = nullptr;
    for (ssize_t count = 0; (count = nghttp2_session_mem_send(peer.session, &bytes)) > 0;)
      said.append(text_of(bytes, static_cast<std::size_t>(count)));
    if (!said.empty()) peer.stream->say(said);
    return !heard.empty() || !said.empty();
  }
  nghttp2_session* session(const Asked& one) const { return peers_[one.connection]->session; }
  void forget(const Asked& one) { forget(one.connection, one.stream); }
  void forget(std::size_t connection, std::int32_t stream) {
    std::erase_if(waiting_, [=](const Asked& each) {
      return each.connection == connection && each.stream == stream;
    });
  }

  static int take_field(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                        std::size_t name_bytes, const std::uint8_t* value, std::size_t value_bytes,
                        std::uint8_t, void* user) {
    auto& peer = *static_cast<Peer*>(user);
    if (text_of(name, name_bytes) == ":path")
      peer.member->waiting_.push_back(
          {peer.number, frame->hd.stream_id, std::string(text_of(value, value_bytes))});
    return 0;
  }
  static int close_stream(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    auto& peer = *static_cast<Peer*>(user);
    peer.member->forget(peer.number, id);
    return 0;
  }

  io::SimLoop& loop_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Asked> waiting_;
};

}  // namespace steelyard::proxy
