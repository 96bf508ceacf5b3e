#include "health/prober.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "balance/edits.hpp"
#include "health/limits.hpp"
#include "health/test_members.hpp"

namespace steelyard::health {
namespace {

using balance::CheckVerdict;
using balance::Flag;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Then = PlayedMember::Then;

const std::vector<std::string> by_get{"hcmethod=GET", "hcuri=/h", "hcinterval=1"};

void set_condition(CheckedWorld& world, std::string_view name, std::string_view text) {
  auto condition = expr::Condition::compile(text);
  ASSERT_TRUE(condition) << condition.error().text;
  world.conditions.set(name, std::move(*condition));
}

TEST(Prober, first_checks_one_interval_after_the_start_and_then_one_after_the_end_of_each) {
  CheckedWorld world(1, by_get);
  world.pass(milliseconds(900));
  EXPECT_EQ(world.member(1).connections, 0);
  world.pass(milliseconds(250));
  EXPECT_EQ(world.member(1).connections, 1);
  EXPECT_EQ(world.member(1).heard, "GET /h HTTP/1.0\r\nHost: m1:80\r\n\r\n");
  world.pass(milliseconds(800));
  EXPECT_EQ(world.member(1).connections, 1);
  world.pass(milliseconds(400));
  EXPECT_EQ(world.member(1).connections, 2);
}

TEST(Prober, a_slow_answer_puts_the_next_check_off) {
  CheckedWorld world(1, by_get);
  world.member(1).answer.clear();
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  ASSERT_EQ(world.member(1).open.size(), 1U);
  world.pass(seconds(2));
  EXPECT_EQ(world.member(1).connections, 1) << "never two checks of one member";
  world.member(1).open[0]->say("HTTP/1.0 200 OK\r\n\r\n");
  world.member(1).open.clear();
  world.pass(milliseconds(900));
  EXPECT_EQ(world.member(1).connections, 1);
  EXPECT_GE(world.view(1).checks.last->evidence.latency, seconds(2));
  world.pass(milliseconds(300));
  EXPECT_EQ(world.member(1).connections, 2);
}

TEST(Prober, a_refused_connection_disables_and_a_good_answer_enables) {
  CheckedWorld world(2, by_get);
  world.kill(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.status(1), "Init HcFl ");
  EXPECT_EQ(world.status(2), "Init Ok ");
  EXPECT_THAT(world.log.lines,
              Contains(HasSubstr("AH03303: Health check DISABLING http://m1: refused")));
  world.revive(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.status(1), "Init Ok ");
  EXPECT_THAT(world.log.lines,
              Contains(HasSubstr("AH03302: Health check ENABLING http://m1: status 200")));
}

TEST(Prober, a_check_that_gets_no_descriptor_says_nothing_about_its_member) {
  CheckedWorld world(1, by_get);
  world.pass(milliseconds(1200));
  ASSERT_EQ(world.last_text(1), "status 200");
  world.dialer.has_descriptors(false);
  world.pass(seconds(3));
  EXPECT_EQ(world.status(1), "Init Ok ");
  EXPECT_EQ(world.last_text(1), "status 200") << "not told as a check that was made";
  EXPECT_THAT(world.log.lines, Contains("http://m1 was not checked: no descriptors"));
  // Nor does it call one healthy that is not, and it goes on once there are some.
  world.kill(1);
  world.dialer.has_descriptors(true);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.status(1), "Init HcFl ");
  world.dialer.has_descriptors(false);
  world.pass(seconds(3));
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Prober, tells_each_check_at_debug_and_nothing_at_warn) {
  CheckedWorld world(1, by_get);
  world.pass(milliseconds(1200));
  EXPECT_THAT(world.log.lines, Contains("AH03256: Health checking http://m1"));
  EXPECT_THAT(world.log.lines, Contains("AH03254: HTTP/1.1 200 OK"));
  EXPECT_THAT(world.log.lines,
              Contains("AH03251: Health check GET Status (0) for http://m1: status 200"));
  auto quiet = world.make_config(1);
  quiet->servers[0]->log_levels.general = config::LogLevel::warn;
  world.adopt(std::move(quiet));
  world.log.lines.clear();
  world.kill(1);
  world.pass(seconds(3));
  EXPECT_EQ(world.status(1), "Init HcFl ");
  EXPECT_THAT(world.log.lines, ::testing::IsEmpty());
}

struct Answer {
  std::string_view bytes;
  Then then;
  CheckVerdict verdict;
  std::string_view text;  // a part of what is said about it
};

constexpr CheckVerdict passed = CheckVerdict::passed;
constexpr CheckVerdict failed = CheckVerdict::failed;

// The verdicts are those of httpd 2.4.71 about the same bytes, but where it says so.
constexpr Answer answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Then::stay_open, passed, "status 200"},
    {"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", Then::stay_open, passed, "status 200"},
    {"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", Then::close, passed, "status 200"},
    {"HTTP/1.0 200 OK\r\n\r\nhi", Then::close, passed, "status 200"},
    {"HTTP/1.1 204 No\r\n\r\n", Then::close, passed, "status 204"},
    {"HTTP/1.1 399 X\r\nContent-Length: 2\r\n\r\nhi", Then::close, passed, "status 399"},
    {"HTTP/1.1 400 X\r\nContent-Length: 2\r\n\r\nhi", Then::close, failed, "status 400"},
    {"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", Then::close, failed, "status 503"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Then::close, failed, "status 100"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", Then::stay_open,
     passed, "status 200"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "3\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
     Then::close, passed, "status 200"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi", Then::close, failed, "cut short"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi", Then::reset, failed, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Then::close, failed,
     "cut short"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", Then::close, failed,
     "malformed"},
    {"HTTP/1.1 200 OK\r\nnocolon\r\nContent-Length: 2\r\n\r\nhi", Then::close, failed,
     "not a valid answer"},
    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhi", Then::close, failed, "not a valid answer"},
    {"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", Then::close, failed, ""},
    {"junk\r\n\r\n", Then::close, failed, "not an HTTP answer"},
    {"", Then::close, failed, "without an answer"},
    {"", Then::reset, failed, "without an answer"},
    // httpd passes a head that is cut off behind its status line.
    {"HTTP/1.1 200 OK\r\n", Then::close, failed, "ended in its head"},
};

