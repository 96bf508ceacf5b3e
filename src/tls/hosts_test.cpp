#include "tls/hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tls/named_files.hpp"
#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class Loading : public ::testing::Test {
 protected:
  Loading() : pair_(testing::make_key_pair("a.test")), other_(testing::make_key_pair("b.test")) {
    files_ = {{"/a.pem", pair_.certificate_pem},
              {"/a.key", pair_.key_pem},
              {"/b.pem", other_.certificate_pem},
              {"/b.key", other_.key_pem},
              {"/a.both", pair_.certificate_pem + pair_.key_pem}};
  }
  config::Server& add(const std::string& certificate, const std::string& key = {}) {
    config_.servers.push_back(std::make_unique<config::Server>());
    config::Server& server = *config_.servers.back();
    server.index = static_cast<std::uint32_t>(config_.servers.size() - 1);
    server.name = "h" + std::to_string(server.index);
    server.tls.engine = true;
    server.tls.certificates.push_back({certificate, {}});
    if (!key.empty()) server.tls.keys.push_back({key, {}});
    return server;
  }
  std::vector<std::string> faults() {
    FileAccess access = testing::files_from(files_);
    access.pass_phrases = phrases_;
    access.list = [this](const std::string&) { return names_; };
    const auto loaded = Hosts::load(config_, access);
    std::vector<std::string> said;
    if (!loaded)
      for (const Fault& fault : loaded.error()) said.push_back(fault.text);
    return said;
  }

  testing::KeyPair pair_, other_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> names_;  // in every directory
  PassPhrases* phrases_ = nullptr;
  config::Config config_;
};

TEST_F(Loading, a_key_lies_beside_its_certificate_or_in_its_file) {
  add("/a.pem", "/a.key");
  add("/a.both");
  EXPECT_THAT(faults(), ElementsAre());
}

TEST_F(Loading, a_kernel_that_cannot_encrypt_is_told_of_where_a_line_wants_it_to) {
  add("/a.pem", "/a.key");
  const auto remarks = [&](bool is_wanted, bool kernel_has_tls) {
    config_.tls.kernel_encrypts = is_wanted;
    FileAccess access = testing::files_from(files_);
    access.kernel_has_tls = kernel_has_tls;
    return (*Hosts::load(config_, access))->remarks().size();
  };
  EXPECT_EQ(remarks(true, false), 1U);
  EXPECT_EQ(remarks(true, true), 0U);
  EXPECT_EQ(remarks(false, false), 0U);
}

TEST_F(Loading, each_fault_names_its_file) {
  add("/a.pem", "/b.key");
  add("/a.pem");
  add("/none.pem", "/a.key");
  add("/a.key", "/a.key");
  EXPECT_THAT(faults(),
              ElementsAre("/b.key is not the key of /a.pem", "/a.pem holds no private key in PEM",
                          HasSubstr("/none.pem cannot be read: No such file"),
                          "/a.key holds no certificate in PEM"));
}

TEST_F(Loading, faults_of_ciphers_and_authorities_are_found) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls.ciphers = "NO-SUCH-CIPHER";
  server.tls.verify = config::PeerVerify::require;
  server.tls.trust.ca_file = config::NamedFile{"/a.key", {}};
  server.tls.trust.crl_file = config::NamedFile{"/a.pem", {}};
  server.tls.trust.revocation = config::RevocationCheck::chain;
  EXPECT_THAT(faults(),
              ElementsAre(HasSubstr("no cipher match"), "/a.key holds no certificate in PEM",
                          "/a.pem holds no list of revoked certificates in PEM"));
}

TEST_F(Loading, members_authorities_and_certificates_are_loaded_too) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls_backend.engine = true;
  server.tls_backend.ca_file = config::NamedFile{"/b.key", {}};
  server.tls_backend.own_file = config::NamedFile{"/b.pem", {}};
  EXPECT_THAT(faults(), ElementsAre("/b.key holds no certificate in PEM",
                                    "/b.pem holds no private key in PEM"));
  server.tls_backend.engine = false;
  EXPECT_THAT(faults(), ElementsAre());
}

TEST_F(Loading, what_nothing_uses_has_to_be_there_all_the_same) {
  files_["/empty"] = "";
  config::Server& server = add("/a.pem", "/none.key");
  server.tls.engine = false;
  server.tls.trust.ca_file = config::NamedFile{"/empty", {}};
  server.tls_backend.crl_file = config::NamedFile{"/none.crl", {}};
  config::Server& inheriting = add("/a.pem", "/none.key");
  inheriting.tls.engine = false;
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/none.key cannot be read"), "/empty is empty",
                                    HasSubstr("/none.crl cannot be read")));
}

