#include "manage/chronicle.hpp"

#include <gmock/gmock.h>

#include "manage/live_rows.hpp"
#include "manage/test_desk.hpp"
#include "manage/test_status.hpp"

namespace steelyard::manage {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

// A shard that serves two members, and the chronicle of it.
class ChronicleTest : public ::testing::Test {
 protected:
  ChronicleTest() {
    chronicle.adopt(*stage.world.generation);
    chronicle.look();
  }
  balance::Balancer& balancer() { return *stage.world.generation->groups()[0].balancers[0].state; }
  const Story& story_of(std::size_t member) {
    return chronicle.of(*balancer().members().at(member).member);
  }
  std::vector<LiveRow> rows() {
    return live_rows(chronicle.balancers(), chronicle,
                     {.now = stage.world.loop.now(), .wall = WallTime(seconds(1'700'000'000))});
  }

  StatusWorld stage{2};
  Chronicle chronicle{stage.world.loop, stage.world.group};
};

TEST_F(ChronicleTest, tells_requests_answers_and_failures_of_members_and_balancers) {
  for (int i = 0; i < 4; ++i) stage.exchange(10);
  stage.exchange(10, 500);
  stage.world.loop.advance(seconds(2));
  chronicle.look();
  EXPECT_EQ(story_of(0).now().requests, 3);
  EXPECT_EQ(story_of(0).minute().errors(), 1);
  EXPECT_EQ(story_of(1).now().requests, 2);
  EXPECT_EQ(chronicle.of(balancer()).now().requests, 5);
  EXPECT_EQ(chronicle.of(balancer()).minute().bad_answers, 1);
  EXPECT_NE(quantile_ms(story_of(1).minute().latency, 0.5), std::nullopt);
  stage.world.loop.advance(seconds(30));
  chronicle.look();
  EXPECT_EQ(story_of(0).now().requests, 0);
  EXPECT_EQ(story_of(0).minute().requests, 3);
}

TEST_F(ChronicleTest, ends_a_step_every_ten_seconds_by_itself) {
  stage.exchange();
  stage.world.loop.advance(seconds(35));
  EXPECT_EQ(chronicle.of(balancer()).steps().size(), 3);
  EXPECT_FLOAT_EQ(chronicle.of(balancer()).steps().front().requests, 0.1F);
  EXPECT_EQ(story_of(0).steps().size(), 3);
}

TEST_F(ChronicleTest, keeps_no_story_of_a_member_without_requests) {
  stage.exchange();
  stage.world.loop.advance(seconds(25));
  EXPECT_EQ(story_of(1).steps().size(), 0);
  stage.exchange();
  stage.world.loop.advance(seconds(10));
  EXPECT_EQ(story_of(1).steps().size(), 3);  // the time before is told as quiet
  EXPECT_FLOAT_EQ(story_of(1).steps().front().requests, 0);
  EXPECT_FLOAT_EQ(story_of(1).steps().back().requests, 0.1F);
}

TEST_F(ChronicleTest, looks_that_follow_at_once_tell_nothing_new) {
  stage.exchange();
  chronicle.look();
  EXPECT_EQ(chronicle.of(balancer()).now().requests, 0);
  stage.world.loop.advance(seconds(1));
  chronicle.look();
  EXPECT_EQ(chronicle.of(balancer()).now().requests, 1);
}

TEST_F(ChronicleTest, goes_on_over_a_reload_and_forgets_who_is_gone) {
  const balance::MemberRef second = balancer().members().at(1).member;
  for (int i = 0; i < 2; ++i) stage.exchange();
  stage.world.loop.advance(seconds(11));
  stage.world.reload(1);
  chronicle.adopt(*stage.world.generation);
  EXPECT_EQ(story_of(0).minute().requests, 1);
  stage.world.loop.advance(seconds(1));
  chronicle.look();
  EXPECT_EQ(chronicle.of(*second).steps().size(), 0);
  EXPECT_EQ(story_of(0).steps().size(), 1);
}

class DeskChronicle : public DeskWorld {};

// Shards keep connections of a balancer's members for as long as somebody holds it.
TEST_F(DeskChronicle, lets_go_at_once_of_a_balancer_that_a_reload_took) {
  const std::weak_ptr<balance::Balancer> taken = generation->groups()[0].balancers[0].state;
  auto config = one_balancer();
  config->servers[0]->balancers[0] = sticky_spec("other", 2);
  adopt(std::move(config));
  EXPECT_TRUE(taken.expired());
}

TEST_F(ChronicleTest, counts_requests_that_nobody_was_there_for) {
  const auto first = balancer().members().at(0).member, second = balancer().members().at(1).member;
  balancer().change_status(first, balance::Flag::disabled, {});
  balancer().change_status(second, balance::Flag::disabled, {});
  auto client = stage.world.connect();
  stage.world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  stage.world.loop.advance(seconds(1));
  chronicle.look();
  EXPECT_EQ(chronicle.of(balancer()).now().refused, 1);
  EXPECT_EQ(rows()[0].fields["errors"]["no_member"], 1);
}

TEST_F(ChronicleTest, becomes_a_row_for_each_balancer_and_member) {
  for (int i = 0; i < 4; ++i) stage.exchange(100);
  stage.world.loop.advance(seconds(4));
  chronicle.look();
  const auto told = rows();
  ASSERT_EQ(told.size(), 3);
  const ApiJson& app = told[0].fields;
  EXPECT_EQ(app["kind"], "balancer");
  EXPECT_EQ(app["members"], 2);
  EXPECT_EQ(app["rate"], 1);
  const ApiJson& member = told[1].fields;
  EXPECT_EQ(member["member"], "http://m1");
  EXPECT_EQ(member["state"], "in service");
  EXPECT_EQ(member["rate"], 0.5);
  EXPECT_EQ(member["share"], 0.5);
  EXPECT_EQ(member["expected"], 0.5);
  EXPECT_EQ(member["error_count"], 0);
  EXPECT_EQ(member["elected"], 2);
  EXPECT_EQ(member["open"], 1);
  EXPECT_EQ(member["idle"], 1);
  EXPECT_EQ(member["waiting"], 0);
  EXPECT_GT(member["sent"], 0);
  EXPECT_FALSE(member["p50"].is_null());
}

LiveRow row(const std::string& key, ApiJson fields) { return {key, std::move(fields)}; }

TEST(LiveBookTest, tells_what_is_new_what_changed_and_who_is_gone) {
  LiveBook book;
  ApiJson news = book.turn_to({row("a", {{"x", 1}, {"y", 2}}), row("b", {{"x", 3}})});
  EXPECT_EQ(news["rows"], ApiJson::parse(R"([{"id":1,"x":1,"y":2},{"id":2,"x":3}])"));
  news = book.turn_to({row("a", {{"x", 1}, {"y", 5}}), row("b", {{"x", 3}})});
  EXPECT_EQ(news, ApiJson::parse(R"({"rows":[{"id":1,"y":5}],"gone":[]})"));
  EXPECT_EQ(book.all()["rows"], ApiJson::parse(R"([{"id":1,"x":1,"y":5},{"id":2,"x":3}])"));
  news = book.turn_to({row("b", {{"x", 3}}), row("c", {{"x", 0}})});
  EXPECT_EQ(news, ApiJson::parse(R"({"rows":[{"id":3,"x":0}],"gone":[1]})"));
  news = book.turn_to({row("b", {{"x", 3}}), row("c", {{"x", 0}}), row("a", {{"x", 1}})});
  EXPECT_EQ(news["rows"][0]["id"], 4);  // a number is never given out again
}

balance::MemberView seen(std::string_view letters) {
  balance::MemberView view;
  view.status = balance::Flag::initialised;
  EXPECT_TRUE(letters.empty() || balance::apply_status_text(view.status, letters));
  return view;
}

TEST(StateWords, tell_what_keeps_a_member_from_service_most) {
  EXPECT_EQ(state_of(seen("")).word, "in service");
  EXPECT_EQ(state_of(seen("E")).word, "in error");
  EXPECT_EQ(state_of(seen("E")).tone, "bad");
  EXPECT_EQ(state_of(seen("DE")).word, "disabled");
  EXPECT_EQ(state_of(seen("SD")).word, "stopped");
  EXPECT_EQ(state_of(seen("CE")).word, "check failed");
  EXPECT_EQ(state_of(seen("N")).word, "draining");
  EXPECT_EQ(state_of(seen("N")).tone, "warn");
  EXPECT_EQ(state_of(seen("H")).word, "standby");
  EXPECT_EQ(state_of(seen("R")).word, "spare");
  balance::MemberView view = seen("E");
  view.on_trial = true;
  EXPECT_EQ(state_of(view).word, "on trial");
  view = seen("S");
  view.drain = balance::Drain{.state = balance::DrainState::drained};
  EXPECT_EQ(state_of(view).word, "drained");
}

TEST(LiveTimes, are_milliseconds_of_the_wall_clock_to_a_tenth_of_a_second) {
  const Moment moment{.now = Instant(seconds(100)), .wall = WallTime(seconds(1'000))};
  EXPECT_EQ(milliseconds_of(moment, Instant(seconds(103))), 1'003'000);
  EXPECT_EQ(milliseconds_of(moment, Instant(std::chrono::milliseconds(99'949))), 999'900);
}

}  // namespace
}  // namespace steelyard::manage
