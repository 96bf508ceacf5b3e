#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "proxy/test_world.hpp"

// Members of the CGI family on a simulated network: what they hear byte by byte, and what clients
// get of what they say.

namespace steelyard::proxy {
namespace {

using namespace std::string_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string record(int type, std::string_view content) {
  std::string text{1, static_cast<char>(type), 0, 1};
  text += {static_cast<char>(content.size() >> 8), static_cast<char>(content.size()), 0, 0};
  return text.append(content);
}
std::string answer(std::string_view script) {
  return record(6, script) + record(6, "") + record(3, "\0\0\0\0\0\0\0\0"s);
}
const std::string simple_answer = answer("Content-Type: text/plain\r\n\r\nhi");
constexpr std::string_view simple_get = "GET /a?q HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post_of(const std::string& body) {
  return "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// Of an answer in chunks that ended.
std::string body_of(const std::string& got) {
  std::string body;
  std::size_t at = got.find("\r\n\r\n") + 4;
  while (at < got.size()) {
    const std::size_t line = got.find("\r\n", at);
    const std::size_t size = std::stoul(got.substr(at, line - at), nullptr, 16);
    if (size == 0) return body;
    body += got.substr(line + 2, size);
    at = line + 2 + size + 2;
  }
  return body + " without an end";
}

class CgiMembers : public testing::Test {
 protected:
  explicit CgiMembers(std::string scheme = "fcgi") : scheme_(std::move(scheme)) { configure({}); }

  void configure(const TestWorld::Words& parameters, const std::string& name_scheme = "") {
    auto config = TestWorld::make_config(2, parameters);
    config->servers[0]->name_scheme = name_scheme;
    auto& balancer = config->servers[0]->balancers[0];
    auto spec = std::make_shared<balance::BalancerSpec>(*balancer);
    for (balance::MemberSpec& member : spec->members) member.scheme = scheme_;
    balancer = std::move(spec);
    world.adopt(std::move(config));
  }
  TestMember& member() { return world.members[0]; }
  void say(std::string_view text, bool slowly = false) { world.say(member().last(), text, slowly); }

  TestWorld world{2};

