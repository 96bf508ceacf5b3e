// The words of steelyard ctl, and what it makes of answers.
#include <gmock/gmock.h>

#include "manage/control_request.hpp"
#include "manage/ctl_report.hpp"
#include "manage/ctl_words.hpp"

namespace steelyard::manage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::expected<CtlWords, std::string> parse(std::vector<const char*> words) {
  return parse_ctl_words(words);
}

std::string complaint(const std::vector<const char*>& words) {
  const auto parsed = parse(words);
  return parsed ? "none" : parsed.error();
}

TEST(CtlWords, name_the_configuration_before_the_command) {
  const auto words = parse({"-f", "a.conf", "-d", "/root", "-D", "X", "-D", "Y", "-C", "Line 1",
                            "-c", "Line 2", "members", "--json"});
  ASSERT_TRUE(words);
  EXPECT_EQ(words->config_file, "a.conf");
  EXPECT_EQ(words->server_root, "/root");
  EXPECT_THAT(words->defines, ElementsAre("X", "Y"));
  EXPECT_THAT(words->before, ElementsAre("Line 1"));
  EXPECT_THAT(words->after, ElementsAre("Line 2"));
  EXPECT_TRUE(words->as_json);
  EXPECT_THAT(words->requests, ElementsAre(R"({"command":"members"})"));
}

TEST(CtlWords, a_drain_with_wait_is_two_requests) {
  const auto words = parse({"--socket", "/s", "drain", "app", "m1:80", "--sessions", "2",
                            "--window=90s", "--deadline", "10min", "--wait", "--timeout", "1h"});
  ASSERT_TRUE(words);
  EXPECT_EQ(words->socket, "/s");
  EXPECT_THAT(
      words->requests,
      ElementsAre(
          R"({"command":"drain","balancer":"app","member":"m1:80","sessions":2,"window":"90s","deadline":"10min"})",
          R"({"command":"wait","balancer":"app","member":"m1:80","timeout":"1h"})"));
  for (const std::string& request : words->requests) EXPECT_TRUE(parse_request(request));
  EXPECT_FALSE(is_answered_late(words->requests[0]));
  EXPECT_TRUE(is_answered_late(words->requests[1]));
}

TEST(CtlWords, a_status_may_look_like_an_option) {
  const auto words = parse({"set", "app", "r1", "-D"});
  ASSERT_TRUE(words);
  EXPECT_THAT(words->requests,
              ElementsAre(R"({"command":"set","balancer":"app","member":"r1","status":"-D"})"));
}

TEST(CtlWords, changes_are_told_from_one_on) {
  const auto words = parse({"changes", "--before", "101", "--balancer=app"});
  ASSERT_TRUE(words);
  EXPECT_THAT(words->requests,
              ElementsAre(R"({"command":"changes","before":101,"balancer":"app"})"));
  EXPECT_EQ(parse_request(words->requests[0])->before, 101U);
  EXPECT_FALSE(parse_request(words->requests[0])->member.size());
}

TEST(CtlWords, what_is_wrong_is_said) {
  EXPECT_THAT(complaint({}), HasSubstr("what should be done?"));
  EXPECT_THAT(complaint({"dance"}), HasSubstr("no command \"dance\""));
  EXPECT_THAT(complaint({"-x", "members"}), HasSubstr("no option -x"));
  EXPECT_THAT(complaint({"-f"}), HasSubstr("-f needs a value"));
  EXPECT_THAT(complaint({"--socket", "", "members"}), HasSubstr("--socket needs a value"));
  EXPECT_THAT(complaint({"drain", "app"}), HasSubstr("drain needs a member"));
  EXPECT_THAT(complaint({"undo"}), HasSubstr("undo needs an id"));
  EXPECT_THAT(complaint({"drain", "app", "m", "n"}), HasSubstr("unexpected word \"n\""));
  EXPECT_THAT(complaint({"drain", "app", "m", "--force"}), HasSubstr("no option --force"));
  EXPECT_THAT(complaint({"drain", "app", "m", "--sessions", "many"}), HasSubstr("takes a number"));
  EXPECT_THAT(complaint({"drain", "app", "m", "--sessions"}), HasSubstr("needs a value"));
  EXPECT_THAT(complaint({"drain", "app", "m", "--kick=yes"}), HasSubstr("takes no value"));
  EXPECT_THAT(complaint({"drain", "app", "m", "--wait"}), HasSubstr("no end to --wait for"));
  EXPECT_THAT(complaint({"drain", "app", "m", "--kick", "--timeout", "1"}), HasSubstr("--timeout"));
  EXPECT_THAT(complaint({"members", "--deadline", "1"}), HasSubstr("no option --deadline"));
}

