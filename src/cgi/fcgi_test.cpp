#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cgi/fcgi_reader.hpp"
#include "cgi/fcgi_record.hpp"
#include "http/wire_test.hpp"

namespace steelyard::cgi {
namespace {

using namespace std::string_literals;
using Kind = FcgiReader::Kind;

std::string record(int type, std::string_view content, std::size_t padding = 0, int id = 1,
                   int version = 1) {
  std::string text;
  for (const std::size_t byte : {static_cast<std::size_t>(version), static_cast<std::size_t>(type),
                                 static_cast<std::size_t>(id >> 8), static_cast<std::size_t>(id),
                                 content.size() >> 8, content.size(), padding, std::size_t{0}}) {
    text.push_back(static_cast<char>(byte));
  }
  return text + std::string(content) + std::string(padding, 'p');
}
std::string end(int status = 0, int exit_status = 0) {
  return record(3, std::string(3, '\0') + static_cast<char>(exit_status) +
                       static_cast<char>(status) + std::string(3, '\0'));
}

TEST(FcgiRecord, a_request_begins_with_its_role_and_whether_the_connection_is_kept) {
  std::string out;
  ASSERT_TRUE(append_fcgi_head(out, {}, Keep::keep));
  EXPECT_EQ(out, "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\0\0\0"s);
  out.clear();
  append_fcgi_head(out, {}, Keep::close);
  EXPECT_EQ(out.substr(8, 3), "\0\1\0"s);
}

TEST(FcgiRecord, lengths_above_127_take_four_bytes) {
  expr::Environment variables;
  const std::string value(128, 'v');
  variables.set("A", "b");
  variables.set("LONG", value);
  std::string out;
  ASSERT_TRUE(append_fcgi_head(out, variables, Keep::close));
  EXPECT_EQ(out.substr(16, 8), "\1\4\0\1\0\215\0\0"s);
  EXPECT_EQ(out.substr(24), "\1\1Ab\4\200\0\0\200LONG"s + value + "\1\4\0\1\0\0\0\0"s);
}

TEST(FcgiRecord, no_pair_is_split_and_every_record_has_zero_padding) {
  expr::Environment variables;
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) names.push_back("X" + std::to_string(i));
  const std::string value(8000, 'v');
  for (const std::string& name : names) variables.set(name, value);
  const std::string huge(40000, 'h');
  variables.set("HUGE", huge);
  std::string out;
  ASSERT_TRUE(append_fcgi_head(out, variables, Keep::close));
  std::size_t at = 16;
  std::vector<std::size_t> sizes;
  while (at < out.size()) {
    const std::size_t bytes = static_cast<unsigned char>(out[at + 4]) * std::size_t{256} +
                              static_cast<unsigned char>(out[at + 5]);
    EXPECT_EQ(out[at + 6], 0);
    sizes.push_back(bytes);
    at += 8 + bytes;
  }
  EXPECT_EQ(at, out.size());
  // Two of 8007 or 8008 bytes go together, the huge one alone.
  EXPECT_EQ(sizes, (std::vector<std::size_t>{16014, 16014, 16014, 16014, 16014, 16016, 40009, 0}));
}

TEST(FcgiRecord, a_variable_that_fits_no_record_is_refused) {
  expr::Environment variables;
  const std::string value(65535, 'v');
  variables.set("A", value);
  std::string out = "before";
  EXPECT_FALSE(append_fcgi_head(out, variables, Keep::close));
  EXPECT_EQ(out, "before");
}

TEST(FcgiRecord, a_header_says_type_and_size) {
  const FcgiHeader header = fcgi_header(RecordType::std_in, 0x1234);
  EXPECT_EQ(std::string(header.data(), header.size()), "\1\5\0\1\x12\x34\0\0"s);
}

// What came in: "out text|error text|end", or the fault.
std::string heard(const std::string& text, const http::Arrival& arrival) {
  FcgiReader reader;
  std::string out, error, last;
  std::size_t begin = 0;
  for (const std::size_t size : arrival) {
    std::string_view input = std::string_view(text).substr(begin, size - begin);
    while (true) {
      const FcgiReader::Piece piece = reader.next(input);
      if (piece.kind == Kind::need_more) break;
      if (piece.kind == Kind::out) out += piece.data;
      if (piece.kind == Kind::error) error += piece.data;
      if (piece.kind == Kind::ended) {
        last = "ended " + std::to_string(static_cast<int>(reader.status())) + " " +
               std::to_string(reader.exit_status());
      }
      if (piece.kind == Kind::fault) last = describe(reader.fault());
      if (!last.empty()) {
        const std::size_t left = text.size() - size + input.size();
        return out + "|" + error + "|" + last + (left != 0 && last[0] == 'e' ? " left" : "");
      }
    }
    EXPECT_TRUE(input.empty());
    begin = size;
  }
  return out + "|" + error + "|open";
}

struct Heard {
  std::string text, meaning;
};

TEST(FcgiReader, every_arrival_of_an_answer_means_the_same) {
  const Heard cases[] = {
      {record(6, "hello") + record(6, "") + end(), "hello||ended 0 0"},
      {record(6, "hel", 7) + record(7, "oops", 255) + record(6, "lo", 1) + end(0, 9),
       "hello|oops|ended 0 9"},
      {record(7, "") + record(6, "a") + end(2), "a||ended 2 0"},
      {end(), "||ended 0 0"},
      {record(6, "a") + end() + "x", "a||ended 0 0 left"},
      {record(6, "a") + record(6, "b").substr(0, 8), "a||open"},
      {record(6, "a", 0, 2), "||a FastCGI record for another request"},
      {record(6, "a", 0, 0), "||a FastCGI record for another request"},
      {record(6, "a", 0, 257), "||a FastCGI record for another request"},
      {record(6, "a", 0, 1, 2), "||a FastCGI record of another version"},
      {record(5, "a"), "||a FastCGI record of a type that applications do not send"},
      {record(11, "12345678"), "||a FastCGI record of a type that applications do not send"},
      {record(255, "a"), "||a FastCGI record of a type that applications do not send"},
      {record(6, "a") + record(3, "1234567"), "a||a FastCGI end of request of another size"},
      {record(3, "123456789"), "||a FastCGI end of request of another size"},
      {end(4), "||an unknown FastCGI protocol status"},
      {record(6, "a") + record(6, "") + record(6, "b"),
       "a||a FastCGI stream goes on behind its end"},
      {record(7, "") + record(7, ""), "||a FastCGI stream goes on behind its end"},
  };
  for (const Heard& one : cases) {
    for (const http::Arrival& arrival : http::arrivals(one.text.size())) {
      EXPECT_EQ(heard(one.text, arrival), one.meaning);
    }
  }
}

TEST(FcgiReader, the_largest_record_comes_as_it_lies) {
  const std::string content(65535, 'c');
  const std::string text = record(6, content, 255) + end();
  std::string_view input = text;
  FcgiReader reader;
  const FcgiReader::Piece piece = reader.next(input);
  EXPECT_EQ(piece.data.size(), content.size());
  EXPECT_EQ(piece.data.data(), text.data() + 8);
  EXPECT_EQ(reader.next(input).kind, Kind::ended);
  EXPECT_TRUE(input.empty());
}

TEST(FcgiReader, nothing_is_taken_behind_a_fault_and_reset_begins_anew) {
  FcgiReader reader;
  const std::string bad = record(6, "a", 0, 1, 9);
  std::string_view input = bad;
  EXPECT_EQ(reader.next(input).kind, Kind::fault);
  EXPECT_EQ(reader.next(input).kind, Kind::fault);
  reader.reset();
  const std::string good = record(6, "a");
  input = good;
  EXPECT_EQ(reader.next(input).data, "a");
}

}  // namespace
}  // namespace steelyard::cgi
