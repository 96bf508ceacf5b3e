#include "tls/further_handshake.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "io/sim/sim_network.hpp"
#include "tls/inquiry.hpp"
#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using Handshake = TlsStream::Handshake;
using Role = TlsStream::Role;
using config::PeerVerify;

// A client and a server that shook hands without a client's certificate; by TLS 1.2 or 1.3.
class FurtherHandshakes : public ::testing::TestWithParam<int> {
 protected:
  enum class Client : std::uint8_t { known, stranger, anonymous };

  void connect(Client client, const io::SimLink& link = {}) {
    static const testing::KeyPair server_pair = testing::make_key_pair("m.test");
    static const testing::KeyPair known = testing::make_key_pair("known");
    static const testing::KeyPair stranger = testing::make_key_pair("stranger");
    server_context_.reset(SSL_CTX_new(TLS_server_method()));
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_use_certificate(server_context_.get(), server_pair.certificate.get());
    SSL_CTX_use_PrivateKey(server_context_.get(), server_pair.key.get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server_context_.get()), known.certificate.get());
    SSL_CTX_set_options(server_context_.get(), SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_id_context(server_context_.get(),
                                   reinterpret_cast<const unsigned char*>("x"), 1);
    if (client != Client::anonymous) {
      const testing::KeyPair& pair = client == Client::known ? known : stranger;
      SSL_CTX_use_certificate(client_context_.get(), pair.certificate.get());
      SSL_CTX_use_PrivateKey(client_context_.get(), pair.key.get());
    }
    SSL_CTX_set_post_handshake_auth(client_context_.get(), offers_authentication_ ? 1 : 0);
    for (SSL_CTX* context : {server_context_.get(), client_context_.get()}) {
      SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
      SSL_CTX_set_read_ahead(context, 1);
      SSL_CTX_set_min_proto_version(context, GetParam());
      SSL_CTX_set_max_proto_version(context, GetParam());
    }
    io::SimPair line = io::connect_pair(loop_, link);
    server_ = std::make_unique<TlsStream>(std::move(line.program),
                                          SslHandle(SSL_new(server_context_.get())), Role::server);
    client_ = std::make_unique<TlsStream>(std::move(line.peer),
                                          SslHandle(SSL_new(client_context_.get())), Role::client);
    for (int i = 0; i < 20'000 && !(server_->is_established() && client_->is_established()); ++i) {
      client_->shake_hands();
      loop_.settle();
      server_->shake_hands();
      if (client_->is_established()) read(*client_);  // tickets want room
      loop_.settle();
    }
    ASSERT_TRUE(server_->is_established() && client_->is_established());
    read(*client_);
  }

  Wish wish_for(PeerVerify verify) const {
    return {.context = server_context_.get(),
            .verify = verify,
            .asks = verify != PeerVerify::none,
            .requires_one = verify == PeerVerify::require};
  }

  // Until it is over, with a client that reads.
  Handshake run(FurtherHandshake& handshake) {
    Handshake step = Handshake::blocked;
    for (int i = 0; i < 20'000 && step == Handshake::blocked; ++i) {
      step = handshake.go_on();
      loop_.settle();
      read(*client_);
      loop_.settle();
    }
    return step;
  }

  std::string read(TlsStream& stream) {
    std::array<char, 500> room;
    std::string all;
    while (true) {
      const io::IoResult result = stream.read(room);
      if (result.status != io::IoStatus::ok) return all;
      all.append(room.data(), result.bytes);
    }
  }
  static void write(TlsStream& stream, std::string_view text) {
    const std::string_view pieces[] = {text};
    ASSERT_EQ(stream.write(pieces).bytes, text.size());
  }
  bool is_1_3() const { return GetParam() == TLS1_3_VERSION; }

  bool offers_authentication_ = true;
  io::SimLoop loop_;
  ContextHandle server_context_, client_context_;
  std::unique_ptr<TlsStream> server_, client_;
};

TEST_P(FurtherHandshakes, a_client_shows_its_certificate_and_the_talk_goes_on) {
  connect(Client::known);
  const Wish wish = wish_for(PeerVerify::require);
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::certificate);
  {
    FurtherHandshake handshake(*server_, wish);
    ASSERT_TRUE(handshake.begin()) << handshake.fault();
    EXPECT_EQ(run(handshake), Handshake::done) << handshake.fault();
    EXPECT_TRUE(handshake.is_granted());
    EXPECT_EQ(handshake.renegotiates(), !is_1_3());
  }
  EXPECT_EQ(standing_of_peer(server_->ssl()), PeerStanding::success);
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::nothing);
  EXPECT_EQ(unmet(server_->ssl(), wish_for(PeerVerify::optional)), Unmet::nothing);
  write(*client_, "hello");
  loop_.settle();
  EXPECT_EQ(read(*server_), "hello");
  write(*server_, "welcome");
  loop_.settle();
  EXPECT_EQ(read(*client_), "welcome");
}

