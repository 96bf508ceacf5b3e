#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "proxy/http2_test_client.hpp"

// Header rules that name the fields which frame an answer or speak of its connection.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using Client = Http2TestClient;
using Words = std::vector<std::string>;

constexpr std::string_view question = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view two_bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
constexpr std::string_view half = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf";

struct World : TestWorld {
  explicit World(const Words& words) {
    auto config = TestWorld::make_config(1, {});
    config->servers[0]->client.protocols.add(config::ClientProtocol::h2c);
    config::PathSettings& settings = config->servers[0]->defaults;
    auto rule = *expr::HeaderRule::parse_response(words);
    auto& rules = rule.table() == expr::HeaderTable::response_always ? settings.response_always
                                                                     : settings.response_normal;
    rules.push_back(std::move(rule));
    adopt(std::move(config));
  }
  void answer(std::string_view text) { say(members[0].last(), text); }
  std::string ask(std::string_view text, std::string_view answered) {
    const auto client = connect();
    say(*client, text);
    answer(answered);
    return client->take_all();
  }
};

const std::array changes{Words{"set", "Content-Length", "1"},
                         Words{"set", "Content-Length", "9"},
                         Words{"set", "Content-Length", "abc"},
                         Words{"add", "Content-Length", "7"},
                         Words{"append", "Content-Length", "7"},
                         Words{"edit", "Content-Length", ".*", "1"},
                         Words{"always", "set", "Content-Length", "1"},
                         Words{"always", "add", "Content-Length", "7"},
                         Words{"set", "Transfer-Encoding", "chunked"},
                         Words{"always", "set", "Transfer-Encoding", "gzip"}};

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

TEST(HeaderFraming, no_rule_makes_a_length_that_is_not_the_answers) {
  for (const Words& words : changes) {
    World world(words);
    for (const std::string_view method : {"GET", "HEAD"}) {
      const auto body = method == "GET" ? two_bytes : two_bytes.substr(0, two_bytes.size() - 2);
      const std::string got =
          world.ask(std::string(method) + " /a HTTP/1.1\r\nHost: x\r\n\r\n", body);
      EXPECT_THAT(got, HasSubstr("\r\nContent-Length: 2\r\n")) << words[1];
      EXPECT_EQ(occurrences(got, "Content-Length"), 1u) << got;
      EXPECT_EQ(occurrences(got, "Transfer-Encoding"), 0u) << got;
    }
  }
}

TEST(HeaderFraming, chunks_stay_chunks) {
  for (const Words& words : changes) {
    World world(words);
    const std::string got =
        world.ask(question, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n");
    EXPECT_THAT(got, EndsWith("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"));
    EXPECT_EQ(occurrences(got, "Content-Length"), 0u) << got;
    EXPECT_EQ(occurrences(got, "Transfer-Encoding"), 1u) << got;
  }
}

TEST(HeaderFraming, what_has_no_body_has_no_length) {
  for (const Words& words : changes) {
    World world(words);
    const std::string got = world.ask(question, "HTTP/1.1 204 No\r\n\r\n");
    EXPECT_EQ(occurrences(got, "Content-Length"), 0u) << got;
    EXPECT_EQ(occurrences(got, "Transfer-Encoding"), 0u) << got;
  }
}

TEST(HeaderFraming, pages_have_their_own_length) {
  for (const Words& words : changes) {
    World world(words);
    world.kill(1);
    const auto client = world.connect();
    world.say(*client, question);
    const std::string got = client->take_all();
    const std::size_t body = got.find("\r\n\r\n") + 4;
    EXPECT_THAT(got,
                HasSubstr("\r\nContent-Length: " + std::to_string(got.size() - body) + "\r\n"));
    EXPECT_EQ(occurrences(got, "Content-Length"), 1u) << got;
    EXPECT_EQ(occurrences(got, "Transfer-Encoding"), 0u) << got;
  }
}

TEST(HeaderFraming, streams_of_http2_have_the_answers_length) {
  for (const Words& words : changes) {
    World world(words);
    Client client(world);
    const auto id = client.ask(Client::get("/a"));
    world.answer(two_bytes);
    client.talk();
    EXPECT_EQ(client[id].value("content-length"), "2") << words[1];
    EXPECT_EQ(client[id].value("transfer-encoding"), "");
    EXPECT_EQ(client[id].body, "hi");
    EXPECT_TRUE(client[id].ended);
  }
}

TEST(HeaderFraming, a_length_that_was_taken_away_is_counted_where_the_body_is_here) {
  World world({"unset", "Content-Length"});
  EXPECT_THAT(world.ask(question, two_bytes), HasSubstr("\r\nContent-Length: 2\r\n"));
}

TEST(HeaderFraming, and_else_chunks_take_its_place) {
  World world({"unset", "Content-Length"});
  const auto client = world.connect();
  world.say(*client, question);
  world.answer(half);
  EXPECT_THAT(client->take_all(),
              AllOf(HasSubstr("\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
                    Not(HasSubstr("Content-Length"))));
  world.answer("whole");
  EXPECT_THAT(client->take_all(), EndsWith("\r\n0\r\n\r\n"));
}

TEST(HeaderFraming, or_the_connections_end_for_who_knows_no_chunks) {
  World world({"unset", "Content-Length"});
  const auto client = world.connect();
  world.say(*client, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  world.answer(half);
  world.answer("over");
  EXPECT_THAT(client->take_all(),
              AllOf(HasSubstr("\r\nConnection: close\r\n"), EndsWith("\r\n\r\nhalfover"),
                    Not(HasSubstr("Content-Length"))));
  EXPECT_TRUE(client->ended());
}

TEST(HeaderFraming, a_rule_that_says_close_closes_and_says_it_once) {
  for (const Words& words :
       {Words{"set", "Connection", "close"}, Words{"always", "set", "Connection", "x-a, Close"}}) {
    World world(words);
    const auto client = world.connect();
    world.say(*client, std::string(question) + std::string(question));
    world.answer(two_bytes);
    const std::string got = client->take_all();
    EXPECT_EQ(occurrences(got, "HTTP/1.1 200"), 1u) << got;
    EXPECT_EQ(occurrences(got, "lose"), 1u) << got;
  }
}

TEST(HeaderFraming, one_server_and_one_date) {
  World world({"always", "set", "Server", "mine"});
  const std::string got =
      world.ask(question, "HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_THAT(got, HasSubstr("\r\nServer: mine\r\n"));
  EXPECT_EQ(occurrences(got, "Server: "), 1u) << got;
}

TEST(HeaderFraming, the_time_that_it_took_so_far) {
  World world({"set", "X-Took", "%D"});
  const auto client = world.connect();
  world.say(*client, question);
  world.loop.advance(std::chrono::milliseconds(7));
  world.answer(two_bytes);
  EXPECT_THAT(client->take_all(), HasSubstr("\r\nX-Took: D=7000\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
