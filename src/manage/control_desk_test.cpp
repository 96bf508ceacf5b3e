#include "manage/control_desk.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "manage/control_answers.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

class Desk : public DeskWorld {
 protected:
  json told(std::string_view line) { return json::parse(ask(line)); }
};

TEST_F(Desk, members_are_told_with_state_sessions_and_order) {
  {
    const auto exchange = visit("x.r1");
  }
  {
    const auto exchange = visit("y.r1");
  }
  const auto exchange = visit("x.r1");
  ask(R"({"command":"drain","balancer":"app","member":"r1","sessions":0})");
  const json answer = told(R"({"command":"members"})");
  EXPECT_TRUE(answer["ok"]);
  ASSERT_EQ(answer["members"].size(), 2U);
  const json& first = answer["members"][0];
  EXPECT_EQ(first["balancer"], "balancer://app");
  EXPECT_EQ(first["member"], "http://m1:8080");
  EXPECT_EQ(first["route"], "r1");
  EXPECT_EQ(first["status"], "Init Drn Ok");
  EXPECT_EQ(first["factor"], 1.0);
  EXPECT_EQ(first["busy"], 1);
  EXPECT_EQ(first["elected"], 3);
  EXPECT_EQ(first["sessions"]["1m"], 2);
  EXPECT_EQ(first["sessions"]["60m"], 2);
  EXPECT_TRUE(first["sessions"]["at_least"].empty());
  EXPECT_EQ(first["sessions"]["partial"].size(), 4U);
  EXPECT_EQ(first["reason"], "set by an operator: to be drained");
  EXPECT_EQ(first["drain"]["state"], "under_way");
  EXPECT_EQ(first["drain"]["order"], "until there is no session for 5 min");
  EXPECT_EQ(answer["members"][1]["drain"], nullptr);
  EXPECT_EQ(answer["members"][1]["reason"], "");
}

TEST_F(Desk, an_error_is_told_with_its_end) {
  const auto exchange = visit("x.r1");
  balancer().force_error(exchange.lease, loop.now());
  const json answer = told(R"({"command":"members"})");
  const json& first = answer["members"][0];
  const Moment moment{.now = loop.now(), .wall = loop.wall_now()};
  EXPECT_EQ(first["error_ends"], moment.text_of(loop.now() + seconds(60)));
  EXPECT_EQ(first["ejections"], 0);
  EXPECT_EQ(first["on_trial"], false);
  EXPECT_EQ(answer["members"][1]["error_ends"], nullptr);
}

class Reasons : public Desk {
 protected:
  std::string reason() {
    return told(R"({"command":"members"})")["members"][0]["reason"].get<std::string>();
  }
  // What comes and goes again tells nothing of why the member is out.
  void expect_it_outlasts_an_operator(const std::string& why) {
    EXPECT_EQ(reason(), why);
    balancer().change_status(view().member, balance::Flag::standby, {}, loop.now());
    balancer().change_status(view().member, {}, balance::Flag::standby, loop.now());
    EXPECT_EQ(reason(), why);
    ask(R"({"command":"drain","balancer":"app","member":"r1"})");
    ask(R"({"command":"undrain","balancer":"app","member":"r1"})");
    EXPECT_EQ(reason(), why);
    balancer().change_status(view().member, balance::Flag::disabled, {}, loop.now());
    EXPECT_EQ(reason(), "set by an operator");
    balancer().change_status(view().member, {}, balance::Flag::disabled, loop.now());
    EXPECT_EQ(reason(), why);
  }
};

TEST_F(Reasons, an_error_stays_the_reason_whatever_an_operator_does_meanwhile) {
  const auto exchange = visit("x.r1");
  balancer().force_error(exchange.lease, loop.now(), balance::HealthCause::connect_failed,
                         {.text = "connection refused"});
  expect_it_outlasts_an_operator("could not be connected to: connection refused");
}

TEST_F(Reasons, and_so_do_failed_checks) {
  auto config = one_balancer();
  auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
  ASSERT_TRUE(balance::set_member_parameter(spec->members[0], "hcmethod", "TCP"));
  config->servers[0]->balancers[0] = spec;
  adopt(std::move(config));
  balancer().check_finished(view().member, {.ended = loop.now(),
                                            .verdict = balance::CheckVerdict::failed,
                                            .evidence = {.text = "no answer"}});
  expect_it_outlasts_an_operator("health checks failed: no answer");
}

