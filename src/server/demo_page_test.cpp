#include "server/demo_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::server {
namespace {

using testing::HasSubstr;
using testing::Not;

DemoVisit visit() {
  return {
      .member = "member 1", .route = "m1", .session = "", .head = "GET / HTTP/1.1", .served = 3};
}

TEST(DemoPage, says_who_answered_and_offers_to_log_in) {
  const auto page = demo_page(visit());
  EXPECT_THAT(page, HasSubstr("<h1>member 1</h1>"));
  EXPECT_THAT(page, HasSubstr("action=\"/login\""));
  EXPECT_THAT(page, Not(HasSubstr("action=\"/logout\"")));
}

TEST(DemoPage, a_session_of_this_member_stays_with_it) {
  DemoVisit logged_in = visit();
  logged_in.session = "a1b2.m1";
  const auto page = demo_page(logged_in);
  EXPECT_THAT(page, HasSubstr("Your session belongs to <code>m1</code>"));
  EXPECT_THAT(page, HasSubstr("action=\"/logout\""));
}

TEST(DemoPage, a_session_of_another_member_was_taken_over) {
  DemoVisit moved = visit();
  moved.session = "a1b2.m2";
  EXPECT_THAT(demo_page(moved), HasSubstr("began at <code>m2</code>"));
}

TEST(DemoPage, nothing_from_outside_becomes_markup) {
  DemoVisit hostile = visit();
  hostile.head = "GET /<script>alert(1)</script> HTTP/1.1";
  hostile.session = "<b>.<i>";
  const auto page = demo_page(hostile);
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("<i>")));
}

TEST(DemoSession, is_found_among_other_cookies) {
  EXPECT_EQ(demo_session("a=b; SESSION=xyz.m2; c=d"), "xyz.m2");
  EXPECT_EQ(demo_session("SESSION=xyz.m2"), "xyz.m2");
  EXPECT_EQ(demo_session("XSESSION=no; a=SESSION=no"), "");
  EXPECT_EQ(demo_session(""), "");
}

TEST(DemoSession, its_route_stands_behind_the_first_dot) {
  EXPECT_EQ(demo_session_route("xyz.m2"), "m2");
  EXPECT_EQ(demo_session_route("xyz.m2.old"), "m2.old");
  EXPECT_EQ(demo_session_route("xyz"), "");
}

TEST(DemoHue, neighbouring_routes_look_different) {
  EXPECT_GT(std::abs(demo_hue("m1") - demo_hue("m2")), 60);
  EXPECT_GT(std::abs(demo_hue("m2") - demo_hue("m3")), 60);
  EXPECT_GT(std::abs(demo_hue("m1") - demo_hue("m3")), 60);
}

}  // namespace
}  // namespace steelyard::server
