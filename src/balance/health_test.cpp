#include "balance/health.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant start = Instant{} + std::chrono::hours(1);

// A script of what happens, one letter each: + a check passes, - one fails, x traffic fails, r the
// retry time passes, o an operator clears C.
Health after_script(std::string_view script, const CheckSpec& rules, std::string_view status = "") {
  Health health{.status = Flag::initialised};
  EXPECT_TRUE(apply_status_text(health.status, status));
  Instant now = start;
  for (const char step : script) {
    now += seconds(1);
    if (step == '+') health = after_check(health, rules, CheckVerdict::passed, now);
    if (step == '-') health = after_check(health, rules, CheckVerdict::failed, now);
    if (step == 'x') health = after_failure(health, now);
    if (step == 'r') health = after_retry(health);
    if (step == 'o') health = after_wish(health, {}, Flag::health_failed);
  }
  return health;
}

struct Row {
  std::string_view script;
  int passes, fails;
  std::string_view status;
  std::string_view shown;
};

// Each as health.md section 5 has it from httpd.
constexpr Row rows[] = {
    {"", 1, 1, "", "Init Ok "},
    {"-", 1, 1, "", "Init HcFl "},
    {"-+", 1, 1, "", "Init Ok "},
    {"--", 1, 3, "", "Init Ok "},
    {"---", 1, 3, "", "Init HcFl "},
    {"-+-+-", 1, 3, "", "Init HcFl "},  // all failures count, not those in a row
    {"-++", 3, 1, "", "Init HcFl "},
    {"-+++", 3, 1, "", "Init Ok "},
    {"-+-+-+", 3, 1, "", "Init Ok "},  // and all passes
    {"-", 1, 0, "", "Init HcFl "},     // 0 acts like 1
    {"-+", 0, 1, "", "Init Ok "},
    {"x", 1, 1, "", "Init Err "},
    {"x-", 1, 1, "", "Init Err "},        // a failed check adds nothing to an error
    {"x+", 1, 1, "", "Init Ok "},         // a passed one ends it before its retry time
    {"x+", 2, 1, "", "Init Err "},        //
    {"x++", 2, 1, "", "Init Ok "},        //
    {"x+r+", 2, 1, "", "Init Ok "},       // fine again: the second pass counts nothing
    {"x+rx+", 2, 1, "", "Init Ok "},      // but the first was kept
    {"-x", 1, 1, "", "Init Err HcFl "},   // both bits stand beside each other
    {"-xr", 1, 1, "", "Init HcFl "},      // retry ends E alone
    {"-x+", 1, 1, "", "Init Ok "},        // a pass ends both
    {"-o", 1, 1, "", "Init Ok "},         // an operator ends C
    {"--o--", 1, 2, "", "Init HcFl "},    //
    {"-", 1, 1, "+I", "Init Ign HcFl "},  // I is about errors only
    {"x", 1, 1, "+I", "Init Ign Ok "},    //
    {"-", 1, 1, "+D", "Init Dis HcFl "},  // what an operator wants stays
    {"-+", 1, 1, "+D", "Init Dis "},      //
    {"-", 1, 1, "+N", "Init Drn HcFl "},  //
    {"-", 1, 1, "+H", "Init Stby HcFl "},
};

TEST(Health, follows_the_table_of_httpd) {
  for (const Row& row : rows) {
    const CheckSpec rules{.passes = row.passes, .fails = row.fails};
    const Health health = after_script(row.script, rules, row.status);
    EXPECT_EQ(display_text(health.status), row.shown)
        << row.script << " passes " << row.passes << " fails " << row.fails << row.status;
  }
}

TEST(Health, a_failed_check_leaves_its_time_only_while_nothing_else_is_wrong) {
  const CheckSpec rules{.fails = 2};
  EXPECT_EQ(after_script("-", rules).error_time, start + seconds(1));
  EXPECT_EQ(after_script("---", rules).error_time, start + seconds(2));
  EXPECT_EQ(after_script("x-", rules).error_time, start + seconds(1));
}

