#include "manage/health_news.hpp"

#include <gmock/gmock.h>

#include "balance/edits.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using balance::HealthCause;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HealthNewsTest : public DeskWorld {
 protected:
  HealthNewsTest() { news.adopt(generation); }

  void reload(std::string_view parameters, std::string_view status = "") {
    auto config = one_balancer();
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    for (const std::string_view word : split_words(parameters)) {
      const std::size_t equals = word.find('=');
      CHECK(
          balance::set_balancer_parameter(*spec, word.substr(0, equals), word.substr(equals + 1)));
    }
    if (!status.empty()) CHECK(balance::set_member_parameter(spec->members[0], "status", status));
    config->servers[0]->balancers[0] = spec;
    adopt(std::move(config));
    news.adopt(generation);
  }

  // What was told since the last time.
  std::vector<std::string> told() {
    loop.advance(HealthNews::interval);
    return std::exchange(lines, {});
  }

  void fail(std::string_view session, balance::Evidence evidence) {
    const balance::Decision decision = visit(std::string(session));
    balancer().connect_failed(decision.lease, loop.now(), std::move(evidence));
  }

  std::vector<std::string> lines;
  HealthNews news{loop, [this](const config::Server& server, const std::string& text) {
                    EXPECT_EQ(server.name, "lb.test");
                    lines.push_back(text);
                  }};
};

TEST_F(HealthNewsTest, tells_a_failure_with_its_evidence_once) {
  fail("x.r1", {.status = 0, .text = "refused", .latency = std::chrono::microseconds(3100)});
  EXPECT_THAT(told(), ElementsAre("balancer://app: http://m1:8080: Init Ok -> Init Err: could not "
                                  "be connected to: refused, after 3.1 ms"));
  EXPECT_THAT(told(), IsEmpty());
}

// Every cause there is: a new one is told too.
TEST_F(HealthNewsTest, has_a_line_for_every_cause) {
  for (std::size_t i = 0; i < balance::health_cause_count; ++i) {
    const auto cause = static_cast<HealthCause>(i);
    view().member->health_log().note({.first = loop.now(),
                                      .last = loop.now(),
                                      .cause = cause,
                                      .before = view().status,
                                      .after = view().status,
                                      .evidence = {.status = 503, .text = "proof"}});
    EXPECT_THAT(told(), ElementsAre(HasSubstr(std::string(balance::to_text(cause)) +
                                              ": proof (status 503)")));
  }
}

TEST_F(HealthNewsTest, tells_who_passed_a_trial) {
  reload("trial=On failcount=1/10");
  fail("x.r1", {});
  EXPECT_THAT(told(), ElementsAre(HasSubstr("could not be connected to: 1 failure within 10 s")));
  loop.advance(seconds(100));
  const balance::Decision trial =
      balancer().choose({.session = {}, .now = loop.now(), .replayable = true});
  ASSERT_TRUE(trial.lease.is_trial());
  balancer().answer_began(trial.lease, loop.now(), 200, std::chrono::milliseconds(20));
  EXPECT_THAT(told(), ElementsAre(HasSubstr("Init Err -> Init Ok: passed its trial: answered 200 "
                                            "(status 200), after 20 ms")));
}

TEST_F(HealthNewsTest, tells_who_was_spared_and_how_often) {
  reload("failcount=1/10 minactive=2");
  for (int i = 0; i < 4; ++i) fail("x.r1", {.status = 0, .text = "refused"});
  EXPECT_THAT(told(), ElementsAre(testing::AllOf(
                          HasSubstr("http://m1:8080: Init Ok: would have been ejected, but is "
                                    "needed: refused, 1 failure within 10 s"),
                          HasSubstr("(4 times)"))));
  fail("x.r1", {});
  EXPECT_THAT(told(), ElementsAre(testing::Not(HasSubstr("times)"))));
}

TEST_F(HealthNewsTest, tells_what_a_reload_changed) {
  reload("", "D");
  EXPECT_THAT(told(), ElementsAre(HasSubstr("Init Ok -> Init Dis: set by the configuration")));
}

}  // namespace
}  // namespace steelyard::manage