TEST(Verdicts, are_those_of_httpd) {
  for (const Answer& answer : answers) {
    CheckedWorld world(1, by_get);
    world.member(1).answer = answer.bytes;
    world.member(1).then = answer.then;
    world.pass(milliseconds(1200));
    const auto last = world.view(1).checks.last;
    ASSERT_TRUE(last) << answer.bytes;
    EXPECT_EQ(last->verdict, answer.verdict) << answer.bytes << ": " << last->evidence.text;
    EXPECT_THAT(last->evidence.text, HasSubstr(answer.text)) << answer.bytes;
    EXPECT_EQ(world.prober.checks_under_way(), 0U);
  }
}

TEST(Verdicts, are_the_same_when_the_answer_comes_byte_by_byte) {
  for (const Answer& answer : answers) {
    CheckedWorld world(1, by_get);
    world.member(1).answer.clear();
    world.member(1).then = Then::stay_open;
    world.pass(milliseconds(1200));
    ASSERT_EQ(world.member(1).open.size(), 1U);
    io::SimStream& stream = *world.member(1).open[0];
    for (const char c : answer.bytes) {
      stream.say({&c, 1});
      world.loop.settle();
    }
    if (answer.then == Then::reset) stream.reset();
    if (answer.then != Then::stay_open) world.member(1).open.clear();
    world.loop.settle();
    const auto last = world.view(1).checks.last;
    ASSERT_TRUE(last) << answer.bytes;
    EXPECT_EQ(last->verdict, answer.verdict) << answer.bytes << ": " << last->evidence.text;
  }
}

