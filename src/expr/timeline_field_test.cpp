#include "expr/timeline_field.hpp"

#include <gtest/gtest.h>

#include <string>

#include "expr/log_format.hpp"
#include "expr/table_facts.hpp"
#include "expr/timeline.hpp"

namespace steelyard::expr {
namespace {

using std::chrono::microseconds;

Instant at(int micros) { return Instant(microseconds(1'000'000 + micros)); }

// A member that refuses, and one that answers.
Timeline failover() {
  Timeline timeline;
  timeline.balancer = "balancer://app";
  timeline.queued.push_back({at(0), at(7)});
  timeline.queued.push_back({at(500), at(503)});
  timeline.ended_by = "backend";
  timeline.end_cause = "complete";
  timeline.trace_high = 0x4bf92f3577b34da6;
  timeline.trace_low = 0xa3ce929d0e0e4736;
  timeline.span = 0xf067aa0ba902b7;
  timeline.parent = 1;
  timeline.sampled = true;
  Attempt first;
  first.member = "http://m1:80";
  first.route = "r1";
  first.reason = "session";
  first.party = "backend";
  first.cause = "connect";
  first.began = first.slot_at = at(10);
  first.dialed_at = at(12);
  first.ended = at(40);
  first.span = 2;
  Attempt second;
  second.member = "http://m2:81";
  second.reason = "policy";
  second.proof = "not_sent";
  second.peer = Endpoint{*IpAddress::parse("::1"), 81};
  second.status = 206;
  second.began = second.slot_at = second.dialed_at = at(50);
  second.connected_at = at(60);
  second.sent_at = at(63);
  second.head_at = at(163);
  second.ended = at(1163);
  second.span = 3;
  timeline.attempts = {first, second};
  return timeline;
}

std::string line(const TableFacts& facts, std::string_view format) {
  const auto compiled = LogFormat::compile(format);
  if (!compiled) return compiled.error().text + " | " + compiled.error().advice;
  std::string text;
  compiled->write(facts, text);
  return text;
}

struct TimelineFields : testing::Test {
  TimelineFields() {
    facts.begin = WallTime(std::chrono::seconds(1'795'197'487) + microseconds(30));
    facts.took = microseconds(1200);
    facts.numbers = {{NumberFact::first_byte_micros, 170}};
    facts.times = &timeline;
  }
  std::string of(std::string_view field) const {
    return line(facts, "%{" + std::string(field) + "}^sy");
  }

  Timeline timeline = failover();
  TableFacts facts;
};

TEST_F(TimelineFields, of_the_exchange_say_how_it_went) {
  EXPECT_EQ(of("time"), "2026-11-20T17:58:07.000030Z");
  EXPECT_EQ(of("duration_us"), "1200");
  EXPECT_EQ(of("first_byte_us"), "170");
  EXPECT_EQ(of("attempts"), "2");
  EXPECT_EQ(of("queue_us"), "10");
  EXPECT_EQ(of("balancer"), "balancer://app");
  EXPECT_EQ(of("ended_by"), "backend");
  EXPECT_EQ(of("end_cause"), "complete");
  EXPECT_EQ(of("trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(of("span_id"), "00f067aa0ba902b7");
  EXPECT_EQ(of("parent_id"), "0000000000000001");
  EXPECT_EQ(of("sampled"), "1");
}

TEST_F(TimelineFields, of_an_attempt_are_the_last_ones_unless_told) {
  EXPECT_EQ(of("member"), "http://m2:81");
  EXPECT_EQ(of("1:member"), "http://m1:80");
  EXPECT_EQ(of("2:member"), "http://m2:81");
  EXPECT_EQ(of("3:member"), "-");
  EXPECT_EQ(of("all:member"), "http://m1:80,http://m2:81");
}

TEST_F(TimelineFields, of_an_attempt_say_what_became_of_it) {
  EXPECT_EQ(of("all:route"), "r1,-");
  EXPECT_EQ(of("all:address"), "-,[::1]:81");
  EXPECT_EQ(of("all:reason"), "session,policy");
  EXPECT_EQ(of("all:proof"), "-,not_sent");
  EXPECT_EQ(of("all:outcome"), "backend:connect,answered");
  EXPECT_EQ(of("all:member_status"), "-,206");
  EXPECT_EQ(of("all:connection"), "-,new");
  EXPECT_EQ(of("all:attempt_span_id"), "0000000000000002,0000000000000003");
}

TEST_F(TimelineFields, of_an_attempt_say_how_long_each_stage_took) {
  EXPECT_EQ(of("all:slot_us"), "2,0");
  EXPECT_EQ(of("all:connect_us"), "28,10");  // that of the first ended with it
  EXPECT_EQ(of("all:send_us"), "-,3");
  EXPECT_EQ(of("all:wait_us"), "-,100");
  EXPECT_EQ(of("all:relay_us"), "-,1000");
  EXPECT_EQ(of("all:attempt_us"), "30,1113");
}

TEST_F(TimelineFields, an_answer_before_the_end_of_the_request_was_not_waited_for) {
  timeline.attempts.back().sent_at = {};
  EXPECT_EQ(of("send_us"), "103");
  EXPECT_EQ(of("wait_us"), "-");
}

TEST_F(TimelineFields, a_connection_from_the_pool_was_not_made) {
  Attempt& attempt = timeline.attempts.back();
  attempt.pooled = true;
  attempt.slot_at = attempt.dialed_at = {};
  EXPECT_EQ(of("connection"), "pooled");
  EXPECT_EQ(of("slot_us"), "-");
  EXPECT_EQ(of("connect_us"), "-");
  EXPECT_EQ(of("send_us"), "3");
}

TEST_F(TimelineFields, what_there_is_nothing_to_tell_of_is_a_dash) {
  timeline.clear();
  for (const TimelineFieldRow& row : timeline_fields()) {
    if (!row.needs_timeline || row.field == TimelineField::attempts ||
        row.field == TimelineField::queue_us)
      continue;
    EXPECT_EQ(of(row.name), "-") << row.name;
  }
  EXPECT_EQ(of("attempts"), "0");
  facts.times = nullptr;
  EXPECT_EQ(of("attempts"), "-");
  EXPECT_EQ(of("time"), "2026-11-20T17:58:07.000030Z");
}

TEST_F(TimelineFields, what_comes_from_outside_is_escaped) {
  timeline.attempts.back().member = "http://m\n\"";
  EXPECT_EQ(of("member"), R"(http://m\n\")");
}

TEST_F(TimelineFields, a_name_that_does_not_exist_is_refused_with_the_nearest) {
  EXPECT_EQ(of("menber"), "%{...}^sy has no field called \"menber\" | did you mean 'member'?");
  EXPECT_EQ(of("all:conect_us"),
            "%{...}^sy has no field called \"conect_us\" | did you mean 'connect_us'?");
  EXPECT_TRUE(
      line(facts, "%^sy").starts_with("%{...}^sy has no field called \"\" | write one of time "));
  EXPECT_TRUE(of("all:attempts").starts_with("%{all:...}^sy chooses an attempt"));
  for (const std::string_view which : {"0", "100", "-1", "first", ""}) {
    EXPECT_TRUE(of(std::string(which) + ":member")
                    .starts_with("%{" + std::string(which) + ":...}^sy names no attempt"))
        << which;
  }
}

TEST_F(TimelineFields, only_those_that_need_a_timeline_ask_for_one) {
  EXPECT_FALSE(LogFormat::compile("%h %D %{time}^sy %{duration_us}^sy")->asks_timeline());
  EXPECT_TRUE(LogFormat::compile("%h %{attempts}^sy")->asks_timeline());
}

TEST(TimelineFieldTable, stands_in_the_order_of_the_enum) {
  for (const TimelineFieldRow& row : timeline_fields()) EXPECT_EQ(&row_of(row.field), &row);
}

TEST(UtcTime, has_microseconds_before_and_after_the_epoch) {
  const auto text = [](std::int64_t micros) {
    std::string line;
    EntryText out(line, Escapes::log);
    put_utc_time(WallTime(microseconds(micros)), out);
    return line;
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(text(951'782'399'999'999), "2000-02-28T23:59:59.999999Z");
  EXPECT_EQ(text(951'782'400'000'000), "2000-02-29T00:00:00.000000Z");
}

}  // namespace
}  // namespace steelyard::expr
