#include "http/basic_credentials.hpp"

#include <gtest/gtest.h>

namespace steelyard::http {
namespace {

std::string read(std::string_view value) {
  const auto read = read_basic_credentials(value);
  return read ? read->user + "|" + read->password : "none";
}

TEST(BasicCredentials, are_read_as_httpd_reads_them) {
  EXPECT_EQ(read("Basic Ym9iOmJvYnB3"), "bob|bobpw");
  EXPECT_EQ(read("bAsIc  \t Ym9iOmJvYnB3"), "bob|bobpw");
  EXPECT_EQ(read("Basic Ym9iOmE6Yg=="), "bob|a:b");
  EXPECT_EQ(read("Basic Ym9i"), "bob|");
  EXPECT_EQ(read("Basic OnB3"), "|pw");
  EXPECT_EQ(read("Basic"), "|");
  EXPECT_EQ(read("Basic !!!"), "|");
  EXPECT_EQ(read("Basic Ym9iOmJvYnB3!Ym9i"), "bob|bobpw");
  EXPECT_EQ(read("Basic Ym9iOmJvYgBwdw=="), "bob|bob");  // a null byte
  EXPECT_EQ(read("Digest Ym9iOmJvYnB3"), "none");
  EXPECT_EQ(read("Basically Ym9iOmJvYnB3"), "none");
  EXPECT_EQ(read("Basic\tYm9iOmJvYnB3"), "none");
  EXPECT_EQ(read(""), "none");
}

TEST(BasicCredentials, are_written_so_that_they_are_read_back) {
  EXPECT_EQ(write_basic_credentials("bob", "bobpw"), "Basic Ym9iOmJvYnB3");
  EXPECT_EQ(read(write_basic_credentials("j\xc3\xbcrgen", "a:b")), "j\xc3\xbcrgen|a:b");
}

}  // namespace
}  // namespace steelyard::http
