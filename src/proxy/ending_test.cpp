#include "proxy/ending.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/decision_log.hpp"
#include "proxy/test_world.hpp"

// What the error log tells of a member that broke off, and of a tunnel that ended: how, and at
// which path.

namespace steelyard::proxy {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr std::string_view simple_get = "GET /a%20b?q HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view half_head = "HTTP/1.1 200 OK\r\nX-A";
constexpr std::string_view half_answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
constexpr std::string_view half_chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";

enum class End : std::uint8_t { close, reset, silence };

void finish(TestWorld& world, End how) {
  if (how == End::silence) return world.loop.advance(seconds(60));
  if (how == End::reset) world.members[0].last().reset();
  world.members[0].connections.clear();
  world.loop.settle();
}

std::vector<std::string> told(std::string_view said, End how) {
  TestWorld world;
  const auto client = world.connect();
  world.say(*client, simple_get);
  world.say(world.members[0].last(), said);
  finish(world, how);
  return world.log_.error_lines;
}

struct Case {
  std::string_view said;
  End how;
  std::string_view words;
};

TEST(Ending, the_error_log_tells_how_a_member_broke_off_and_at_which_path) {
  const Case cases[] = {
      {"", End::close,
       "it closed the connection before an answer came: Error reading from remote server"},
      {"", End::reset, "(104)Connection reset by peer: Error reading from remote server"},
      {"", End::silence,
       "(70007)The timeout specified has expired: Error reading from remote server"},
      {half_head, End::close,
       "it closed the connection within the head of its answer: Error reading from remote server"},
      {half_head, End::reset, "(104)Connection reset by peer: Error reading from remote server"},
      {half_answer, End::close, "it closed the connection: the answer broke off"},
      {half_answer, End::reset, "(104)Connection reset by peer: the answer broke off"},
      {half_answer, End::silence, "(70007)The timeout specified has expired: the answer broke off"},
      {half_chunked, End::close, "it closed the connection: the answer broke off"},
      {half_chunked, End::reset, "(104)Connection reset by peer: the answer broke off"},
  };
  for (const Case& one : cases) {
    EXPECT_THAT(told(one.said, one.how), ElementsAre("error with backend http://m1: " +
                                                     std::string(one.words) + " returned by /a b"))
        << one.said << static_cast<int>(one.how);
  }
}

// Reading finds only the end of a connection that broke under the request.
TEST(Ending, what_broke_under_the_request_is_told_by_the_word_for_that) {
  TestWorld world;
  const auto client = world.connect();
  // More than is read before the member is asked.
  world.say(*client, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" +
                         std::string(30000, 'x'));
  EXPECT_NE(world.members[0].last().take_all(), "");
  world.loop.settle();
  client->say(std::string(10000, 'x'));
  world.members[0].connections.clear();
  world.loop.settle();
  EXPECT_THAT(
      world.log_.error_lines,
      ElementsAre("error with backend http://m1: (32)Broken pipe: Error reading from remote "
                  "server returned by /a"));
}

// The connection is whole, and what came on it is not.
TEST(Ending, a_malformed_chunk_is_no_end_of_the_connection) {
  EXPECT_THAT(told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", End::close),
              ElementsAre("error with backend http://m1: the answer broke off returned by /a b"));
}

TEST(Ending, the_librarys_words_about_TLS_stand_before_httpds) {
  EXPECT_EQ(words_of({Party::backend, Cause::handshake, false, "wrong version number"}),
            "wrong version number: Error during SSL Handshake with remote server");
  EXPECT_EQ(words_of({Party::backend, Cause::write_timed_out}),
            "(70007)The timeout specified has expired: it did not take the request in time");
  EXPECT_EQ(words_of({Party::backend, Cause::bad_message, true, "no CPONG came for a CPING"}),
            "no CPONG came for a CPING");
  EXPECT_EQ(words_of({Party::backend, Cause::closed}), "Error reading from remote server");
}

class TunnelEnding : public testing::Test {
 protected:
  explicit TunnelEnding(config::LogLevel level = config::LogLevel::debug) {
    auto config = TestWorld::make_config(1, {"upgrade=websocket"});
    config->servers[0]->log_levels.modules = {{"proxy_http", level}};
    world_.adopt(std::move(config));
    client_ = world_.connect();
    world_.say(*client_,
               "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    world_.say(member(),
               "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  }
  io::SimStream& member() { return world_.members[0].last(); }
  void expect(std::string_view words) {
    EXPECT_THAT(world_.log_.error_lines,
                ElementsAre("tunnel to http://m1 ended: " + std::string(words)));
    EXPECT_THAT(world_.log_.error_modules, ElementsAre("proxy_http"));
  }

  TestWorld world_;
  std::unique_ptr<io::SimStream> client_;
};

TEST_F(TunnelEnding, in_order) {
  client_->end_writing();
  world_.loop.settle();
  EXPECT_TRUE(world_.log_.error_lines.empty());
  member().end_writing();
  world_.loop.settle();
  expect("both sides closed it");
}

TEST_F(TunnelEnding, by_a_client_that_resets_it) {
  client_->reset();
  client_.reset();
  world_.loop.settle();
  expect("(104)Connection reset by peer: the connection to the client broke");
}

TEST_F(TunnelEnding, by_a_backend_that_resets_it) {
  member().reset();
  world_.members[0].connections.clear();
  world_.loop.settle();
  expect("(104)Connection reset by peer: the connection to the backend broke");
}

TEST_F(TunnelEnding, by_silence) {
  world_.loop.advance(seconds(60));
  expect("(70007)The timeout specified has expired: nobody said a word for 60 s");
}

class ToldTunnelEnding : public TunnelEnding {
 protected:
  ToldTunnelEnding() : TunnelEnding(config::LogLevel::info) {}
};

TEST_F(ToldTunnelEnding, an_orderly_one_is_for_who_debugs) {
  client_->end_writing();
  member().end_writing();
  world_.loop.settle();
  EXPECT_TRUE(world_.log_.error_lines.empty());
}

TEST_F(ToldTunnelEnding, another_one_is_for_who_wants_to_know) {
  world_.loop.advance(seconds(60));
  expect("(70007)The timeout specified has expired: nobody said a word for 60 s");
}

}  // namespace
}  // namespace steelyard::proxy
