#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heartbeat/roll.hpp"
#include "heartbeat/storage_file.hpp"

namespace steelyard::heartbeat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant noon = Instant{} + std::chrono::hours(12);

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

// "address weight age" of every server.
std::string shown(const Servers& servers, Instant now = noon) {
  std::string text;
  for (const Server& server : servers.all()) {
    text += server.ip + ' ' + std::to_string(server.weight()) + ' ' +
            std::to_string(server.age_seconds(now)) + ';';
  }
  return text;
}

TEST(HeartbeatStorage, a_file_of_httpd_is_read) {
  EXPECT_EQ(shown(read_storage("10.0.0.5 &ready=75&busy=3&lastseen=1&port=80\n"
                               "10.0.0.6 &ready=8&busy=0&lastseen=4&port=8080\n")),
            "10.0.0.5 75 1;10.0.0.6 2 4;");
}

TEST(HeartbeatStorage, the_age_is_what_the_line_says_whatever_the_clock_says) {
  const Servers servers = read_storage("a &ready=1&busy=1&lastseen=7\n");
  EXPECT_EQ(shown(servers, noon + seconds(100)), "a 1 7;");
}

TEST(HeartbeatStorage, comments_lines_without_blank_and_lines_that_begin_with_one_are_passed_over) {
  EXPECT_EQ(shown(read_storage("#a &ready=1&busy=1\na&ready=1&busy=1\n a &ready=1\n\n\r\n"
                               "a\t&ready=1&busy=1\nb \t&READY=5&busy=1&lastseen=2")),
            "b 5 2;");
}

TEST(HeartbeatStorage, numbers_that_are_none_count_as_nothing) {
  EXPECT_EQ(shown(read_storage("a &ready=5x&busy=1&lastseen=abc\nb &ready=-5&busy=1\n"
                               "c &ready=2147483648&busy=1&lastseen=1\nd &lastseen=1\n")),
            "a 0 -1;b 0 -1;c 0 1;d 0 1;");
}

TEST(HeartbeatStorage, a_later_line_of_an_address_changes_what_it_names) {
  EXPECT_EQ(shown(read_storage("a &ready=5&busy=1&lastseen=50\nb x\na &lastseen=1\n")),
            "a 5 1;b 0 -1;");
}

TEST(HeartbeatStorage, garbage_is_survived) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>((i * 7919) >> 3);
  EXPECT_LE(read_storage(text).all().size(), storage_servers_max);
  std::string many;
  for (std::size_t i = 0; i < storage_servers_max + 10; ++i)
    many += std::to_string(i) + " &ready=1\n";
  EXPECT_EQ(read_storage(many).all().size(), storage_servers_max);
}

TEST(HeartbeatStorage, what_is_written_has_httpds_form_and_reads_back) {
  const Server server{.ip = "10.0.0.5",
                      .message = {.ready = 75, .busy = 3, .port = 8080},
                      .seen_at = noon - milliseconds(2900)};
  const std::string text = write_storage(std::span(&server, 1), noon);
  EXPECT_EQ(text, "10.0.0.5 &ready=75&busy=3&lastseen=2&port=8080\n");
  EXPECT_EQ(shown(read_storage(text)), "10.0.0.5 75 2;");
}

TEST(HeartbeatStorage, a_server_takes_the_place_of_its_own_line_and_leaves_the_others) {
  const Server server{.ip = "b", .message = {.ready = 1, .busy = 2}, .seen_at = noon};
  const std::string line = "b &ready=1&busy=2&lastseen=0&port=80\n";
  EXPECT_EQ(with_server("", server, noon), line);
  EXPECT_EQ(with_server("# x\na y", server, noon), "# x\na y\n" + line);
  EXPECT_EQ(with_server("b x\na y\nb z\n", server, noon), line + "a y\n");
}

TEST(HeartbeatServers, of_equal_addresses_the_last_counts) {
  const Servers servers({{.ip = "b", .message = {.ready = 1, .busy = 1}, .seen_at = noon},
                         {.ip = "a", .message = {.ready = 2, .busy = 1}, .seen_at = noon},
                         {.ip = "b", .message = {.ready = 3, .busy = 1}, .seen_at = noon}});
  EXPECT_EQ(shown(servers), "a 2 0;b 3 0;");
  EXPECT_EQ(servers.find("b")->message.ready, 3);
  EXPECT_EQ(servers.find("c"), nullptr);
  EXPECT_EQ(servers.find(""), nullptr);
}

TEST(HeartbeatServers, a_server_that_does_nothing_yet_counts_a_quarter) {
  const auto weight = [](int ready, int busy) {
    return Server{.ip = "a", .message = {.ready = ready, .busy = busy}, .seen_at = noon}.weight();
  };
  EXPECT_EQ(weight(8, 1), 8);
  EXPECT_EQ(weight(8, 0), 2);
  EXPECT_EQ(weight(3, 0), 0);
}

TEST(HeartbeatRoll, keeps_what_each_address_said_last) {
  Roll roll(10);
  EXPECT_TRUE(roll.note(ip("10.0.0.6"), {.ready = 1, .busy = 1}, noon));
  EXPECT_TRUE(roll.note(ip("10.0.0.5"), {.ready = 2, .busy = 1}, noon));
  EXPECT_TRUE(roll.note(ip("10.0.0.6"), {.ready = 3, .busy = 1}, noon + seconds(1)));
  EXPECT_EQ(shown(Servers(roll.servers()), noon + milliseconds(2999)),
            "10.0.0.5 2 2;10.0.0.6 3 1;");
}

TEST(HeartbeatRoll, who_is_silent_for_more_than_thirty_seconds_goes) {
  Roll roll(10);
  roll.note(ip("10.0.0.5"), {}, noon);
  roll.note(ip("::1"), {}, noon + seconds(1));
  EXPECT_FALSE(roll.drop_silent(noon + seconds(30)));
  EXPECT_TRUE(roll.drop_silent(noon + milliseconds(30001)));
  EXPECT_EQ(roll.size(), 1U);
  EXPECT_EQ(roll.servers().front().ip, "::1");
}

TEST(HeartbeatRoll, is_bounded_and_only_the_silent_make_room) {
  Roll roll(2);
  roll.note(ip("10.0.0.1"), {}, noon);
  roll.note(ip("10.0.0.2"), {}, noon + seconds(20));
  EXPECT_FALSE(roll.note(ip("10.0.0.3"), {}, noon + seconds(30)));
  EXPECT_TRUE(roll.note(ip("10.0.0.2"), {}, noon + seconds(30)));
  EXPECT_TRUE(roll.note(ip("10.0.0.3"), {}, noon + seconds(31)));
  EXPECT_EQ(roll.size(), 2U);
}

}  // namespace
}  // namespace steelyard::heartbeat