TEST(Verdicts, a_field_of_any_length_is_no_reason_to_fail_but_a_head_without_end_is) {
  CheckedWorld world(1, by_get);
  world.member(1).answer = "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'a') + "\r\n\r\n";
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 200");
  world.member(1).answer = "HTTP/1.1 200 OK\r\nX: " + std::string(300'000, 'a') + "\r\n\r\n";
  world.pass(milliseconds(1200));
  EXPECT_THAT(world.last_text(1), HasSubstr("not a valid answer"));
}

TEST(Verdicts, of_tcp_and_head_and_options_wait_for_no_body) {
  CheckedWorld tcp(1, {"hcmethod=TCP", "hcinterval=1"});
  tcp.member(1).then = Then::stay_open;
  tcp.pass(milliseconds(1200));
  EXPECT_EQ(tcp.last_text(1), "connected");
  EXPECT_EQ(tcp.member(1).heard, "");
  for (const char* method : {"HEAD", "HEAD11", "OPTIONS", "OPTIONS11"}) {
    CheckedWorld world(1, {std::string("hcmethod=") + method, "hcinterval=1"});
    world.member(1).answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n";
    world.member(1).then = Then::stay_open;
    world.pass(milliseconds(1200));
    EXPECT_EQ(world.last_text(1), "status 200") << method;
  }
}

TEST(Verdicts, a_member_that_accepts_and_never_answers_fails_after_its_timeout) {
  CheckedWorld world(1, by_get);
  world.member(1).answer.clear();
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(3900));
  EXPECT_EQ(world.last_text(1), "none");
  world.pass(milliseconds(400));
  EXPECT_EQ(world.last_text(1), "no answer within 3000 ms");
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Verdicts, time_counts_anew_for_each_piece_as_in_httpd_but_not_without_end) {
  CheckedWorld world(1, by_get);
  world.member(1).answer.clear();
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  io::SimStream& stream = *world.member(1).open[0];
  stream.say("HTTP/1.1 200 OK\r\nX: ");
  for (int i = 0; i < 100; ++i) {
    stream.say("a");
    world.pass(seconds(2));
  }
  EXPECT_EQ(world.last_text(1), "none");
  for (int i = 0; i < 53; ++i) {
    stream.say("a");
    world.pass(seconds(2));
  }
  EXPECT_THAT(world.last_text(1), HasSubstr("not over within"));
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Verdicts, a_member_that_does_not_take_connections_fails_after_connectiontimeout) {
  CheckedWorld world(1, {"hcmethod=TCP", "hcinterval=1", "connectiontimeout=500ms"});
  world.dialer.be_silent("m1:80");
  world.pass(milliseconds(1300));
  EXPECT_EQ(world.last_text(1), "none");
  world.pass(milliseconds(500));
  EXPECT_EQ(world.last_text(1), "timed out");
}

TEST(Verdicts, a_name_that_does_not_resolve_fails_and_comes_back) {
  CheckedWorld world(1, by_get);
  world.dialer.forget_name("m1");
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "no such name");
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Verdicts, a_body_of_any_size_is_read_to_its_bound_only) {
  CheckedWorld world(1, by_get);
  world.member(1).answer = "HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n" +
                           std::string(body_bytes_max + 1000, 'x');
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 200");
}

