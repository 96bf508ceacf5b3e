#include "tls/hosts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tls/named_files.hpp"
#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
    const auto loaded = Hosts::load(config_, testing::files_from(files_));
    std::vector<std::string> said;
    if (!loaded)
      for (const Fault& fault : loaded.error()) said.push_back(fault.text);
    return said;
  }

  testing::KeyPair pair_, other_;
  std::map<std::string, std::string> files_;
  config::Config config_;
};

TEST_F(Loading, a_key_lies_beside_its_certificate_or_in_its_file) {
  add("/a.pem", "/a.key");
  add("/a.both");
  EXPECT_THAT(faults(), ElementsAre());
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
  EXPECT_THAT(faults(),
              ElementsAre(HasSubstr("no cipher match"), "/a.key holds no certificate in PEM",
                          "/a.pem holds no list of revoked certificates in PEM",
                          "/a.key holds no certificate in PEM"));
}

TEST_F(Loading, members_authorities_and_certificates_are_loaded_too) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls_backend.engine = true;
  server.tls_backend.ca_file = config::NamedFile{"/b.key", {}};
  server.tls_backend.own_file = config::NamedFile{"/b.pem", {}};
  EXPECT_THAT(faults(), ElementsAre("/b.pem holds no private key in PEM",
                                    "/b.key holds no certificate in PEM"));
  server.tls_backend.engine = false;
  EXPECT_THAT(faults(), ElementsAre());
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
  const config::Server& same = add("/a.both");
  const config::Server& other = add("/b.pem", "/b.key");
  config::Server& verifying = add("/a.pem", "/a.key");
  verifying.tls.verify = config::PeerVerify::optional;
  const auto hosts = Hosts::load(config_, testing::files_from(files_));
  ASSERT_TRUE(hosts);
  EXPECT_TRUE((*hosts)->may_ask(first, same));
  EXPECT_FALSE((*hosts)->may_ask(first, other));
  EXPECT_FALSE((*hosts)->may_ask(first, verifying));
}

TEST_F(Loading, what_is_named_is_listed_once) {
  config::Server& server = add("/a.pem", "/a.key");
  server.tls.chain = config::NamedFile{"/c.pem", {}};
  add("/a.pem", "/a.key");
  EXPECT_THAT(named_files(config_), ElementsAre("/a.key", "/a.pem", "/c.pem"));
}

}  // namespace
}  // namespace steelyard::tls
