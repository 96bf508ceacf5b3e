#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RemoteIpDirectives : public ::testing::Test {
 protected:
  RemoteIpDirectives() {
    reader_.options.resolve_host = [](const std::string& name) {
      return name == "lb.example"
                 ? std::vector{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")}
                 : std::vector<IpAddress>();
    };
  }
  std::unique_ptr<config::Config> read(const std::string& text) {
    auto result = reader_.read(before_ + text);
    EXPECT_TRUE(result) << text;
    return result ? std::move(result->config) : nullptr;
  }
  std::vector<std::string> faults(const std::string& text) {
    return reader_.faults(before_ + text);
  }
  static std::string proxies(const config::Server& server) {
    std::string text;
    for (const auto& proxy : server.client.remote_ip.proxies)
      text += proxy.network.text() + (proxy.is_internal ? " internal, " : ", ");
    return text;
  }

  testing::Reader reader_;
  std::string before_ = std::string(testing::preamble) + "LoadModule remoteip_module m\n";
};

TEST_F(RemoteIpDirectives, a_proxy_is_an_address_a_network_or_a_host) {
  reader_.files.contents["/c/list"] = "# those\n\n10.1.0.0/16\t192.0.2.9 # and no more 1.1.1.1\r\n";
  const auto config = read(
      "RemoteIPInternalProxy 10.0.0.0/255.0.0.0 172.16\nRemoteIPTrustedProxy lb.example ::1\n"
      "RemoteIPTrustedProxyList list\n");
  EXPECT_EQ(proxies(*config->servers[0]),
            "10.0.0.0/8 internal, 172.16.0.0/16 internal, 192.0.2.1/32, 2001:db8::1/128, ::1/128, "
            "10.1.0.0/16, 192.0.2.9/32, ");
}

TEST_F(RemoteIpDirectives, what_a_virtual_host_says_comes_before_what_the_main_server_says) {
  const auto config = read(
      "RemoteIPHeader X-Main\n<VirtualHost *:80>\nRemoteIPTrustedProxy 10.1.1.1\n"
      "RemoteIPHeader X-Own\n</VirtualHost>\n<VirtualHost *:81>\n</VirtualHost>\n"
      "RemoteIPInternalProxy 10.0.0.0/8\nRemoteIPProxiesHeader X-By\n");
  EXPECT_EQ(proxies(*config->servers[0]), "10.0.0.0/8 internal, ");
  EXPECT_EQ(proxies(*config->servers[1]), "10.1.1.1/32, 10.0.0.0/8 internal, ");
  EXPECT_EQ(proxies(*config->servers[2]), "10.0.0.0/8 internal, ");
  EXPECT_EQ(config->servers[1]->client.remote_ip.header, "X-Own");
  EXPECT_EQ(config->servers[2]->client.remote_ip.header, "X-Main");
  EXPECT_EQ(config->servers[1]->client.remote_ip.proxies_header, "X-By");
}

TEST_F(RemoteIpDirectives, the_proxy_protocol_is_a_matter_of_addresses) {
  const auto config = read(
      "<VirtualHost 127.0.0.1:81>\nRemoteIPProxyProtocol On\n</VirtualHost>\n"
      "<VirtualHost *:82 [::1]:83>\nRemoteIPProxyProtocol On\n"
      "RemoteIPProxyProtocolExceptions 10.0.0.0/8\n</VirtualHost>\n"
      "<VirtualHost 127.0.0.2:82>\nRemoteIPProxyProtocol Off\n</VirtualHost>\n"
      "<VirtualHost *:84>\nRemoteIPProxyProtocol On\n</VirtualHost>\n"
      "<VirtualHost *:84>\nServerName x\nRemoteIPProxyProtocol Off\n</VirtualHost>\n");
  const auto expects = [&](std::string_view local, std::uint16_t port, std::string_view peer) {
    return config->proxy_protocol.expects_header({*IpAddress::parse(local), port},
                                                 *IpAddress::parse(peer));
  };
  EXPECT_TRUE(expects("127.0.0.1", 81, "192.0.2.1"));
  EXPECT_FALSE(expects("127.0.0.1", 80, "192.0.2.1"));
  EXPECT_FALSE(expects("127.0.0.3", 81, "192.0.2.1"));
  EXPECT_TRUE(expects("127.0.0.1", 82, "192.0.2.1"));
  EXPECT_TRUE(expects("2001:db8::1", 82, "2001:db8::9"));
  EXPECT_FALSE(expects("127.0.0.2", 82, "192.0.2.1")) << "off beats on";
  EXPECT_TRUE(expects("::1", 83, "::1"));
  EXPECT_FALSE(expects("127.0.0.1", 84, "192.0.2.1")) << "the last of two counts";
  EXPECT_FALSE(expects("127.0.0.1", 81, "10.2.3.4")) << "an exception counts everywhere";
  EXPECT_TRUE(read("RemoteIPProxyProtocol On\n")
                  ->proxy_protocol.expects_header({*IpAddress::parse("::1"), 8080},
                                                  *IpAddress::parse("::1")));
}

TEST_F(RemoteIpDirectives, says_what_is_wrong_as_httpd_does) {
  EXPECT_THAT(
      faults("RemoteIPInternalProxy 10.0.0.0/77\n"),
      ElementsAre("4: RemoteIP: Error parsing IP 10.0.0.0/77 (The specified network mask is "
                  "invalid. error) for RemoteIPInternalProxy"));
  EXPECT_THAT(faults("RemoteIPTrustedProxy nosuch.invalid\n"),
              ElementsAre("4: RemoteIP: Error parsing IP nosuch.invalid (Name or service not known "
                          "error) for RemoteIPTrustedProxy"));
  EXPECT_THAT(faults("RemoteIPTrustedProxyList nosuch\n"),
              ElementsAre("4: RemoteIPTrustedProxyList: Could not open file /c/nosuch: No such "
                          "file or directory"));
  reader_.files.contents["/c/list"] = "10.0.0.1\nbogus.invalid\n";
  EXPECT_THAT(faults("RemoteIPInternalProxyList list\n"),
              ElementsAre(HasSubstr("RemoteIPInternalProxyList at line 2 of /c/list")));
  EXPECT_THAT(faults("RemoteIPProxyProtocol Optional\n"),
              ElementsAre("4: RemoteIPProxyProtocol must be On or Off"));
  EXPECT_THAT(faults("RemoteIPProxyProtocolExceptions 10.0.0.0/77 localhost\n"),
              ElementsAre("4: ip address '10.0.0.0' appears to be invalid: The specified network "
                          "mask is invalid.",
                          HasSubstr("4: ip address 'localhost' appears to be invalid")));
  EXPECT_THAT(faults("<Location />\nRemoteIPHeader A\n</Location>\n"),
              ElementsAre("5: RemoteIPHeader not allowed in <Location> context"));
  EXPECT_THAT(faults("RemoteIPHeader A\n"), IsEmpty());
}

}  // namespace
}  // namespace steelyard::apacheconf
