#include "heartbeat/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::heartbeat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Message datagram(std::string_view text) {
  const auto heard = read_message(text, Origin::datagram);
  EXPECT_TRUE(heard.has_value()) << text;
  return heard ? heard->message : Message{};
}

std::string_view missing(std::string_view text, Origin origin = Origin::datagram) {
  const auto heard = read_message(text, origin);
  return heard ? "nothing" : heard.error();
}

TEST(HeartbeatMessage, what_mod_heartbeat_sends_is_read) {
  EXPECT_EQ(datagram("v=1&ready=75&busy=3"), (Message{.ready = 75, .busy = 3, .port = 80}));
  EXPECT_EQ(datagram(write_message(12, 34)), (Message{.ready = 12, .busy = 34, .port = 80}));
}

TEST(HeartbeatMessage, the_order_is_free_and_strange_pairs_are_passed_over) {
  EXPECT_EQ(datagram("&&port=8080&x=1&busy=3&&=7&ready=75&v"),
            (Message{.ready = 75, .busy = 3, .port = 8080}));
}

TEST(HeartbeatMessage, v_busy_and_ready_are_needed_but_v_only_in_a_datagram) {
  EXPECT_EQ(missing("ready=1&busy=1"), "v");
  EXPECT_EQ(missing("v=1&ready=1"), "busy");
  EXPECT_EQ(missing("v=1&busy=1"), "ready");
  EXPECT_EQ(missing(""), "v");
  EXPECT_EQ(missing("ready=1&busy=1", Origin::post), "nothing");
  EXPECT_EQ(missing("", Origin::post), "busy");
}

TEST(HeartbeatMessage, a_name_without_a_value_means_one) {
  EXPECT_EQ(datagram("v&busy&ready"), (Message{.ready = 1, .busy = 1, .port = 80}));
}

TEST(HeartbeatMessage, names_ignore_case_and_the_last_of_equal_ones_counts) {
  EXPECT_EQ(datagram("V=1&Ready=5&BUSY=2&ready=9"), (Message{.ready = 9, .busy = 2, .port = 80}));
}

TEST(HeartbeatMessage, names_and_values_are_decoded) {
  EXPECT_EQ(datagram("v=1&re%61dy=%31%30&busy=%2").ready, 10);
  EXPECT_THAT(read_message("ready=1&busy=%2", Origin::post)->doubts,
              ElementsAre("Invalid busy value: %2, using 0"));
}

TEST(HeartbeatMessage, a_number_that_is_none_counts_as_zero_and_is_told) {
  const auto heard = read_message("ready=7x&busy=-2&port=70000", Origin::post);
  EXPECT_EQ(heard->message, (Message{.ready = 0, .busy = 0, .port = 80}));
  EXPECT_THAT(heard->doubts,
              ElementsAre("Invalid busy value: -2, using 0", "Invalid ready value: 7x, using 0",
                          "Invalid port value: 70000, using default 80"));
}

TEST(HeartbeatMessage, only_the_first_thousand_bytes_count) {
  const std::string filler(message_bytes_max - std::string_view("busy=1&ready=12").size() - 3, 'a');
  EXPECT_EQ(read_message("x=" + filler + "&busy=1&ready=123", Origin::post)->message.ready, 12);
  EXPECT_EQ(missing("x=" + std::string(message_bytes_max, 'a') + "&busy=1&ready=1", Origin::post),
            "busy");
}

TEST(HeartbeatCount, blanks_a_sign_and_digits_up_to_the_largest_int) {
  EXPECT_EQ(parse_count(" 7"), 7);
  EXPECT_EQ(parse_count("+7"), 7);
  EXPECT_EQ(parse_count("-0"), 0);
  EXPECT_EQ(parse_count(""), 0);
  EXPECT_EQ(parse_count("2147483647"), 2147483647);
  for (const std::string_view bad :
       {"2147483648", "99999999999999999999", "-1", "7 ", "0x7", "+-7", " ", "-", "7;v=1"}) {
    EXPECT_EQ(parse_count(bad), std::nullopt) << bad;
  }
}

TEST(HeartbeatMessage, a_whole_message_raises_no_doubts) {
  EXPECT_THAT(read_message("ready=&busy=", Origin::post)->doubts, IsEmpty());
}

}  // namespace
}  // namespace steelyard::heartbeat
