#include "proxy/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/test_world.hpp"

// How an exchange went, told on a clock that the test moves: every time below is exact.

namespace steelyard::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Stream = std::unique_ptr<io::SimStream>;
using Words = TestWorld::Words;

constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// Takes spans, or does not want them.
class KeptSpans final : public trace::SpanSink {
 public:
  bool is_open() const override { return open; }
  bool admits_caller(Instant) override { return admits; }
  void take(std::string_view json, std::size_t spans) override {
    texts.emplace_back(json);
    count += spans;
  }
  bool open = true, admits = true;
  std::vector<std::string> texts;
  std::size_t count = 0;
};

class Timelines : public ::testing::Test {
 protected:
  void build(int members, std::string_view format, const Words& of_members = {},
             const Words& of_balancer = {}) {
    members_ = members;
    world_ = std::make_unique<TestWorld>(members, of_members, of_balancer);
    auto config = TestWorld::make_config(members, of_members, of_balancer);
    config::Server& server = *config->servers[0];
    server.access_logs[0].format = *expr::LogFormat::compile(format);
    server.keeps_timelines = true;
    server.tracing = tracing_;
    world_->group.spans = &spans_;
    world_->adopt(std::move(config));
  }
  void TearDown() override { world_->shard->stop(); }

  Stream ask(std::string_view request = get) {
    Stream client = world_->connect();
    world_->say(*client, request);
    return client;
  }
  void answer_by(int member, std::string_view text = answer) {
    world_->say(world_->members[static_cast<std::size_t>(member - 1)].last(), text);
  }
  void advance(Duration time) { world_->loop.advance(time); }
  std::string heard(int member) {
    return world_->members[static_cast<std::size_t>(member - 1)].heard();
  }
  const std::vector<std::string>& lines() const { return world_->log_.access_lines; }

  config::TraceSettings tracing_;
  KeptSpans spans_;
  int members_ = 0;
  std::unique_ptr<TestWorld> world_;
};

