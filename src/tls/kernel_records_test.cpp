#include "tls/kernel_records.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "io/kernel_socket.hpp"
#include "io/sim/sim_network.hpp"
#include "tls/stream.hpp"
#include "tls/testing.hpp"

// What a kernel does with keys only a kernel shows: tests/e2e/test_kernel_tls.py. Here it has none.

namespace steelyard::tls {
namespace {

// A stream that shows a descriptor to which no kernel gives TLS.
class Shown final : public io::Stream, public io::KernelSocket, private io::IdleWatcher {
 public:
  explicit Shown(std::unique_ptr<io::Stream> below) : below_(std::move(below)) {
    below_->set_idle_watcher(this);
  }
  ~Shown() override { below_->set_idle_watcher(nullptr); }
  io::IoResult read(std::span<char> room) override { return below_->read(room); }
  io::IoResult write(std::span<const std::string_view> pieces) override {
    return below_->write(pieces);
  }
  bool settle() override { return settles && below_->settle(); }
  void end_writing() override { below_->end_writing(); }
  void reset() override { below_->reset(); }
  bool silent_and_open() override { return below_->silent_and_open(); }
  bool has_hung_up() override { return below_->has_hung_up(); }
  Endpoint local() const override { return below_->local(); }
  int descriptor() const override {
    ++asked;
    return -1;
  }
  bool has_room() const override { return true; }

  bool settles = true;
  mutable int asked = 0;

 private:
  void idle_stream_stirred(io::Stream& stream) override { idle_stream_became(stream, true, false); }
  void idle_stream_became(io::Stream& /*stream*/, bool readable, bool writable) override {
    became(readable, writable);
  }
  std::unique_ptr<io::Stream> below_;
};

class KernelRecordsTest : public ::testing::TestWithParam<int> {
 protected:
  KernelRecordsTest() {
    static const testing::KeyPair pair = testing::make_key_pair("m.test");
    SSL_CTX_use_certificate(server_context_.get(), pair.certificate.get());
    SSL_CTX_use_PrivateKey(server_context_.get(), pair.key.get());
    for (SSL_CTX* context : {server_context_.get(), client_context_.get()}) {
      SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      SSL_CTX_set_read_ahead(context, 1);
      SSL_CTX_set_min_proto_version(context, GetParam());
      SSL_CTX_set_max_proto_version(context, GetParam());
    }
    io::SimPair line = io::connect_pair(loop_, {});
    auto shown = std::make_unique<Shown>(std::move(line.program));
    shown_ = shown.get();
    server_ = std::make_unique<TlsStream>(
        std::move(shown), SslHandle(SSL_new(server_context_.get())), TlsStream::Role::server);
    client_ = std::make_unique<TlsStream>(
        std::move(line.peer), SslHandle(SSL_new(client_context_.get())), TlsStream::Role::client);
    server_->let_kernel_encrypt(false);
    client_->let_kernel_encrypt(false);  // over a stream that is no socket
  }
  bool shakes_hands() {
    for (int i = 0; i < 20 && !(server_->is_established() && client_->is_established()); ++i) {
      client_->shake_hands();
      loop_.settle();
      server_->shake_hands();
      loop_.settle();
    }
    return server_->is_established() && client_->is_established();
  }

  io::SimLoop loop_;
  ContextHandle server_context_{SSL_CTX_new(TLS_server_method())};
  ContextHandle client_context_{SSL_CTX_new(TLS_client_method())};
  std::unique_ptr<TlsStream> server_, client_;
  Shown* shown_ = nullptr;
};

TEST_P(KernelRecordsTest, a_kernel_that_takes_no_keys_changes_nothing) {
  ASSERT_TRUE(shakes_hands());
  EXPECT_EQ(shown_->asked, 1);
  EXPECT_FALSE(server_->is_encrypted_by_kernel());
  EXPECT_FALSE(client_->is_encrypted_by_kernel());
  const std::string text(50'000, 'x');
  const std::string_view pieces[] = {text};
  EXPECT_EQ(server_->write(pieces).bytes, text.size());
  std::string got;
  std::array<char, 20'000> room;
  for (int i = 0; i < 50 && got.size() < text.size(); ++i) {
    got.append(room.data(), client_->read(room).bytes);
    loop_.settle();
  }
  EXPECT_EQ(got, text);
}

TEST_P(KernelRecordsTest, a_handshake_that_cannot_leave_at_once_goes_on_without_a_kernel) {
  shown_->settles = false;
  EXPECT_TRUE(shakes_hands());
  EXPECT_EQ(server_->fault(), "");
  EXPECT_FALSE(server_->is_encrypted_by_kernel());
}

INSTANTIATE_TEST_SUITE_P(Versions, KernelRecordsTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

}  // namespace
}  // namespace steelyard::tls