TEST_P(FurtherHandshakes, what_was_found_good_counts_for_its_rules_and_for_what_was_shown) {
  const auto context_by = [](const std::string& text) {
    ContextHandle context(SSL_CTX_new(TLS_server_method()));
    config::TlsOcsp settings;
    settings.about = config::TlsOcsp::About::leaf;
    set_inquiry(*context, settings, {}, text);
    return context;
  };
  const ContextHandle rules = context_by("a"), same = context_by("a"), others = context_by("b");
  connect(Client::known);
  SSL& ssl = *server_->ssl();
  const Wish wish = wish_for(PeerVerify::require);
  const auto ask_again = [&] {
    FurtherHandshake handshake(*server_, wish);
    return handshake.begin() && run(handshake) == Handshake::done;
  };
  EXPECT_TRUE(Inquiry::is_settled(ssl, rules.get()));  // it showed nothing
  ASSERT_TRUE(ask_again());
  EXPECT_FALSE(Inquiry::is_settled(ssl, rules.get()));
  EXPECT_TRUE(Inquiry::is_settled(ssl, server_context_.get()));  // nobody is asked
  EXPECT_TRUE(Inquiry::is_settled(ssl, nullptr));
  Inquiry::about(ssl, rules.get())->note_good(ssl);
  EXPECT_TRUE(Inquiry::is_settled(ssl, rules.get()));
  EXPECT_TRUE(Inquiry::is_settled(ssl, same.get()));
  EXPECT_FALSE(Inquiry::is_settled(ssl, others.get()));
  Inquiry::about(ssl, others.get())->note_good(ssl);
  EXPECT_TRUE(Inquiry::is_settled(ssl, others.get()));
  EXPECT_FALSE(Inquiry::is_settled(ssl, rules.get()));
  // It could be another one.
  ASSERT_TRUE(ask_again());
  EXPECT_FALSE(Inquiry::is_settled(ssl, others.get()));
}

TEST_P(FurtherHandshakes, a_line_that_gives_a_byte_now_and_then_changes_nothing) {
  connect(Client::known, {.read_max = 7, .window_bytes = 300});
  const Wish wish = wish_for(PeerVerify::require);
  FurtherHandshake handshake(*server_, wish);
  ASSERT_TRUE(handshake.begin());
  EXPECT_EQ(run(handshake), Handshake::done) << handshake.fault();
  EXPECT_TRUE(handshake.is_granted());
}

TEST_P(FurtherHandshakes, a_certificate_of_a_stranger_ends_the_connection) {
  connect(Client::stranger);
  const Wish wish = wish_for(PeerVerify::require);
  FurtherHandshake handshake(*server_, wish);
  ASSERT_TRUE(handshake.begin());
  EXPECT_EQ(run(handshake), Handshake::failed);
  EXPECT_FALSE(handshake.is_granted());
  EXPECT_TRUE(handshake.broke());
}

TEST_P(FurtherHandshakes, who_need_not_show_one_goes_on_without) {
  connect(Client::anonymous);
  const Wish wish = wish_for(PeerVerify::optional);
  {
    FurtherHandshake handshake(*server_, wish);
    ASSERT_TRUE(handshake.begin());
    EXPECT_EQ(run(handshake), Handshake::done) << handshake.fault();
    EXPECT_TRUE(handshake.is_granted());
  }
  EXPECT_EQ(standing_of_peer(server_->ssl()), PeerStanding::none);
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::nothing);
}

TEST_P(FurtherHandshakes, a_stranger_passes_where_nobody_has_to_vouch) {
  connect(Client::stranger);
  const Wish wish = wish_for(PeerVerify::optional_no_ca);
  FurtherHandshake handshake(*server_, wish);
  ASSERT_TRUE(handshake.begin());
  EXPECT_EQ(run(handshake), Handshake::done) << handshake.fault();
  EXPECT_EQ(standing_of_peer(server_->ssl()), PeerStanding::failed);
}

