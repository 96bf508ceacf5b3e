// Checks of members of the CGI family: what they pass and fail by, and how much a member may say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "health/limits.hpp"
#include "health/test_members.hpp"

namespace steelyard::health {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using Then = PlayedMember::Then;

std::string record(int type, std::string_view content) {
  const std::string size{static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
  return "\1"s + static_cast<char>(type) + "\0\1"s + size + "\0\0"s + std::string(content);
}
std::string out(std::string_view content) { return record(6, content); }
std::string error(std::string_view content) { return record(7, content); }
const std::string whole = record(6, "") + record(3, "\0\0\0\0\0\0\0\0"s);
const std::string overloaded = record(3, "\0\0\0\0\2\0\0\0"s);
// STDERR of about so many bytes.
std::string words(std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += error(std::string(60'000, 'w'));
  return all;
}

const std::vector<std::string> by_get{"hcmethod=GET", "hcuri=/ping", "hcinterval=1"};

struct Row {
  std::string scheme, answer;
  Then then;
  std::string told;
};

void expect(const Row& row, const std::string& method = "GET") {
  CheckedWorld world(1, {"hcmethod=" + method, "hcuri=/ping", "hcinterval=1"}, row.scheme);
  world.member(1).answer = row.answer;
  world.member(1).then = row.then;
  world.pass(seconds(5));
  EXPECT_THAT(world.last_text(1), HasSubstr(row.told)) << method << ' ' << row.scheme;
  EXPECT_EQ(world.status(1), row.told == "status 200" ? "Init Ok " : "Init HcFl ") << row.scheme;
}

TEST(CgiChecks, are_passed_by_a_whole_answer) {
  const Row rows[] = {
      {"fcgi", out("Content-Type: text/plain\r\n\r\npong") + whole, Then::stay_open, "status 200"},
      {"fcgi", error("by the way") + out("X: 1\r\n\r\n") + out("po") + out("ng") + whole,
       Then::close, "status 200"},
      {"scgi", "Status: 200 OK\r\n\r\npong", Then::close, "status 200"},
      {"uwsgi", "HTTP/1.1 200 OK\r\n\r\npong", Then::close, "status 200"},
      {"uwsgi", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong", Then::stay_open, "status 200"},
  };
  for (const Row& row : rows) {
    for (const char* const method : {"GET", "GET11", "HEAD", "OPTIONS"}) expect(row, method);
  }
}

TEST(CgiChecks, are_failed_by_anything_else) {
  const Row rows[] = {
      {"fcgi", out("Status: 503 Busy\r\n\r\n") + whole, Then::close, "status 503"},
      {"scgi", "Status: 404 None\r\n\r\n", Then::close, "status 404"},
      {"uwsgi", "HTTP/1.1 500 Bad\r\n\r\n", Then::close, "status 500"},
      {"fcgi", overloaded, Then::close, "the FastCGI server is overloaded"},
      {"fcgi", whole, Then::close, "it ended without an answer"},
      {"fcgi", "", Then::close, "the connection ended without an answer"},
      {"scgi", "", Then::close, "the connection ended without an answer"},
      {"fcgi", "", Then::stay_open, "no answer within 3000 ms"},
      {"uwsgi", "", Then::stay_open, "no answer within 3000 ms"},
      {"fcgi", out("X: 1\r\n\r\nhalf"), Then::close, "the answer was cut short"},
      {"fcgi", out("X: 1\r\n\r\nhalf"), Then::stay_open, "status 200, but no end of the body"},
      {"fcgi", out("Content-Length: 9\r\n\r\nhalf") + whole, Then::close, "shorter than was told"},
      {"scgi", "Content-Length: 9\r\n\r\nhalf", Then::close, "the body was cut short"},
      {"uwsgi", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Then::close,
       "the body was cut short"},
      {"scgi", "Status: 20", Then::close, "the answer ended in its head"},
      {"scgi", "no colon\r\n\r\n", Then::close, "no colon"},
      {"uwsgi", "Status: 200 OK\r\n\r\n", Then::close, "not an answer of a uwsgi application"},
      {"uwsgi", "HTTP/1.1 100 Go on\r\n\r\n", Then::close, "not an answer of a uwsgi application"},
      {"fcgi", "HTTP/1.1 400 Bad Request\r\n\r\n", Then::close, "record of another version"},
      {"fcgi", record(6, "X: 1\r\n\r\n").replace(3, 1, "\2"), Then::close, "for another request"},
      {"fcgi", record(3, "short"), Then::close, "end of request of another size"},
      {"fcgi", out("X: 1\r\n\r\nx") + out("") + out("y"), Then::close, "goes on behind its end"},
      {"scgi", "X: " + std::string(9000, 'x') + "\r\n\r\n", Then::close, "too long"},
  };
  for (const Row& row : rows) expect(row);
}

TEST(CgiChecks, of_methods_without_a_body_need_the_head_alone) {
  const Row rows[] = {
      {"fcgi", out("X: 1\r\n\r\n"), Then::stay_open, "status 200"},
      {"scgi", "X: 1\r\n\r\n", Then::stay_open, "status 200"},
      {"uwsgi", "HTTP/1.1 200 OK\r\n\r\n", Then::stay_open, "status 200"},
  };
  for (const Row& row : rows) {
    expect(row, "HEAD");
    expect(row, "OPTIONS11");
  }
}

TEST(CgiChecks, let_conditions_see_status_fields_and_body) {
  const Row rows[] = {
      {"fcgi", out("Status: 503 X\r\nX-Role: main\r\n\r\npong") + whole, Then::close, ""},
      {"scgi", "Status: 503 X\r\nX-Role: main\r\n\r\npong", Then::close, ""},
      {"uwsgi", "HTTP/1.1 503 X\r\nX-Role: main\r\n\r\npong", Then::close, ""},
  };
  for (const Row& row : rows) {
    CheckedWorld world(0, {"hcmethod=GET", "hcinterval=1", "hcexpr=e"}, row.scheme);
    auto condition = expr::Condition::compile(
        "%{REQUEST_STATUS} == 503 && hc('body') == 'pong' && resp('X-Role') == 'main'");
    ASSERT_TRUE(condition);
    world.conditions.set("e", std::move(*condition));
    world.revive(1);
    world.member(1).answer = row.answer;
    world.reload(1);
    world.pass(milliseconds(1200));
    EXPECT_EQ(world.last_text(1), "status 503, condition e is true") << row.scheme;
    EXPECT_EQ(world.status(1), "Init Ok ");
  }
}

TEST(CgiChecks, tell_what_an_application_says_on_stderr) {
  CheckedWorld world(1, by_get, "fcgi");
  world.member(1).answer =
      error("Primary script unknown") + out("Status: 404 None\r\n\r\n") + whole;
  world.pass(milliseconds(1200));
  EXPECT_THAT(world.log.lines, Contains("AH01071: Got error 'Primary script unknown'"));
  world.member(1).answer = error("I am stuck");
  world.member(1).then = Then::stay_open;
  world.pass(seconds(5));
  EXPECT_THAT(world.log.lines, Contains("AH01071: Got error 'I am stuck'"));
}

TEST(CgiChecks, take_a_body_up_to_their_bound_and_no_more) {
  std::string answer = out("X: 1\r\n\r\n");
  while (answer.size() < body_bytes_max + 100'000) answer += out(std::string(60'000, 'x'));
  expect({"fcgi", answer, Then::stay_open, "status 200"});
  expect({"scgi", "X: 1\r\n\r\n" + answer, Then::stay_open, "status 200"});
}

TEST(CgiChecks, end_with_a_member_that_says_much_and_answers_nothing) {
  expect({"fcgi", words(heard_bytes_max + 1), Then::stay_open, "answers nothing"});
  expect({"fcgi", out("X: 1\r\n\r\nhalf") + words(heard_bytes_max), Then::stay_open,
          "status 200, but no end of the body"});
  expect({"fcgi", words(heard_bytes_max / 2) + out("X: 1\r\n\r\n") + whole, Then::stay_open,
          "status 200"});
  std::string lines;
  while (lines.size() < 300'000) lines += "X: " + std::string(1000, 'x') + "\r\n";
  expect({"scgi", lines, Then::stay_open, "the script's header is too long"});
  std::string records;
  for (int i = 0; i < 5; ++i) records += out(lines.substr(0, 60'018));  // of whole lines
  expect({"fcgi", records, Then::stay_open, "the script's header is too long"});
}

// All of it lies ready, and is read piece by piece.
TEST(CgiChecks, of_a_member_that_never_stops_talking_give_others_their_turn) {
  for (const bool is_cancelled : {false, true}) {
    CheckedWorld world(1, by_get, "fcgi");
    world.member(1).answer.clear();
    world.member(1).then = Then::stay_open;
    world.pass(milliseconds(1200));
    ASSERT_EQ(world.prober.checks_under_way(), 1U);
    world.member(1).open[0]->say(words(heard_bytes_max / 2) + out("X: 1\r\n\r\n") + whole);
    std::size_t turns = 0;
    for (; world.prober.checks_under_way() != 0; ++turns) {
      world.loop.turn();
      if (is_cancelled && turns == 10) world.reload(0);
      ASSERT_LT(turns, 1000U);
    }
    EXPECT_GE(turns, is_cancelled ? 11U : heard_bytes_max / 2 / heard_bytes_a_turn);
  }
}

}  // namespace
}  // namespace steelyard::health