TEST(Conditions, judge_instead_of_the_status) {
  CheckedWorld world(0, {"hcmethod=GET", "hcinterval=1", "hcexpr=E"});
  set_condition(world, "e",
                "%{REQUEST_STATUS} == '503' && hc('body') =~ /standby/ && "
                "resp('X-Role') == 'reserve' && %{HC_BODY} =~ /me/");
  world.revive(1);
  world.member(1).answer = "HTTP/1.1 503 X\r\nX-Role: reserve\r\n\r\nstandby me";
  world.reload(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 503, condition E is true");
  EXPECT_EQ(world.status(1), "Init Ok ");
  world.member(1).answer = "HTTP/1.1 200 OK\r\n\r\nready";
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 200, condition E is false");
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Conditions, see_a_body_that_came_in_pieces_whole) {
  CheckedWorld world(0, {"hcmethod=GET11", "hcinterval=1", "hcexpr=e"});
  set_condition(world, "e", "hc('body') == 'one two'");
  world.revive(1);
  world.member(1).answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n";
  world.reload(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "status 200, condition e is true");
}

TEST(Conditions, do_not_matter_to_tcp) {
  CheckedWorld world(0, {"hcmethod=TCP", "hcinterval=1", "hcexpr=e"});
  set_condition(world, "e", "false");
  world.revive(1);
  world.reload(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.last_text(1), "connected");
}

TEST(Prober, a_flapping_member_is_judged_by_all_its_checks) {
  CheckedWorld world(1, {"hcmethod=GET", "hcinterval=1", "hcfails=3"});
  for (int i = 0; i < 5; ++i) {
    if (i % 2 == 0) {
      world.kill(1);
    } else {
      world.revive(1);
    }
    EXPECT_EQ(world.status(1), "Init Ok ") << i;
    world.pass(milliseconds(1150));
  }
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Prober, stopped_members_are_left_alone_and_disabled_ones_are_not) {
  CheckedWorld world(2, by_get);
  auto& state = *world.generation->groups()[0].balancers[0].state;
  state.change_status(world.view(1).member, Flag::stopped, {});
  state.change_status(world.view(2).member, Flag::disabled, {});
  world.pass(seconds(5));
  EXPECT_EQ(world.member(1).connections, 0);
  EXPECT_GE(world.member(2).connections, 4);
  state.change_status(world.view(1).member, {}, Flag::stopped);
  world.pass(milliseconds(200));
  EXPECT_EQ(world.member(1).connections, 1) << "it was due all the time";
}

TEST(Prober, a_reload_keeps_the_time_of_the_next_check_and_the_check_under_way) {
  CheckedWorld world(1, by_get);
  world.pass(milliseconds(900));
  world.reload(1);
  world.pass(milliseconds(300));
  EXPECT_EQ(world.member(1).connections, 1);
  world.member(1).answer.clear();
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  ASSERT_EQ(world.member(1).open.size(), 1U);
  world.reload(1);
  EXPECT_EQ(world.prober.checks_under_way(), 1U);
  world.member(1).open[0]->say("HTTP/1.0 500 X\r\n\r\n");
  world.member(1).open.clear();
  world.loop.settle();
  EXPECT_EQ(world.last_text(1), "status 500");
}

TEST(Prober, an_earlier_generation_is_not_held_beyond_its_last_check) {
  CheckedWorld world(1, by_get);
  world.member(1).answer.clear();
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  const std::weak_ptr<const proxy::Generation> earlier = world.generation;
  world.reload(1, {"hcmethod=GET", "hcuri=/h", "hcinterval=3600"});
  EXPECT_FALSE(earlier.expired()) << "the check under way is judged by it";
  world.member(1).open.clear();
  world.pass(milliseconds(200));
  EXPECT_TRUE(earlier.expired());
}

TEST(Prober, the_check_of_a_member_that_is_gone_ends_at_once) {
  CheckedWorld world(2, by_get);
  world.member(2).answer.clear();
  world.member(2).then = Then::stay_open;
  world.pass(milliseconds(1200));
  ASSERT_EQ(world.prober.checks_under_way(), 1U);
  world.reload(1);
  EXPECT_EQ(world.prober.checks_under_way(), 0U);
  EXPECT_EQ(world.prober.target_count(), 1U);
  EXPECT_TRUE(world.member(2).open[0]->ended());
}

TEST(Prober, stops_and_begins_with_hcmethod) {
  CheckedWorld world(1, by_get);
  world.kill(1);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.status(1), "Init HcFl ");
  world.reload(1, {});
  EXPECT_EQ(world.prober.target_count(), 0U);
  EXPECT_EQ(world.status(1), "Init Ok ") << "nobody would ever clear it";
  world.reload(1, {"hcmethod=TCP", "hcinterval=1"});
  world.pass(milliseconds(900));
  EXPECT_EQ(world.status(1), "Init Ok ");
  world.pass(milliseconds(300));
  EXPECT_EQ(world.status(1), "Init HcFl ");
}

