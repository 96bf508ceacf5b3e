#include "manage/control_request.hpp"

#include <gmock/gmock.h>

#include <array>

namespace steelyard::manage {
namespace {

using balance::Flag;
using balance::Status;
using std::chrono::minutes;
using std::chrono::seconds;

std::string complaint(std::string_view line) {
  const auto request = parse_request(line);
  return request ? "none" : request.error().text;
}

TEST(ControlRequest, a_drain_has_all_its_parts) {
  const auto request = parse_request(
      R"({"command":"drain","balancer":"app","member":"m","deadline":"10min","sessions":3,)"
      R"("window":90,"kick":true})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->command, ControlRequest::Command::drain);
  EXPECT_EQ(request->balancer, "app");
  const Instant now = Instant{} + std::chrono::hours(1);
  const balance::DrainOrder order = request->drain.order(now);
  EXPECT_EQ(order.deadline, now + minutes(10));
  EXPECT_EQ(order.sessions_max, 3U);
  EXPECT_EQ(order.window, seconds(90));
  EXPECT_EQ(order.pace, balance::DrainOrder::Pace::sessions_leave);
}

TEST(ControlRequest, what_is_not_written_is_the_default) {
  const auto request = parse_request(R"({"command":"drain","balancer":"app","member":"m"})");
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->drain.order(Instant{}).has_end());
  EXPECT_EQ(request->drain.order(Instant{}).window, minutes(5));
}

TEST(ControlRequest, what_makes_no_sense_is_said) {
  for (const char* line : {"", "[]", "7", "nonsense", "{\"command\":", "\xff\xfe", "null",
                           R"({"command":"members"} {"command":"members"})"})
    EXPECT_EQ(complaint(line), "a line is one JSON object") << line;
  EXPECT_EQ(complaint("{}"), "no \"command\"");
  EXPECT_EQ(complaint(R"({"command":7})"), "no \"command\"");
  EXPECT_EQ(complaint(R"({"command":"drian"})"), "no command \"drian\"");
  EXPECT_EQ(complaint(R"({"command":"drain","balancer":"app"})"), "drain needs \"member\"");
  EXPECT_EQ(complaint(R"({"command":"drain","balancer":"","member":"m"})"),
            "drain needs \"balancer\"");
  EXPECT_EQ(complaint(R"({"command":"members","deadline":"1s"})"), "members has no \"deadline\"");
  EXPECT_EQ(complaint(R"({"command":"members","balancer":[1]})"), "\"balancer\" is not a text");
}

TEST(ControlRequest, numbers_and_times_have_their_bounds) {
  const auto drain = [](const std::string& more) {
    return complaint(R"({"command":"drain","balancer":"app","member":"m",)" + more + '}');
  };
  EXPECT_EQ(drain(R"("sessions":65536)"), "none");
  for (const char* bad : {"65537", "-1", "1.5", "\"3\"", "1e30", "true"}) {
    EXPECT_EQ(drain("\"sessions\":" + std::string(bad)),
              "\"sessions\" is not a number from 0 to 65536");
  }
  EXPECT_EQ(drain(R"("sessions":0,"window":"1s")"), "none");
  for (const char* bad : {"\"999ms\"", "\"61min\"", "\"\"", "\"soon\"", "-5", "{}"}) {
    EXPECT_EQ(drain("\"sessions\":0,\"window\":" + std::string(bad)),
              "\"window\" is not a time from 1 s to 1 h, as in 30, 500ms, 10min or 2h");
  }
  EXPECT_EQ(drain(R"("deadline":"168h")"), "none");
  EXPECT_NE(drain(R"("deadline":"169h")"), "none");
  EXPECT_NE(drain(R"("deadline":"99999999999999999999h")"), "none");
  EXPECT_NE(drain(R"("kick":1)"), "none");
  EXPECT_NE(drain(R"("window":"1s")"), "none");
}

// "soon" would be at once, and "2h30min" two hours.
TEST(ControlRequest, a_time_is_a_number_and_one_unit_and_nothing_else) {
  const auto says = [](std::string_view command, std::string_view key, const std::string& time) {
    return complaint(R"({"balancer":"app","member":"m","command":")" + std::string(command) +
                     R"(",")" + std::string(key) + R"(":")" + time + "\"" +
                     (key == "window" ? R"(,"sessions":0})" : "}"));
  };
  constexpr std::array<std::array<std::string_view, 2>, 3> keys{
      {{"drain", "deadline"}, {"wait", "timeout"}, {"drain", "window"}}};
  for (const auto& [command, key] : keys) {
    for (const char* good : {"30", "1500ms", "30s", "2min", "1h", "0030"})
      EXPECT_EQ(says(command, key, good), "none") << good;
    for (const char* bad : {"soon", "2h30min", "10 min", "10m", "10mi", "1.5h", "-5", "+5", "min",
                            "10min ", " 10min", "10MIN", "10minutes", "1h1", "0x10", ""}) {
      EXPECT_THAT(says(command, key, bad),
                  testing::StartsWith('"' + std::string(key) + "\" is not a time"))
          << bad;
    }
  }
}

TEST(ControlRequest, status_letters_are_an_operators) {
  const auto wish = parse_status_wish("+DN-S");
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->set, Flag::disabled | Flag::draining);
  EXPECT_EQ(wish->clear, Status(Flag::stopped));
  EXPECT_EQ(parse_status_wish("h")->set, Status(Flag::standby));
  EXPECT_EQ(parse_status_wish("+C")->set, Status(Flag::health_failed));
  EXPECT_EQ(parse_status_wish("-EC")->clear, Flag::in_error | Flag::health_failed);
  for (const char* bad : {"", "+", "-", "+E", "+O", "-O", "+Q", "D+", "+G", "+U", "+F"})
    EXPECT_FALSE(parse_status_wish(bad)) << bad;
}

}  // namespace
}  // namespace steelyard::manage
