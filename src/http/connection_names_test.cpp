#include "http/connection_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

TEST(ConnectionNames, names_of_all_rows_are_found_in_any_case) {
  FieldList fields;
  fields.add("Connection", "close, X-One;x-two");
  fields.add("connection", "Zebra,, a");
  const ConnectionNames names(fields);
  for (const char* name : {"x-one", "X-TWO", "zebra", "A"})
    EXPECT_TRUE(names.contains(name)) << name;
  for (const char* name : {"close", "x", "x-on", "x-one2", ""})
    EXPECT_FALSE(names.contains(name)) << name;
}

TEST(ConnectionNames, an_ordinary_connection_names_nothing) {
  for (const char* value :
       {"close", "Keep-Alive", "keep-alive, Upgrade", "Connection", "", " , "}) {
    FieldList fields;
    fields.add("Connection", value);
    EXPECT_TRUE(ConnectionNames(fields).empty()) << value;
  }
  EXPECT_TRUE(ConnectionNames(FieldList()).empty());
}

}  // namespace
}  // namespace steelyard::http
