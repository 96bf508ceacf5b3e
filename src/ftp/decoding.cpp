#include "ftp/decoding.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::ftp {

namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::string decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool may_be_escape = text[i] == '%' && text.size() - i > 2;
    const int high = may_be_escape ? hex_value(text[i + 1]) : -1;
    const int low = may_be_escape ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

bool is_one_argument(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return c >= ' ' && c < 0x7f; });
}

}  // namespace steelyard::ftp