TEST_F(Desk, one_balancer_can_be_asked_for) {
  auto config = one_balancer();
  config->servers[0]->balancers.push_back(sticky_spec("other", 3));
  adopt(std::move(config));
  EXPECT_EQ(told(R"({"command":"members"})")["members"].size(), 5U);
  EXPECT_EQ(told(R"({"command":"members","balancer":"other"})")["members"].size(), 3U);
  const json wrong = told(R"({"command":"members","balancer":"none"})");
  EXPECT_FALSE(wrong["ok"]);
  EXPECT_EQ(wrong["kind"], "unknown");
  EXPECT_EQ(wrong["choices"], json({"balancer://app", "balancer://other"}));
}

TEST_F(Desk, a_drain_ends_without_traffic_and_the_log_tells) {
  loop.advance(minutes(2));
  ask(R"({"command":"drain","balancer":"app","member":"r1","sessions":0,"window":"1min"})");
  EXPECT_EQ(status(), "Init Drn Stop");
  {
    const auto exchange = visit("x.r2");
  }
  ask(R"({"command":"drain","balancer":"app","member":"r2","sessions":0,"window":"1min"})");
  EXPECT_EQ(status(1), "Init Drn Ok");
  loop.advance(seconds(60));
  EXPECT_EQ(status(1), "Init Drn Ok");
  loop.advance(milliseconds(300));
  EXPECT_EQ(status(1), "Init Drn Stop");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[2],
            "http://m2:8080 in balancer://app: drain, until there is no session for 1 min (by a "
            "test)");
  EXPECT_EQ(lines[3],
            "drain of http://m2:8080 in balancer://app is over: drained (no session for 1 min)");
}

TEST_F(Desk, the_same_order_again_is_no_new_one) {
  const auto exchange = visit("x.r1");
  const std::string order =
      R"({"command":"drain","balancer":"app","member":"r1","deadline":"3s","window":)";
  const auto number = [this] { return view().drain->number; };
  ask(order + R"("1min"})");
  const auto first = number();
  loop.advance(seconds(1));
  ask(order + R"("1min"})");
  EXPECT_EQ(number(), first);
  ask(order + R"("2min"})");
  EXPECT_EQ(number(), first + 1);
  loop.advance(milliseconds(2900));
  EXPECT_EQ(status(), "Init Drn Ok");
  loop.advance(milliseconds(200));
  EXPECT_EQ(status(), "Init Drn Stop");
  ask(order + R"("2min"})");  // that one is over
  EXPECT_EQ(number(), first + 2);
}

TEST_F(Desk, a_deadline_is_kept_without_traffic) {
  const auto exchange = visit("x.r1");
  ask(R"({"command":"drain","balancer":"app","member":"r1","deadline":"3s"})");
  loop.advance(milliseconds(2900));
  EXPECT_EQ(status(), "Init Drn Ok");
  loop.advance(milliseconds(200));
  EXPECT_EQ(status(), "Init Drn Stop");
  EXPECT_THAT(
      lines.back(),
      HasSubstr("deadline passed (1 session and 1 exchange under way left at the deadline)"));
}

TEST_F(Desk, a_reload_in_between_keeps_the_watch) {
  ask(R"({"command":"drain","balancer":"app","member":"r1","deadline":"3s"})");
  loop.advance(seconds(1));
  adopt(one_balancer(3));
  loop.advance(seconds(3));
  EXPECT_EQ(status(), "Init Drn Stop");
}

TEST_F(Desk, undrain_and_set_change_the_member) {
  ask(R"({"command":"drain","balancer":"app","member":"r1","kick":true})");
  EXPECT_EQ(status(), "Init Drn Stop");
  EXPECT_EQ(told(R"({"command":"undrain","balancer":"app","member":"r1"})")["member"]["status"],
            "Init Ok");
  const json again = told(R"({"command":"undrain","balancer":"app","member":"r1"})");
  EXPECT_TRUE(again["ok"]);
  EXPECT_TRUE(again["changed"].empty());
  EXPECT_EQ(again["why"], "http://m1:8080 is not drained");
  EXPECT_EQ(
      told(R"({"command":"set","balancer":"app","member":"r1","status":"+D"})")["member"]["status"],
      "Init Dis");
  EXPECT_EQ(lines.back(),
            "http://m1:8080 in balancer://app: status from \"\" to \"D\" (by a test)");
}

TEST_F(Desk, the_log_tells_why_and_what_was_undone) {
  ChangesBook kept(journal::Journal::in_memory(100), log_line);
  ControlDesk with_journal(
      ChangeDesk::Parts{.loop = loop, .book = kept, .log = log_line, .members_changed = [] {}},
      chronicle);
  with_journal.adopt(*generation);
  const auto order = [&](std::string_view line) {
    (void)with_journal.answer(*parse_request(line), "a test");
    return lines.back();
  };
  EXPECT_EQ(
      order(R"({"command":"set","balancer":"app","member":"r1","fields":{"lbset":"3"},)"
            R"("reason":"new disk"})"),
      "http://m1:8080 in balancer://app: lbset from \"0\" to \"3\" (by a test, for \"new disk\")");
  EXPECT_EQ(
      order(R"({"command":"undo","id":1,"reason":"too early"})"),
      "http://m1:8080 in balancer://app: lbset from \"3\" to \"0\" (by a test, undoing change "
      "1, for \"too early\")");
  EXPECT_EQ(order(R"({"command":"drain","balancer":"app","member":"r1","reason":"ill"})"),
            "http://m1:8080 in balancer://app: drain, without an end (by a test, for \"ill\")");
}

