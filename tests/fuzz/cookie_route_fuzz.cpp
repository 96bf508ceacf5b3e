// Fuzz target: finding the session of a request in its URL and cookies.
//
// Input lines: switches, cookie name, URL name, path, query, cookies. Whatever they hold, the
// result is views into them, and it agrees with a byte-wise search over the joined text.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "balance/session.hpp"
#include "base/check.hpp"
#include "fuzz.hpp"

namespace steelyard {

namespace {

using namespace balance;

struct Input {
  StickySpec sticky;
  SessionText text;
};

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : rest.size());
  return line;
}

Input read_input(std::string_view rest) {
  Input input;
  const std::string_view switches = take_line(rest);
  input.sticky.cut_at_semicolon = switches.contains(';');
  if (switches.contains('o')) input.sticky.separator.reset();
  if (switches.contains('!')) input.sticky.separator = '!';
  input.sticky.cookie_name = take_line(rest);
  input.sticky.url_name = take_line(rest);
  input.text.url_path = take_line(rest);
  input.text.query = take_line(rest);
  input.text.cookies = take_line(rest);
  return input;
}

std::optional<std::string> url_value(const Input& input) {
  std::string text(input.text.url_path);
  if (!input.text.query.empty()) text.append("?").append(input.text.query);
  const std::string& name = input.sticky.url_name;
  const auto delimits = [&](char c) {
    return c == '?' || c == '&' || (c == ';' && input.sticky.cut_at_semicolon);
  };
  for (std::size_t at = 0; at + name.size() < text.size(); ++at) {
    if (text.compare(at, name.size(), name) != 0) continue;
    at += name.size();
    if (text[at] != '=') continue;
    std::size_t begin = at + 1;
    while (begin < text.size() && delimits(text[begin])) ++begin;
    std::size_t end = begin;
    while (end < text.size() && !delimits(text[end])) ++end;
    if (begin == end) return std::nullopt;
    return text.substr(begin, end - begin);
  }
  return std::nullopt;
}

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::optional<std::string> cookie_value(const Input& input) {
  const std::string text(input.text.cookies);
  const std::string& name = input.sticky.cookie_name;
  for (std::size_t at = 0; at + name.size() <= text.size(); ++at) {
    if (text.compare(at, name.size(), name) != 0) continue;
    if (at > 0 && text[at - 1] != ';' && text[at - 1] != ',' && !is_blank(text[at - 1])) continue;
    at += name.size();
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at + 1 >= text.size()) return std::nullopt;
    if (text[at] != '=') {
      ++at;
      continue;
    }
    std::string value;
    for (++at; at < text.size() && text[at] != ';' && text[at] != ','; ++at) value += text[at];
    return value;
  }
  return std::nullopt;
}

bool lies_in(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check(const Input& input) {
  const Session session = find_session(input.sticky, input.text);
  const auto in_url = url_value(input);
  const auto expected = in_url ? in_url : cookie_value(input);
  if (!input.sticky.enabled() || !expected) {
    CHECK(!session.found && session.source == SessionSource::none && session.value.empty());
    return;
  }
  CHECK(session.value == *expected);
  CHECK(session.source == (in_url ? SessionSource::url : SessionSource::cookie));
  CHECK(lies_in(session.value, input.text.url_path) || lies_in(session.value, input.text.query) ||
        lies_in(session.value, input.text.cookies));
  CHECK(lies_in(session.tag, session.value));
  if (!input.sticky.separator) {
    CHECK(session.found && session.tag == session.value);
    return;
  }
  const std::size_t separator = expected->find(*input.sticky.separator);
  CHECK(session.found == (separator != std::string::npos));
  if (session.found) CHECK(session.tag == std::string_view(*expected).substr(separator + 1));
}

}  // namespace

// A '?' in a name could only match across the seam of path and query; nobody has such a name.
void fuzz_one(std::string_view input) {
  const Input read = read_input(input);
  if (!read.sticky.url_name.contains('?')) check(read);
}

}  // namespace steelyard
