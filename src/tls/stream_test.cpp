#include "tls/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "io/sim/sim_network.hpp"
#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using Handshake = TlsStream::Handshake;
using Role = TlsStream::Role;

// Both ends of a TLS connection over a simulated line.
class TlsStreams : public ::testing::Test {
 protected:
  void connect(const io::SimLink& link = {}) {
    static const testing::KeyPair pair = testing::make_key_pair("m.test");
    server_context_.reset(SSL_CTX_new(TLS_server_method()));
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_use_certificate(server_context_.get(), pair.certificate.get());
    SSL_CTX_use_PrivateKey(server_context_.get(), pair.key.get());
    for (SSL_CTX* context : {server_context_.get(), client_context_.get()}) {
      SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      SSL_CTX_set_read_ahead(context, 1);
    }
    io::SimPair line = io::connect_pair(loop_, link);
    below_server_ = line.program.get();
    below_client_ = line.peer.get();
    server_ = std::make_unique<TlsStream>(std::move(line.program),
                                          SslHandle(SSL_new(server_context_.get())), Role::server);
    client_ = std::make_unique<TlsStream>(std::move(line.peer),
                                          SslHandle(SSL_new(client_context_.get())), Role::client);
  }
  void shake_hands() {
    for (int i = 0; i < 20'000 && !(server_->is_established() && client_->is_established()); ++i) {
      client_->shake_hands();
      loop_.settle();
      server_->shake_hands();
      loop_.settle();
    }
    ASSERT_TRUE(server_->is_established() && client_->is_established())
        << server_->fault() << client_->fault();
    read_all(*client_);  // the tickets
  }
  static io::IoResult write(TlsStream& stream, std::string_view text) {
    const std::string_view pieces[] = {text};
    return stream.write(pieces);
  }
  // Everything there is, and how it ended.
  std::string read_all(TlsStream& stream) {
    std::string all;
    std::array<char, 5000> room;
    for (int blocked = 0; blocked < 3;) {
      const io::IoResult result = stream.read(room);
      all.append(room.data(), result.bytes);
      end_ = result.status;
      if (result.status == io::IoStatus::end || result.status == io::IoStatus::failed) break;
      if (result.status == io::IoStatus::would_block) ++blocked;
      loop_.settle();
    }
    return all;
  }

  io::SimLoop loop_;
  ContextHandle server_context_, client_context_;
  std::unique_ptr<TlsStream> server_, client_;
  io::SimStream* below_server_ = nullptr;
  io::SimStream* below_client_ = nullptr;
  io::IoStatus end_ = io::IoStatus::ok;
};

std::string text_of(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "line " + std::to_string(text.size()) + '\n';
  text.resize(bytes);
  return text;
}