TEST(ReasonInTheLog, is_cut_between_two_characters) {
  EXPECT_EQ(with_reason("anna", ""), "anna");
  EXPECT_EQ(with_reason("anna", std::string(300, 'x')),
            "anna, for \"" + std::string(200, 'x') + "\"...");
  EXPECT_EQ(with_reason("anna", std::string(199, 'x') + "\u00e4"),
            "anna, for \"" + std::string(199, 'x') + "\"...");
}

TEST_F(Desk, what_was_done_before_is_done_once) {
  auto config = one_balancer();
  auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
  spec->growth = 5;
  config->servers[0]->balancers[0] = spec;
  adopt(std::move(config));
  ChangesBook kept(journal::Journal::in_memory(100), log_line);
  ControlDesk with_journal(
      ChangeDesk::Parts{.loop = loop, .book = kept, .log = log_line, .members_changed = [] {}},
      chronicle);
  with_journal.adopt(*generation);
  const auto answer = [&](const std::string& words) {
    return json::parse(
        with_journal.answer(*parse_request(R"({"balancer":"app",)" + words + "}"), "a test"));
  };
  const std::string add = R"("command":"add","member":"http://m9:1","fields":{"lbset":)";
  EXPECT_EQ(answer(add + R"("02"})")["changed"].size(), 3U);
  for (const std::string again : {"2", "02"}) {
    const json told = answer(add + '"' + again + "\"}");
    EXPECT_TRUE(told["changed"].empty());
    EXPECT_EQ(told["why"], "http://m9:1 is there already");
  }
  EXPECT_EQ(answer(add + R"("3"})")["kind"], "refused");
  EXPECT_EQ(answer(add + R"("x"})")["kind"], "refused");
  // Of those that operators added, and of those that the configuration has.
  for (const std::string name : {"http://m9:1", "http://m2:8080"}) {
    const std::string remove = R"("command":"remove","member":")";
    EXPECT_EQ(answer(remove + name + '"')["changed"].size(), 1U);
    for (const std::string& again : {name, name.substr(7)}) {
      const json told = answer(remove + again + '"');
      EXPECT_TRUE(told["changed"].empty());
      EXPECT_EQ(told["why"], '"' + again + "\" is gone already");
    }
  }
  EXPECT_EQ(answer(R"("command":"remove","member":"http://m8:1")")["kind"], "unknown");
  EXPECT_EQ(answer(R"("command":"remove","member":"r2")")["kind"], "unknown");
}

TEST_F(Desk, fields_and_status_are_one_order) {
  const json refused = told(
      R"({"command":"set","balancer":"app","member":"r1","status":"+D","fields":{"lbset":"x"}})");
  EXPECT_EQ(refused["kind"], "usage");
  EXPECT_EQ(status(), "Init Ok");
  const json done = told(
      R"({"command":"set","balancer":"app","member":"r1","status":"+D","fields":{"lbset":"3"}})");
  EXPECT_EQ(done["changed"].size(), 2U);
  EXPECT_EQ(status(), "Init Dis");
  EXPECT_EQ(view().spec->lbset, 3);
}

TEST_F(Desk, what_was_found_out_is_forgotten_and_no_change) {
  balancer().change_status(view().member, balance::Flag::in_error, {}, loop.now());
  EXPECT_EQ(status(), "Init Err");
  EXPECT_EQ(
      told(R"({"command":"set","balancer":"app","member":"r1","status":"-E"})")["member"]["status"],
      "Init Ok");
  EXPECT_EQ(lines.back(),
            "http://m1:8080 in balancer://app: set from Init Err to Init Ok (by a test)");
}

TEST_F(Desk, checks_that_count_as_failed_are_a_word_of_the_operators) {
  const std::string set = R"({"command":"set","balancer":"app","member":"r1","status":")";
  EXPECT_EQ(told(set + R"(+C"})")["member"]["status"], "Init HcFl");
  EXPECT_EQ(told(set + R"(-C"})")["member"]["status"], "Init Ok");
  EXPECT_EQ(told_of_members, 2);
  EXPECT_THAT(ask(set + R"(+E"})"), HasSubstr("can only be cleared"));
}

