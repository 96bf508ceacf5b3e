#include "tls/own_certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Both ends of a handshake, joined in memory.
class Showing : public ::testing::Test {
 protected:
  Showing()
      : a_(testing::make_key_pair("a.test")),
        b_(testing::make_key_pair("b.test")),
        client_(SSL_CTX_new(TLS_client_method())) {
    files_ = {{"/a", a_.certificate_pem + a_.key_pem}, {"/b", b_.key_pem + b_.certificate_pem}};
    settings_.own_file = config::NamedFile{"/a", {}};
  }
  std::vector<std::string> faults() {
    FileAccess access = testing::files_from(files_);
    if (!names_.empty()) access.list = [this](const std::string&) { return names_; };
    client_.reset(SSL_CTX_new(TLS_client_method()));
    Faults faults;
    Material material(access);
    show_own_certificates(*client_, settings_, material, faults);
    std::vector<std::string> said;
    for (const Fault& fault : faults) said.push_back(fault.text);
    return said;
  }
  // Whose certificate a member gets that names these authorities; empty: none.
  std::string shown(const std::vector<X509*>& authorities) {
    const ContextHandle server(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(server.get(), b_.certificate.get());
    SSL_CTX_use_PrivateKey(server.get(), b_.key.get());
    SSL_CTX_set_verify(server.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
    for (X509* const authority : authorities) SSL_CTX_add_client_CA(server.get(), authority);
    const SslHandle here(SSL_new(client_.get())), there(SSL_new(server.get()));
    testing::shake_hands(here.get(), there.get());
    EXPECT_EQ(SSL_is_init_finished(there.get()), 1);
    X509* const seen = SSL_get0_peer_certificate(there.get());
    if (seen == nullptr) return "";
    between_ = sk_X509_num(SSL_get_peer_cert_chain(there.get()));
    std::array<char, 100> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(seen), NID_commonName, name.data(),
                              static_cast<int>(name.size()));
    return name.data();
  }

  testing::KeyPair a_, b_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> names_;  // in the directory
  config::TlsBackendSettings settings_;
  ContextHandle client_;
  int between_ = 0;  // certificates that came with the one last shown
};

TEST_F(Showing, that_of_the_first_authority_which_one_leads_to) {
  names_ = {"b", "readme"};
  files_["/in/b"] = files_["/b"];
  files_["/in/readme"] = "Nothing for machines.";
  settings_.own_path = config::NamedFile{"/in", {}};
  const testing::KeyPair stranger = testing::make_key_pair("stranger.test");
  X509* const a = a_.certificate.get();
  X509* const b = b_.certificate.get();
  EXPECT_THAT(faults(), ElementsAre());
  EXPECT_EQ(shown({a, b}), "a.test");
  EXPECT_EQ(shown({stranger.certificate.get(), b, a}), "b.test");
  EXPECT_EQ(shown({}), "a.test");
  EXPECT_EQ(shown({stranger.certificate.get()}), "");
}

TEST_F(Showing, a_file_may_hold_several_in_any_order) {
  files_["/a"] = a_.key_pem + b_.certificate_pem + a_.certificate_pem + b_.key_pem;
  EXPECT_THAT(faults(), ElementsAre());
  EXPECT_EQ(shown({a_.certificate.get()}), "a.test");
  EXPECT_EQ(shown({b_.certificate.get()}), "b.test");
  EXPECT_EQ(between_, 0);
}

TEST_F(Showing, one_without_a_key_goes_with_the_others) {
  files_["/a"] = a_.certificate_pem + b_.certificate_pem + a_.key_pem;
  EXPECT_THAT(faults(), ElementsAre());
  EXPECT_EQ(shown({a_.certificate.get()}), "a.test");
  EXPECT_EQ(between_, 1);
}

TEST_F(Showing, what_is_not_whole_is_a_fault) {
  files_["/a"] = a_.certificate_pem;
  EXPECT_THAT(faults(), ElementsAre("/a holds no private key in PEM"));
  files_["/a"] = a_.key_pem;
  EXPECT_THAT(faults(), ElementsAre("/a holds no certificate in PEM"));
  files_["/a"] = a_.certificate_pem + a_.key_pem + b_.key_pem;
  EXPECT_THAT(faults(), ElementsAre("/a holds a key that belongs to none of its certificates"));
  std::string damaged = a_.key_pem;
  damaged[damaged.size() / 2] = '*';
  files_["/a"] = a_.certificate_pem + a_.key_pem + damaged;
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/a holds a malformed certificate"),
                                    HasSubstr("/a holds a malformed private key")));
  files_.erase("/a");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/a cannot be read: No such file")));
}

TEST_F(Showing, a_directory_is_read_whole_or_missed) {
  settings_.own_file.reset();
  settings_.own_path = config::NamedFile{"/in", {}};
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/in cannot be read: No such file")));
  names_ = {"a", "readme"};
  files_["/in/readme"] = "Nothing for machines.";
  files_["/in/a"] = a_.certificate_pem;
  EXPECT_THAT(faults(), ElementsAre("/in/a holds no private key in PEM"));
}

TEST_F(Showing, a_chain_file_that_holds_none_is_a_fault) {
  settings_.own_chain = config::NamedFile{"/chain", {}};
  files_["/chain"] = "x";
  EXPECT_THAT(faults(), ElementsAre("/chain holds no certificate in PEM"));
}

}  // namespace
}  // namespace steelyard::tls
