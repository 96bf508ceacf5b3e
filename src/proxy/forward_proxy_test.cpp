#include "config/forward_proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// Places that clients name, and other proxies on the way, on a simulated network: what is said
// there, and what clients get.

namespace steelyard::proxy {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view connected = "HTTP/1.0 200 Connection Established\r\nProxy-agent: ";
constexpr std::string_view fine = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

class ForwardProxying : public testing::Test {
 protected:
  ForwardProxying() {
    forward_.takes_requests = config::Place{};
    adopt();
    for (const char* const place : {"far.test:80", "far.test:443", "10.1.2.3:80", "proxy.test:3128",
                                    "second.test:3128", "m1:80"}) {
      world_.dialer.listen(place, [this, place](std::unique_ptr<io::SimStream> peer) {
        places_[place].push_back(std::move(peer));
      });
    }
  }

  std::unique_ptr<config::Config> make_config() {
    auto config = TestWorld::make_config(1, {});
    config::Server& server = *config->servers[0];
    server.proxy.forward = std::make_shared<const config::ForwardProxy>(forward_);
    server.proxy.blocked_hosts = {"blocked"};
    server.proxy.blocked_addresses = {*IpAddress::parse("10.9.9.9")};
    config->modules = {"proxy_connect_module"};
    config->listens = listens_;
    return config;
  }
  void adopt() { world_.adopt(make_config()); }
  void add_remote(const std::string& match, const std::string& host,
                  const std::string& authorization = "") {
    config::RemoteProxy remote;
    remote.match = match;
    remote.host = host;
    remote.port = 3128;
    remote.authorization = authorization;
    forward_.remotes.push_back(std::move(remote));
    adopt();
  }
  // Asks on a connection of its own, which it returns.
  std::unique_ptr<io::SimStream> ask(std::string_view text, bool byte_by_byte = false) {
    auto client = world_.connect();
    world_.say(*client, text, byte_by_byte);
    return client;
  }
  std::string answer(std::string_view text) { return ask(text)->take_all(); }
  bool was_asked(const std::string& place) const { return places_.contains(place); }
  io::SimStream& at(const std::string& place) { return *places_.at(place).back(); }