 private:
  std::string scheme_;
};

// The contents of a request's records by type, and that it is one.
struct HeardRequest {
  std::map<int, std::string> streams;
  std::map<int, int> ends;  // empty records
  bool keeps = false, is_whole = false;
};

HeardRequest take_apart(std::string_view text) {
  HeardRequest heard;
  while (text.size() >= 8) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const std::size_t size = byte(4) * std::size_t{256} + byte(5);
    EXPECT_EQ(text.substr(0, 1), "\1");
    EXPECT_EQ(text.substr(2, 2), "\0\1"s);
    EXPECT_EQ(text.substr(6, 2), "\0\0"s);
    if (text.size() < 8 + size) break;
    heard.streams[byte(1)] += text.substr(8, size);
    heard.ends[byte(1)] += size == 0 ? 1 : 0;
    text.remove_prefix(8 + size);
  }
  heard.keeps = heard.streams[1].size() == 8 && heard.streams[1][2] == 1;
  heard.is_whole = text.empty() && heard.ends[4] == 1 && heard.ends[5] == 1;
  return heard;
}

TEST_F(CgiMembers, a_request_and_an_answer_mean_the_same_however_they_arrive) {
  for (const bool slowly : {false, true}) {
    const auto client = world.connect();
    world.say(*client, simple_get, slowly);
    TestMember& asked = world.members[0].connections.empty() ? world.members[1] : world.members[0];
    const HeardRequest heard = take_apart(asked.last().take_all());
    EXPECT_TRUE(heard.is_whole);
    EXPECT_FALSE(heard.keeps);
    EXPECT_THAT(heard.streams.at(4), HasSubstr("\x0c\x01QUERY_STRINGq"));
    EXPECT_THAT(heard.streams.at(4), Not(HasSubstr("X_FORWARDED")));
    world.say(asked.last(), simple_answer, slowly);
    const std::string got = client->take_all();
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(got, HasSubstr("Content-Type: text/plain\r\n"));
    EXPECT_EQ(body_of(got), "hi");
    EXPECT_EQ(world.busy(), 0);
    for (TestMember& each : world.members) each.connections.clear();
  }
}

// "ServerName https://...": TLS ends in front of us, which is no TLS of ours.
TEST_F(CgiMembers, hear_the_scheme_that_ServerName_says) {
  configure({}, "https");
  const auto client = world.connect();
  world.say(*client, simple_get);
  TestMember& asked = world.members[0].connections.empty() ? world.members[1] : world.members[0];
  const HeardRequest heard = take_apart(asked.last().take_all());
  EXPECT_THAT(heard.streams.at(4), HasSubstr("\x0e\x05REQUEST_SCHEMEhttps"));
  EXPECT_THAT(heard.streams.at(4), HasSubstr("\x0b\x03SERVER_PORT443"));
  EXPECT_THAT(heard.streams.at(4), Not(HasSubstr("HTTPS")));
}

TEST_F(CgiMembers, a_body_is_whole_whatever_room_the_socket_has) {
  std::string body;
  for (int i = 0; body.size() < 70000; ++i) body += std::to_string(i) + ',';
  for (const std::size_t window : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    world.revive(1, {.window_bytes = window});
    world.revive(2, {.window_bytes = window});
    const std::string sent = window == 1 ? body.substr(0, 300) : body;
    const auto client = world.connect();
    world.say(*client, post_of(sent));
    TestMember& asked = world.members[0].connections.empty() ? world.members[1] : world.members[0];
    std::string heard;
    while (true) {
      const std::string more = asked.last().take_all();
      if (more.empty()) break;
      heard += more;
      world.loop.settle();
    }
    const HeardRequest whole = take_apart(heard);
    EXPECT_TRUE(whole.is_whole) << window;
    EXPECT_EQ(whole.streams.at(5), sent) << window;
    world.say(asked.last(), simple_answer);
    EXPECT_THAT(client->take_all(), EndsWith("2\r\nhi\r\n0\r\n\r\n"));
    for (TestMember& each : world.members) each.connections.clear();
  }
}

TEST_F(CgiMembers, a_chunked_body_is_told_with_its_length) {
  const auto client = world.connect();
  world.say(
      *client,
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n");
  EXPECT_TRUE(member().connections.empty());
  world.say(*client, "0\r\n\r\n");
  const HeardRequest heard = take_apart(member().last().take_all());
  EXPECT_THAT(heard.streams.at(4), HasSubstr("\x0e\x01"s + "CONTENT_LENGTH5"));
  EXPECT_EQ(heard.streams.at(5), "hello");
}

TEST_F(CgiMembers, a_connection_is_kept_only_where_that_is_written) {
  configure({"disablereuse=off"});
  const auto client = world.connect();
  for (int i = 0; i < 4; ++i) {
    world.say(*client, simple_get);
    TestMember& asked = world.members[static_cast<std::size_t>(i % 2)];
    EXPECT_TRUE(take_apart(asked.last().take_all()).keeps);
    world.say(asked.last(), simple_answer);
  }
  EXPECT_EQ(world.members[0].connections.size(), 1U);
  EXPECT_EQ(world.members[1].connections.size(), 1U);
}

TEST_F(CgiMembers, a_kept_connection_that_said_more_serves_nobody) {
  configure({"disablereuse=off"});
  const auto client = world.connect();
  world.say(*client, simple_get);
  say(simple_answer + simple_answer);
  world.say(*client, simple_get);
  world.say(world.members[1].last(), simple_answer);
  world.say(*client, simple_get);
  EXPECT_EQ(member().connections.size(), 2U);
}

TEST_F(CgiMembers, a_stale_kept_connection_is_replaced_without_the_client_noticing) {
  configure({"disablereuse=off"});
  const auto client = world.connect();
  for (TestMember& each : world.members) {
    world.say(*client, simple_get);
    world.say(each.last(), simple_answer);
  }
  client->take_all();
  member().last().refuse_from_now_on();
  world.say(*client, simple_get);
  EXPECT_EQ(member().connections.size(), 2U);
  say(simple_answer);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(CgiMembers, a_member_that_breaks_costs_no_get_and_runs_no_post_twice) {
  for (const std::string& request : {std::string(simple_get), post_of("")}) {
    const auto client = world.connect();
    for (TestMember& each : world.members) each.connections.clear();
    world.say(*client, request);
    const bool first = !world.members[0].connections.empty();
    world.members[first ? 0 : 1].connections.clear();
    world.loop.settle();
    const bool again = !world.members[first ? 1 : 0].connections.empty();
    EXPECT_EQ(again, request == simple_get);
    if (!again) EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 503 "));
  }
}

TEST_F(CgiMembers, half_an_answer_never_looks_whole) {
  const auto client = world.connect();
  world.say(*client, simple_get);
  say(record(6, "X: 1\r\n\r\nhalf"));
  member().connections.clear();
  world.loop.settle();
  EXPECT_THAT(client->take_all(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(client->ended());
}

TEST_F(CgiMembers, an_answer_without_the_body_that_it_announced_is_none) {
  const auto client = world.connect();
  world.say(*client, simple_get);
  say(answer("Content-Length: 100\r\n\r\n"));
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 502 "));
}

TEST_F(CgiMembers, all_of_the_output_is_an_answer_without_the_last_word) {
  const auto client = world.connect();
  world.say(*client, simple_get);
  say(record(6, "X: 1\r\n\r\nall") + record(6, ""));
  member().connections.clear();
  world.loop.settle();
  EXPECT_THAT(client->take_all(), EndsWith("3\r\nall\r\n0\r\n\r\n"));
}

TEST_F(CgiMembers, words_for_the_error_log_are_no_part_of_the_answer) {
  const auto client = world.connect();
  world.say(*client, simple_get);
  say(record(7, "a warning") + simple_answer);
  EXPECT_THAT(client->take_all(), EndsWith("2\r\nhi\r\n0\r\n\r\n"));
}

class ScgiMembers : public CgiMembers {
 protected:
  ScgiMembers() : CgiMembers("scgi") {}
};

TEST_F(ScgiMembers, hear_a_netstring_and_answer_until_they_close) {
  const auto client = world.connect();
  world.say(*client, post_of("body"));
  const std::string heard = member().last().take_all();
  EXPECT_THAT(heard, HasSubstr(":CONTENT_LENGTH\0004\0SCGI\0001\0"s));
  EXPECT_THAT(heard, EndsWith("\0,body"s));
  say("Status: 404 No\r\n\r\nnot", true);
  member().connections.clear();
  world.loop.settle();
  const std::string got = client->take_all();
  EXPECT_THAT(got, StartsWith("HTTP/1.1 404 No\r\n"));
  EXPECT_EQ(body_of(got), "not");
}

// LogLevel proxy_scgi:... is about what these say, and no failure is without a reason.
TEST_F(ScgiMembers, who_hang_up_are_told_of_under_their_own_name) {
  const auto client = world.connect();
  world.say(*client, simple_get);
  member().connections.clear();
  world.loop.settle();
  ASSERT_FALSE(world.log_.error_lines.empty());
  EXPECT_EQ(world.log_.error_modules.front(), "proxy_scgi");
  EXPECT_EQ(world.log_.error_lines.front(),
            "error with backend http://m1: it closed the connection before an answer came: Error "
            "reading from remote server returned by /a");
}

TEST_F(CgiMembers, who_break_off_are_told_of_with_the_reason) {
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(member().last(), record(6, "Status: 200 OK\r\n\r\nhalf"));
  member().last().reset();
  member().connections.clear();
  world.loop.settle();
  ASSERT_FALSE(world.log_.error_lines.empty());
  EXPECT_EQ(world.log_.error_modules.front(), "proxy_fcgi");
  EXPECT_EQ(world.log_.error_lines.front(),
            "error with backend http://m1: (104)Connection reset by peer: the answer broke off "
            "returned by /a");
}

class UwsgiMembers : public CgiMembers {
 protected:
  UwsgiMembers() : CgiMembers("uwsgi") {}
};

TEST_F(UwsgiMembers, hear_a_packet_and_answer_in_http) {
  const auto client = world.connect();
  world.say(*client, post_of("body"));
  const std::string heard = member().last().take_all();
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(heard[at]); };
  EXPECT_EQ(heard.size(), 4 + byte(1) + byte(2) * std::size_t{256} + 4);
  EXPECT_THAT(heard, EndsWith("body"));
  EXPECT_THAT(heard, HasSubstr("\x09\0PATH_INFO\x02\0/a"s));
  say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi", true);
  member().connections.clear();
  world.loop.settle();
  EXPECT_EQ(body_of(client->take_all()), "hi");
}

}  // namespace
}  // namespace steelyard::proxy
