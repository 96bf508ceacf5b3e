#include "tls/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <string>

#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using config::TlsOptions;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

// A connection whose handshake is over, with certificates of both sides.
class Connected : public ::testing::Test {
 protected:
  Connected() : own_(testing::make_key_pair("a.test")), shown_(testing::make_key_pair("ann")) {
    contexts_[0].reset(SSL_CTX_new(TLS_client_method()));
    contexts_[1].reset(SSL_CTX_new(TLS_server_method()));
    use(contexts_[0].get(), shown_);
    use(contexts_[1].get(), own_);
    SSL_CTX_set_verify(contexts_[1].get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  }
  static void use(SSL_CTX* context, const testing::KeyPair& pair) {
    SSL_CTX_use_certificate(context, pair.certificate.get());
    SSL_CTX_use_PrivateKey(context, pair.key.get());
  }
  SSL* connect(bool shows = true) {
    if (!shows) SSL_CTX_set_verify(contexts_[1].get(), SSL_VERIFY_NONE, nullptr);
    client_.reset(SSL_new(contexts_[0].get()));
    server_.reset(SSL_new(contexts_[1].get()));
    testing::shake_hands(client_.get(), server_.get());
    EXPECT_EQ(SSL_is_init_finished(server_.get()), 1);
    return server_.get();
  }
  static VariableContext with(TlsOptions::Set options) {
    return {.options = {.on = options}, .now = {}};
  }
  // Of a name in any case, as it is looked up.
  std::string found(const std::string& name, TlsOptions::Set options) {
    return std::string(
        environment_variable(server_.get(), name, with(options), arena_).value_or("(none)"));
  }

  testing::KeyPair own_, shown_;
  ContextHandle contexts_[2];
  SslHandle client_, server_;
  Arena arena_;
};

constexpr TlsOptions::Set standard = TlsOptions::std_env_vars, cert_data = TlsOptions::cert_data;

std::vector<std::string> names_of(const Variables& variables) {
  std::vector<std::string> names;
  for (const auto& [name, value] : variables) names.emplace_back(name);
  return names;
}

TEST_F(Connected, without_options_there_is_only_what_is_always_there) {
  EXPECT_THAT(names_of(environment(connect(), with(0), arena_)), ElementsAre("HTTPS"));
  EXPECT_EQ(found("https", 0), "on");
  for (const auto* name : {"SSL_PROTOCOL", "SSL_CLIENT_CERT", "SSL_TLS_SNI", "SSL_", "ssl"})
    EXPECT_EQ(found(name, 0), "(none)") << name;
}

TEST_F(Connected, each_is_found_by_its_name_as_it_stands_in_the_list) {
  const Variables all = environment(connect(), with(standard | cert_data), arena_);
  for (const auto& [name, value] : all)
    EXPECT_EQ(found(std::string(name), standard | cert_data), value) << name;
  EXPECT_THAT(names_of(all),
              IsSupersetOf({"SSL_CLIENT_S_DN_CN", "SSL_SERVER_SAN_DNS_0", "SSL_CLIENT_VERIFY",
                            "SSL_CLIENT_CERT", "SSL_CLIENT_V_REMAIN", "SSL_SERVER_I_DN"}));
  EXPECT_EQ(found("ssl_client_s_dn_cn", standard), "ann");
}

TEST_F(Connected, what_is_known_by_other_names_is_not_among_them) {
  const Variables all = environment(connect(), with(standard | cert_data), arena_);
  for (const auto* name : {"SSL_SERVER_V_REMAIN", "SSL_CLIENT_S_DN_CN_0", "SSL_CLIENT_S_DN_CN_RAW",
                           "SSL_SERVER_SAN_DNS_00", "SSL_CLIENT_CERT_CHAIN_0", "SSL_CLIENT_S_DN_O",
                           "SSL_CLIENT_CERT_CHAIN_00", "SSL_TLS_SNI", "SSL_CLIENT_"}) {
    EXPECT_EQ(found(name, standard | cert_data), "(none)") << name;
    EXPECT_THAT(names_of(all), Not(Contains(name)));
  }
}

TEST_F(Connected, a_certificate_that_was_not_shown_is_empty) {
  const Variables all = environment(connect(false), with(standard | cert_data), arena_);
  EXPECT_THAT(names_of(all), Contains("SSL_CLIENT_CERT"));
  EXPECT_EQ(found("SSL_CLIENT_CERT", cert_data), "");
  EXPECT_EQ(found("SSL_CLIENT_CERT", standard), "(none)");
  EXPECT_EQ(found("SSL_CLIENT_VERIFY", standard), "NONE");
  EXPECT_EQ(found("SSL_CLIENT_S_DN", standard | cert_data), "(none)");
  EXPECT_EQ(found("SSL_SERVER_S_DN_CN", standard), "a.test");
}

TEST_F(Connected, parts_of_a_name_are_counted_by_what_they_are) {
  X509_NAME* const subject = X509_get_subject_name(shown_.certificate.get());
  for (const auto* const text : {"two", "three"})
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text), -1, -1, 0);
  X509_NAME_add_entry_by_txt(subject, "ST", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>("here"), -1, -1, 0);
  Variables parts;
  append_name_parts(parts, *subject, "X_", arena_);
  EXPECT_THAT(names_of(parts), ElementsAre("X_CN", "X_CN_1", "X_CN_2", "X_ST"));
  EXPECT_EQ(parts[2].value, "three");
}

// A client's certificate may have as many as its handshake can carry.
TEST_F(Connected, of_thousands_of_names_the_first_are_told) {
  X509* const certificate = shown_.certificate.get();
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    all += (i == 0 ? "DNS:n" : ",DNS:n") + std::to_string(i);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "OU", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>("x"), -1, -1, 0);
  }
  X509_EXTENSION_free(X509_delete_ext(certificate, 0));
  X509_EXTENSION* const names =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, all.c_str());
  X509_add_ext(certificate, names, -1);
  X509_EXTENSION_free(names);
  Variables told;
  append_name_parts(told, *X509_get_subject_name(certificate), "X_", arena_);
  ASSERT_EQ(told.size(), told_max);
  append_alternative_names(told, *certificate, Side::client, "Y_", arena_);
  ASSERT_EQ(told.size(), 2 * told_max);
  EXPECT_EQ(told.back().name, "Y_DNS_499");
  EXPECT_EQ(told.back().value, "n499");
}

}  // namespace
}  // namespace steelyard::tls
