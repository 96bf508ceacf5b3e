#include "apacheconf/lines.hpp"

#include <gtest/gtest.h>

namespace steelyard::apacheconf {
namespace {

std::vector<std::pair<std::uint32_t, std::string>> lines_of(std::string_view text) {
  std::vector<std::pair<std::uint32_t, std::string>> all;
  LineReader reader(text);
  while (std::optional<Line> line = reader.next()) all.emplace_back(line->number, line->text);
  return all;
}

using Lines = std::vector<std::pair<std::uint32_t, std::string>>;

TEST(LineReader, joins_before_it_looks_for_comments) {
  EXPECT_EQ(lines_of("# text \\\nListen 80\nUser x\n"), (Lines{{3, "User x"}}));
}

TEST(LineReader, numbers_a_joined_line_by_its_last_physical_line) {
  EXPECT_EQ(lines_of("\nServerName \\\n  a\\\nb\nX\n"), (Lines{{4, "ServerName   ab"}, {5, "X"}}));
}

TEST(LineReader, joins_across_carriage_returns) {
  EXPECT_EQ(lines_of("a \\\r\nb\r\n"), (Lines{{2, "a b"}}));
}

TEST(LineReader, keeps_a_backslash_that_ends_the_file) {
  EXPECT_EQ(lines_of("a\\"), (Lines{{1, "a\\"}}));
}

TEST(LineReader, strips_blanks_and_skips_comments_and_empty_lines) {
  EXPECT_EQ(lines_of(" \t a b \v\r\n\n  # no\n#\nc # d"), (Lines{{1, "a b"}, {5, "c # d"}}));
}

TEST(LineReader, ends_a_line_at_a_nul) {
  EXPECT_EQ(lines_of(std::string_view("a\0b\\\nc\n", 7)), (Lines{{1, "a"}, {2, "c"}}));
}

TEST(LineReader, tells_of_a_line_that_is_too_long) {
  const std::string text(line_bytes_max + 1, 'x');
  LineReader reader(text);
  EXPECT_TRUE(reader.next()->too_long);
}

}  // namespace
}  // namespace steelyard::apacheconf
