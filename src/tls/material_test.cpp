#include "tls/material.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tls/client_context.hpp"
#include "tls/hosts.hpp"
#include "tls/ocsp_testing.hpp"
#include "tls/own_certificates.hpp"
#include "tls/trust.hpp"

namespace steelyard::tls {
namespace {

using config::NamedFile;
using config::PeerVerify;
using config::RevocationCheck;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::issue;
using testing::Kind;
using ::testing::Pair;
using testing::pem_of;

// A client below two authorities; hosts and members that are told of these by files.
class Sharing : public ::testing::Test {
 protected:
  Sharing()
      : host_(testing::make_key_pair("h.test")),
        root_(testing::make_root()),
        middle_(issue("middle", Kind::authority, root_, "")),
        client_(issue("client", Kind::client, middle_, "")) {
    files_ = {{"/h.pem", host_.certificate_pem},
              {"/h.key", host_.key_pem},
              {"/ca.pem", pem_of(root_.certificate) + pem_of(middle_.certificate)},
              {"/names.pem", host_.certificate_pem},
              {"/lists.pem", testing::revocation_list(middle_, client_.certificate.get())},
              {"/nobody.pem", testing::revocation_list(middle_)}};
    access_ = testing::files_from(files_);
    access_.read = [this, read = access_.read](const std::string& path) {
      ++reads_[path];
      return read(path);
    };
  }
  config::Server& add() {
    config_.servers.push_back(std::make_unique<config::Server>());
    config::Server& server = *config_.servers.back();
    server.index = static_cast<std::uint32_t>(config_.servers.size() - 1);
    server.tls.engine = true;
    server.tls.certificates = {{"/h.pem", {}}};
    server.tls.keys = {{"/h.key", {}}};
    server.tls.verify = PeerVerify::require;
    server.tls.verify_depth = 2;
    server.tls.trust.ca_file = NamedFile{"/ca.pem", {}};
    return server;
  }
  void load() {
    auto loaded = Hosts::load(config_, access_);
    ASSERT_TRUE(loaded) << loaded.error().front().text;
    hosts_ = std::move(*loaded);
  }
  X509_STORE* store_of(const config::Server& server) const {
    return SSL_CTX_get_cert_store(hosts_->context_of(server));
  }
  int names_told_by(const config::Server& server) const {
    return sk_X509_NAME_num(SSL_CTX_get_client_CA_list(hosts_->context_of(server)));
  }
  // Whether a handshake with the client succeeds.
  bool lets_in(const config::Server& server) const {
    const ContextHandle context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_use_certificate(context.get(), client_.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), client_.key.get());
    const SslHandle here(SSL_new(context.get())), there(SSL_new(hosts_->context_of(server)));
    testing::shake_hands(here.get(), there.get());
    return SSL_is_init_finished(there.get()) == 1;
  }

  testing::KeyPair host_, root_, middle_, client_;
  std::map<std::string, std::string> files_;
  std::map<std::string, int> reads_;
  FileAccess access_;
  config::Config config_;
  std::shared_ptr<const Hosts> hosts_;
};

X509* first_authority_in(X509_STORE* store) {
  const STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i)
    if (X509* const found = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i))) return found;
  return nullptr;
}

TEST_F(Sharing, what_many_hosts_name_is_read_once_and_is_the_same_object) {
  for (int i = 0; i < 20; ++i) {
    config::Server& server = add();
    server.tls.chain = NamedFile{"/ca.pem", {}};
    server.tls.trust.names_file = NamedFile{"/names.pem", {}};
    server.tls.trust.crl_file = NamedFile{"/lists.pem", {}};
    server.tls_backend.engine = true;
    server.tls_backend.ca_file = NamedFile{"/ca.pem", {}};
    server.tls_backend.verify_depth = static_cast<std::uint8_t>(i);  // a context for each
  }
  load();
  EXPECT_THAT(reads_, Each(Pair(::testing::_, 1)));
  EXPECT_EQ(reads_.size(), 5U);
  SSL_CTX* const first = hosts_->context_of(*config_.servers.front());
  SSL_CTX* const last = hosts_->context_of(*config_.servers.back());
  ASSERT_NE(first, last);
  EXPECT_EQ(SSL_CTX_get0_certificate(first), SSL_CTX_get0_certificate(last));
  EXPECT_EQ(SSL_CTX_get0_privatekey(first), SSL_CTX_get0_privatekey(last));
  EXPECT_EQ(SSL_CTX_get_cert_store(first), SSL_CTX_get_cert_store(last));
}

TEST_F(Sharing, each_host_keeps_its_own_depth) {
  const config::Server& deep = add();
  config::Server& flat = add();
  flat.tls.verify_depth = 1;
  load();
  EXPECT_EQ(store_of(deep), store_of(flat));
  EXPECT_TRUE(lets_in(deep));
  EXPECT_FALSE(lets_in(flat));
}

TEST_F(Sharing, who_is_revoked_for_one_host_is_not_for_another) {
  config::Server& strict = add();
  strict.tls.trust.crl_file = NamedFile{"/lists.pem", {}};
  strict.tls.trust.revocation = RevocationCheck::leaf;
  config::Server& lax = add();
  lax.tls.trust.crl_file = NamedFile{"/nobody.pem", {}};
  lax.tls.trust.revocation = RevocationCheck::leaf;
  config::Server& idle = add();
  idle.tls.trust.crl_file = NamedFile{"/lists.pem", {}};
  const config::Server& open = add();
  load();
  EXPECT_FALSE(lets_in(strict));
  EXPECT_TRUE(lets_in(lax));
  EXPECT_TRUE(lets_in(idle));
  EXPECT_TRUE(lets_in(open));
  EXPECT_EQ(first_authority_in(store_of(strict)), first_authority_in(store_of(open)));
}

