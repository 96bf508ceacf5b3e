#include "http/chunked.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/arena.hpp"
#include "http/wire_test.hpp"

namespace steelyard::http {
namespace {

using namespace std::string_literals;
using Code = ChunkFaultCode;

// The body, how much was consumed, the trailers; or the fault. Pieces are fed as they arrive.
std::string read_in(const std::string& text, const Arrival& arrival) {
  ChunkedReader reader;
  FieldList trailers;
  Arena arena;
  reader.collect_trailers(trailers, arena);
  std::string body;
  std::size_t at = 0;
  for (const std::size_t size : arrival) {
    const std::vector<char> piece(text.begin() + static_cast<std::ptrdiff_t>(at),
                                  text.begin() + static_cast<std::ptrdiff_t>(size));
    std::string_view rest(piece.data(), piece.size());
    while (!rest.empty() && !reader.finished()) {
      const auto step = reader.next(rest);
      if (!step) return std::string(describe(step.error().code));
      body += step->data;
      at += step->consumed;
      rest.remove_prefix(step->consumed);
    }
  }
  if (!reader.finished()) return "incomplete " + body;
  std::string result = body + " #" + std::to_string(at);
  for (const Field& field : trailers) {
    result += "|" + std::string(field.name) + ":" + std::string(field.value);
  }
  return result;
}

void expect_everywhere(const std::string& text, const std::string& wanted) {
  for (const Arrival& arrival : arrivals(text.size())) {
    ASSERT_EQ(read_in(text, arrival), wanted)
        << testing::PrintToString(text.substr(0, 200)) << " first " << arrival.front();
  }
}

struct Accepted {
  std::string text;
  std::string body;
  std::string trailers = "";
};

const Accepted accepted[] = {
    {"0\r\n\r\n", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
    {"00a\r\n0123456789\r\n000\r\n\r\n", "0123456789"},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"},
    {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
    {"5;x\r\nhello\r\n0;y=z\r\n\r\n", "hello"},
    {"5 ;x = \"a;b\\\"c\"\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5 \t\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5;\xc3\xa4\r\nhello\r\n0\r\n\r\n", "hello"},
    {"1\r\na\r\n0\r\nA: b\r\nX-C:\r\n\r\n", "a", "|A:b|X-C:"},
};

TEST(ChunkedReader, accepts_however_the_bytes_arrive) {
  for (const Accepted& wanted : accepted) {
    const std::string end = " #" + std::to_string(wanted.text.size()) + wanted.trailers;
    expect_everywhere(wanted.text, wanted.body + end);
    const std::string pipelined = wanted.text + "GET / HTTP/1.1\r\n";
    EXPECT_EQ(read_in(pipelined, {pipelined.size()}), wanted.body + end);
  }
}

TEST(ChunkedReader, every_proper_prefix_is_incomplete) {
  for (const Accepted& wanted : accepted) {
    for (std::size_t size = 1; size < wanted.text.size(); ++size) {
      ASSERT_TRUE(read_in(wanted.text, {size}).starts_with("incomplete")) << wanted.text;
    }
  }
}

struct Refused {
  std::string text;
  Code code;
};

// A table. Numbers are rows of the list of known attacks on proxies.
const Refused refused[] = {
    {"\r\n", Code::bad_size},
    {" 5\r\nhello\r\n", Code::bad_size},
    {";x\r\n", Code::bad_size},
    {"x\r\n", Code::bad_size},
    {"+5\r\nhello\r\n", Code::bad_size},
    {"-1\r\n", Code::bad_size},
    {"0x5\r\nhello\r\n", Code::bad_size},
    {"5 5\r\nhello\r\n", Code::bad_size},
    {"5g\r\nhello\r\n", Code::bad_size},
    {"5 \x0b;x\r\nhello\r\n", Code::bad_size},  // 1
    {"5;\x0b\r\nhello\r\n", Code::bad_extension},
    {"5;x\0y\r\nhello\r\n"s, Code::bad_extension},
    {"ffffffffffffffff\r\n", Code::size_too_large},   // 119
    {"8000000000000000\r\n", Code::size_too_large},   // 119
    {"00000000000000005\r\n", Code::size_too_large},  // 119
    {"10000000000000000\r\n", Code::size_too_large},
    {"5\nhello\r\n0\r\n\r\n", Code::bad_line_end},   // 17
    {"5;\nhello\r\n0\r\n\r\n", Code::bad_line_end},  // 27, 34
    {"2;\nxx\r\n40\r\n", Code::bad_line_end},        // 34
    {"5\r\r\nhello\r\n", Code::bad_line_end},        // 23
    {"5;a\rb\r\nhello\r\n", Code::bad_line_end},
    {"5\r\nhello0\r\n\r\n", Code::data_not_ended},  // 21
    {"5\r\nhello\n0\r\n\r\n", Code::data_not_ended},
    {"5\r\nhello\r\r0\r\n", Code::data_not_ended},    // 34
    {"5\r\nhelloXX0\r\n\r\n", Code::data_not_ended},  // 30
    {"0\r\nX : y\r\n\r\n", Code::bad_trailer},        // 20
    {"0\r\nno colon\r\n\r\n", Code::bad_trailer},     // 20
    {"0\r\n: y\r\n\r\n", Code::bad_trailer},
    {"0\r\nA: b\r\n c\r\n\r\n", Code::bad_trailer},
    {"0\r\nA: b\x01\r\n\r\n", Code::bad_trailer},
    {"0\r\nA: b\n\r\n", Code::bad_line_end},
    {"0\r\nA: b\rc\r\n", Code::bad_line_end},
    {"0\r\n\n", Code::bad_line_end},
    {"0\r\n\rX", Code::bad_line_end},
    {"5;" + std::string(70000, 'x') + "\r\nhello\r\n", Code::extension_too_long},  // 28
    {"0\r\nA: " + std::string(9000, 'x') + "\r\n\r\n", Code::trailer_too_long},
};

TEST(ChunkedReader, refuses_however_the_bytes_arrive) {
  for (const Refused& wanted : refused) {
    expect_everywhere(wanted.text, std::string(describe(wanted.code)));
  }
}

TEST(ChunkedReader, extensions_of_a_whole_body_are_bounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "1;" + std::string(199, 'e') + "\r\nx\r\n";  // row 28
  text += "0\r\n\r\n";
  EXPECT_EQ(read_in(text, {text.size()}), describe(Code::extension_too_long));
}

TEST(ChunkedReader, trailers_are_counted) {
  std::string text = "0\r\n";
  for (std::size_t i = 0; i < trailer_fields_max; ++i) text += "A: b\r\n";
  EXPECT_TRUE(read_in(text + "\r\n", {text.size() + 2}).starts_with(" #"));
  text += "A: b\r\n\r\n";
  EXPECT_EQ(read_in(text, {text.size()}), describe(Code::too_many_trailers));
}

TEST(ChunkedReader, too_much_is_413_and_malformed_400) {
  EXPECT_EQ(ChunkFault{Code::size_too_large}.status(), 413);
  EXPECT_EQ(ChunkFault{Code::extension_too_long}.status(), 413);
  EXPECT_EQ(ChunkFault{Code::bad_size}.status(), 400);
  EXPECT_EQ(ChunkFault{Code::bad_line_end}.status(), 400);
}

TEST(ChunkedReader, data_may_pass_by_it) {
  ChunkedReader reader;
  ASSERT_TRUE(reader.next("a\r\n012"));
  EXPECT_EQ(reader.data_ahead(), 7u);
  reader.skip_data(4);
  EXPECT_EQ(reader.data_ahead(), 3u);
  reader.skip_data(3);
  EXPECT_EQ(reader.data_ahead(), 0u);
  const auto step = reader.next("\r\n0\r\n\r\nX");
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->finished);
  EXPECT_EQ(step->consumed, 7u);
}

TEST(ChunkedReader, data_are_views_of_the_input) {
  ChunkedReader reader;
  const std::string_view text = "3\r\nabc\r\n";
  const auto step = reader.next(text);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->data.data(), text.data() + 3);
  EXPECT_EQ(step->consumed, 6u);
}

TEST(ChunkHead, is_read_back) {
  std::array<char, chunk_head_bytes_max> room;
  EXPECT_EQ(write_chunk_head(room, 1), "1\r\n");
  EXPECT_EQ(write_chunk_head(room, 255), "ff\r\n");
  EXPECT_EQ(write_chunk_head(room, 0x7fffffffffffffff), "7fffffffffffffff\r\n");
  for (std::uint64_t size = 1; size < 5000; size = size * 3 + 1) {
    const std::string data(size, 'd');
    const std::string text =
        std::string(write_chunk_head(room, size)) + data + std::string(chunk_end) + "0\r\n\r\n";
    EXPECT_EQ(read_in(text, {text.size()}), data + " #" + std::to_string(text.size()));
  }
}

}  // namespace
}  // namespace steelyard::http