TEST_F(TlsStreams, text_arrives_as_it_was_written_however_the_line_cuts_it) {
  for (const std::size_t read_max : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
    connect({.read_max = read_max});
    shake_hands();
    const std::string text = text_of(70'000);
    EXPECT_EQ(write(*server_, text).bytes, text.size());
    std::string got;
    while (got.size() < text.size()) got += read_all(*client_);
    EXPECT_EQ(got, text);
  }
}

TEST_F(TlsStreams, small_pieces_leave_in_one_record) {
  connect();
  shake_hands();
  const std::string_view pieces[] = {"HTTP/1.1 200 OK\r\n", "", "\r\n", "body"};
  EXPECT_EQ(server_->write(pieces).bytes, 23U);
  const std::string bytes = below_client_->take_all();
  ASSERT_GE(bytes.size(), 5U);
  const std::size_t record =
      static_cast<std::uint8_t>(bytes[3]) * 256U + static_cast<std::uint8_t>(bytes[4]);
  EXPECT_EQ(bytes.size(), record + 5);
}

TEST_F(TlsStreams, what_the_line_has_no_room_for_is_owed_and_comes_later) {
  connect({.window_bytes = 3000});
  shake_hands();
  const std::string text = text_of(50'000);
  const io::IoResult first = write(*server_, text);
  EXPECT_EQ(first.status, io::IoStatus::ok);
  EXPECT_LT(first.bytes, text.size());
  EXPECT_FALSE(server_->settle());
  EXPECT_EQ(write(*server_, "more").status, io::IoStatus::would_block);
  std::string got;
  std::string_view rest = std::string_view(text).substr(first.bytes);
  while (got.size() < text.size()) {
    got += read_all(*client_);
    loop_.settle();
    const io::IoResult next = rest.empty() ? io::IoResult{} : write(*server_, rest);
    if (next.status == io::IoStatus::ok) rest.remove_prefix(next.bytes);
  }
  EXPECT_EQ(got, text);
  EXPECT_TRUE(server_->settle());
}

TEST_F(TlsStreams, an_end_in_order_is_one) {
  connect();
  shake_hands();
  write(*server_, "last words");
  server_.reset();
  loop_.settle();
  EXPECT_EQ(read_all(*client_), "last words");
  EXPECT_EQ(end_, io::IoStatus::end);
}

TEST_F(TlsStreams, half_an_end_leaves_the_other_way_open) {
  connect();
  shake_hands();
  server_->end_writing();
  loop_.settle();
  EXPECT_EQ(read_all(*client_), "");
  EXPECT_EQ(end_, io::IoStatus::end);
  write(*client_, "still here");
  EXPECT_EQ(read_all(*server_), "still here");
}

TEST_F(TlsStreams, an_end_behind_what_is_owed_waits_for_it) {
  connect({.window_bytes = 2000});
  shake_hands();
  const std::string text = text_of(16'000);
  EXPECT_EQ(write(*server_, text).bytes, text.size());
  server_->end_writing();
  std::string got;
  while (end_ != io::IoStatus::end && end_ != io::IoStatus::failed) got += read_all(*client_);
  EXPECT_EQ(got, text);
  EXPECT_EQ(end_, io::IoStatus::end);
}

TEST_F(TlsStreams, a_line_that_ends_without_a_goodbye_is_a_failure) {
  connect();
  shake_hands();
  write(*server_, "half an ans");
  below_server_->end_writing();
  loop_.settle();
  EXPECT_EQ(read_all(*client_), "half an ans");
  EXPECT_EQ(end_, io::IoStatus::failed);
}

TEST_F(TlsStreams, a_stream_that_is_reset_says_no_goodbye) {
  connect();
  shake_hands();
  server_->reset();
  server_.reset();
  loop_.settle();
  read_all(*client_);
  EXPECT_EQ(end_, io::IoStatus::failed);
}

TEST_F(TlsStreams, garbage_on_the_line_is_a_failure) {
  connect();
  shake_hands();
  constexpr std::string_view forged("\x17\x03\x03\0\x20 this is no record that anybody made", 41);
  below_client_->say(forged);
  loop_.settle();
  read_all(*server_);
  EXPECT_EQ(end_, io::IoStatus::failed);
  EXPECT_NE(server_->fault(), "");
  EXPECT_EQ(write(*server_, "x").status, io::IoStatus::failed);
}

TEST_F(TlsStreams, plain_http_is_recognised_and_the_line_given_back) {
  connect();
  auto below = client_->release_below();
  auto* const line = static_cast<io::SimStream*>(below.get());
  line->say("GET / HTTP/1.1\r\n\r\n");
  loop_.settle();
  EXPECT_EQ(server_->shake_hands(), Handshake::plain_http);
  auto plain = server_->release_below();
  const std::string_view pieces[] = {"HTTP/1.1 400 Bad Request\r\n\r\n"};
  plain->write(pieces);
  EXPECT_THAT(line->take_all(), ::testing::EndsWith("HTTP/1.1 400 Bad Request\r\n\r\n"));
}

TEST_F(TlsStreams, a_peer_that_leaves_in_its_handshake_is_a_failure) {
  connect();
  client_->shake_hands();
  loop_.settle();
  client_.reset();
  for (int i = 0; i < 3 && server_->shake_hands() == Handshake::blocked; ++i) loop_.settle();
  EXPECT_EQ(server_->shake_hands(), Handshake::failed);
  EXPECT_NE(server_->fault(), "");
}

// A pool's view of it.
struct Watcher final : io::IdleWatcher {
  void idle_stream_stirred(io::Stream& /*stream*/) override { ++stirred; }
  int stirred = 0;
};

TEST_F(TlsStreams, tickets_do_not_stir_an_idle_connection_and_words_do) {
  connect();
  for (int i = 0; i < 10 && !client_->is_established(); ++i) {
    client_->shake_hands();
    loop_.settle();
    if (!client_->is_established()) server_->shake_hands();
  }
  ASSERT_TRUE(client_->is_established());
  Watcher watcher;
  client_->set_idle_watcher(&watcher);
  ASSERT_EQ(server_->shake_hands(), Handshake::done);  // now it sends its tickets
  loop_.settle();
  EXPECT_EQ(watcher.stirred, 0);
  EXPECT_TRUE(client_->silent_and_open());
  write(*server_, "unasked");
  loop_.settle();
  EXPECT_EQ(watcher.stirred, 1);
  EXPECT_FALSE(client_->silent_and_open());
}

TEST_F(TlsStreams, an_idle_connection_that_ends_stirs) {
  connect();
  shake_hands();
  Watcher watcher;
  client_->set_idle_watcher(&watcher);
  EXPECT_TRUE(client_->silent_and_open());
  server_.reset();
  loop_.settle();
  EXPECT_GE(watcher.stirred, 1);
  EXPECT_FALSE(client_->silent_and_open());
}

// As a member does that wants a certificate for the path that it was asked for (TLS 1.2).
class Renegotiating : public TlsStreams {
 protected:
  Renegotiating() {
    connect();
    for (const auto& stream : {server_.get(), client_.get()})
      SSL_set_max_proto_version(stream->ssl(), TLS1_2_VERSION);
    shake_hands();
  }
  void ask_for_another() {
    ASSERT_EQ(SSL_renegotiate(server_->ssl()), 1);
    SSL_do_handshake(server_->ssl());
    loop_.settle();
  }
};

TEST_F(Renegotiating, what_is_written_meanwhile_leaves_when_hands_were_shaken) {
  ask_for_another();
  EXPECT_EQ(read_all(*client_), "");
  EXPECT_EQ(write(*client_, "hello").bytes, 5u);
  EXPECT_EQ(write(*client_, "more").status, io::IoStatus::would_block);
  std::string heard = read_all(*server_);
  read_all(*client_);
  heard += read_all(*server_);
  read_all(*client_);
  heard += read_all(*server_);
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(SSL_num_renegotiations(client_->ssl()), 1);
  EXPECT_EQ(write(*client_, "more").bytes, 4u);
  loop_.settle();
  EXPECT_EQ(read_all(*server_), "more");
  EXPECT_EQ(write(*server_, "welcome").bytes, 7u);
  EXPECT_EQ(read_all(*client_), "welcome");
}

TEST_F(Renegotiating, nobody_is_asked_without_end) {
  for (int i = 0; i < 20 && !client_->is_broken(); ++i) {
    ask_for_another();
    for (int step = 0; step < 4; ++step) {
      read_all(*client_);
      read_all(*server_);
    }
  }
  EXPECT_TRUE(client_->is_broken());
  EXPECT_EQ(client_->fault(), "the peer asks for one handshake after the other");
}

}  // namespace
}  // namespace steelyard::tls
