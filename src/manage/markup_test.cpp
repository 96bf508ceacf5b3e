#include "manage/markup.hpp"

#include <gtest/gtest.h>

namespace steelyard::manage {
namespace {

TEST(Markup, text_can_end_no_element_and_no_quotes) {
  Markup out;
  out.tags("<a title='").text("<b>'\"&'").tags("'>");
  EXPECT_EQ(out.take(), "<a title='&lt;b&gt;&#39;&quot;&amp;&#39;'>");
}

TEST(Markup, a_part_of_a_url_ends_neither_its_parameter_nor_the_url) {
  Markup out;
  out.url("http://m1:80/a b").tags("|").url("x&y+z?#%'\"<\xff");
  EXPECT_EQ(out.take(), "http://m1:80/a%20b|x%26y%2bz%3f%23%25%27%22%3c%ff");
}

}  // namespace
}  // namespace steelyard::manage