TEST_F(Loading, a_section_counts_for_the_urls_that_it_covers) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls_backend.engine = true;
  config::Section section;
  section.pattern = "balancer://app";
  section.tls_backend.emplace().verify_depth = 5;
  server.proxies.push_back(section);
  section.pattern = "https://plain/";
  section.tls_backend->engine = false;
  server.proxies.push_back(section);
  const auto hosts = Hosts::load(config_, testing::files_from(files_));
  ASSERT_TRUE(hosts);
  const auto& own = (*hosts)->backend_of(server, "https://elsewhere/");
  ASSERT_NE(own, nullptr);
  EXPECT_NE((*hosts)->backend_of(server, "balancer://app/x"), own);
  EXPECT_NE((*hosts)->backend_of(server, "balancer://app/x"), nullptr);
  EXPECT_EQ((*hosts)->backend_of(server, "https://plain/x"), nullptr);
}

TEST_F(Loading, hosts_with_the_same_certificates_and_rules_may_be_asked_for_each_other) {
  const config::Server& first = add("/a.pem", "/a.key");
  const config::Server& same = add("/a.pem", "/a.key");
  const config::Server& copied = add("/a.both");  // httpd goes by the paths
  const config::Server& other = add("/b.pem", "/b.key");
  config::Server& verifying = add("/a.pem", "/a.key");
  verifying.tls.verify = config::PeerVerify::optional;
  const auto hosts = Hosts::load(config_, testing::files_from(files_));
  ASSERT_TRUE(hosts);
  EXPECT_TRUE((*hosts)->may_ask(first, same));
  EXPECT_FALSE((*hosts)->may_ask(first, copied));
  EXPECT_FALSE((*hosts)->may_ask(first, other));
  EXPECT_FALSE((*hosts)->may_ask(first, verifying));
}

TEST_F(Loading, versions_below_a_gap_do_not_count) {
  config::Server& server = add("/a.pem", "/a.key");
  using Range = std::pair<long, long>;
  const auto range_of = [&](config::TlsVersions versions) {
    server.tls.versions = versions;
    const auto loaded = Hosts::load(config_, testing::files_from(files_));
    SSL_CTX* const context = (*loaded)->context_of(server);
    return Range(SSL_CTX_get_min_proto_version(context), SSL_CTX_get_max_proto_version(context));
  };
  using namespace config;
  EXPECT_EQ(range_of(tls_all & ~tls_1_1), Range(TLS1_2_VERSION, TLS1_3_VERSION));
  EXPECT_EQ(range_of(tls_all & ~tls_1_2), Range(TLS1_3_VERSION, TLS1_3_VERSION));
  EXPECT_EQ(range_of(tls_1_0 | tls_1_2), Range(TLS1_2_VERSION, TLS1_2_VERSION));
  EXPECT_EQ(range_of(tls_1_0 | tls_1_1), Range(TLS1_VERSION, TLS1_1_VERSION));
}

TEST_F(Loading, the_librarys_own_words_are_obeyed_or_faults) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls.commands = {{"Groups", "P-384", {}}, {"MinProtocol", "TLSv1.3", {}}};
  const auto loaded = Hosts::load(config_, testing::files_from(files_));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(SSL_CTX_get_min_proto_version((*loaded)->context_of(server)), TLS1_3_VERSION);
  server.tls.commands = {{"Foo", "bar", {}},
                         {"-min_protocol", "TLSv1.2", {}},
                         {"MinProtocol", "nope", {}},
                         {"Options", "NoSuch", {}}};
  EXPECT_THAT(
      faults(),
      ElementsAre(HasSubstr("'Foo': invalid OpenSSL configuration command"),
                  HasSubstr("'-min_protocol': invalid OpenSSL configuration command"),
                  HasSubstr("MinProtocol nope failed"), HasSubstr("Options NoSuch failed")));
}

TEST_F(Loading, hosts_of_other_library_words_may_not_be_asked_for_each_other) {
  config::Server& first = add("/a.pem", "/a.key");
  config::Server& second = add("/a.pem", "/a.key");
  second.tls.commands = {{"Groups", "P-384", {}}};
  const auto loaded = Hosts::load(config_, testing::files_from(files_));
  ASSERT_TRUE(loaded);
  EXPECT_FALSE((*loaded)->may_ask(first, second));
}

TEST_F(Loading, half_a_bundle_of_lists_is_none) {
  const std::string whole = testing::revocation_list(pair_),
                    other = testing::revocation_list(other_);
  config::Server& server = add("/a.pem", "/a.key");
  server.tls.verify = config::PeerVerify::require;
  server.tls.trust.crl_file = config::NamedFile{"/lists.pem", {}};
  files_["/lists.pem"] = whole + other;
  EXPECT_THAT(faults(), ElementsAre());
  std::string damaged = other;
  damaged[damaged.size() / 2] = '*';
  files_["/lists.pem"] = whole + damaged;
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/lists.pem holds a damaged list of revoked")));
}

