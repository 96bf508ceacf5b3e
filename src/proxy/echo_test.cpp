#include "proxy/echo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// TRACE where nothing is proxied, and where a proxied one is refused, on the simulated network.

namespace steelyard::proxy {
namespace {

using config::TraceMode;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct World : TestWorld {
  enum class Proxies : std::uint8_t { nothing, everything };
  explicit World(TraceMode mode, Proxies proxies = Proxies::nothing) {
    auto config = make_config(1, {});
    config->servers[0]->trace = mode;
    config->servers[0]->log_levels.general = config::LogLevel::info;
    if (proxies == Proxies::nothing) config->servers[0]->routes = {};
    adopt(std::move(config));
  }
  std::string ask(std::string_view text, bool byte_by_byte = false) {
    const auto client = connect();
    say(*client, text, byte_by_byte);
    return client->take_all();
  }
};

std::string in_chunks(std::size_t bytes) {
  std::string text = "TRACE /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; bytes >= 4096; bytes -= 4096) text.append("1000\r\n").append(4096, 'x').append("\r\n");
  for (; bytes > 0; --bytes) text.append("1\r\nx\r\n");
  return text + "0\r\n\r\n";
}

constexpr std::string_view with_a_length =
    "TRACE /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view next = "GET /n HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST(Echo, shows_a_body_however_it_arrives_and_goes_on_behind_it) {
  const std::string chunked =
      "TRACE /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nT: r\r\n\r\n";
  for (const std::string& request : {std::string(with_a_length), chunked}) {
    for (const bool byte_by_byte : {false, true}) {
      World world(TraceMode::extended);
      EXPECT_THAT(
          world.ask(request + std::string(next), byte_by_byte),
          AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("TRACE /x HTTP/1.1\r\nHost: x\r\n"),
                HasSubstr("\r\n\r\nhello\r\n0\r\n\r\nHTTP/1.1 404 ")));
    }
  }
}

TEST(Echo, shows_so_much_and_no_more) {
  EXPECT_THAT(World(TraceMode::extended).ask(in_chunks(73728)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(World(TraceMode::extended).ask(in_chunks(73729)), StartsWith("HTTP/1.1 413 "));
  // By its announcement alone, and no client is told to go on.
  EXPECT_THAT(World(TraceMode::extended)
                  .ask("TRACE /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                       "Content-Length: 65537\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST(Echo, a_body_that_is_broken_or_never_comes_is_no_page) {
  EXPECT_THAT(World(TraceMode::extended)
                  .ask("TRACE /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
              StartsWith("HTTP/1.1 400 "));
  World world(TraceMode::extended);
  const auto client = world.connect();
  world.say(*client, with_a_length.substr(0, with_a_length.size() - 1));
  EXPECT_EQ(client->take_all(), "");
  world.loop.advance(std::chrono::minutes(10));
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 408 "));
}

TEST(Echo, a_client_that_goes_in_the_middle_of_its_body_leaves_nothing) {
  World world(TraceMode::extended);
  {
    const auto client = world.connect();
    world.say(*client, with_a_length.substr(0, with_a_length.size() - 1));
  }
  world.loop.advance(std::chrono::seconds(3));
  EXPECT_EQ(world.shard->connection_count(), 0u);
}

TEST(Echo, a_body_that_is_not_shown_is_refused_and_told) {
  World world(TraceMode::on);
  EXPECT_THAT(world.ask(with_a_length),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("Connection: close\r\n")));
  EXPECT_THAT(world.log_.error_lines,
              ElementsAre("AH01595: TRACE with body is not allowed for /x"));
  EXPECT_THAT(world.log_.error_modules, ElementsAre("http"));
  EXPECT_THAT(
      world.ask("TRACE /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("Content-Length: 0\r\n\r\n\r\n0\r\n\r\n")));
}

TEST(Echo, only_the_refusal_of_a_proxied_one_is_told) {
  constexpr std::string_view ask = "TRACE /x HTTP/1.1\r\nHost: x\r\n\r\n";
  World world(TraceMode::off);
  EXPECT_THAT(world.ask(ask), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: \r\n")));
  EXPECT_THAT(world.log_.error_lines, IsEmpty());
  World proxying(TraceMode::off, World::Proxies::everything);
  EXPECT_THAT(proxying.ask("TRACE /x HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(proxying.log_.error_lines, IsEmpty());
  EXPECT_THAT(proxying.ask(ask), AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("\r\nAllow: \r\n")));
  EXPECT_THAT(proxying.log_.error_lines,
              ElementsAre("AH01139: TRACE forbidden by server configuration"));
  EXPECT_TRUE(proxying.members[0].connections.empty());
}

}  // namespace
}  // namespace steelyard::proxy
