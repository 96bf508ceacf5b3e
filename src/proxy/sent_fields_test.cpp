#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/http2_test_client.hpp"

// What %{Field}o of a log says.

namespace steelyard::proxy {
namespace {

using testing::ElementsAre;
using Client = Http2TestClient;
using Words = std::vector<std::string>;

constexpr std::string_view two_bytes =
    "HTTP/1.1 200 OK\r\nServer: M\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Length: 2\r\n\r\nhi";
constexpr std::string_view chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

struct SentFields : testing::Test {
  SentFields() : config(TestWorld::make_config(1, {})) {
    config->servers[0]->client.protocols.add(config::ClientProtocol::h2c);
  }
  void log(std::string_view format) {
    config->servers[0]->access_logs[0].format = *expr::LogFormat::compile(format);
  }
  void rule(const Words& words) {
    auto rule = *expr::HeaderRule::parse_response(words);
    config::PathSettings& settings = config->servers[0]->defaults;
    auto& rules = rule.table() == expr::HeaderTable::response_always ? settings.response_always
                                                                     : settings.response_normal;
    rules.push_back(std::move(rule));
  }
  // A request with that Connection; empty: it says nothing.
  void ask(const std::string& connection, std::string_view answer) {
    if (config) world.adopt(std::move(config));
    if (!client || client->ended()) client = world.connect();
    const std::string field = connection.empty() ? "" : "Connection: " + connection + "\r\n";
    world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n" + field + "\r\n");
    world.say(world.members[0].last(), answer);
    client->take_all();
  }
  const std::vector<std::string>& lines() { return world.log_.access_lines; }

  TestWorld world;
  std::unique_ptr<config::Config> config;
  std::unique_ptr<io::SimStream> client;
};

TEST_F(SentFields, those_of_header_always_come_first) {
  log("%{X-A}o");
  rule({"set", "X-A", "set"});
  rule({"always", "set", "X-A", "always"});
  ask("", two_bytes);
  EXPECT_THAT(lines(), ElementsAre("always"));
}

// httpd: rules see the tables before they became one.
TEST_F(SentFields, a_rule_finds_those_of_header_first) {
  log("%{X-B}o");
  rule({"set", "X-A", "set"});
  rule({"always", "set", "X-A", "always"});
  rule({"set", "X-B", "expr=%{resp:X-A}"});
  ask("", two_bytes);
  EXPECT_THAT(lines(), ElementsAre("set"));
}

TEST_F(SentFields, our_end_speaks_of_the_connection) {
  log("%{Connection}o|%{Keep-Alive}o");
  ask("", two_bytes);
  ask("keep-alive", two_bytes);
  ask("close", two_bytes);
  EXPECT_THAT(lines(), ElementsAre("-|-", "Keep-Alive|timeout=5, max=99", "close|-"));
}

TEST_F(SentFields, our_ends_word_joins_what_a_rule_says) {
  log("%{Connection}o|%{Keep-Alive}o");
  rule({"set", "Connection", "mine"});
  rule({"set", "Keep-Alive", "mine"});
  ask("", two_bytes);
  ask("keep-alive", two_bytes);
  ask("close", two_bytes);
  EXPECT_THAT(lines(),
              ElementsAre("mine|mine", "mine, Keep-Alive|timeout=5, max=99", "mine, close|mine"));
}

// What became of the connection later changes nothing.
TEST_F(SentFields, a_body_that_breaks_off_was_not_announced_as_one_that_closes) {
  log("%{Connection}o|%X");
  ask("", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
  world.members[0].connections.clear();
  world.loop.settle();
  EXPECT_THAT(lines(), ElementsAre("-|-"));
}

TEST_F(SentFields, chunks_are_told) {
  log("%{Transfer-Encoding}o");
  ask("", std::string(chunks) + "2\r\nhi\r\n");
  world.say(world.members[0].last(), "0\r\n\r\n");
  ask("", two_bytes);
  EXPECT_THAT(lines(), ElementsAre("chunked", "-"));
}

// httpd takes them out of its table before the log looks.
TEST_F(SentFields, http1_has_neither_date_nor_server) {
  log("%{Date}o|%{Server}o");
  ask("", two_bytes);
  EXPECT_THAT(lines(), ElementsAre("-|-"));
}

TEST_F(SentFields, http2_has_both_and_closes_each_stream) {
  log("%{Date}o|%{Server}o|%{Connection}o");
  config->servers[0]->redirects.push_back({.path = "/b", .status = 404});
  config::Route route = config->servers[0]->routes[0];
  route.path = "/a";
  config->servers[0]->routes = {};
  config->servers[0]->routes.push_back(std::move(route));
  world.adopt(std::move(config));
  Client client(world);
  client.ask(Client::get("/a"));
  world.say(world.members[0].last(), two_bytes);
  client.talk();
  EXPECT_THAT(lines(), ElementsAre("Sun, 06 Nov 1994 08:49:37 GMT|M|close"));
  const auto id = client.ask(Client::get("/b"));
  client.talk();
  EXPECT_EQ(lines().at(1), client[id].value("date") + "|" + client[id].value("server") + "|close");
}

}  // namespace
}  // namespace steelyard::proxy
