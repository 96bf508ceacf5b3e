#include "base/seldom.hpp"

#include <gtest/gtest.h>

namespace steelyard {
namespace {

TEST(Seldom, tells_the_first_and_then_one_a_period_with_the_number_of_the_others) {
  Seldom seldom;
  const Instant noon = Instant{} + std::chrono::hours(12);
  EXPECT_EQ(seldom.ask(noon), 0U);
  EXPECT_EQ(seldom.ask(noon), std::nullopt);
  EXPECT_EQ(seldom.ask(noon + Seldom::period - Duration(1)), std::nullopt);
  EXPECT_EQ(seldom.ask(noon + Seldom::period), 2U);
  EXPECT_EQ(seldom.ask(noon + 3 * Seldom::period), 0U);
}

}  // namespace
}  // namespace steelyard
