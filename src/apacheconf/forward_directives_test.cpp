#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"
#include "config/forward_proxy.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string closed = "<Proxy \"*\">\nRequire ip 10\n</Proxy>\n";

class ForwardDirectives : public ::testing::Test {
 protected:
  ForwardDirectives() {
    reader_.options.resolve_host = [](const std::string& name) {
      std::vector<IpAddress> found;
      if (name == "known.test") found.push_back(IpAddress::v4(0x0a000001));
      if (name == "localhost") found.push_back(IpAddress::v4(0x7f000001));
      return found;
    };
  }
  static std::string whole(const std::string& text) {
    return std::string(testing::preamble) +
           "LoadModule proxy_module m\nLoadModule proxy_http_module m\n"
           "LoadModule proxy_connect_module m\nLoadModule authz_core_module m\n"
           "LoadModule authz_host_module m\nLoadModule access_compat_module m\n" +
           text;
  }
  // What is complained about without its line; empty: nothing is.
  std::string fault(const std::string& text) {
    const auto faults = reader_.faults(whole(text));
    return faults.empty() ? "" : faults.front().substr(faults.front().find(": ") + 2);
  }
  void accept(const std::string& text) {
    auto result = reader_.read(whole(text));
    ASSERT_TRUE(result) << describe(result.error().front());
    config_ = std::move(result->config);
  }
  const config::ForwardProxy& forward(std::size_t server = 0) const {
    return *config_->servers.at(server)->proxy.forward;
  }
  static std::string ports_of(const config::ForwardProxy& forward) {
    std::string text;
    for (const config::PortRange range : forward.connect_ports)
      text += std::to_string(range.first) + "-" + std::to_string(range.last) + " ";
    return text;
  }

  testing::Reader reader_;
  std::unique_ptr<config::Config> config_;
};

TEST_F(ForwardDirectives, requests_are_taken_only_where_somebody_is_kept_out) {
  constexpr std::string_view words = "would be an open proxy";
  EXPECT_EQ(fault("ProxyRequests Off\n"), "");
  EXPECT_THAT(fault("ProxyRequests On\n"), HasSubstr(words));
  EXPECT_THAT(fault("ProxyRequests On\n<Proxy \"*\">\nRequire all granted\n</Proxy>\n"),
              HasSubstr(words));
  EXPECT_EQ(fault("ProxyRequests On\n" + closed), "");
  EXPECT_EQ(fault("ProxyRequests On\n<ProxyMatch \".*\">\nRequire local\n</ProxyMatch>\n"), "");
  EXPECT_EQ(fault("ProxyRequests On\n<Proxy \"*\">\nRequire all denied\n</Proxy>\n"), "");
  EXPECT_EQ(fault("ProxyRequests On\n<Proxy \"*\">\nOrder Deny,Allow\nDeny from all\n"
                  "Allow from 10.0.0.1\n</Proxy>\n"),
            "");
}

TEST_F(ForwardDirectives, what_leaves_a_hole_is_told) {
  // Tunnels are not covered by sections of URLs.
  EXPECT_THAT(fault("ProxyRequests On\n<Proxy \"http*\">\nRequire ip 10\n</Proxy>\n"),
              HasSubstr("ftp://"));
  EXPECT_THAT(fault("ProxyRequests On\n<ProxyMatch \"^[a-z]*:\">\nRequire ip 10\n</ProxyMatch>\n"),
              HasSubstr(":443"));
  EXPECT_THAT(fault("ProxyRequests On\n<Proxy \"*\">\n<Limit GET POST>\nRequire ip 10\n</Limit>\n"
                    "</Proxy>\n"),
              HasSubstr("open proxy"));
  EXPECT_THAT(fault("ProxyRequests On\n" + closed +
                    "<Proxy \"http://*\">\nRequire all granted\n</Proxy>\n"),
              HasSubstr("http://"));
  // One site for all is a decision.
  EXPECT_EQ(fault("ProxyRequests On\n" + closed +
                  "<Proxy \"http://one.test/*\">\nRequire all granted\n</Proxy>\n"),
            "");
}