TEST(Prober, a_balancer_that_virtual_hosts_share_is_checked_once) {
  CheckedWorld world(1, by_get);
  auto config = world.make_config(1);
  config->servers.push_back(std::make_unique<config::Server>());
  config->servers[1]->name = "other.test";
  config->servers[1]->balancers = config->servers[0]->balancers;
  world.adopt(std::move(config));
  EXPECT_EQ(world.prober.target_count(), 1U);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.member(1).connections, 1);
}

TEST(Prober, so_many_checks_at_a_time_and_everybody_has_a_turn) {
  const int count = static_cast<int>(checks_under_way_max) + 100;
  CheckedWorld world(count, by_get);
  for (int i = 1; i <= count; ++i) {
    world.member(i).answer.clear();
    world.member(i).then = Then::stay_open;
  }
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.prober.checks_under_way(), checks_under_way_max);
  world.pass(milliseconds(3500));
  for (int i = 1; i <= count; ++i) EXPECT_GE(world.member(i).connections, 1) << i;
}

TEST(Prober, destroying_it_closes_what_it_opened) {
  CheckedWorld world(0, {});
  PlayedMember silent{.answer = "", .then = Then::stay_open, .heard = {}, .open = {}};
  world.listen("m1:80", silent);
  {
    Prober prober({world.loop, world.dialer, world.log, [] { return 0U; }});
    auto config = world.make_config(0);
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://x";
    spec->members.emplace_back();
    ASSERT_TRUE(balance::parse_member_url(spec->members[0], "http://m1"));
    spec->members[0].check.method = balance::CheckMethod::get;
    config->servers[0]->balancers = {spec};
    prober.adopt(proxy::StateRegistry().bind(std::move(config)));
    world.pass(seconds(31));
    ASSERT_EQ(silent.open.size(), 1U);
  }
  EXPECT_TRUE(silent.open[0]->ended());
}

// What goes beyond httpd.

TEST(Extensions, hctimeout_ends_a_check_wherever_it_is) {
  for (const bool connects : {true, false}) {
    CheckedWorld world(1, {"hcmethod=GET", "hcinterval=1", "hctimeout=250ms"});
    world.member(1).answer.clear();
    world.member(1).then = Then::stay_open;
    if (!connects) world.dialer.be_silent("m1:80");
    world.pass(milliseconds(1200));
    EXPECT_EQ(world.last_text(1), "none");
    world.pass(milliseconds(300));
    EXPECT_THAT(world.last_text(1), HasSubstr("not over within 25"));
    EXPECT_EQ(world.prober.checks_under_way(), 0U);
    EXPECT_EQ(world.status(1), "Init HcFl ");
  }
}

TEST(Extensions, hcport_is_where_checks_go) {
  CheckedWorld world(1, {"hcmethod=GET11", "hcuri=/", "hcinterval=1", "hcport=9000"});
  PlayedMember beside;
  world.listen("m1:9000", beside);
  world.pass(milliseconds(1200));
  EXPECT_EQ(world.member(1).connections, 0);
  EXPECT_EQ(beside.heard, "GET / HTTP/1.1\r\nHost: m1:80\r\n\r\n");
}

