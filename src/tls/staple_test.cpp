#include "tls/staple.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>

#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A certificate that is its own authority's.
class Stapling : public ::testing::Test {
 protected:
  Stapling() : pair_(testing::make_key_pair("a.test")), context_(SSL_CTX_new(TLS_server_method())) {
    settings_.forced_url = "http://authority.test/";
    CHECK(SSL_CTX_use_certificate(context_.get(), pair_.certificate.get()) == 1);
    CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), pair_.certificate.get()) ==
          1);
  }
  std::shared_ptr<Staple> make() {
    auto made = Staple::make(*context_, settings_);
    CHECK(made.has_value());
    return *made;
  }
  // What the authority says; times count from now.
  std::string answer(std::chrono::seconds since, std::optional<std::chrono::seconds> until,
                     int status = V_OCSP_CERTSTATUS_GOOD) const {
    X509* const certificate = pair_.certificate.get();
    const auto time = [](std::chrono::seconds offset) {
      return std::unique_ptr<ASN1_GENERALIZEDTIME, Release<ASN1_GENERALIZEDTIME_free>>(
          ASN1_GENERALIZEDTIME_adj(nullptr, ::time(nullptr), 0, offset.count()));
    };
    const auto begin = time(since), end = time(until.value_or(0s)), revoked = time(-1h);
    OCSP_BASICRESP* const basic = OCSP_BASICRESP_new();
    OCSP_CERTID* const id = OCSP_cert_to_id(EVP_sha1(), certificate, certificate);
    const bool is_revoked = status == V_OCSP_CERTSTATUS_REVOKED;
    CHECK(OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_NOSTATUS,
                                 is_revoked ? revoked.get() : nullptr, begin.get(),
                                 until ? end.get() : nullptr) != nullptr);
    CHECK(OCSP_basic_sign(basic, certificate, pair_.key.get(), EVP_sha256(), nullptr, 0) == 1);
    OCSP_RESPONSE* const response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char* bytes = nullptr;
    const int count = i2d_OCSP_RESPONSE(response, &bytes);
    std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    OPENSSL_free(bytes);
    OCSP_RESPONSE_free(response);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    return text;
  }
  static WallTime now() { return std::chrono::system_clock::now(); }

  testing::KeyPair pair_;
  std::unique_ptr<SSL_CTX, Release<SSL_CTX_free>> context_;
  config::TlsStapling settings_;
};

TEST_F(Stapling, an_answer_is_shown_until_it_is_over) {
  const auto staple = make();
  EXPECT_EQ(staple->answer(now()), nullptr);
  const std::string said = answer(-1h, 1h);
  ASSERT_TRUE(staple->take(said, now()));
  ASSERT_NE(staple->answer(now()), nullptr);
  EXPECT_EQ(*staple->answer(now()), said);
  EXPECT_NE(staple->answer(now() + 59min), nullptr);
  EXPECT_EQ(staple->answer(now() + 61min), nullptr);
}

TEST_F(Stapling, one_that_does_not_say_how_long_is_shown_for_two_renewals) {
  const auto staple = make();
  ASSERT_TRUE(staple->take(answer(-1h, std::nullopt), now()));
  EXPECT_NE(staple->answer(now() + 2 * settings_.renew - 1min), nullptr);
  EXPECT_EQ(staple->answer(now() + 2 * settings_.renew + 1min), nullptr);
}

// Clocks may differ by a few minutes, but an answer that is over by ours is of no use to anybody.
TEST_F(Stapling, what_is_over_or_not_good_does_not_take_the_place_of_what_is_shown) {
  const auto staple = make();
  const std::string said = answer(-1h, 1h);
  ASSERT_TRUE(staple->take(said, now()));
  for (const auto& [useless, why] :
       {std::pair{answer(-2h, -10s), "it is over"}, std::pair{answer(-2h, -1h), "not in force"},
        std::pair{answer(1h, 2h), "not in force"},
        std::pair{answer(-1h, 2h, V_OCSP_CERTSTATUS_REVOKED), "revoked"}}) {
    const auto taken = staple->take(useless, now());
    ASSERT_FALSE(taken) << why;
    EXPECT_THAT(taken.error(), HasSubstr(why));
    EXPECT_EQ(*staple->answer(now()), said);
  }
  EXPECT_EQ(staple->answer(now() + 61min), nullptr);
}

// SSLStaplingStandardCacheTimeout.
TEST_F(Stapling, how_often_it_is_renewed_says_how_long_one_without_an_end_is_shown) {
  settings_.renew = 10min;
  const auto staple = make();
  ASSERT_TRUE(staple->take(answer(-1h, std::nullopt), now()));
  EXPECT_NE(staple->answer(now() + 19min), nullptr);
  EXPECT_EQ(staple->answer(now() + 21min), nullptr);
}

// SSLStaplingResponseTimeSkew.
TEST_F(Stapling, an_authority_whose_clock_is_ahead_is_believed_by_the_skew) {
  const std::string ahead = answer(10min, 2h);
  EXPECT_FALSE(make()->take(ahead, now()));  // 5 minutes
  settings_.skew = 15min;
  EXPECT_TRUE(make()->take(ahead, now()));
  settings_.skew = 0s;
  EXPECT_FALSE(make()->take(answer(1min, 2h), now()));
}

// SSLStaplingResponseMaxAge; httpd looks at it whenever it shows the answer.
TEST_F(Stapling, an_old_answer_is_not_taken_and_one_that_gets_old_not_shown) {
  settings_.age_max = 90min;
  EXPECT_FALSE(make()->take(answer(-2h, 10h), now()));
  const auto staple = make();
  ASSERT_TRUE(staple->take(answer(-1h, 10h), now()));
  EXPECT_NE(staple->answer(now() + 29min), nullptr);
  EXPECT_EQ(staple->answer(now() + 31min), nullptr);
}

TEST_F(Stapling, the_next_generation_takes_over_the_answer_and_its_end) {
  const auto earlier = make(), later = make();
  EXPECT_EQ(earlier->identity(), later->identity());
  const std::string said = answer(-1h, 1h);
  ASSERT_TRUE(earlier->take(said, now()));
  later->take_over(*earlier);
  EXPECT_EQ(later->good_until(), earlier->good_until());
  ASSERT_NE(later->answer(now()), nullptr);
  EXPECT_EQ(*later->answer(now()), said);
  EXPECT_EQ(later->answer(now() + 61min), nullptr);
}

TEST_F(Stapling, who_asks_another_authority_is_another) {
  const auto one = make();
  settings_.forced_url = "http://other.test/";
  EXPECT_NE(make()->identity(), one->identity());
}

}  // namespace
}  // namespace steelyard::tls