TEST_F(Timelines, stages_begin_and_end_where_they_should) {
  build(1, "%{connect_us}^sy %{send_us}^sy %{wait_us}^sy %{relay_us}^sy %{attempt_us}^sy");
  const Stream client =
      ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n" + std::string(30000, 'x'));
  advance(milliseconds(7));
  world_->say(*client, std::string(10000, 'x'));
  advance(milliseconds(11));
  answer_by(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh");
  advance(milliseconds(13));
  answer_by(1, "i");
  EXPECT_THAT(lines(), ElementsAre("0 7000 11000 13000 31000"));
}

TEST_F(Timelines, a_second_attempt_follows_a_failed_one) {
  build(2, "%{attempts}^sy %{all:member}^sy %{all:outcome}^sy %{all:proof}^sy %{ended_by}^sy");
  world_->kill(1);
  const Stream client = ask();
  answer_by(2);
  EXPECT_THAT(lines(), ElementsAre("2 http://m1,http://m2 backend:connect,answered -,not_sent "
                                   "backend"));
}

TEST_F(Timelines, a_repeat_on_a_new_connection_counts_as_an_attempt) {
  build(1, "%{attempts}^sy %{all:connection}^sy %{all:outcome}^sy %{all:proof}^sy");
  const Stream client = ask();
  answer_by(1);
  world_->say(*client, get);
  world_->members[0].last().end_writing();
  world_->loop.settle();
  answer_by(1);
  EXPECT_THAT(lines(),
              ElementsAre("1 new answered -", "2 pooled,new backend:closed,answered -,idempotent"));
}

TEST_F(Timelines, time_in_the_line_is_told_apart) {
  build(1, "%{queue_us}^sy %{wait_us}^sy %{end_cause}^sy", {"max=1"}, {"queue=1/10"});
  const Stream first = ask(), second = ask();
  const Stream third = ask();
  advance(milliseconds(40));
  answer_by(1);
  advance(milliseconds(2));
  answer_by(1);
  EXPECT_THAT(lines(), ElementsAre("0 - queue_full", "0 40000 complete", "40000 2000 complete"));
}

TEST_F(Timelines, a_member_that_is_silent_was_waited_for_until_the_end) {
  build(1, "%>s %{wait_us}^sy %{outcome}^sy %{ended_by}^sy:%{end_cause}^sy", {"timeout=3"});
  const Stream client = ask();
  advance(seconds(4));
  EXPECT_THAT(lines(), ElementsAre("502 3000000 backend:timed_out backend:timed_out"));
}

TEST_F(Timelines, an_answer_that_breaks_off_is_the_members_end) {
  build(1, "%>s %{relay_us}^sy %{outcome}^sy %{member_status}^sy %{ended_by}^sy:%{end_cause}^sy");
  const Stream client = ask();
  answer_by(1, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi");
  advance(milliseconds(5));
  world_->members[0].last().end_writing();
  world_->loop.settle();
  EXPECT_THAT(lines(), ElementsAre("200 5000 backend:cut_short 200 backend:cut_short"));
}

TEST_F(Timelines, a_balancer_without_members_refuses) {
  build(1, "%>s %{attempts}^sy %{ended_by}^sy:%{end_cause}^sy", {"status=D"});
  const Stream client = ask();
  EXPECT_THAT(lines(), ElementsAre("503 0 proxy:none_usable"));
}

TEST_F(Timelines, a_request_that_is_none_has_a_timeline_of_nothing) {
  tracing_.on = true;
  build(1, "%>s %{attempts}^sy %{ended_by}^sy:%{end_cause}^sy %{trace_id}^sy");
  const Stream client = ask("nonsense\r\n\r\n");
  EXPECT_THAT(lines(), ElementsAre("400 0 proxy:complete -"));
  EXPECT_EQ(spans_.count, 0u);
}

TEST_F(Timelines, an_exchange_knows_nothing_of_the_one_before) {
  build(1, "%{attempts}^sy %{trace_id}^sy %{parent_id}^sy");
  const Stream client = ask();
  answer_by(1);
  world_->say(*client, get);
  answer_by(1);
  EXPECT_THAT(lines(), ElementsAre("1 - -", "1 - -"));
}

class Traces : public Timelines {
 protected:
  Traces() { tracing_.on = true; }
  static std::string with(std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
  }
};

constexpr std::string_view caller =
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
constexpr std::string_view joined = "\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-";

TEST_F(Traces, each_attempt_is_the_parent_of_what_its_member_does) {
  build(2, "%{trace_id}^sy %{parent_id}^sy %{span_id}^sy %{all:attempt_span_id}^sy");
  world_->kill(1);
  const Stream client = ask(with(caller));
  answer_by(2);
  ASSERT_EQ(lines().size(), 1u);
  const std::string line = lines()[0];
  EXPECT_THAT(line, testing::StartsWith("4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 "));
  const std::string last_span = line.substr(line.size() - 16);
  EXPECT_THAT(heard(2), HasSubstr(std::string(joined) + last_span + "-01\r\n"));
  EXPECT_EQ(line.find(last_span), line.size() - 16);  // no other span is called so
}

TEST_F(Traces, a_connection_field_cannot_take_them_away) {
  build(1, "%s");
  const Stream client = ask(with(std::string(caller) + "Connection: traceparent\r\n"));
  EXPECT_THAT(heard(1), HasSubstr(joined));
}

TEST_F(Traces, spans_are_recorded_of_what_is_sampled) {
  build(1, "%{sampled}^sy");
  for (const std::string_view flags : {"01", "00"}) {
    std::string field(caller);
    field.replace(field.size() - 4, 2, flags);
    const Stream client = ask(with(field));
    answer_by(1);
  }
  EXPECT_THAT(lines(), ElementsAre("1", "0"));
  ASSERT_EQ(spans_.texts.size(), 1u);
  EXPECT_THAT(spans_.texts[0], HasSubstr(R"("parentSpanId":"00f067aa0ba902b7","flags":769)"));
}

TEST_F(Traces, a_caller_that_is_too_much_is_joined_and_not_recorded) {
  build(1, "%{sampled}^sy");
  spans_.admits = false;
  const Stream client = ask(with(caller));
  answer_by(1);
  EXPECT_THAT(lines(), ElementsAre("1"));
  EXPECT_EQ(spans_.count, 0u);
  const Stream own = ask();  // not the caller's word
  answer_by(1);
  EXPECT_GT(spans_.count, 0u);
}

TEST_F(Traces, nobody_exports_so_nothing_is_recorded) {
  spans_.open = false;
  build(1, "%{sampled}^sy");
  const Stream client = ask();
  answer_by(1);
  EXPECT_THAT(lines(), ElementsAre("1"));
  EXPECT_EQ(spans_.count, 0u);
}

TEST_F(Traces, phases_are_spans_below_the_attempt) {
  build(1, "%{attempt_span_id}^sy", {"max=1"}, {"queue=5/10"});
  const Stream first = ask(), second = ask();
  advance(milliseconds(3));
  answer_by(1);
  advance(milliseconds(5));
  answer_by(1);
  ASSERT_EQ(spans_.texts.size(), 2u);
  EXPECT_THAT(spans_.texts[0], Not(HasSubstr(R"("name":"queue")")));
  EXPECT_THAT(spans_.texts[1], HasSubstr(R"("name":"queue","kind":1)"));
  EXPECT_THAT(spans_.texts[1],
              HasSubstr(R"("parentSpanId":")" + lines()[1] + R"(","flags":257,"name":"wait")"));
}

TEST_F(Traces, shares_of_new_traces_are_drawn) {
  tracing_.sampled = 0;
  build(1, "%{sampled}^sy");
  const Stream client = ask();
  answer_by(1);
  EXPECT_THAT(lines(), ElementsAre("0"));
}

}  // namespace
}  // namespace steelyard::proxy
