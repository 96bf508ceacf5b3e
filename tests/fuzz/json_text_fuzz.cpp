// Input: any bytes. As a JSON string they are printable ASCII and well-formed UTF-8 between two
// quotes, every backslash begins an escape that there is, and what was plain is still there.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/json_text.hpp"
#include "fuzz.hpp"

namespace steelyard {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// One character; its code point, by decoding it.
std::size_t check_character(std::string_view text) {
  const unsigned first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  CHECK(first >= 0xc2 && first < 0xf8 && text.size() >= bytes);
  unsigned code = first & (0x7fU >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    CHECK((byte_at(text, i) & 0xc0U) == 0x80);
    code = code << 6U | (byte_at(text, i) & 0x3fU);
  }
  constexpr unsigned least[] = {0, 0, 0xa0, 0x800, 0x10000};
  CHECK(code >= least[bytes] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
  return bytes;
}

std::size_t check_escape(std::string_view text) {
  CHECK(text.size() >= 2);
  if (text[1] != 'u') {
    CHECK(std::string_view("\"\\nrt").find(text[1]) != std::string_view::npos);
    return 2;
  }
  CHECK(text.size() >= 6 && text.substr(2, 2) == "00");
  return 6;
}

std::size_t count_letters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return c >= 'G' && c <= 'Z'; }));
}

}  // namespace

void fuzz_one(std::string_view input) {
  std::string out;
  append_json_string(input, out);
  CHECK(out.size() >= 2 && out.front() == '"' && out.back() == '"');
  std::string_view rest = std::string_view(out).substr(1, out.size() - 2);
  CHECK(count_letters(rest) == count_letters(input));
  while (!rest.empty()) {
    CHECK(rest[0] != '"' && byte_at(rest, 0) >= 0x20 && byte_at(rest, 0) != 0x7f);
    rest.remove_prefix(rest[0] == '\\' ? check_escape(rest) : check_character(rest));
  }
}

}  // namespace steelyard