TEST(Health, an_error_stands_until_its_retry_time_has_passed) {
  const Health health = after_script("x", {});
  const Instant ends = start + seconds(1) + seconds(60);
  EXPECT_FALSE(is_retry_due(health, seconds(60), ends));
  EXPECT_TRUE(is_retry_due(health, seconds(60), ends + milliseconds(1)));
  EXPECT_FALSE(is_retry_due(after_script("-", {}), seconds(60), never)) << "C is not retried";
}

// The rules of section 5 once more, as a person would write them down.
struct Model {
  bool err = false, failed = false;
  int passes_seen = 0, failures_seen = 0;

  void check(bool pass, int passes, int fails) {
    if (err || failed) {
      if (pass && ++passes_seen >= passes) err = failed = false, passes_seen = 0;
    } else if (!pass && ++failures_seen >= fails) {
      failed = true, failures_seen = 0;
    }
  }
};

TEST(Health, agrees_with_a_plain_model_over_random_lives) {
  std::mt19937 random(7);
  for (int life = 0; life < 500; ++life) {
    const CheckSpec rules{.passes = int(random() % 4), .fails = int(random() % 4)};
    Health health{.status = Flag::initialised};
    Model model;
    for (int step = 0; step < 60; ++step) {
      const Instant now = start + seconds(step);
      switch (random() % 6) {
        case 0:
          health = after_failure(health, now);
          model.err = true;
          break;
        case 1:
          health = after_retry(health);
          model.err = false;
          break;
        case 2:
          health = after_wish(health, Flag::draining, Flag::disabled);
          break;
        default: {
          const bool pass = random() % 2 == 0;
          health =
              after_check(health, rules, pass ? CheckVerdict::passed : CheckVerdict::failed, now);
          model.check(pass, rules.passes, rules.fails);
        }
      }
      ASSERT_EQ(health.status.has(Flag::in_error), model.err) << "life " << life << ':' << step;
      ASSERT_EQ(health.status.has(Flag::health_failed), model.failed) << life << ':' << step;
    }
  }
}

// A group whose members are checked with the given rules.
class CheckedGroup : public Group {
 public:
  explicit CheckedGroup(std::string_view members, const CheckSpec& rules = {},
                        std::string_view parameters = "")
      : Group(members, parameters) {
    auto spec = std::make_shared<BalancerSpec>(*balancer.spec());
    for (MemberSpec& member : spec->members) {
      member.check = rules;
      member.check.method = CheckMethod::tcp;
    }
    balancer.adopt(spec, now);
  }

  CheckEffect check(std::string_view name, CheckVerdict verdict, std::string text = "") {
    now += seconds(1);
    return balancer.check_finished(
        view(name).member,
        {.ended = now, .verdict = verdict, .evidence = {.status = 0, .text = text}});
  }
  std::vector<HealthEvent> events(std::string_view name) {
    return view(name).member->health_log().events();
  }
};

TEST(Checks, a_member_that_fails_its_checks_gets_no_requests_until_it_passes) {
  CheckedGroup group("a b");
  EXPECT_EQ(group.check("a", CheckVerdict::failed), CheckEffect::disabled);
  EXPECT_EQ(group.request("") + group.request(""), "bb");
  EXPECT_EQ(group.check("a", CheckVerdict::passed), CheckEffect::enabled);
  EXPECT_EQ(group.check("a", CheckVerdict::passed), CheckEffect::none);
  const std::string both = group.request("") + group.request("");
  EXPECT_TRUE(both.contains('a') && both.contains('b')) << both;
}

TEST(Checks, recovery_is_not_forced_when_only_checks_say_no) {
  CheckedGroup group("a b");
  group.check("a", CheckVerdict::failed);
  group.check("b", CheckVerdict::failed);
  EXPECT_EQ(group.request(""), "-");
  group.now += std::chrono::hours(1);
  EXPECT_EQ(group.request(""), "-") << "nor does time bring them back";
}