TEST_F(Desk, a_condition_that_nobody_defined_is_refused) {
  const json refused =
      told(R"({"command":"set","balancer":"app","member":"r1","fields":{"hcexpr":"nowhere"}})");
  EXPECT_THAT(std::string(refused["error"]), HasSubstr("there is no ProxyHCExpr \"nowhere\""));
}

TEST_F(Desk, history_tells_cause_and_evidence) {
  const auto exchange = visit("x.r1");
  balancer().connect_failed(
      exchange.lease, loop.now(),
      {.text = "connection refused", .latency = std::chrono::microseconds(1250)});
  const json events = told(R"({"command":"history","balancer":"app","member":"r1"})")["events"];
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["cause"], "could not be connected to");
  EXPECT_EQ(events[0]["evidence"], "connection refused");
  EXPECT_EQ(events[0]["latency_us"], 1250);
  EXPECT_EQ(events[0]["before"], "Init Ok");
  EXPECT_EQ(events[0]["after"], "Init Err");
  EXPECT_EQ(told(R"({"command":"members"})")["members"][0]["reason"],
            "could not be connected to: connection refused");
}

TEST_F(Desk, all_that_was_changed_can_be_looked_back_at) {
  ChangesBook kept(journal::Journal::in_memory(1000), log_line);
  ControlDesk with_journal(
      ChangeDesk::Parts{.loop = loop, .book = kept, .log = log_line, .members_changed = [] {}},
      chronicle);
  with_journal.adopt(*generation);
  const auto answer = [&](const std::string& line) {
    return nlohmann::json::parse(with_journal.answer(*parse_request(line), "a test"));
  };
  for (int i = 1; i <= 103; ++i) {
    const std::string set = std::to_string(i % 7 + 1);
    answer(R"({"command":"set","balancer":"app","member":"r1","fields":{"lbset":")" + set +
           R"("}})");
  }
  const auto latest = answer(R"({"command":"changes"})")["changes"];
  ASSERT_EQ(latest.size(), 100U);
  const auto last = latest.back()["id"].get<int>();
  const auto earlier =
      answer(R"({"command":"changes","before":)" + std::to_string(last) + "}")["changes"];
  ASSERT_EQ(earlier.size(), 3U);
  EXPECT_EQ(earlier.front()["id"].get<int>(), last - 1);
}

TEST_F(Desk, top_tells_what_members_do) {
  const auto exchange = visit("x.r2");
  loop.advance(seconds(2));
  json rows = told(R"({"command":"top"})")["rows"];
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["kind"], "balancer");
  EXPECT_EQ(rows[0]["rate"], 0.5);
  EXPECT_EQ(rows[1]["rate"], 0);
  EXPECT_EQ(rows[2]["rate"], 0.5);
  EXPECT_EQ(rows[2]["in_flight"], 1);
  rows = told(R"({"command":"top","balancer":"app"})")["rows"];
  EXPECT_EQ(rows.size(), 3U);
  EXPECT_THAT(ask(R"({"command":"top","balancer":"none"})"), HasSubstr("\"ok\":false"));
}

TEST_F(Desk, balancers_without_stickiness_have_no_sessions) {
  auto spec = std::make_shared<balance::BalancerSpec>(*sticky_spec("app", 1));
  spec->sticky = {};
  auto config = one_balancer();
  config->servers[0]->balancers[0] = spec;
  adopt(std::move(config));
  EXPECT_EQ(told(R"({"command":"members"})")["members"][0]["sessions"], nullptr);
}

TEST(Moment, tells_instants_by_the_wall_clock) {
  const Moment moment{.now = Instant{} + seconds(100), .wall = WallTime{} + seconds(86'400)};
  EXPECT_EQ(moment.text_of(Instant{} + seconds(99)), "1970-01-01T23:59:59Z");
  EXPECT_EQ(moment.text_of(Instant::min()), "");
}

TEST(OrderText, says_what_ends_a_drain) {
  const Moment moment{.now = Instant{} + seconds(100), .wall = WallTime{} + seconds(86'400)};
  const auto deadline = Instant{} + seconds(160);
  EXPECT_EQ(order_text({}, moment), "without an end");
  EXPECT_EQ(order_text({.deadline = deadline}, moment), "until 1970-01-02T00:01:00Z");
  EXPECT_EQ(order_text({.deadline = deadline, .sessions_max = 4}, moment),
            "until 1970-01-02T00:01:00Z, or at most 4 sessions for 5 min");
  EXPECT_EQ(order_text({.pace = balance::DrainOrder::Pace::sessions_leave}, moment),
            "sessions elsewhere at once");
}

}  // namespace
}  // namespace steelyard::manage
