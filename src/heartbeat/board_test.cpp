#include "heartbeat/board.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace steelyard::heartbeat {
namespace {

using std::chrono::seconds;

constexpr Instant noon = Instant{} + std::chrono::hours(12);
const IpAddress one = IpAddress::v4(0x0a000001);
const IpAddress two = IpAddress::v4(0x0a000002);

TEST(HeartbeatBoard, with_slots_whatever_is_heard_counts_at_once) {
  Board board;
  board.arrange(Source::slots, 10);
  EXPECT_TRUE(board.servers()->all().empty());
  board.heard_datagram(one, {.ready = 5, .busy = 1}, noon);
  board.heard_post(two, {.ready = 6, .busy = 1}, noon);
  EXPECT_EQ(board.servers()->find("10.0.0.1")->weight(), 5);
  EXPECT_EQ(board.servers()->find("10.0.0.2")->weight(), 6);
  EXPECT_EQ(board.servers()->find("10.0.0.2")->age_seconds(noon + seconds(3)), 3);
}

TEST(HeartbeatBoard, with_slots_there_are_as_many_as_was_said) {
  Board board;
  board.arrange(Source::slots, 1);
  EXPECT_TRUE(board.heard_datagram(one, {}, noon));
  EXPECT_FALSE(board.heard_datagram(two, {}, noon));
  EXPECT_FALSE(board.heard_post(two, {}, noon));
  board.drop_silent(noon + seconds(31));
  EXPECT_TRUE(board.servers()->all().empty());
}

TEST(HeartbeatBoard, with_a_file_datagrams_count_only_when_the_file_has_them) {
  Board board;
  board.arrange(Source::file, 0);
  board.heard_datagram(one, {.ready = 5, .busy = 1}, noon);
  EXPECT_TRUE(board.servers()->all().empty());
  EXPECT_EQ(board.roll().size(), 1U);
  board.publish(Servers(board.roll()));
  EXPECT_EQ(board.servers()->all().size(), 1U);
}

TEST(HeartbeatBoard, with_a_file_a_post_counts_at_once_and_goes_to_the_file) {
  Board board;
  board.arrange(Source::file, 0);
  std::string stored;
  board.store_by([&](const Server& server) { stored += server.ip; });
  EXPECT_TRUE(board.heard_post(two, {.ready = 6, .busy = 1}, noon));
  EXPECT_EQ(board.servers()->find("10.0.0.2")->weight(), 6);
  EXPECT_EQ(stored, "10.0.0.2");
  // The file is written from datagrams: it goes.
  board.publish(Servers(board.roll()));
  EXPECT_TRUE(board.servers()->all().empty());
}

TEST(HeartbeatBoard, a_post_that_never_gets_into_the_file_grows_old_and_makes_room) {
  Board board;
  board.arrange(Source::file, 0);
  for (std::uint32_t i = 0; i < Board::file_servers_max; ++i)
    ASSERT_TRUE(board.heard_post(IpAddress::v4(0x0b000000 + i), {.ready = 6, .busy = 1}, noon));
  EXPECT_EQ(board.servers()->find("11.0.0.0")->age_seconds(noon + seconds(12)), 12);
  EXPECT_FALSE(board.heard_post(two, {}, noon + seconds(29)));
  EXPECT_TRUE(board.heard_post(two, {}, noon + seconds(30)));
  EXPECT_EQ(board.servers()->all().size(), 1U);
}

TEST(HeartbeatBoard, a_new_source_forgets_what_the_other_one_showed) {
  Board board;
  board.arrange(Source::file, 0);
  board.publish(Servers({{.ip = "a", .message = {}, .seen_at = noon}}));
  board.arrange(Source::slots, 10);
  EXPECT_TRUE(board.servers()->all().empty());
  board.publish(Servers({{.ip = "a", .message = {}, .seen_at = noon}}));
  EXPECT_TRUE(board.servers()->all().empty());
}

TEST(HeartbeatBoard, a_list_stays_whole_for_whoever_has_it) {
  Board board;
  board.arrange(Source::slots, 10);
  std::thread hearing([&] {
    for (int i = 0; i < 1000; ++i) board.heard_datagram(one, {.ready = i, .busy = i}, noon);
  });
  for (int i = 0; i < 1000; ++i) {
    const auto servers = board.servers();
    for (const Server& server : servers->all()) {
      EXPECT_EQ(server.message.ready, server.message.busy);
    }
  }
  hearing.join();
}

}  // namespace
}  // namespace steelyard::heartbeat
