#include "http/field.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/arena.hpp"
#include "base/text.hpp"

namespace steelyard::http {
namespace {

std::string listed(const FieldList& fields) {
  std::string text;
  for (const Field& field : fields) {
    text += std::string(field.name) + ": " + std::string(field.value) + "|";
  }
  return text;
}

TEST(FieldId, every_name_is_found_in_every_case) {
  for (std::size_t i = 1; i < field_id_count; ++i) {
    const auto id = static_cast<FieldId>(i);
    const std::string_view name = field_name(id);
    EXPECT_EQ(field_id(name), id) << name;
    EXPECT_EQ(field_id(to_lower(name)), id) << name;
    EXPECT_EQ(field_id(to_upper(name)), id) << name;
  }
}

TEST(FieldId, a_byte_that_only_looks_like_a_letter_in_another_case_is_none) {
  EXPECT_EQ(field_id("content\rlength"), FieldId::other);  // '-' without its 0x20
  EXPECT_EQ(field_id("\x14"
                     "e"),
            FieldId::other);
  EXPECT_EQ(field_id("HTTP\x12-Settings"), FieldId::other);  // '2' without its 0x20
  for (const char* name : {"", "X", "Hos", "Hostt", "Content-Lengt", "Content-Length0",
                           "Contenu-Length", "Content_Length", "x-forwarded-server-and-more"}) {
    EXPECT_EQ(field_id(name), FieldId::other) << name;
  }
}

TEST(FieldId, one_wrong_byte_is_another_name) {
  for (std::size_t i = 1; i < field_id_count; ++i) {
    const std::string name(field_name(static_cast<FieldId>(i)));
    for (std::size_t at = 0; at < name.size(); ++at) {
      std::string other = name;
      other[at] = '#';
      EXPECT_NE(field_id(other), static_cast<FieldId>(i)) << other;
    }
  }
}

TEST(FieldList, rows_keep_their_order_and_are_found_by_id_and_by_name) {
  FieldList fields;
  fields.add("X-A", "1");
  fields.add("HOST", "h");
  fields.add("x-a", "2");
  EXPECT_EQ(listed(fields), "X-A: 1|HOST: h|x-a: 2|");
  EXPECT_EQ(fields.value(FieldId::host), "h");
  EXPECT_EQ(fields.value("host"), "h");
  EXPECT_EQ(fields.value("X-a"), "1");
  EXPECT_FALSE(fields.value("X-B"));
  EXPECT_FALSE(fields.has(FieldId::cookie));
  EXPECT_EQ(fields.find(FieldId::cookie), nullptr);
  EXPECT_TRUE(fields.may_have_duplicates());
}

TEST(FieldList, removing_takes_all_rows_of_a_name) {
  FieldList fields;
  fields.add("Via", "1");
  fields.add("X", "2");
  fields.add("VIA", "3");
  EXPECT_EQ(fields.remove("via"), 2u);
  EXPECT_EQ(fields.remove(FieldId::via), 0u);
  EXPECT_FALSE(fields.has(FieldId::via));
  EXPECT_EQ(fields.remove("x"), 1u);
  EXPECT_EQ(fields.remove("x"), 0u);
  EXPECT_TRUE(fields.empty());
}

TEST(FieldList, setting_keeps_the_first_place) {
  FieldList fields;
  fields.add("A", "1");
  fields.add("B", "2");
  fields.add("a", "3");
  fields.set("a", "4");
  fields.set("C", "5");
  EXPECT_EQ(listed(fields), "A: 4|B: 2|C: 5|");
  EXPECT_FALSE(fields.may_have_duplicates());
}

TEST(FieldList, repeated_fields_merge_into_the_first_one) {
  FieldList fields;
  Arena arena;
  fields.add("A", "1");
  fields.add("Cookie", "a=1");
  fields.add("B", "2");
  fields.add("a", "");
  fields.add("COOKIE", "b=2");
  fields.add("A", "3");
  merge_duplicates(fields, arena);
  EXPECT_EQ(listed(fields), "A: 1, , 3|Cookie: a=1, b=2|B: 2|");  // seen on httpd
}

TEST(FieldList, merging_leaves_different_names_alone) {
  FieldList fields;
  Arena arena;
  std::vector<std::string> names;
  for (int i = 0; i < 300; ++i) names.push_back("X-" + std::to_string(i));
  for (const std::string& name : names) fields.add(name, "v");
  const std::string before = listed(fields);
  EXPECT_TRUE(fields.may_have_duplicates());  // the hash says perhaps
  merge_duplicates(fields, arena);
  EXPECT_EQ(listed(fields), before);
}

TEST(FieldList, a_few_different_fields_cannot_have_duplicates) {
  FieldList fields;
  fields.add("Host", "h");
  fields.add("User-Agent", "u");
  fields.add("Accept", "*/*");
  fields.add("X-Request-Id", "1");
  EXPECT_FALSE(fields.may_have_duplicates());
  fields.clear();
  EXPECT_FALSE(fields.has(FieldId::host));
  EXPECT_EQ(fields.find("X-Request-Id"), nullptr);
}

TEST(FieldList, twins_count_together_towards_a_limit) {
  FieldList fields;
  fields.add("Cookie", "12345");
  fields.add("X", "1234567890");
  fields.add("cookie", "6789");
  EXPECT_EQ(find_too_long_joined(fields, 11), nullptr);
  const Field* found = find_too_long_joined(fields, 10);  // "12345, 6789" is one more
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "Cookie");
}

}  // namespace
}  // namespace steelyard::http