TEST(CtlWords, may_imply_their_command) {
  const auto top = [](std::vector<const char*> words) { return parse_ctl_words(words, "top"); };
  EXPECT_THAT(top({})->requests, ElementsAre(R"({"command":"top"})"));
  const auto words = top({"-f", "a.conf", "--socket", "/s", "--balancer", "app", "--json"});
  ASSERT_TRUE(words);
  EXPECT_EQ(words->config_file, "a.conf");
  EXPECT_EQ(words->socket, "/s");
  EXPECT_TRUE(words->as_json);
  EXPECT_THAT(words->requests, ElementsAre(R"({"command":"top","balancer":"app"})"));
  EXPECT_EQ(top({"--help"})->help, ctl_help("top"));
  EXPECT_THAT(top({"members"}).error(), HasSubstr("unexpected word \"members\""));
  EXPECT_THAT(top({"--wait"}).error(), HasSubstr("top has no option --wait"));
  EXPECT_THAT(top({"-x"}).error(), HasSubstr("no option -x"));
}

TEST(CtlWords, every_command_has_its_help) {
  const std::vector<std::string> commands = ctl_commands();
  EXPECT_GE(commands.size(), 6U);
  std::size_t row = 0;
  for (const std::string& command : commands) {
    const char* const word = command.c_str();
    EXPECT_THAT(parse({"help", word})->help, HasSubstr("steelyard ctl " + command));
    EXPECT_EQ(parse({word, "--help"})->help, ctl_help(command));
    const std::size_t next = ctl_help().find("\n  " + command + ' ');
    ASSERT_NE(next, std::string::npos) << command;
    EXPECT_GT(next, row) << command << " stands in another order";
    row = next;
  }
  EXPECT_EQ(parse({"help"})->help, ctl_help());
  EXPECT_EQ(parse({"--help"})->help, ctl_help());
  EXPECT_THAT(complaint({"help", "dance"}), HasSubstr("no command"));
}

