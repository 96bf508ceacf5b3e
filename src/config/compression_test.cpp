#include "config/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steelyard::config {
namespace {

using testing::ElementsAre;

TEST(Compression, types_end_where_parameters_begin) {
  Compression compression;
  compression.types = {"text/html", "text/css"};
  for (const char* type : {"text/html", "text/css;charset=x", "text/html ; charset=x"})
    EXPECT_TRUE(compression.names_type(type)) << type;
  for (const char* type : {"", "text/htmlx", "text", "TEXT/HTML", "text/plain"})
    EXPECT_FALSE(compression.names_type(type)) << type;
}

TEST(Compression, endings_are_what_follows_dots_of_the_last_part) {
  Compression compression;
  compression.endings = {{"js", true}, {"css", false}};
  for (const char* path : {"/a.js", "/a.js.map", "/b.c/a.JS", "a.x.js", "/a..js"})
    EXPECT_TRUE(compression.names_ending(path)) << path;
  for (const char* path : {"", "/", "/js", "/.js", "/..js", "/a.js/b", "/a.css", "/a.jsx", "/a."})
    EXPECT_FALSE(compression.names_ending(path)) << path;
}

TEST(Compression, what_is_said_inside_counts) {
  Compression outer;
  outer.all = true;
  outer.types = {"a"};
  outer.endings = {{"js", true}, {"css", true}};
  Compression inner;
  EXPECT_TRUE(merge(outer, inner).all.value());
  EXPECT_THAT(merge(outer, inner).types, ElementsAre("a"));
  inner.all = false;
  inner.types = {"b"};
  inner.endings = {{"js", false}};
  const Compression merged = merge(outer, inner);
  EXPECT_FALSE(merged.all.value());
  EXPECT_THAT(merged.types, ElementsAre("b"));
  EXPECT_THAT(merged.endings, ElementsAre(testing::Pair("css", true), testing::Pair("js", false)));
}

}  // namespace
}  // namespace steelyard::config