TEST_F(Sharing, each_host_tells_the_names_that_it_has) {
  const config::Server& usual = add();
  config::Server& other = add();
  other.tls.trust.names_file = NamedFile{"/names.pem", {}};
  const config::Server& usual_too = add();
  load();
  EXPECT_EQ(names_told_by(usual), 2);
  EXPECT_EQ(names_told_by(usual_too), 2);
  EXPECT_EQ(names_told_by(other), 1);
}

TEST_F(Sharing, the_next_load_finds_the_files_as_they_are_then) {
  const config::Server& server = add();
  load();
  EXPECT_TRUE(lets_in(server));
  files_["/ca.pem"] = host_.certificate_pem;
  load();
  EXPECT_FALSE(lets_in(server));
  EXPECT_THAT(reads_, Each(Pair(::testing::_, 2)));
}

TEST_F(Sharing, each_line_that_names_a_bad_file_is_told_of) {
  files_["/bad.pem"] = "nothing";
  for (std::uint32_t i = 1; i <= 2; ++i) {
    config::Server& server = add();
    server.tls.certificates = {{"/bad.pem", {nullptr, i}}};
    server.tls.trust.ca_file = NamedFile{"/none.pem", {nullptr, 10 + i}};
    server.tls.trust.crl_file = NamedFile{"/h.pem", {nullptr, 20 + i}};
    server.tls.trust.revocation = RevocationCheck::leaf;
    server.tls.trust.names_file = NamedFile{"/h.key", {nullptr, 30 + i}};
  }
  const auto loaded = Hosts::load(config_, access_);
  ASSERT_FALSE(loaded);
  std::vector<std::pair<std::uint32_t, std::string>> told;
  for (const Fault& fault : loaded.error()) told.emplace_back(fault.place.line, fault.text);
  constexpr auto of_certificate = "/bad.pem holds no certificate in PEM";
  constexpr auto of_authority = "/none.pem cannot be read: No such file or directory";
  constexpr auto of_list = "/h.pem holds no list of revoked certificates in PEM";
  constexpr auto of_name = "/h.key holds no certificate in PEM";
  EXPECT_THAT(told, ElementsAre(Pair(1, of_certificate), Pair(11, of_authority), Pair(21, of_list),
                                Pair(31, of_name), Pair(2, of_certificate), Pair(12, of_authority),
                                Pair(22, of_list), Pair(32, of_name)));
}

TEST_F(Sharing, a_chain_for_members_is_believed_by_nobody_else) {
  files_["/own"] = host_.certificate_pem + host_.key_pem;
  files_["/one.pem"] = pem_of(root_.certificate);
  config::TlsTrust trust;
  trust.ca_file = NamedFile{"/one.pem", {}};
  config::TlsBackendSettings settings;
  settings.own_file = NamedFile{"/own", {}};
  settings.own_chain = NamedFile{"/ca.pem", {}};
  const ContextHandle one(SSL_CTX_new(TLS_client_method())),
      other(SSL_CTX_new(TLS_client_method()));
  Material material(access_);
  Faults faults;
  set_trust(*one, trust, material, faults);
  set_trust(*other, trust, material, faults);
  ASSERT_EQ(SSL_CTX_get_cert_store(one.get()), SSL_CTX_get_cert_store(other.get()));
  show_own_certificates(*one, settings, material, faults);
  EXPECT_TRUE(faults.empty());
  const auto count_in = [](const ContextHandle& context) {
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.get())));
  };
  EXPECT_EQ(count_in(one), 2);
  EXPECT_EQ(count_in(other), 1);
}

TEST_F(Sharing, a_chain_for_members_leaves_the_rules_about_lists) {
  files_["/own"] = host_.certificate_pem + host_.key_pem;
  config::TlsTrust trust;
  trust.ca_file = NamedFile{"/ca.pem", {}};
  trust.crl_file = NamedFile{"/lists.pem", {}};
  trust.revocation = RevocationCheck::chain;
  const ContextHandle context(SSL_CTX_new(TLS_client_method()));
  Material material(access_);
  Faults faults;
  set_trust(*context, trust, material, faults);
  add_trust(*context, {"/names.pem", {}}, material, faults);
  X509_STORE* const store = SSL_CTX_get_cert_store(context.get());
  EXPECT_EQ(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 4);
  constexpr unsigned long wanted = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  EXPECT_EQ(X509_VERIFY_PARAM_get_flags(X509_STORE_get0_param(store)) & wanted, wanted);
}

TEST_F(Sharing, members_connections_are_kept_as_long_as_the_files_stay_whoever_read_them_first) {
  config::TlsBackendSettings settings;
  settings.ca_file = NamedFile{"/ca.pem", {}};
  const auto identity_in = [&settings](Material& material) {
    return (*ClientContext::make(settings, material))->identity();
  };
  Material material(access_), later(access_);
  const std::string first = identity_in(material);
  EXPECT_EQ(identity_in(material), first);
  EXPECT_EQ(identity_in(later), first);
  files_["/ca.pem"] = host_.certificate_pem;
  Material changed(access_);
  EXPECT_NE(identity_in(changed), first);
}

}  // namespace
}  // namespace steelyard::tls
