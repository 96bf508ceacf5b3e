#include "ajp/reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ajp/packet.hpp"

namespace steelyard::ajp {
namespace {

using namespace std::string_literals;

std::string number(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}
std::string text(std::string_view value) {
  return number(value.size()) + std::string(value) + '\0';
}
std::string packet(std::string_view payload) {
  return "AB" + number(payload.size()) + std::string(payload);
}
std::string headers(const std::string& fields, int count, int status = 200,
                    const std::string& reason = text("OK")) {
  return "\x04" + number(static_cast<std::size_t>(status)) + reason +
         number(static_cast<std::size_t>(count)) + fields;
}

// Memory of exactly the size, so that a sanitizer sees a look beyond.
struct Tight {
  explicit Tight(std::string_view text) : bytes(text.begin(), text.end()) {}
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::vector<char> bytes;
};

std::optional<ReplyFault> fault_of_headers(const std::string& payload) {
  const Tight bytes(packet(payload));
  const auto found = next_packet(bytes.view(), packet_bytes_min);
  EXPECT_TRUE(found && *found);
  http::ResponseHead head;
  const auto read = read_headers(**found, head);
  return read ? std::nullopt : std::optional(read.error());
}

// What the log tells of an answer that no client can be told.
std::string words_about(const std::string& payload) {
  const Tight bytes(packet(payload));
  const auto found = next_packet(bytes.view(), packet_bytes_min);
  http::ResponseHead head;
  Culprit culprit;
  const auto read = read_headers(found.value().value(), head, &culprit);
  return read ? "" : describe(read.error(), culprit);
}

TEST(AjpReply, what_cannot_be_passed_on_is_named) {
  using namespace std::string_literals;
  EXPECT_EQ(words_about("\x04\0\xc8\0\2OK\0\0\1\0\3X-A\0\0\3a\1b\0"s),
            "a field's value has a control character: 'X-A'");
  EXPECT_EQ(words_about("\x04\0\xc8\0\2OK\0\0\1\0\3X A\0\0\1b\0"s),
            "a field's name is none: 'X A'");
  EXPECT_EQ(words_about("\x04\0\x63\0\2OK\0\0\0"s), "a status that no answer has: 99");
  EXPECT_EQ(words_about("\x04\0\xc8\0\2OK\0\0\0more"s), describe(ReplyFault::bad_length));
}

TEST(AjpReply, a_packet_is_told_once_it_is_whole) {
  const std::string whole = packet("\x05\x01") + "AB";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const Tight bytes(std::string_view(whole).substr(0, size));
    const auto found = next_packet(bytes.view(), packet_bytes_min);
    ASSERT_TRUE(found) << size;
    ASSERT_EQ(found->has_value(), size >= 6) << size;
    if (!*found) continue;
    EXPECT_EQ((*found)->kind, ReplyKind::end);
    EXPECT_EQ((*found)->bytes, 6);
    EXPECT_EQ(read_end(**found), true);
  }
}

TEST(AjpReply, a_fault_shows_with_its_first_byte) {
  const auto fault = [](std::string_view bytes, std::size_t most = packet_bytes_min) {
    const Tight tight(bytes);
    const auto found = next_packet(tight.view(), most);
    return found ? std::nullopt : std::optional(found.error());
  };
  EXPECT_EQ(fault("H"), ReplyFault::bad_magic);
  EXPECT_EQ(fault("A\x42"), std::nullopt);
  EXPECT_EQ(fault("AA"), ReplyFault::bad_magic);
  EXPECT_EQ(fault("\x12\x34"), ReplyFault::bad_magic);
  EXPECT_EQ(fault("AB\0\0"s), ReplyFault::bad_length);
  EXPECT_EQ(fault("AB\x1f\xfc"), std::nullopt);
  EXPECT_EQ(fault("AB\x1f\xfd"), ReplyFault::too_large);
  EXPECT_EQ(fault("AB\xff\xff"s, packet_bytes_max), ReplyFault::too_large);
  EXPECT_EQ(fault("AB\xff\xfc"s, packet_bytes_max), std::nullopt);
  for (const int kind : {0, 1, 2, 7, 8, 10, 255})
    EXPECT_EQ(fault("AB\0\x05"s + static_cast<char>(kind)), ReplyFault::unknown_kind) << kind;
}

TEST(AjpReply, fields_come_by_number_and_by_name) {
  const std::string fields = "\xa0\x01" + text("text/plain") + text("X-A") + text(" 1 ") +
                             "\xa0\x07" + text("a=1") + "\xa0\x07" + text("b=2") + text("X-Empty") +
                             text("");
  const Tight bytes(packet(headers(fields, 5, 404, text("Not Here"))));
  const auto found = next_packet(bytes.view(), packet_bytes_min);
  http::ResponseHead head;
  ASSERT_TRUE(read_headers(**found, head));
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not Here");
  std::vector<std::string> seen;
  for (const auto& field : head.fields)
    seen.push_back(std::string(field.name) + ": " + std::string(field.value));
  EXPECT_THAT(seen, testing::ElementsAre("Content-Type: text/plain", "X-A: 1", "Set-Cookie: a=1",
                                         "Set-Cookie: b=2", "X-Empty: "));
}

TEST(AjpReply, a_reason_that_is_none_gives_way_to_the_usual_one) {
  for (const std::string& reason : {"\xff\xff"s, text("O\r\nX: 1")}) {
    const Tight bytes(packet(headers("", 0, 503, reason)));
    const auto found = next_packet(bytes.view(), packet_bytes_min);
    http::ResponseHead head;
    ASSERT_TRUE(read_headers(**found, head));
    EXPECT_EQ(head.reason, "Service Unavailable");
  }
}

TEST(AjpReply, headers_with_a_fault_are_refused) {
  EXPECT_EQ(fault_of_headers("\x04"), ReplyFault::bad_length);
  EXPECT_EQ(fault_of_headers("\x04\0"s), ReplyFault::bad_length);
  EXPECT_EQ(fault_of_headers("\x04\0\xc8"s), ReplyFault::bad_string);
  EXPECT_EQ(fault_of_headers("\x04\0\xc8\0\2OK"s), ReplyFault::bad_string);  // no NUL
  EXPECT_EQ(fault_of_headers("\x04\0\xc8\0\2OKx\0\0"s), ReplyFault::bad_string);
  EXPECT_EQ(fault_of_headers("\x04\0\xc8\xff\xfeOK\0\0\0"s), ReplyFault::bad_string);
  EXPECT_EQ(fault_of_headers("\x04\0\xc8\0\2OK\0"s), ReplyFault::bad_length);
  EXPECT_EQ(fault_of_headers(headers("", 1)), ReplyFault::bad_length);
  EXPECT_EQ(fault_of_headers(headers("", 1001)), ReplyFault::too_many_fields);
  EXPECT_EQ(fault_of_headers(headers("\xa0\x01", 1)), ReplyFault::bad_string);
  EXPECT_EQ(fault_of_headers(headers("\xa0\x0c" + text("a"), 1)), ReplyFault::bad_field_code);
  EXPECT_EQ(fault_of_headers(headers("\xa0\0"s + text("a"), 1)), ReplyFault::bad_field_code);
  EXPECT_EQ(fault_of_headers(headers("\xff\xff" + text("a"), 1)), ReplyFault::bad_string);
  EXPECT_EQ(fault_of_headers(headers("\xa0\x01\xff\xff", 1)), ReplyFault::bad_string);
  EXPECT_EQ(fault_of_headers(headers(text("") + text("a"), 1)), ReplyFault::bad_field_name);
  EXPECT_EQ(fault_of_headers(headers(text("X\r\nY") + text("a"), 1)), ReplyFault::bad_field_name);
  EXPECT_EQ(fault_of_headers(headers(text("X:") + text("a"), 1)), ReplyFault::bad_field_name);
  for (const std::string& value : {"a\r\nX: 1"s, "a\rb"s, "a\0b"s, "a\x7f"s})
    EXPECT_EQ(fault_of_headers(headers(text("X") + text(value), 1)), ReplyFault::bad_field_value);
  EXPECT_EQ(fault_of_headers(headers(text("X") + text("a"), 1) + "b"), ReplyFault::bad_length);
  for (const int status : {0, 99, 100, 103, 199, 1000, 65535})
    EXPECT_EQ(fault_of_headers(headers("", 0, status)), ReplyFault::bad_status) << status;
}

TEST(AjpReply, what_cannot_be_passed_on_is_told_from_what_cannot_be_read) {
  const std::string unfit = text("X Y") + text("a");
  EXPECT_TRUE(is_unfit(*fault_of_headers(headers(unfit, 1))));
  EXPECT_TRUE(is_unfit(*fault_of_headers(headers(text("X") + text("a\1b"), 1))));
  EXPECT_TRUE(is_unfit(*fault_of_headers(headers("", 0, 50))));
  EXPECT_FALSE(is_unfit(*fault_of_headers(headers(unfit, 1) + "b")));
  EXPECT_FALSE(is_unfit(*fault_of_headers(headers(unfit, 2))));
  EXPECT_FALSE(is_unfit(*fault_of_headers(headers("\xa0\x0c" + text("a"), 1))));
}

TEST(AjpReply, every_shorter_headers_packet_is_refused) {
  const std::string whole = headers("\xa0\x01" + text("text/plain") + text("X-A") + text("1"), 2);
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_NE(fault_of_headers(whole.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(fault_of_headers(whole), std::nullopt);
}

TEST(AjpReply, a_chunk_is_as_long_as_its_packet_says) {
  const auto chunk = [](const std::string& payload) {
    const std::string bytes = packet(payload);
    const auto found = next_packet(bytes, packet_bytes_min);
    const auto data = read_body_chunk(**found);
    return data ? std::string(*data) : "fault";
  };
  EXPECT_EQ(chunk("\x03\0\5hello\0"s), "hello");
  EXPECT_EQ(chunk("\x03\0\0\0"s), "");
  EXPECT_EQ(chunk("\x03\0\5hello"s), "fault");
  EXPECT_EQ(chunk("\x03\0\5hell\0"s), "fault");
  EXPECT_EQ(chunk("\x03\0\4hello\0"s), "fault");
  EXPECT_EQ(chunk("\x03\xff\xffhello\0"s), "fault");
  EXPECT_EQ(chunk("\x03\0\0"s), "fault");
  EXPECT_EQ(chunk("\x03\0"s), "fault");
  EXPECT_EQ(chunk("\x03"), "fault");
}

TEST(AjpReply, the_small_packets_have_one_length) {
  const auto of = [](std::string_view payload) {
    return Packet{.kind = ReplyKind::end, .payload = payload, .bytes = 0};
  };
  EXPECT_EQ(read_end(of("\0"s)), false);
  EXPECT_FALSE(read_end(of("")));
  EXPECT_FALSE(read_end(of("\1\1")));
  EXPECT_EQ(read_want(of("\x1f\xfa")), 0x1ffa);
  EXPECT_FALSE(read_want(of("\1")));
  EXPECT_FALSE(read_want(of("\1\1\1")));
  EXPECT_TRUE(read_pong(of("")));
  EXPECT_FALSE(read_pong(of("\1")));
  EXPECT_EQ(next_packet(pong_packet, packet_bytes_min).value()->kind, ReplyKind::pong);
}

}  // namespace
}  // namespace steelyard::ajp