TEST(Checks, a_passed_check_ends_an_error_before_its_retry_time) {
  CheckedGroup group("a b");
  EXPECT_EQ(group.request("a"), "ab");
  EXPECT_EQ(group.status("a"), "Init Err ");
  group.check("a", CheckVerdict::passed);
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

TEST(Checks, a_failed_check_that_changes_nothing_yet_is_forgotten_by_a_connect) {
  CheckedGroup group("a", {.fails = 2});
  EXPECT_EQ(group.check("a", CheckVerdict::failed), CheckEffect::none);
  EXPECT_EQ(group.view("a").error_time, group.now);
  EXPECT_EQ(group.request(""), "a");
  EXPECT_EQ(group.view("a").error_time, std::nullopt);
  EXPECT_EQ(group.check("a", CheckVerdict::failed), CheckEffect::disabled) << "but not uncounted";
}

TEST(Checks, a_retired_member_is_not_told) {
  CheckedGroup group("a b");
  const MemberRef gone = group.view("a").member;
  group.balancer.adopt(group_spec("b"));
  EXPECT_EQ(group.balancer.check_finished(
                gone, {.ended = group.now, .verdict = CheckVerdict::failed, .evidence = {}}),
            CheckEffect::none);
}

TEST(Checks, whom_nobody_checks_any_more_is_not_left_behind_as_failed) {
  CheckedGroup group("a b");
  group.check("a", CheckVerdict::failed);
  group.balancer.adopt(group_spec("a b"));
  EXPECT_EQ(group.status("a"), "Init Ok ");
}

TEST(Checks, a_reload_keeps_what_they_found_and_counted) {
  CheckedGroup group("a b", {.fails = 2});
  group.check("a", CheckVerdict::failed);
  group.check("b", CheckVerdict::failed);
  group.check("b", CheckVerdict::failed);
  group.balancer.adopt(std::make_shared<BalancerSpec>(*group.balancer.spec()));
  EXPECT_EQ(group.status("b"), "Init HcFl ");
  EXPECT_EQ(group.check("a", CheckVerdict::failed), CheckEffect::disabled);
}

TEST(Checks, a_view_tells_the_last_check) {
  CheckedGroup group("a");
  EXPECT_FALSE(group.view("a").checks.last);
  group.check("a", CheckVerdict::failed, "answered 503");
  const CheckHistory checks = group.view("a").checks;
  EXPECT_EQ(checks.last->ended, group.now);
  EXPECT_EQ(checks.last->evidence.text, "answered 503");
  EXPECT_FALSE(checks.next_due) << "only who checks knows";
}

// Run with ThreadSanitizer.
TEST(Checks, traffic_and_people_that_look_do_not_disturb_each_other) {
  CheckedGroup group("a b", {.passes = 2, .fails = 2});
  const MemberRef member = group.view("a").member;
  std::atomic<bool> over = false;
  std::thread traffic([&] {
    while (!over) {
      const Decision decision = group.balancer.choose({.session = {}, .now = start});
      if (decision.lease) group.balancer.connect_failed(decision.lease, start, {.text = "refused"});
    }
  });
  std::thread people([&] {
    while (!over) {
      for (const MemberView& view : group.balancer.members()) {
        EXPECT_LE(view.member->health_log().events().size(), HealthLog::events_max);
      }
    }
  });
  for (int i = 0; i < 2000; ++i) {
    const auto verdict = i % 3 == 0 ? CheckVerdict::failed : CheckVerdict::passed;
    group.balancer.check_finished(member, {start, verdict, {.text = std::to_string(i)}});
    member->health_log().set_next_check(start);
  }
  over = true;
  traffic.join();
  people.join();
  EXPECT_EQ(member->health_log().checks().last->evidence.text, "1999");
}

TEST(Checks, a_check_that_ends_after_a_reload_ended_the_checks_says_nothing) {
  CheckedGroup group("a b");
  group.balancer.adopt(group_spec("a b"), group.now);
  EXPECT_EQ(group.check("a", CheckVerdict::failed), CheckEffect::none);
  EXPECT_EQ(group.view("a").status, Status(Flag::initialised));
}

TEST(HealthLog, tells_each_change_with_time_cause_and_evidence) {
  CheckedGroup group("a b");
  group.check("a", CheckVerdict::failed, "answered 503");
  const Instant failed_at = group.now;
  group.check("a", CheckVerdict::passed, "answered 200");
  group.balancer.change_status(group.view("a").member, Flag::disabled, {}, group.now);
  const auto events = group.events("a");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].cause, HealthCause::checks_failed);
  EXPECT_EQ(events[0].first, failed_at);
  EXPECT_EQ(display_text(events[0].before) + display_text(events[0].after), "Init Ok Init HcFl ");
  EXPECT_EQ(events[0].evidence.text, "answered 503");
  EXPECT_EQ(events[1].cause, HealthCause::checks_passed);
  EXPECT_EQ(events[2].cause, HealthCause::administrator);
}

