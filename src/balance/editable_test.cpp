#include "balance/editable.hpp"

#include <gtest/gtest.h>

#include "balance/numbers.hpp"
#include "balance/parameters.hpp"

namespace steelyard::balance {
namespace {

TEST(Editable, each_field_of_a_member_is_read_as_it_was_written) {
  const std::pair<std::string_view, std::string_view> values[] = {
      {"connectiontimeout", "1500ms"},
      {"hcexpr", "ok"},
      {"hcfails", "3"},
      {"hcinterval", "12s"},
      {"hcmethod", "GET"},
      {"hcpasses", "2"},
      {"hcshare", "On"},
      {"hcuri", "/up"},
      {"lbset", "4"},
      {"loadfactor", "1.50"},
      {"redirect", "r9"},
      {"retry", "5"},
      {"route", "r1"},
      {"status", "DH"},
      {"timeout", "7"},
  };
  EXPECT_EQ(std::size(values), editable_member_fields().size());
  MemberSpec spec;
  for (const auto& [field, value] : values) {
    const std::string usual = text_of(spec, field);
    EXPECT_NE(usual, value) << field;
    EXPECT_TRUE(set_text(spec, field, value)) << field;
    EXPECT_EQ(text_of(spec, field), value) << field;
  }
  for (const auto& [field, value] : values) EXPECT_TRUE(set_text(spec, field, "")) << field;
  EXPECT_EQ(spec, MemberSpec());
}

TEST(Editable, each_field_of_a_balancer_is_read_as_it_was_written) {
  const std::pair<std::string_view, std::string_view> values[] = {
      {"lbmethod", "bytraffic"}, {"maxattempts", "0"},
      {"nofailover", "On"},      {"stickysession", "JSESSIONID|jsessionid"},
      {"timeout", "3"},
  };
  EXPECT_EQ(std::size(values), editable_balancer_fields().size());
  BalancerSpec spec;
  for (const auto& [field, value] : values) {
    EXPECT_NE(text_of(spec, field), value) << field;
    EXPECT_TRUE(set_text(spec, field, value)) << field;
    EXPECT_EQ(text_of(spec, field), value) << field;
  }
  for (const auto& [field, value] : values) EXPECT_TRUE(set_text(spec, field, "")) << field;
  EXPECT_FALSE(spec.policy || spec.maxattempts || spec.nofailover || spec.timeout);
  EXPECT_FALSE(spec.sticky.enabled());
}

TEST(Editable, equal_values_have_one_text) {
  MemberSpec spec;
  for (const std::string_view value : {"2", "2.0", "2.009"}) {
    ASSERT_TRUE(set_text(spec, "loadfactor", value));
    EXPECT_EQ(text_of(spec, "loadfactor"), "2.00");
  }
  ASSERT_TRUE(set_text(spec, "status", "hd"));
  EXPECT_EQ(text_of(spec, "status"), "DH");
  ASSERT_TRUE(set_text(spec, "hcinterval", "90000ms"));
  EXPECT_EQ(text_of(spec, "hcinterval"), "90s");
}

// All there are. What is kept, shared and shown is read again and again, and must not wander.
TEST(Editable, a_load_factor_reads_back_as_itself_here_and_from_a_configuration) {
  for (int hundredths = 100; hundredths <= 10'000; ++hundredths) {
    MemberSpec spec;
    spec.load_factor = hundredths;
    const std::string text = text_of(spec, "loadfactor");
    ASSERT_TRUE(set_text(spec, "loadfactor", text)) << text;
    ASSERT_EQ(spec.load_factor, hundredths);
    ASSERT_TRUE(set_exactly(spec, "loadfactor", text)) << text;
    ASSERT_EQ(spec.load_factor, hundredths);
    const std::string written = load_factor_for_httpd(hundredths);
    ASSERT_TRUE(set_member_parameter(spec, "loadfactor", written)) << written;
    ASSERT_EQ(spec.load_factor, hundredths);
  }
  EXPECT_EQ(load_factor_for_httpd(115), "1.151");
  EXPECT_EQ(load_factor_for_httpd(250), "2.50");
}

TEST(Editable, a_load_factor_has_its_bounds_however_it_is_said) {
  MemberSpec spec;
  for (const std::string_view text : {"0.99", "100.01", "101", "-1", "x", ".", "1.", "1e1", " 2"})
    EXPECT_FALSE(set_text(spec, "loadfactor", text)) << text;
  EXPECT_EQ(spec, MemberSpec());
}

TEST(Editable, a_bad_value_changes_nothing_and_says_why) {
  MemberSpec spec;
  const auto lbset = set_text(spec, "lbset", "100");
  ASSERT_FALSE(lbset);
  EXPECT_EQ(lbset.error(), "lbset must be between 0 and 99");
  const auto max = set_text(spec, "max", "3");
  ASSERT_FALSE(max);
  EXPECT_EQ(max.error(), "max cannot be changed while the program runs");
  BalancerSpec balancer;
  EXPECT_FALSE(set_text(balancer, "lbmethod", "by_moon"));
  EXPECT_FALSE(set_text(balancer, "growth", "3"));
  EXPECT_EQ(spec, MemberSpec());
}

TEST(Editable, who_asks_for_a_change_gets_exactly_that_or_is_told) {
  struct Case {
    std::string_view field, text, complaint;
  };
  constexpr auto cases = std::to_array<Case>({
      {"lbset", "abc", "lbset must be a whole number"},
      {"lbset", "0x10", "lbset must be a whole number"},
      {"lbset", "3junk", "lbset must be a whole number"},
      {"retry", "99999999999", "retry must be a whole number"},
      {"hcfails", "2.7", "hcfails must be a whole number"},
      {"loadfactor", "2x", "loadfactor must be a number"},
      {"connectiontimeout", "soon", "connectiontimeout must be a time, as in 5, 500ms, 5s or 2min"},
      {"hcinterval", "2h30", "hcinterval must be a time, as in 5, 500ms, 5s or 2min"},
      {"hcuri", "/a\r\nX: 1", "hcuri must not hold control characters"},
      {"max", "3", "max cannot be changed while the program runs"},
  });
  MemberSpec spec;
  for (const Case& each : cases) {
    const auto done = set_exactly(spec, each.field, each.text);
    ASSERT_FALSE(done) << each.field << '=' << each.text;
    EXPECT_EQ(done.error(), each.complaint);
  }
  EXPECT_EQ(spec, MemberSpec());
  EXPECT_EQ(set_exactly(spec, "lbmethod", "byrequests").error(),
            "lbmethod is the balancer's: it is changed without naming a member");
  BalancerSpec balancer;
  EXPECT_EQ(set_exactly(balancer, "loadfactor", "1").error(),
            "loadfactor is a member's: name the member");
  EXPECT_EQ(set_exactly(balancer, "growth", "1").error(),
            "growth cannot be changed while the program runs");
  EXPECT_EQ(set_exactly(balancer, "lbmethod", "by_moon").error(),
            "unknown lbmethod: there is byrequests, bytraffic, bybusyness, random, tworandom, "
            "leasttime, hash, maglev, heartbeat");
  EXPECT_TRUE(set_exactly(balancer, "lbmethod", "hash"));
  EXPECT_TRUE(set_exactly(spec, "connectiontimeout", "500ms"));
  EXPECT_TRUE(set_exactly(spec, "loadfactor", "2.5"));
  EXPECT_TRUE(set_exactly(spec, "lbset", ""));
  // Every value that is shown may be said again.
  for (const std::string_view field : editable_member_fields())
    EXPECT_TRUE(set_exactly(spec, field, text_of(spec, field))) << field;
  EXPECT_FALSE(set_exactly(balancer, "maxattempts", "two"));
  EXPECT_FALSE(set_exactly(balancer, "stickysession", std::string_view("a\0b", 3)));
  EXPECT_TRUE(set_exactly(balancer, "maxattempts", "2"));
}

TEST(Editable, a_status_is_what_operators_wish_and_nothing_that_was_found_out) {
  MemberSpec spec;
  spec.status = Flag::in_error | Flag::standby;
  for (const std::string_view text : {"E", "C", "+D", "D-H", "X", "O"})
    EXPECT_FALSE(set_text(spec, "status", text)) << text;
  EXPECT_EQ(text_of(spec, "status"), "H");
  ASSERT_TRUE(set_text(spec, "status", "D"));
  EXPECT_EQ(spec.status, Flag::in_error | Flag::disabled);
}

}  // namespace
}  // namespace steelyard::balance