TEST_F(ForwardDirectives, virtual_hosts_are_asked_each_and_a_line_is_told_once) {
  const std::string hosts =
      "<VirtualHost *:81>\n</VirtualHost>\n<VirtualHost *:82>\n</VirtualHost>\n";
  EXPECT_THAT(reader_.faults(whole("ProxyRequests On\n" + hosts)), ::testing::SizeIs(1));
  EXPECT_THAT(reader_.faults(whole("ProxyRequests On\n" + closed + hosts)), IsEmpty());
  EXPECT_THAT(fault(closed + "<VirtualHost *:81>\nProxyRequests On\n<Proxy \"*\">\n"
                             "Require all granted\n</Proxy>\n</VirtualHost>\n"),
              HasSubstr("open proxy"));
  accept("ProxyRequests On\n" + closed + "<VirtualHost *:81>\nProxyRequests Off\n</VirtualHost>\n");
  EXPECT_TRUE(forward().takes_requests);
  EXPECT_FALSE(forward(1).takes_requests);
}

TEST_F(ForwardDirectives, nothing_is_kept_where_nothing_is_said) {
  accept("ProxyRequests Off\nProxyBlock a.test\n");
  EXPECT_EQ(config_->servers[0]->proxy.forward, nullptr);
}

TEST_F(ForwardDirectives, ports_of_tunnels) {
  accept(
      "AllowCONNECT 80 8000-8010\nAllowCONNECT 90\n<VirtualHost *:81>\nAllowCONNECT 443\n"
      "AllowCONNECT 444\n</VirtualHost>\n<VirtualHost *:82>\n</VirtualHost>\n");
  EXPECT_EQ(ports_of(forward()), "80-80 8000-8010 90-90 ");
  EXPECT_EQ(ports_of(forward(1)), "443-443 444-444 ");
  EXPECT_EQ(ports_of(forward(2)), ports_of(forward()));
  accept("AllowCONNECT 0-65535\n");
  EXPECT_EQ(ports_of(forward()), "1-65535 ");
  EXPECT_EQ(fault("AllowCONNECT x"), "AllowCONNECT: port numbers must be numeric");
  for (const std::string word : {"0", "65536", "80-", "80x", "90-80", "1-2-3"})
    EXPECT_EQ(fault("AllowCONNECT " + word), "Cannot parse '" + word + "' as port number");
}

TEST_F(ForwardDirectives, blocked_names_are_looked_up_when_they_have_a_dot) {
  accept("ProxyBlock Known.test localhost 192.0.2.1 .known.test\n");
  const config::ProxySettings& proxy = config_->servers[0]->proxy;
  EXPECT_THAT(proxy.blocked_hosts,
              ElementsAre("known.test", "localhost", "192.0.2.1", ".known.test"));
  ASSERT_EQ(proxy.blocked_addresses.size(), 1u);
  EXPECT_EQ(proxy.blocked_addresses[0].text(), "192.0.2.1");
  accept("ProxyBlock known.test\n");
  EXPECT_EQ(config_->servers[0]->proxy.blocked_addresses.at(0).text(), "10.0.0.1");
}

TEST_F(ForwardDirectives, a_word_that_begins_with_an_asterisk_blocks_all) {
  accept("ProxyBlock *.evil.test a.test\n");
  EXPECT_THAT(config_->servers[0]->proxy.blocked_hosts, ElementsAre("*", "a.test"));
}

