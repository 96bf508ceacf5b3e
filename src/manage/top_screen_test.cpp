#include "manage/top_screen.hpp"

#include <gmock/gmock.h>

#include "base/text.hpp"

namespace steelyard::manage {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr std::string_view answer = R"({"ok":true,"at":1700000000000,"rows":[
  {"kind":"balancer","balancer":"balancer://app","rate":12.5,"error_count":3},
  {"kind":"member","balancer":"balancer://app","member":"http://m1:80","state":"in service",
   "tone":"good","share":0.75,"expected":0.5,"rate":9.4,"in_flight":2,"error_count":0,"p50":1.25,
   "p99":120.4,"sent":2048,"received":0,"open":5,"idle":3,"weight":2.0,"lbset":0,"reason":"",
   "check":{"passed":true,"next":1700000004200}},
  {"kind":"member","balancer":"balancer://app","member":"http://m2:80","state":"in error",
   "tone":"bad","share":null,"expected":0,"rate":100,"in_flight":0,"error_count":3,"p50":null,
   "p99":null,"weight":1.0,"lbset":0,"reason":"gone \u001b[2Jaway","check":{"passed":false}}]})";

std::vector<std::string> screen(TopView view, std::string_view fault = {}) {
  return top_screen(answer, view, fault);
}

TEST(TopTable, has_a_line_for_each_member_and_nothing_that_steers_a_terminal) {
  const std::string table = top_table(answer);
  const auto lines = split(table, '\n');
  ASSERT_THAT(lines, SizeIs(4));  // the last is behind the last line end
  EXPECT_THAT(std::string(lines[0]), AllOf(StartsWith("BALANCER"), HasSubstr("P99ms")));
  EXPECT_THAT(std::string(lines[1]),
              AllOf(StartsWith("app       http://m1:80  in service"), HasSubstr("75%   50%"),
                    HasSubstr("9.40"), HasSubstr("120"), HasSubstr("2.0K"), HasSubstr("4s")));
  EXPECT_THAT(std::string(lines[2]), AllOf(HasSubstr("failed"), HasSubstr("gone \\x1b[2Jaway")));
}

TEST(TopTable, of_another_servers_answer_has_no_more_than_that_tells) {
  EXPECT_THAT(top_table("nonsense"), StartsWith("BALANCER"));
  EXPECT_THAT(top_table(R"({"rows":[1,{"kind":"member","member":"x"}]})"),
              HasSubstr("-         x"));
}

TEST(TopScreen, sums_up_in_its_first_line) {
  const auto lines = screen({});
  EXPECT_THAT(lines[0], HasSubstr("2023-11-14T22:13:20Z  1 of 2 members in service, "
                                  "12.5 requests/s, 2 in flight, 3 errors/min"));
  EXPECT_THAT(screen({.paused = true}, "no server")[0], HasSubstr("PAUSED  no server"));
}

TEST(TopScreen, tells_what_keeps_changes_from_being_made_below_it) {
  TopView view;
  view.height = 6;
  const auto lines =
      top_screen(R"({"at":1,"troubles":["the journal\u001b is not open"],"rows":[]})", view);
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_EQ(lines[1], "the journal\\x1b is not open");
  EXPECT_THAT(lines[2], StartsWith("BALANCER"));
}

TEST(TopScreen, fits_the_terminal) {
  TopView view{.width = 30, .height = 4};
  auto lines = top_screen(answer, view);
  ASSERT_THAT(lines, SizeIs(4));
  for (const std::string& line : lines) EXPECT_LE(line.size(), 30);
  EXPECT_THAT(lines[2], HasSubstr("m1"));
  EXPECT_EQ(view.press("\x1b[B"), TopView::Pressed::view);
  lines = top_screen(answer, view);
  EXPECT_THAT(lines[2], HasSubstr("m2"));
  view.press("\x1b[6~");
  view.press("\x1b[6~");
  (void)top_screen(answer, view);
  EXPECT_EQ(view.first, 1);  // there is no more
  view.press("\x1b[5~");
  EXPECT_EQ(view.first, 0);
}

TEST(TopScreen, a_high_terminal_has_its_keys_in_the_last_line) {
  const auto lines = screen({.width = 80, .height = 24});
  ASSERT_THAT(lines, SizeIs(24));
  EXPECT_THAT(lines.back(), StartsWith("q quit"));
}

TEST(TopScreen, sorts_by_the_column_that_keys_choose) {
  TopView view{.height = 10};
  EXPECT_THAT(top_screen(answer, view)[2], HasSubstr("m1"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(view.press(">"), TopView::Pressed::view);
  auto lines = top_screen(answer, view);
  EXPECT_THAT(lines[1], HasSubstr("REQ/Sv"));
  EXPECT_THAT(lines[2], HasSubstr("m2"));  // numbers: the largest first
  view.press("r");
  lines = top_screen(answer, view);
  EXPECT_THAT(lines[1], HasSubstr("REQ/S^"));
  EXPECT_THAT(lines[2], HasSubstr("m1"));
  for (int i = 0; i < 3; ++i) view.press(">");  // p50, which one of them does not have
  EXPECT_THAT(top_screen(answer, view)[2], HasSubstr("m1"));
  view.press("r");
  EXPECT_THAT(top_screen(answer, view)[2], HasSubstr("m1"));
  for (int i = 0; i < 9; ++i) view.press("<");
  EXPECT_THAT(top_screen(answer, view)[1], HasSubstr("WHY^"));  // round the end
}

TEST(TopScreen, knows_its_keys) {
  TopView view;
  EXPECT_EQ(view.press("q"), TopView::Pressed::quit);
  EXPECT_EQ(view.press("\x03"), TopView::Pressed::quit);
  EXPECT_EQ(view.press("x"), TopView::Pressed::nothing);
  EXPECT_EQ(view.press("p"), TopView::Pressed::view);
  EXPECT_TRUE(view.paused);
  view.press(" ");
  EXPECT_FALSE(view.paused);
  view.press("k");
  EXPECT_EQ(view.first, 0);
}

TEST(TopScreen, has_colours_only_where_they_are_wanted) {
  EXPECT_THAT(screen({.has_colours = true})[3],
              AllOf(StartsWith("\x1b[31m"), HasSubstr("\x1b[0m")));
  EXPECT_THAT(screen({})[3], Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace steelyard::manage
