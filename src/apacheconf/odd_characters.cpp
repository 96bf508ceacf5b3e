#include "apacheconf/odd_characters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
// Of UTF-16, in either order of bytes.
constexpr std::string_view wide_mark = "\xff\xfe", swapped_wide_mark = "\xfe\xff";
constexpr std::string_view no_break_space = "\xc2\xa0";
constexpr std::string_view dos_end = "\x1a";
constexpr std::array<std::string_view, 4> curly_quotes{"\xe2\x80\x9c", "\xe2\x80\x9d",
                                                       "\xe2\x80\x98", "\xe2\x80\x99"};
// Zero-width spaces and joiners, marks of writing direction, narrow no-break space.
constexpr std::array<std::string_view, 6> unseen{"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d",
                                                 "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaf"};

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n') || c == '\x7f';
}

bool has(std::string_view text, std::string_view piece) {
  return text.find(piece) != std::string_view::npos;
}

template <std::size_t count>
bool has_one_of(std::string_view text, const std::array<std::string_view, count>& pieces) {
  return std::ranges::any_of(pieces, [&](std::string_view piece) { return has(text, piece); });
}

// How many bytes at the begin of the text show nothing.
std::size_t hidden_bytes(std::string_view text) {
  if (is_control(text.front())) return 1;
  if (text.starts_with(byte_order_mark)) return byte_order_mark.size();
  if (text.starts_with(no_break_space)) return no_break_space.size();
  if (text.starts_with(wide_mark) || text.starts_with(swapped_wide_mark)) return 2;
  for (const std::string_view piece : unseen) {
    if (text.starts_with(piece)) return piece.size();
  }
  return 0;
}

}  // namespace

std::string odd_characters(std::string_view text) {
  if (has(text, byte_order_mark)) {
    return "A byte order mark (\\xef\\xbb\\xbf), which editors do not show, stands before it: save "
           "the file as UTF-8 without BOM.";
  }
  if (text.starts_with(wide_mark) || text.starts_with(swapped_wide_mark)) {
    return "The file is UTF-16: save it as UTF-8.";
  }
  if (has(text, no_break_space)) {
    return "A no-break space (\\xc2\\xa0), which looks like a blank, stands in it: type the blank "
           "anew.";
  }
  if (has_one_of(text, curly_quotes)) {
    return "Curly quotes do not quote: write \" or '.";
  }
  if (has(text, dos_end)) {
    return "The character Ctrl-Z (\\x1a), which ended texts under DOS, stands in it: delete it.";
  }
  const bool is_odd = has_one_of(text, unseen) || std::ranges::any_of(text, is_control);
  return is_odd ? "A character that is not shown stands in it: type the line anew." : std::string();
}

std::string with_odd_characters_shown(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t hidden = hidden_bytes(text);
    for (const char c : text.substr(0, hidden)) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    if (hidden == 0) shown += text.front();
    text.remove_prefix(std::max<std::size_t>(hidden, 1));
  }
  return shown;
}

}  // namespace steelyard::apacheconf
