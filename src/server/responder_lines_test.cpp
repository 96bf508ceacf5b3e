#include "server/responder_lines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Lines = ResponderLines<std::string>;
using Entry = Lines::Entry;
using Outcome = Lines::Outcome;

const IpAddress client = IpAddress::v4(0x0a000001), other = IpAddress::v4(0x0a000002);
constexpr std::size_t places = 2;

class Responders : public ::testing::Test {
 protected:
  Entry add(const std::string& responder, const std::string& job) {
    return lines_.add(responder, client, job, now_);
  }
  // The job, or "".
  std::string next() {
    const auto taken = lines_.next();
    return taken ? taken->job : "";
  }
  std::vector<std::string> leave(const std::string& responder, Outcome outcome) {
    return lines_.leave(responder, outcome, began_, now_);
  }
  // One is asked, and lets whoever asks it wait in vain.
  void fall_silent(const std::string& responder) {
    EXPECT_EQ(add(responder, "first"), Entry::taken);
    EXPECT_EQ(next(), "first");
    began_ = now_;
    now_ += 10s;
    EXPECT_THAT(leave(responder, Outcome::in_vain), IsEmpty());
  }

  Lines lines_{places};
  Instant now_{1h}, began_{1h};
};

TEST_F(Responders, one_has_its_places_and_no_more) {
  for (const char* job : {"d1", "d2", "d3", "d4"}) EXPECT_EQ(add("dead", job), Entry::taken);
  EXPECT_EQ(lines_.ready(), places);
  EXPECT_EQ(next(), "d1");
  EXPECT_EQ(lines_.ready(), 1U);
  EXPECT_EQ(next(), "d2");
  EXPECT_EQ(lines_.ready(), 0U);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(add("well", "w1"), Entry::taken);
  EXPECT_EQ(lines_.ready(), 1U);
  EXPECT_EQ(next(), "w1");
  EXPECT_THAT(leave("dead", Outcome::answered), IsEmpty());
  EXPECT_EQ(next(), "d3");
  EXPECT_EQ(next(), "");
  EXPECT_EQ(lines_.waiting(), 1U);
}

TEST_F(Responders, those_with_free_places_take_turns) {
  Lines lines(10);
  for (const char* job : {"a1", "a2", "a3"}) lines.add("a", client, job, now_);
  lines.add("b", client, "b1", now_);
  std::string order;
  while (const auto taken = lines.next()) order += taken->responder + ':' + taken->job + ' ';
  EXPECT_EQ(order, "a:a1 b:b1 a:a2 a:a3 ");
}

TEST_F(Responders, clients_take_turns_at_one) {
  for (const char* job : {"c1", "c2"}) EXPECT_EQ(add("a", job), Entry::taken);
  EXPECT_EQ(lines_.add("a", other, "o1", now_), Entry::taken);
  EXPECT_EQ(next(), "c1");
  EXPECT_EQ(next(), "o1");
}

TEST_F(Responders, whoever_waits_for_one_that_answers_nobody_is_turned_away) {
  for (const char* job : {"1", "2", "3", "4"}) EXPECT_EQ(add("dead", job), Entry::taken);
  EXPECT_EQ(next(), "1");
  EXPECT_EQ(next(), "2");
  now_ += 10s;
  EXPECT_THAT(leave("dead", Outcome::in_vain), ElementsAre("3", "4"));
  EXPECT_EQ(lines_.waiting(), 0U);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(add("dead", "3"), Entry::silent);  // "2" still tries it
  EXPECT_EQ(add("well", "w"), Entry::taken);
  EXPECT_EQ(next(), "w");
  EXPECT_THAT(leave("dead", Outcome::in_vain), IsEmpty());
  EXPECT_EQ(add("dead", "3"), Entry::taken);  // nobody does
}