TEST_F(ForwardDirectives, words_of_NoProxy) {
  using Kind = config::DirectHost::Kind;
  accept(
      "NoProxy .Corp.test known.test unknown.test 10. 192.168.0.0 172.16.0.0/12 1.2.3.4 a_b\n"
      "<VirtualHost *:81>\nNoProxy .more\n</VirtualHost>\n");
  std::vector<std::pair<Kind, std::string>> seen;
  for (const config::DirectHost& direct : forward().direct_hosts)
    seen.emplace_back(direct.kind, direct.network ? direct.network->text() : direct.text);
  EXPECT_THAT(
      seen,
      ElementsAre(std::pair(Kind::domain, ".corp.test"), std::pair(Kind::host, "known.test"),
                  std::pair(Kind::word, "unknown.test"), std::pair(Kind::network, "10.0.0.0/8"),
                  std::pair(Kind::network, "192.168.0.0/16"),
                  std::pair(Kind::network, "172.16.0.0/12"), std::pair(Kind::network, "1.2.3.4/32"),
                  std::pair(Kind::word, "a_b")));
  EXPECT_EQ(forward(1).direct_hosts.size(), 9u);
}

TEST_F(ForwardDirectives, remotes_add_up) {
  accept(
      "ProxyRemote http HTTP://Proxy.test:3128 user:pass\nProxyRemoteMatch ^f http://[::1]\n"
      "<VirtualHost *:81>\nProxyRemote * http://last.test/\n</VirtualHost>\n");
  const auto& remotes = forward(1).remotes;
  ASSERT_EQ(remotes.size(), 3u);
  EXPECT_EQ(remotes[0].match, "http");
  EXPECT_EQ(remotes[0].host, "proxy.test");
  EXPECT_EQ(remotes[0].port, 3128);
  EXPECT_EQ(remotes[0].authorization, "Basic dXNlcjpwYXNz");
  EXPECT_TRUE(remotes[1].regex);
  EXPECT_EQ(remotes[1].host, "::1");
  EXPECT_EQ(remotes[2].port, 80);
  EXPECT_EQ(forward(0).remotes.size(), 2u);
}

TEST_F(ForwardDirectives, faults_of_remotes) {
  const std::string bad = "ProxyRemote: Bad syntax for a remote proxy server";
  for (const std::string server :
       {"foo", "http://", "http:/h", "http://h h", "http://[::1", "http://a@b"})
    EXPECT_THAT(fault("ProxyRemote * \"" + server + "\""), HasSubstr(bad)) << server;
  for (const std::string port : {"99999", "x", "0", ""})
    EXPECT_EQ(fault("ProxyRemote * http://h:" + port), bad + " (bad port number)") << port;
  EXPECT_THAT(fault("ProxyRemote * https://h"), HasSubstr("over http:// only"));
  EXPECT_EQ(fault("ProxyRemoteMatch ( http://h"),
            "Regular expression for ProxyRemoteMatch could not be compiled.");
  EXPECT_THAT(fault("ProxyRemoteMatch . foo"), HasSubstr("ProxyRemoteMatch: Bad syntax"));
  EXPECT_EQ(fault("ProxyDomain x"), "ProxyDomain: domain name must start with a dot.");
}

TEST_F(ForwardDirectives, a_remote_that_is_this_server_is_a_fault) {
  constexpr std::string_view words = "leads back to the server that has it";
  EXPECT_THAT(fault("ProxyRemote * http://127.0.0.1:8080\n"), HasSubstr(words));
  EXPECT_THAT(fault("ProxyRemote * http://localhost:8080\n"), HasSubstr(words));
  EXPECT_EQ(fault("ProxyRemote * http://127.0.0.1:8081\n"), "");
  EXPECT_EQ(fault("ProxyRemote * http://127.0.0.2:8080\n"), "");
  // Another virtual host may be the proxy.
  const std::string other = "Listen 127.0.0.1:8090\n<VirtualHost *:8090>\n</VirtualHost>\n";
  EXPECT_EQ(fault(other + "<VirtualHost *:8080>\nProxyRemote * http://127.0.0.1:8090\n"
                          "</VirtualHost>\n"),
            "");
  EXPECT_THAT(fault(other + "<VirtualHost *:8080>\nProxyRemote * http://127.0.0.1:8080\n"
                            "</VirtualHost>\n"),
              HasSubstr(words));
}

}  // namespace
}  // namespace steelyard::apacheconf