TEST_F(Loading, a_list_in_a_directory_is_read_or_missed) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls.verify = config::PeerVerify::require;
  server.tls.trust.crl_path = config::NamedFile{"/lists", {}};
  server.tls.trust.revocation = config::RevocationCheck::leaf;
  files_["/lists/readme"] = "nothing";
  files_["/lists/a.r0"] = testing::revocation_list(pair_);
  names_ = {"a.r0", "readme"};
  EXPECT_THAT(faults(), ElementsAre());
  names_.emplace_back("closed.r0");
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/lists/closed.r0 cannot be read")));
}

// Answers with what stands in a list, and notes what it was asked.
class ScriptedPhrases final : public PassPhrases {
 public:
  std::vector<std::string> known() const override { return kept; }
  std::expected<std::string, std::string> ask(const LockedKey& key, unsigned wrong) override {
    asked.push_back(key.server + ' ' + std::to_string(key.index) + ' ' + key.path + ' ' +
                    std::to_string(wrong));
    if (answers.empty()) return std::unexpected("nobody is there");
    std::string answer = answers.front();
    answers.erase(answers.begin());
    return answer;
  }
  void keep(std::string phrase) override { kept.push_back(std::move(phrase)); }

  std::vector<std::string> answers, kept, asked;
};

std::string locked_key(const testing::KeyPair& pair, std::string phrase) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), pair.key.get(), EVP_aes_128_cbc(),
                           reinterpret_cast<unsigned char*>(phrase.data()),
                           static_cast<int>(phrase.size()), nullptr, nullptr);
  return testing::text_in(bio.get());
}

TEST_F(Loading, a_pass_phrase_is_asked_for_until_it_fits_and_tried_on_other_keys) {
  ScriptedPhrases phrases;
  phrases_ = &phrases;
  phrases.answers = {"wrong", "right"};
  files_["/a.key"] = locked_key(pair_, "right");
  files_["/b.key"] = locked_key(other_, "right");
  add("/a.pem", "/a.key");
  add("/b.pem", "/b.key").name_port = 8443;
  EXPECT_THAT(faults(), ElementsAre());
  EXPECT_THAT(phrases.asked, ElementsAre("h0:443 0 /a.key 0", "h0:443 0 /a.key 1"));
  EXPECT_THAT(phrases.kept, ElementsAre("right"));
  files_["/b.key"] = locked_key(other_, "another");
  EXPECT_THAT(faults(), ElementsAre("/b.key holds a key with a pass phrase: nobody is there"));
  EXPECT_EQ(phrases.asked.back(), "h1:8443 0 /b.key 0");
}

TEST_F(Loading, where_nobody_is_asked_a_locked_key_stays_unread) {
  files_["/a.key"] = locked_key(pair_, "right");
  add("/a.pem", "/a.key");
  EXPECT_THAT(faults(), ElementsAre());
}

TEST_F(Loading, a_locked_key_for_members_is_a_fault) {
  files_["/a.both"] = pair_.certificate_pem + locked_key(pair_, "right");
  config::TlsBackendSettings& backend = add("/a.pem", "/a.key").tls_backend;
  backend.engine = true;
  backend.own_file = config::NamedFile{"/a.both", {}};
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("/a.both holds a key with a pass phrase, which "
                                              "nobody is asked for")));
}

TEST_F(Loading, what_is_named_is_listed_once) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls.ocsp.responders = config::NamedFile{"/responders.pem", {}};
  server.tls.ticket_key = config::NamedFile{"/tickets", {}};
  server.tls.chain = config::NamedFile{"/c.pem", {}};
  server.tls.trust.crl_path = config::NamedFile{"/lists", {}};
  server.tls.trust.ca_path = config::NamedFile{"/closed", {}};
  config::Server& inheriting = add("/a.pem", "/a.key");
  inheriting.tls.trust = server.tls.trust;
  config::TlsBackendSettings& backend = inheriting.tls_backend;
  backend.own_path = config::NamedFile{"/own", {}};
  backend.own_chain = config::NamedFile{"/between.pem", {}};
  std::vector<std::string> listed;
  const auto list =
      [&listed](const std::string& path) -> std::expected<std::vector<std::string>, std::string> {
    listed.push_back(path);
    if (path == "/lists") return std::vector<std::string>{"x.r0"};
    if (path == "/own") return std::vector<std::string>{"y.pem"};
    return std::unexpected("Permission denied");
  };
  EXPECT_THAT(named_files(config_, list),
              ElementsAre("/a.key", "/a.pem", "/between.pem", "/c.pem", "/lists/x.r0", "/own/y.pem",
                          "/responders.pem", "/tickets"));
  EXPECT_THAT(listed, UnorderedElementsAre("/closed", "/lists", "/own"));
}

}  // namespace
}  // namespace steelyard::tls
