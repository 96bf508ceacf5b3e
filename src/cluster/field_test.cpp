#include "cluster/field.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "cluster/kept.hpp"
#include "cluster/limits.hpp"

namespace steelyard::cluster {
namespace {

const FieldKey key{"shop.example:443", "balancer://app", "http://10.0.0.1:8080", "loadfactor"};

TEST(FieldKey, is_a_path_that_people_can_read) {
  EXPECT_EQ(
      key_text("/p", key),
      "/p/v1/changes/shop.example:443/balancer:%2F%2Fapp/http:%2F%2F10.0.0.1:8080/loadfactor");
  EXPECT_EQ(key_text("/p", {"main", "balancer://app", "", "timeout"}),
            "/p/v1/changes/main/balancer:%2F%2Fapp/=/timeout");
}

TEST(FieldKey, comes_back_from_its_text_whatever_bytes_it_has) {
  for (int c = 1; c < 256; ++c) {
    const FieldKey any{"s", "b", std::string("x") + static_cast<char>(c), "f"};
    const std::string text = key_text("", any);
    EXPECT_EQ(read_key(text.substr(changes_folder("").size())), any) << text;
  }
  const FieldKey equals{"s", "b", "=", "f"};
  EXPECT_EQ(read_key(key_text("", equals).substr(changes_folder("").size())), equals);
}

TEST(FieldKey, has_one_text_and_no_other_is_read) {
  for (const char* text :
       {"", "a/b/c", "a/b/c/d/e", "/b/c/d", "a/b//d", "a/b/c/", "a/=/c/d", "a/b/%41/d", "a/b/%2f/d",
        "a/b/%2/d", "a/b/%/d", "a/b/%zz/d", "a/b/c d/e", "a/b/==/d"})
    EXPECT_FALSE(read_key(text)) << text;
  EXPECT_FALSE(read_key("a/b/" + std::string(name_bytes_max + 1, 'x') + "/d"));
  EXPECT_FALSE(read_key("a/b/" + std::string(100'000, 'x') + "/d"));
  EXPECT_TRUE(read_key("a/b/" + std::string(name_bytes_max, 'x') + "/d"));
}

TEST(FieldValue, comes_back_from_its_text) {
  const FieldValue value{.value = "3.00",
                         .configured = "1.00",
                         .who = "anna",
                         .from = "192.0.2.7",
                         .reason = "\"too\nslow\"",
                         .at_us = 1'764'000'000'000'000,
                         .instance = "web1",
                         .order = "1-2"};
  EXPECT_EQ(read_value(value_text(value)), value);
}

TEST(FieldValue, needs_its_texts_and_bounds_them) {
  EXPECT_TRUE(read_value(R"({"value": "a", "configured": ""})"));
  for (const char* text :
       {"", "[]", "null", R"({"value": "a"})", R"({"configured": "a"})",
        R"({"value": 1, "configured": ""})", R"({"value": "a", "configured": "", "at": "now"})",
        R"({"value": "a", "configured": "", "at": 99999999999999999999})",
        R"({"value": "a", "configured": "", "at": 18446744073709551615})",
        R"({"value": "a", "configured": "", "who": []})"})
    EXPECT_FALSE(read_value(text)) << text;
  const std::string long_text(text_bytes_max + 1, 'x');
  EXPECT_FALSE(read_value(R"({"configured": "", "value": ")" + long_text + "\"}"));
  EXPECT_FALSE(read_value(R"({"configured": "", "value": "", "who": ")" +
                          std::string(3 * author_bytes_max + 1, 'x') + "\"}"));
}

TEST(Instance, comes_back_from_its_text) {
  const Instance one{.id = "a1", .name = "web1", .version = "0.1", .since_us = 7};
  EXPECT_EQ(read_instance("a1", instance_text(one)), one);
  EXPECT_FALSE(read_instance("a/1", instance_text(one)));
  EXPECT_FALSE(read_instance("", instance_text(one)));
  EXPECT_FALSE(read_instance("a1", "{}"));
}

TEST(EndOf, is_behind_all_that_begin_with_the_folder) {
  EXPECT_EQ(end_of("/p/v1/"), "/p/v10");
  EXPECT_LT(std::string("/p/v1/\xff\xff"), end_of("/p/v1/"));
}

TEST(Base64, is_that_of_the_rfc) {
  // RFC 4648, 10.
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zg=x", "Zh==", "Zm9=", "====", "Z===", "Zg==Zg==", "Z g="})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Kept, comes_back_from_its_text) {
  const Kept kept{
      .store = "etcd://a/p",
      .known = {{{key, FieldValue{.value = "2.00", .configured = "1.00", .order = "o"}}, 7}},
      .unshared = {
          {.id = "1-1",
           .fields = {{{key, FieldValue{.value = "\x01\xff"}}, 7}, {{key, std::nullopt}, 0}},
           .in_touch = false}}};
  const auto read = read_kept(kept_text(kept));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->store, kept.store);
  ASSERT_EQ(read->known.size(), 1U);
  EXPECT_EQ(read->known[0].field, kept.known[0].field);
  EXPECT_EQ(read->known[0].revision, 7);
  ASSERT_EQ(read->unshared.size(), 1U);
  EXPECT_EQ(read->unshared[0].fields[1], kept.unshared[0].fields[1]);
  EXPECT_EQ(read->unshared[0].id, "1-1");
}

// Else it would lose as an order of an operator does, where it has to yield field by field.
TEST(Kept, what_is_shared_anew_stays_so) {
  Order order{.id = "1-1", .fields = {{{FieldKey{"main", "b", "", "f"}, std::nullopt}, 0}}};
  for (const bool is_anew : {true, false}) {
    order.is_anew = is_anew;
    const auto read = read_kept(kept_text({.store = "s", .unshared = {order}}));
    ASSERT_TRUE(read) << read.error();
    ASSERT_EQ(read->unshared.size(), 1U);
    EXPECT_EQ(read->unshared[0].is_anew, is_anew);
  }
  EXPECT_FALSE(read_kept(R"({"store":"s","known":[],"unshared":[{"id":"1","anew":1,"fields":)"
                         R"([{"key":"/v1/changes/main/b/=/f","over":0}]}]})"));
  EXPECT_TRUE(read_kept(R"({"store":"s","known":[],"unshared":[{"id":"1","fields":)"
                        R"([{"key":"/v1/changes/main/b/=/f","over":0}]}]})"));
}

TEST(Kept, says_what_is_wrong_with_another_text) {
  for (const char* text :
       {"", "[]", "{}", R"({"store": "", "known": [], "unshared": [{}]})",
        R"({"store": "", "known": [1], "unshared": []})",
        R"({"store": "", "known": [{"key": "x", "revision": 1}], "unshared": []})",
        R"({"store": "", "known": [], "unshared": [{"id": "a", "fields": [{"over": 1}]}]})",
        R"({"store": "", "known": [], "unshared": [{"id": "a", "fields": []}]})"})
    EXPECT_FALSE(read_kept(text)) << text;
}

}  // namespace
}  // namespace steelyard::cluster