TEST(CtlWords, the_server_knows_every_command_and_no_other) {
  const auto refused = parse_request(R"({"command":"?"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().choices, ctl_commands());
}

CtlReport report(std::string_view answer) { return report_answer({}, answer); }

TEST(CtlReport, of_top_is_its_table) {
  const auto told = report(R"({"ok":true,"rows":[{"kind":"member","member":"http://m1"}]})");
  EXPECT_THAT(told.out, HasSubstr("http://m1"));
  EXPECT_THAT(told.out, HasSubstr("P99ms"));
}

TEST(CtlReport, waiting_has_an_exit_status_for_each_end) {
  const auto exit_of = [](const std::string& state) {
    return report(R"({"ok":true,"state":")" + state + R"(","outcome":"why"})");
  };
  EXPECT_EQ(exit_of("drained").exit, CtlExit::done);
  EXPECT_EQ(exit_of("drained").out, "drained: why\n");
  EXPECT_EQ(exit_of("deadline_passed").exit, CtlExit::deadline_passed);
  EXPECT_EQ(exit_of("timed_out").exit, CtlExit::timed_out);
  EXPECT_EQ(exit_of("cancelled").exit, CtlExit::cancelled);
}

TEST(CtlReport, failures_are_told_with_the_choices) {
  const CtlReport failed =
      report(R"({"ok":false,"kind":"unknown","error":"no balancer","choices":["a","b"]})");
  EXPECT_EQ(failed.exit, CtlExit::failed);
  EXPECT_EQ(failed.complaint, "steelyard ctl: no balancer\nThere is:\n  a\n  b\n");
  EXPECT_EQ(report(R"({"ok":false,"kind":"usage","error":"x"})").exit, CtlExit::usage);
  EXPECT_EQ(report("HTTP/1.1 400 Bad Request").exit, CtlExit::failed);
  EXPECT_EQ(report("[]").exit, CtlExit::failed);
}

// A member's answer, or a name, could move the cursor and write over lines.
TEST(CtlReport, what_steers_a_terminal_is_shown_and_not_sent_to_it) {
  const CtlReport history = report(
      R"({"ok":true,"events":[{"at":"T","cause":"a\u001b[2Jb","evidence":"\u0007\u007f\u009b1m",)"
      R"("before":"\n","after":"\u00e4\u00a0\u2028"}]})");
  EXPECT_EQ(history.out, "T  \\x0a -> \u00e4\u00a0\u2028  a\\x1b[2Jb: \\x07\\x7f\\x9b1m\n");
  const CtlReport failed = report(R"({"ok":false,"error":"\u001b]0;x","choices":["\u0085"]})");
  EXPECT_EQ(failed.complaint, "steelyard ctl: \\x1b]0;x\nThere is:\n  \\x85\n");
}

TEST(CtlReport, trouble_stands_above_the_members) {
  const CtlReport table =
      report(R"({"ok":true,"troubles":["the journal\u001b is not open","two"],"members":[]})");
  EXPECT_THAT(table.out, testing::StartsWith("the journal\\x1b is not open\ntwo\n\nBALANCER"));
}

TEST(CtlReport, members_are_a_table) {
  const CtlReport table = report(
      R"({"ok":true,"members":[{"balancer":"balancer://app","member":"http://m1","route":"",)"
      R"("status":"Init Ok","factor":1.5,"busy":2,"elected":10,)"
      R"("sessions":{"1m":1,"5m":2,"15m":3,"60m":65536,"at_least":["60m"],"partial":["15m"]},)"
      R"("reason":"","drain":null},{"balancer":"balancer://app","member":"http://m22",)"
      R"("status":"Init Drn Ok","sessions":null,"reason":"why",)"
      R"("drain":{"state":"under_way","order":"until noon"}}]})");
  EXPECT_EQ(
      table.out,
      "BALANCER        MEMBER      ROUTE  STATUS       FACTOR  BUSY  ELECTED  1m  5m  15m  60m     "
      "WHY\n"
      "balancer://app  http://m1   -      Init Ok      1.5     2     10       1   2   3*   65536+\n"
      "balancer://app  http://m22  -      Init Drn Ok                         -   -   -    -       "
      "why; draining until noon\n");
}

TEST(CtlReport, an_error_is_told_with_its_end_and_its_trial) {
  const CtlReport table = report(
      R"({"ok":true,"members":[{"member":"m","status":"Init Err","reason":"failed a request",)"
      R"("error_ends":"2026-11-29T14:03:10Z","ejections":2,"on_trial":false},)"
      R"({"member":"n","reason":"failed its trial","error_ends":null,"on_trial":true}]})");
  EXPECT_THAT(table.out, HasSubstr("failed a request; in error until 2026-11-29T14:03:10Z\n"));
  EXPECT_THAT(table.out, HasSubstr("failed its trial; on trial\n"));
}

TEST(CtlReport, json_is_handed_through) {
  const std::string answer = R"({"ok":true,"members":[]})";
  EXPECT_EQ(report_answer({.as_json = true}, answer).out, answer + '\n');
}

TEST(CtlReport, a_long_reason_is_cut_between_characters) {
  const std::string text = std::string(199, 'x') + "\xc3\xa4" + std::string(5000, 'y');
  const CtlReport changes = report(
      R"({"ok":true,"changes":[{"id":7,"at":"T","balancer":"b","kind":"change","who":"w","reason":")" +
      text + R"("}]})");
  EXPECT_THAT(changes.out, testing::EndsWith(": " + std::string(199, 'x') + "...\n"));
}

TEST(CtlReport, history_is_a_line_a_change) {
  const CtlReport history = report(
      R"({"ok":true,"events":[{"at":"T2","times":3,"first":"T1","cause":"failed a request",)"
      R"("evidence":"answered","answer_status":503,"latency_us":3100,"before":"Init Ok","after":"Init Err"},)"
      R"({"at":"","times":1,"cause":"drained","evidence":"","answer_status":0,)"
      R"("before":"A","after":"B"}]})");
  EXPECT_EQ(history.out,
            "T2  Init Ok -> Init Err  failed a request: answered (status 503) after 3.1 ms  [3 "
            "times since T1]\n"
            "(at the start)  A -> B  drained\n");
  EXPECT_EQ(report(R"({"ok":true,"events":[]})").out, "nothing happened so far\n");
}

}  // namespace
}  // namespace steelyard::manage