TEST_P(FurtherHandshakes, words_instead_of_an_answer_are_refused_and_can_be_answered) {
  connect(Client::known);
  const Wish wish = wish_for(PeerVerify::require);
  write(*client_, "impatient");
  loop_.settle();
  {
    FurtherHandshake handshake(*server_, wish);
    ASSERT_TRUE(handshake.begin());
    EXPECT_EQ(handshake.go_on(), Handshake::failed);
    EXPECT_FALSE(handshake.broke());
  }
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::certificate);
}

TEST_P(FurtherHandshakes, a_client_that_leaves_is_a_failure) {
  connect(Client::known);
  const Wish wish = wish_for(PeerVerify::require);
  FurtherHandshake handshake(*server_, wish);
  ASSERT_TRUE(handshake.begin());
  EXPECT_EQ(handshake.go_on(), Handshake::blocked);
  client_.reset();
  loop_.settle();
  EXPECT_EQ(handshake.go_on(), Handshake::failed);
  EXPECT_FALSE(handshake.is_granted());
}

TEST_P(FurtherHandshakes, a_client_that_cannot_be_asked_can_be_answered) {
  if (!is_1_3()) return;
  offers_authentication_ = false;
  connect(Client::known);
  const Wish wish = wish_for(PeerVerify::require);
  {
    FurtherHandshake handshake(*server_, wish);
    EXPECT_FALSE(handshake.begin());
    EXPECT_THAT(handshake.fault(), ::testing::HasSubstr("extension not received"));
  }
  EXPECT_EQ(SSL_get_verify_mode(server_->ssl()), SSL_VERIFY_NONE);
  // Nor does a path that only wants a shorter chain than its server find it asked for afterwards.
  SSL_set_verify(server_->ssl(), SSL_VERIFY_PEER, nullptr);
  Wish shorter = wish_for(PeerVerify::optional);
  shorter.depth = 0;
  for (int request = 0; request < 2; ++request) {
    ASSERT_EQ(unmet(server_->ssl(), shorter), Unmet::certificate) << request;
    FurtherHandshake handshake(*server_, shorter);
    EXPECT_FALSE(handshake.begin());
  }
  write(*server_, "no");
  loop_.settle();
  EXPECT_EQ(read(*client_), "no");
}

TEST_P(FurtherHandshakes, other_ciphers_are_agreed_on_before_tls_1_3) {
  connect(Client::anonymous);
  const std::string other = "ECDHE-ECDSA-AES128-SHA256", none = "NOT-A-CIPHER";
  Wish wish = wish_for(PeerVerify::none);
  wish.ciphers = &other;
  if (is_1_3()) {
    EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::nothing);
    return;
  }
  // Its own for TLS 1.3, as the virtual host has that took the connection first.
  ASSERT_EQ(SSL_set_ciphersuites(server_->ssl(), "TLS_AES_128_GCM_SHA256"), 1);
  ASSERT_EQ(unmet(server_->ssl(), wish), Unmet::ciphers);
  {
    FurtherHandshake handshake(*server_, wish);
    ASSERT_TRUE(handshake.begin()) << handshake.fault();
    EXPECT_EQ(run(handshake), Handshake::done) << handshake.fault();
  }
  EXPECT_EQ(SSL_get_cipher_name(server_->ssl()), other);
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::nothing);
  const std::string wider = other + ":ECDHE-ECDSA-AES256-GCM-SHA384";
  wish.ciphers = &wider;
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::ciphers);
  wish.keeps_cipher = true;
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::nothing);
  wish.ciphers = &none;
  EXPECT_EQ(unmet(server_->ssl(), wish), Unmet::bad_ciphers);
}

TEST_P(FurtherHandshakes, a_client_still_cannot_begin_one) {
  if (is_1_3()) return;
  connect(Client::known);
  const Wish wish = wish_for(PeerVerify::require);
  {
    FurtherHandshake handshake(*server_, wish);
    ASSERT_TRUE(handshake.begin());
    ASSERT_EQ(run(handshake), Handshake::done);
  }
  SSL_renegotiate(client_->ssl());
  SSL_do_handshake(client_->ssl());
  loop_.settle();
  read(*server_);
  loop_.settle();
  read(*client_);
  EXPECT_TRUE(client_->is_broken());  // by the alert no_renegotiation
}

INSTANTIATE_TEST_SUITE_P(Versions, FurtherHandshakes,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), [](const auto& each) {
                           return each.param == TLS1_2_VERSION ? "tls_1_2" : "tls_1_3";
                         });

}  // namespace
}  // namespace steelyard::tls
