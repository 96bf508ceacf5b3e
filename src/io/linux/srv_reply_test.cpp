#include "io/linux/srv_reply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::io {
namespace {

std::string number(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 255)};
}

// Two records for "a" with one question; each name by a pointer to the question's.
std::string message() {
  const std::string question = std::string("\1a\0", 3) + number(33) + number(1);
  const auto record = [](unsigned ttl, const std::string& target) {
    const std::string data = number(1) + number(2) + number(80) + target;
    return std::string("\xc0\x0c", 2) + number(33) + number(1) + number(0) + number(ttl) +
           number(static_cast<unsigned>(data.size())) + data;
  };
  return number(7) + number(0x8180) + number(1) + number(2) + number(0) + number(0) + question +
         record(60, std::string("\1b\xc0\x0c", 4)) + record(30, std::string("\0", 1));
}

std::optional<NameReply> read(const std::string& bytes) {
  return read_srv_reply({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

TEST(SrvReply, says_where_services_are_and_for_how_long) {
  const auto reply = read(message());
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->services.size(), 1U);  // "." is no place
  EXPECT_EQ(reply->services[0].target, "b.a");
  EXPECT_EQ(reply->services[0].priority, 1);
  EXPECT_EQ(reply->services[0].weight, 2);
  EXPECT_EQ(reply->services[0].port, 80);
  EXPECT_EQ(reply->ttl, std::chrono::seconds(30));
}

TEST(SrvReply, cut_anywhere_it_is_no_answer) {
  const std::string whole = message();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(read(whole.substr(0, size)));
}

TEST(SrvReply, any_byte_may_be_any_other) {
  for (std::size_t at = 0; at < message().size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = message();
      bytes[at] = static_cast<char>(value);
      const auto reply = read(bytes);
      if (reply) EXPECT_LE(reply->services.size(), 2U);
    }
  }
}

}  // namespace
}  // namespace steelyard::io