TEST(HealthLog, tells_what_traffic_and_a_reload_did) {
  CheckedGroup group("a", {}, "failonstatus=503");
  group.answer(503);
  group.answer(200);
  auto events = group.events("a");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].cause, HealthCause::answer_status);
  EXPECT_EQ(events[0].evidence.status, 503);
  EXPECT_EQ(events[1].cause, HealthCause::recovery_forced);
  group.balancer.adopt(group_spec("a,D"), group.now);
  EXPECT_EQ(group.events("a").back().cause, HealthCause::configuration);
}

TEST(HealthLog, tells_how_long_an_answer_took_or_did_not_come) {
  CheckedGroup group("a b", {}, "failonstatus=503 failontimeout=On");
  const Decision first = group.choose();
  group.balancer.answer_status(first.lease, group.now, 503, false, std::chrono::milliseconds(7));
  const Decision second = group.choose();
  group.balancer.answer_status(second.lease, group.now, 504, true, std::chrono::seconds(3));
  const HealthEvent answered = group.events("a").back();
  EXPECT_EQ(answered.cause, HealthCause::answer_status);
  EXPECT_EQ(answered.evidence.latency, std::chrono::milliseconds(7));
  const HealthEvent silent = group.events("b").back();
  EXPECT_EQ(silent.cause, HealthCause::answer_timed_out);
  EXPECT_EQ(silent.evidence.text, "no answer came in time");
  EXPECT_EQ(silent.evidence.latency, std::chrono::seconds(3));
}

TEST(HealthLog, a_flapping_member_does_not_push_out_its_past) {
  CheckedGroup group("a");
  group.balancer.change_status(group.view("a").member, Flag::draining, {}, group.now);
  for (int i = 0; i < 1000; ++i) {
    group.check("a", CheckVerdict::failed, "failure " + std::to_string(i));
    group.check("a", CheckVerdict::passed);
  }
  const auto events = group.events("a");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].cause, HealthCause::administrator);
  EXPECT_EQ(events[1].times, 1000U);
  EXPECT_EQ(events[1].evidence.text, "failure 999");
  EXPECT_EQ(events[2].last, group.now);
}

TEST(HealthLog, counts_what_happens_again_and_again_in_one_row) {
  HealthLog log;
  const auto note = [&log](HealthCause cause, int second) {
    const Instant when = Instant{} + std::chrono::seconds(second);
    log.note(
        {.first = when, .last = when, .cause = cause, .before = {}, .after = {}, .evidence = {}});
  };
  for (int i = 1; i <= 4; ++i) note(HealthCause::member_spared, i);
  ASSERT_EQ(log.events().size(), 1U);
  EXPECT_EQ(log.events()[0].times, 4U);
  EXPECT_EQ(log.events()[0].first, Instant{} + std::chrono::seconds(1));
  EXPECT_EQ(log.events()[0].last, Instant{} + std::chrono::seconds(4));
  note(HealthCause::administrator, 5);
  note(HealthCause::administrator, 6);
  note(HealthCause::member_spared, 7);
  const auto events = log.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].cause, HealthCause::administrator);
  EXPECT_EQ(events[0].times, 2U);
  EXPECT_EQ(events[1].times, 5U);
}

TEST(HealthLog, is_bounded) {
  HealthLog log;
  for (std::uint16_t i = 0; i < 100; ++i) {
    log.note({.first = start,
              .last = start,
              .cause = HealthCause::administrator,
              .before = Status(i),
              .after = Status(i + 1),
              .evidence = {}});
  }
  EXPECT_EQ(log.events().size(), HealthLog::events_max);
  EXPECT_EQ(log.events().back().before, Status(99));
}

}  // namespace
}  // namespace steelyard::balance