  config::ForwardProxy forward_;
  std::vector<config::Listen> listens_;
  TestWorld world_;
  std::map<std::string, std::vector<std::unique_ptr<io::SimStream>>> places_;
};

TEST_F(ForwardProxying, a_foreign_url_is_asked_for_where_it_leads) {
  const std::string text =
      "GET http://FAR.test/a%2fb//c?x#y HTTP/1.1\r\nHost: other\r\nX-A: 1\r\n\r\n";
  EXPECT_THAT(answer(text), StartsWith("HTTP/1.1 400 "));
  std::string plain = text;
  plain.erase(plain.find("#y"), 2);
  for (const bool byte_by_byte : {false, true}) {
    const auto client = ask(plain, byte_by_byte);
    EXPECT_EQ(at("far.test:80").take_all(),
              "GET /a%2fb//c?x HTTP/1.1\r\nHost: far.test\r\nX-A: 1\r\nConnection: close\r\n\r\n");
    world_.say(at("far.test:80"), fine, byte_by_byte);
    EXPECT_THAT(client->take_all(), EndsWith("\r\n\r\nhi"));
    // The client's connection goes on, that to the place does not.
    EXPECT_FALSE(client->ended());
    EXPECT_TRUE(at("far.test:80").ended());
  }
}

TEST_F(ForwardProxying, without_ProxyRequests_it_is_a_path_of_ours) {
  forward_.takes_requests.reset();
  adopt();
  (void)ask("GET http://far.test/a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(was_asked("far.test:80"));
  EXPECT_THAT(at("m1:80").take_all(), StartsWith("GET /a HTTP/1.1\r\n"));
  EXPECT_THAT(answer("GET ftp://far.test/a HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_FALSE(was_asked("far.test:443"));
}

TEST_F(ForwardProxying, paths_and_other_hosts_of_a_Host_field_stay_ours) {
  for (const std::string_view line : {"GET //far.test/a", "GET /http://far.test/a"}) {
    (void)ask(std::string(line) + " HTTP/1.1\r\nHost: far.test\r\n\r\n");
    EXPECT_FALSE(was_asked("far.test:80")) << line;
    EXPECT_THAT(at("m1:80").take_all(), StartsWith("GET /")) << line;
  }
}

TEST_F(ForwardProxying, a_place_without_a_path_has_the_shortest) {
  for (const auto& [target, path] : {std::pair<std::string, std::string>{"http://far.test", "/"},
                                     {"http://far.test:80", "/"},
                                     {"http://far.test?q", "/?q"},
                                     {"http://far.test:80/?q", "/?q"}}) {
    places_.clear();
    (void)ask("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(at("far.test:80").take_all(), StartsWith("GET " + path + " HTTP/1.1\r\n"));
  }
}

TEST_F(ForwardProxying, what_only_looks_like_a_place_is_refused) {
  for (const std::string_view target :
       {"http://far.test@10.1.2.3/", "http://u:p@far.test/", "http://far.test:0/",
        "http://far.test:65536/", "http://far.test:80:80/", "http://[far.test]/", "http:///",
        "http://far.test%00/", "http://far.test/%zz", "http://far.test/../..", "unix:/s|http://h/",
        "balancer://app/", "ajp://far.test/", "fcgi://far.test/", "http:far.test",
        "http://far.test:80?q", "HTTP://far.test:80?", "http://blocked:80?/x"}) {
    EXPECT_THAT(answer("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"),
                StartsWith("HTTP/1.1 400 "))
        << target;
  }
  for (const std::string_view target :
       {"far.test", "a@far.test:443", "far.test:443@x:1", "far.test:0", "far.test:99999",
        "far.test:443/x", "http://far.test:443/", ":443", "far.test:", "[::1:443"}) {
    EXPECT_THAT(answer("CONNECT " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"),
                StartsWith("HTTP/1.1 400 "))
        << target;
  }
  EXPECT_TRUE(places_.empty());
}

TEST_F(ForwardProxying, blocked_places_are_not_connected_to) {
  constexpr std::string_view words = "Connect to remote machine blocked";
  for (const std::string_view line : {"GET http://x.blocked.test/", "GET http://10.9.9.9/",
                                      "CONNECT blocked.test:443", "CONNECT 10.9.9.9:443"}) {
    const std::string got = answer(std::string(line) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(got, StartsWith("HTTP/1.1 403 ")) << line;
    EXPECT_THAT(got, HasSubstr(words)) << line;
  }
}

// The simulated client came to 127.0.0.1, and what is dialed has 127.0.0.1 at its own end unless
// the link says otherwise.
TEST_F(ForwardProxying, no_address_of_this_machine_leads_to_a_port_of_ours) {
  const auto listen_at = [&](const char* place, const char* from) {
    world_.dialer.listen(place,
                         [this, place](std::unique_ptr<io::SimStream> peer) {
                           places_[place].push_back(std::move(peer));
                         },
                         {.local = *IpAddress::parse(from)});
  };
  listens_ = {{std::nullopt, 443, {}}, {IpAddress::parse("10.1.2.9"), 80, {}}};
  adopt();
  // Both ends the same; the second address of a network, which another one is seen behind.
  listen_at("10.1.2.3:443", "10.1.2.3");
  listen_at("::ffff:10.1.2.3:443", "10.1.2.3");
  listen_at("fd00::2:443", "fd00::2");
  listen_at("127.0.0.1:443", "10.1.2.3");
  listen_at("10.1.2.9:80", "10.1.2.3");
  for (const std::string_view line :
       {"GET http://10.1.2.3:443/", "CONNECT 10.1.2.3:443", "GET http://[::ffff:10.1.2.3]:443/",
        "CONNECT [::ffff:10.1.2.3]:443", "CONNECT [fd00::2]:443", "GET http://127.0.0.1:443/",
        "GET http://10.1.2.9/"}) {
    EXPECT_THAT(answer(std::string(line) + " HTTP/1.1\r\nHost: x\r\n\r\n"),
                StartsWith("HTTP/1.1 403 "))
        << line;
  }
  for (const auto& [name, peers] : places_)
    for (const auto& peer : peers) EXPECT_EQ(peer->take_all(), "") << name;
  // Another port of the machine, and another machine.
  listen_at("10.1.2.3:8080", "10.1.2.3");
  listen_at("10.1.2.4:443", "10.1.2.3");
  (void)ask("GET http://10.1.2.3:8080/a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(at("10.1.2.3:8080").take_all(), StartsWith("GET /a "));
  EXPECT_THAT(answer("CONNECT 10.1.2.4:443 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith(connected));
}

TEST_F(ForwardProxying, a_tunnel_carries_both_ways_however_it_arrives) {
  const std::string head = "CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string said = head + "first words";
  for (std::size_t split = head.size() - 2; split <= said.size(); ++split) {
    const auto client = ask(said.substr(0, split));
    world_.say(*client, said.substr(split));
    EXPECT_EQ(at("far.test:443").take_all(), "first words") << split;
    world_.say(at("far.test:443"), "an answer", true);
    const std::string got = client->take_all();
    EXPECT_THAT(got, StartsWith(connected)) << split;
    EXPECT_THAT(got, EndsWith("\r\n\r\nan answer")) << split;
  }
}

TEST_F(ForwardProxying, a_tunnel_closes_half_by_half) {
  const auto client = ask("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)client->take_all();
  client->end_writing();
  world_.loop.settle();
  EXPECT_TRUE(at("far.test:443").ended());
  world_.say(at("far.test:443"), "last words");
  EXPECT_EQ(client->take_all(), "last words");
  EXPECT_FALSE(client->ended());
  at("far.test:443").end_writing();
  world_.loop.settle();
  EXPECT_TRUE(client->ended());
}

TEST_F(ForwardProxying, a_tunnel_that_nobody_uses_ends) {
  const auto client = ask("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
  world_.loop.advance(std::chrono::seconds(59));
  EXPECT_FALSE(client->ended());
  world_.loop.advance(std::chrono::seconds(2));
  EXPECT_TRUE(client->ended());
}

TEST_F(ForwardProxying, tunnels_lead_to_allowed_ports_only) {
  const std::string got = answer("CONNECT far.test:80 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(got, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(answer("CONNECT far.test:444 HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  forward_.connect_ports = {{80, 80}};
  adopt();
  EXPECT_THAT(answer("CONNECT far.test:80 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith(connected));
  EXPECT_THAT(answer("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
}

TEST_F(ForwardProxying, no_document_tells_who_asked_for_a_tunnel_that_it_is_open) {
  auto config = make_config();
  config->servers[0]->defaults.error_documents[403] = {config::ErrorDocument::Kind::local_path,
                                                       "/why"};
  world_.adopt(std::move(config));
  const auto client = ask("CONNECT far.test:444 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(at("m1:80").take_all(), StartsWith("GET /why HTTP/1.1\r\n"));
  world_.say(at("m1:80"), fine);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 403 "));
}

TEST_F(ForwardProxying, a_tunnel_to_nobody_is_told) {
  world_.dialer.refuse("far.test:443");
  EXPECT_THAT(answer("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
              StartsWith("HTTP/1.1 503 "));
}

TEST_F(ForwardProxying, another_proxy_is_asked_with_the_whole_url) {
  add_remote("http", "proxy.test", "Basic eDp5");
  const auto client = ask(
      "GET http://far.test:80/a?b HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Basic YTpi\r\n\r\n");
  EXPECT_FALSE(was_asked("far.test:80"));
  EXPECT_EQ(at("proxy.test:3128").take_all(),
            "GET http://far.test/a?b HTTP/1.1\r\nHost: far.test\r\n"
            "Proxy-Authorization: Basic YTpi, Basic eDp5\r\nConnection: close\r\n\r\n");
  world_.say(at("proxy.test:3128"), fine);
  EXPECT_THAT(client->take_all(), EndsWith("hi"));
}

TEST_F(ForwardProxying, members_too_are_reached_through_another_proxy) {
  add_remote("http://m1", "proxy.test");
  (void)ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(was_asked("m1:80"));
  EXPECT_THAT(at("proxy.test:3128").take_all(), StartsWith("GET http://m1/a HTTP/1.1\r\n"));
}

TEST_F(ForwardProxying, a_websocket_of_a_member_is_reached_through_another_proxy) {
  add_remote("ws://m1", "proxy.test");
  auto config = make_config();
  auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
  CHECK(balance::parse_member_url(spec->members[0], "ws://m1"));
  config->servers[0]->balancers[0] = spec;
  world_.adopt(std::move(config));
  const auto client =
      ask("GET /a?x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  ASSERT_TRUE(was_asked("proxy.test:3128"));
  EXPECT_FALSE(was_asked("m1:80"));
  EXPECT_THAT(at("proxy.test:3128").take_all(), StartsWith("GET ws://m1/a?x HTTP/1.1\r\n"));
  world_.say(at("proxy.test:3128"),
             "HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
  EXPECT_THAT(client->take_all(), EndsWith("\r\n\r\nhello"));
}

TEST_F(ForwardProxying, who_is_direct_is_not_asked_for_elsewhere) {
  forward_.direct_hosts = {
      {config::DirectHost::Kind::domain, ".test", {}},
      {config::DirectHost::Kind::network, "10.", *IpNetwork::parse("10.0.0.0/8")}};
  add_remote("*", "proxy.test");
  (void)ask("GET http://far.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(was_asked("far.test:80"));
  (void)ask("GET http://10.1.2.3/ HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(was_asked("10.1.2.3:80"));
  (void)ask("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(was_asked("far.test:443"));
  EXPECT_FALSE(was_asked("proxy.test:3128"));
  (void)ask("GET http://elsewhere.example/ HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(was_asked("proxy.test:3128"));
}

// httpd: after a 502 that cost no body the next proxy is asked, and the place itself at last.
TEST_F(ForwardProxying, a_proxy_that_breaks_is_not_the_last_one) {
  add_remote("*", "proxy.test");
  add_remote("http", "second.test");
  const auto client = ask("GET http://far.test/ HTTP/1.1\r\nHost: x\r\n\r\n");
  at("proxy.test:3128").end_writing();
  world_.loop.settle();
  ASSERT_TRUE(was_asked("second.test:3128"));
  at("second.test:3128").end_writing();
  world_.loop.settle();
  ASSERT_TRUE(was_asked("far.test:80"));
  EXPECT_THAT(at("far.test:80").take_all(), StartsWith("GET / HTTP/1.1\r\nHost: far.test\r\n"));
  world_.say(at("far.test:80"), fine);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ForwardProxying, a_proxy_that_got_a_body_is_the_last_one) {
  add_remote("*", "proxy.test");
  const auto client =
      ask("POST http://far.test/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  at("proxy.test:3128").end_writing();
  world_.loop.settle();
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 502 "));
  EXPECT_FALSE(was_asked("far.test:80"));
}

TEST_F(ForwardProxying, a_tunnel_through_another_proxy_is_that_ones_to_grant) {
  add_remote("far.test:443", "proxy.test", "Basic eDp5");
  const auto client = ask("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n\r\nhello");
  const std::string heard = at("proxy.test:3128").take_all();
  EXPECT_THAT(heard, StartsWith("CONNECT far.test:443 HTTP/1.0\r\n"
                                "Proxy-Authorization: Basic eDp5\r\nProxy-agent: "));
  EXPECT_THAT(heard, EndsWith("\r\n\r\nhello"));
  EXPECT_EQ(client->take_all(), "");
  world_.say(at("proxy.test:3128"), "HTTP/1.0 407 No\r\n\r\n");
  EXPECT_EQ(client->take_all(), "HTTP/1.0 407 No\r\n\r\n");
}

TEST_F(ForwardProxying, a_tunnel_goes_directly_when_the_proxy_is_not_there) {
  add_remote("*", "proxy.test");
  world_.dialer.refuse("proxy.test:3128");
  EXPECT_THAT(answer("CONNECT far.test:443 HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith(connected));
  EXPECT_TRUE(was_asked("far.test:443"));
}

TEST_F(ForwardProxying, names_without_a_dot_are_completed_by_the_client) {
  forward_.domain = ".corp.test";
  adopt();
  EXPECT_THAT(answer("GET http://short:81/a?b HTTP/1.1\r\nHost: x\r\n\r\n"),
              HasSubstr("\r\nLocation: http://short.corp.test:81/a?b\r\n"));
  EXPECT_THAT(answer("GET http://localhost/ HTTP/1.1\r\nHost: x\r\n\r\n"),
              Not(HasSubstr("Location:")));
}

}  // namespace
}  // namespace steelyard::proxy