TEST(Extensions, hcdowninterval_counts_while_the_member_is_down) {
  CheckedWorld world(1, {"hcmethod=GET", "hcinterval=10", "hcdowninterval=500ms"});
  world.kill(1);
  world.pass(milliseconds(10'200));
  EXPECT_EQ(world.status(1), "Init HcFl ");
  world.revive(1);
  world.pass(milliseconds(700));
  EXPECT_EQ(world.status(1), "Init Ok ");
  world.pass(seconds(9));
  EXPECT_EQ(world.member(1).connections, 1);
}

TEST(Extensions, hcjitter_adds_up_to_its_time) {
  CheckedWorld world(0, {"hcmethod=GET", "hcinterval=1", "hcjitter=2"});
  world.next_random = 1500;
  world.revive(1);
  world.reload(1);
  world.pass(milliseconds(2400));
  EXPECT_EQ(world.member(1).connections, 0);
  world.next_random = 2001;  // of 0 to 2000: 0
  world.pass(milliseconds(300));
  EXPECT_EQ(world.member(1).connections, 1);
  world.pass(milliseconds(1150));
  EXPECT_EQ(world.member(1).connections, 2);
}

TEST(Changes, a_check_that_an_operator_turns_on_is_made_without_a_reload) {
  CheckedWorld world(1, {});
  EXPECT_FALSE(has_checks(*world.generation));
  balance::ChangeOrder order;
  order.fields = {{"http://m1", "hcmethod", "GET"}, {"http://m1", "hcinterval", "1s"}};
  auto& balancer = *world.generation->groups()[0].balancers[0].state;
  ASSERT_TRUE(balance::Edits(balancer).change(order, world.loop.now()));
  EXPECT_TRUE(has_checks(*world.generation));
  world.prober.adopt(world.generation);
  world.pass(milliseconds(1500));
  EXPECT_EQ(world.member(1).connections, 1);
}

TEST(Extensions, the_next_check_is_foretold) {
  CheckedWorld world(1, by_get);
  EXPECT_EQ(world.view(1).checks.next_due, world.loop.now() + seconds(1));
  world.pass(milliseconds(1500));
  EXPECT_EQ(world.view(1).checks.next_due, world.view(1).checks.last->ended + seconds(1));
}

// --- HTTP/2

// Frames of a member: its (empty) settings, and `:status: 200` on the first stream.
std::string http2_answer(bool ends) {
  using namespace std::string_literals;
  return "\0\0\0\x04\0\0\0\0\0"s +
         (ends ? "\0\0\x01\x01\x05\0\0\0\x01\x88"s : "\0\0\x01\x01\x04\0\0\0\x01\x88"s);
}

TEST(Http2Checks, are_asked_on_a_stream) {
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS", "GET11"}) {
    CheckedWorld world(1, {"hcmethod=" + std::string(method), "hcuri=/h", "hcinterval=1"}, "h2c");
    world.member(1).answer = http2_answer(true);
    world.member(1).then = Then::stay_open;
    world.pass(milliseconds(1200));
    EXPECT_THAT(world.member(1).heard, testing::StartsWith("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    EXPECT_EQ(world.last_text(1), "status 200") << method;
    EXPECT_EQ(world.status(1), "Init Ok ");
  }
}

TEST(Http2Checks, fail_without_a_whole_answer) {
  struct Row {
    std::string answer;
    Then then;
    std::string_view told;
  };
  const Row rows[] = {
      {http2_answer(false), Then::close, "the body was cut short"},
      {http2_answer(false), Then::stay_open, "no end of the body"},
      {http2_answer(true).substr(0, 12), Then::close, "without an answer in HTTP/2"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Then::stay_open,
       "without an answer in HTTP/2"},
      {"", Then::stay_open, "no answer within"},
  };
  for (const Row& row : rows) {
    CheckedWorld world(1, by_get, "h2c");
    world.member(1).answer = row.answer;
    world.member(1).then = row.then;
    world.pass(seconds(5));
    EXPECT_THAT(world.last_text(1), HasSubstr(row.told));
    EXPECT_EQ(world.status(1), "Init HcFl ");
  }
}

TEST(Http2Checks, end_with_who_makes_them) {
  CheckedWorld world(1, by_get, "h2c");
  world.member(1).answer = http2_answer(false);
  world.member(1).then = Then::stay_open;
  world.pass(milliseconds(1200));
  ASSERT_EQ(world.prober.checks_under_way(), 1U);
  world.reload(0);
  EXPECT_EQ(world.prober.checks_under_way(), 0U);
}

}  // namespace
}  // namespace steelyard::health
