#include "balance/status.hpp"

#include <gtest/gtest.h>

namespace steelyard::balance {
namespace {

Status after(std::string_view text, Status before = {}) {
  EXPECT_TRUE(apply_status_text(before, text)) << text;
  return before;
}

TEST(StatusText, letters_set_flags_and_case_does_not_matter) {
  EXPECT_EQ(after("D"), Status(Flag::disabled));
  EXPECT_EQ(after("+dH"), Flag::disabled | Flag::standby);
  EXPECT_EQ(after("oingudsehrfc").bits(), 0xfff);
}

TEST(StatusText, a_sign_holds_for_the_letters_behind_it) {
  EXPECT_EQ(after("+D-H", Flag::standby), Status(Flag::disabled));
  EXPECT_EQ(after("-DH+N", Flag::disabled | Flag::standby), Status(Flag::draining));
  EXPECT_EQ(after("D+-H", Flag::standby), Status(Flag::disabled));
}

TEST(StatusText, an_unknown_letter_or_a_trailing_sign_changes_nothing) {
  for (const char* text : {"X", "DX", "D+", "+", "-", "D D"}) {
    Status status = Flag::spare;
    const auto result = apply_status_text(status, text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error(), "Unknown status parameter option");
    EXPECT_EQ(status, Status(Flag::spare)) << text;
  }
}

TEST(StatusText, an_empty_text_is_accepted) { EXPECT_EQ(after(""), Status()); }

TEST(StatusShown, follows_the_order_of_the_manager_page) {
  EXPECT_EQ(display_text(Status()), "??? ");
  EXPECT_EQ(display_text(Flag::initialised), "Init Ok ");
  EXPECT_EQ(display_text(Flag::initialised | Flag::disabled), "Init Dis ");
  EXPECT_EQ(display_text(Status(0xfff)), "Init Ign Drn Gen Shut Dis Stop Err Stby Spar Free HcFl ");
  EXPECT_EQ(display_text(Flag::initialised | Flag::spare | Flag::standby), "Init Stby Spar Ok ");
}

TEST(StatusUsable, needs_the_initialised_bit_and_none_of_five) {
  EXPECT_FALSE(Status().usable());
  for (const Flag flag :
       {Flag::shutting_down, Flag::disabled, Flag::stopped, Flag::in_error, Flag::health_failed}) {
    EXPECT_FALSE((Flag::initialised | flag).usable());
  }
  for (const Flag flag : {Flag::draining, Flag::standby, Flag::spare, Flag::ignore_errors,
                          Flag::free_slot, Flag::generic}) {
    EXPECT_TRUE((Flag::initialised | flag).usable());
  }
}

}  // namespace
}  // namespace steelyard::balance