TEST_F(Responders, one_at_a_time_tries_one_that_is_silent) {
  fall_silent("dead");
  EXPECT_EQ(add("dead", "probe"), Entry::taken);
  EXPECT_EQ(add("dead", "early"), Entry::silent);
  EXPECT_EQ(next(), "probe");
  EXPECT_EQ(add("dead", "late"), Entry::silent);
  EXPECT_THAT(leave("dead", Outcome::unasked), IsEmpty());  // its client is gone
  EXPECT_EQ(add("dead", "another"), Entry::taken);
  EXPECT_EQ(next(), "another");
  EXPECT_THAT(leave("dead", Outcome::answered), IsEmpty());
  for (const char* job : {"1", "2", "3"}) EXPECT_EQ(add("dead", job), Entry::taken);
}

TEST_F(Responders, silence_is_remembered_for_a_short_time) {
  fall_silent("dead");
  EXPECT_EQ(add("dead", "probe"), Entry::taken);
  now_ += Lines::silence_max - 1ms;
  EXPECT_EQ(add("dead", "in time"), Entry::silent);
  now_ += 1ms;
  EXPECT_EQ(add("dead", "later"), Entry::taken);
}

TEST_F(Responders, a_reload_forgets_silence) {
  fall_silent("dead");
  lines_.forget_silence();
  for (const char* job : {"1", "2", "3"}) EXPECT_EQ(add("dead", job), Entry::taken);
}

// A packet was lost, and others were answered meanwhile.
TEST_F(Responders, one_that_answers_others_is_not_silent) {
  for (const char* job : {"1", "2", "3"}) EXPECT_EQ(add("a", job), Entry::taken);
  EXPECT_EQ(next(), "1");
  EXPECT_EQ(next(), "2");
  now_ += 1s;
  EXPECT_THAT(leave("a", Outcome::answered), IsEmpty());
  EXPECT_EQ(next(), "3");
  now_ += 9s;
  EXPECT_EQ(add("a", "4"), Entry::taken);
  EXPECT_THAT(leave("a", Outcome::in_vain), IsEmpty());
  EXPECT_EQ(next(), "4");
  // But one that answered before it was asked is.
  began_ = now_;
  EXPECT_EQ(add("a", "5"), Entry::taken);
  now_ += 10s;
  EXPECT_THAT(leave("a", Outcome::in_vain), ElementsAre("5"));
}

TEST_F(Responders, what_waits_is_bounded_for_one_and_for_all) {
  const auto fill = [this](const std::string& responder, std::size_t count) {
    std::size_t taken = 0;
    for (std::uint32_t i = 0; i < count; ++i)
      taken += lines_.add(responder, IpAddress::v4(i), "job", now_) == Entry::taken ? 1 : 0;
    return taken;
  };
  EXPECT_EQ(fill("a", 1000), Lines::jobs_of_one_max);
  EXPECT_EQ(add("a", "one more"), Entry::full);
  EXPECT_EQ(add("b", "of another"), Entry::taken);
  EXPECT_EQ(fill("c", 1000) + fill("d", 1000) + fill("e", 1000),
            Lines::jobs_max - Lines::jobs_of_one_max - 1);
  EXPECT_EQ(add("f", "of a new one"), Entry::full);
  EXPECT_EQ(lines_.responders(), 5U);
  EXPECT_EQ(next(), "job");
  EXPECT_EQ(add("f", "of a new one"), Entry::taken);
  lines_.clear();
  EXPECT_EQ(lines_.waiting() + lines_.responders() + lines_.ready(), 0U);
}

TEST_F(Responders, nothing_is_kept_of_those_that_nobody_asks) {
  EXPECT_EQ(add("a", "1"), Entry::taken);
  EXPECT_EQ(next(), "1");
  EXPECT_THAT(leave("a", Outcome::answered), IsEmpty());
  EXPECT_EQ(lines_.responders(), 0U);
  fall_silent("dead");
  EXPECT_EQ(lines_.responders(), 1U);
  now_ += Lines::silence_max;
  EXPECT_EQ(add("a", "2"), Entry::taken);
  EXPECT_EQ(next(), "2");
  EXPECT_THAT(leave("a", Outcome::answered), IsEmpty());
  EXPECT_EQ(lines_.responders(), 0U);
}

}  // namespace
}  // namespace steelyard::server
