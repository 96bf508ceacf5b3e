// A whole check has one time, however a member keeps it waiting: each of these says a little again
// and again, sooner than a step's time is over.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "health/limits.hpp"
#include "health/test_members.hpp"

namespace steelyard::health {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

struct Dripping {
  std::string scheme, method;
  std::string first, drop;
};

const Dripping members[] = {
    {"http", "GET", "", "HTTP/1.1 200 OK\r\n"},
    {"http", "HEAD", "HTTP/1.1 200 OK\r\nX: ", "x"},
    {"http", "GET", "HTTP/1.1 200 OK\r\n\r\n", "x"},
    {"ws", "GET11", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
    // Settings; then interim heads, and data in pieces.
    {"h2c", "HEAD", "\0\0\0\4\0\0\0\0\0"s, "\0\0\5\1\4\0\0\0\1\x08\3\x31\x30\x33"s},
    {"h2c", "GET", "\0\0\0\4\0\0\0\0\0\0\0\1\1\4\0\0\0\1\x88"s, "\0\0\1\0\0\0\0\0\1x"s},
    {"ftp", "OPTIONS", "220-welcome\r\n", "x\r\n"},
    {"fcgi", "GET", "", "\1\6\0\1\0\6\0\0X: 1\r\n"s},
    {"fcgi", "GET", "\1\6\0\1\0\2\0\0\r\n"s, "\1\6\0\1\0\1\0\0x"s},
    {"fcgi", "OPTIONS", "", "\1\7\0\1\0\1\0\0x"s},
    {"scgi", "GET", "", "X: 1\r\n"},
    {"scgi", "GET", "X: 1\r\n\r\n", "x"},
    {"uwsgi", "HEAD", "HTTP/1.1 200 OK\r\nX: ", "x"},
    {"uwsgi", "GET", "HTTP/1.1 200 OK\r\n\r\n", "x"},
};

// What came of the member's first check, if it was over by then.
std::string told_within(const Dripping& one, Duration time, std::vector<std::string> parameters) {
  parameters.insert(parameters.end(), {"hcmethod=" + one.method, "hcuri=/h", "hcinterval=1"});
  CheckedWorld world(1, std::move(parameters), one.scheme);
  world.member(1).answer = one.first;
  world.member(1).then = PlayedMember::Then::stay_open;
  world.pass(milliseconds(1100));
  const Instant began = world.loop.now();
  while (world.loop.now() - began < time && world.last_text(1) == "none") {
    EXPECT_EQ(world.member(1).connections, 1);
    world.member(1).open.at(0)->say(one.drop);
    world.pass(milliseconds(100));
  }
  return world.last_text(1);
}

TEST(DrippingMembers, have_hctimeout_for_all_they_say) {
  for (const Dripping& one : members) {
    EXPECT_THAT(told_within(one, milliseconds(1100), {"hctimeout=1s"}),
                HasSubstr("not over within 10"))
        << one.scheme << ' ' << one.first << one.drop;
    EXPECT_EQ(told_within(one, milliseconds(800), {"hctimeout=1s"}), "none")
        << one.scheme << ' ' << one.first << one.drop;
  }
}

// The steps' times are the member's, as in httpd; all of them together have an end.
TEST(DrippingMembers, have_an_end_without_hctimeout) {
  for (const Dripping& one : members) {
    const Duration steps = seconds(2 * 3);  // to connect and to be answered: Timeout each
    EXPECT_EQ(told_within(one, seconds(30), {}), "none")
        << one.scheme << ' ' << one.first << one.drop;
    EXPECT_THAT(told_within(one, steps + dripping_time_max + seconds(1), {}),
                HasSubstr("not over within 306"))
        << one.scheme << ' ' << one.first << one.drop;
  }
}

TEST(DrippingMembers, answer_nothing_by_pings) {
  const Dripping one{"h2c", "GET", "\0\0\0\4\0\0\0\0\0"s, "\0\0\x08\6\0\0\0\0\0abcdefgh"s};
  EXPECT_EQ(told_within(one, seconds(4), {}), "no answer within 3000 ms");
}

}  // namespace
}  // namespace steelyard::health
