#include "base/text.hpp"

#include <algorithm>
#include <limits>

namespace steelyard {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && starts_with_ignoring_case(a, b);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i)
    if (ascii_lower(text[i]) != ascii_lower(prefix[i])) return false;
  return true;
}

std::size_t find_ignoring_case(std::string_view text, std::string_view wanted) {
  if (wanted.size() > text.size()) return std::string_view::npos;
  for (std::size_t i = 0; i <= text.size() - wanted.size(); ++i)
    if (starts_with_ignoring_case(text.substr(i), wanted)) return i;
  return std::string_view::npos;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), ascii_lower);
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), ascii_upper);
  return upper;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      result += '?';
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && is_space(text[at])) ++at;
    if (at == text.size()) return words;
    const std::size_t begin = at;
    while (at < text.size() && !is_space(text[at])) ++at;
    words.push_back(text.substr(begin, at - begin));
  }
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::int64_t parse_lax(std::string_view text) {
  text = trim(text);
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t limit = negative ? most + 1 : most;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) break;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (limit - digit) / 10 ? limit : value * 10 + digit;
  }
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

bool has_wildcards(std::string_view pattern) {
  bool open = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '*' || c == '?' || (c == ']' && open)) return true;
    if (c == '[') open = true;
    if (c == '\\') ++i;
  }
  return false;
}

namespace {

// Matches one `[...]` class at the front of `pattern`; tells how long the class text is.
struct ClassMatch {
  bool matched = false;
  std::size_t length = 0;  // 0: not a well-formed class, '[' is an ordinary character
};

// How characters are compared, as apr_fnmatch does it.
struct GlobRules {
  bool slash_is_special = false;
  bool ignore_case = false;
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_between(char low, char c, char high, bool ignore_case) {
  if (low <= c && c <= high) return true;
  if (!ignore_case || !(is_upper(low) || is_upper(c) || is_upper(high))) return false;
  const auto rank = [](char letter) { return static_cast<unsigned char>(ascii_lower(letter)); };
  return rank(low) <= rank(c) && rank(c) <= rank(high);
}

// A backslash makes the next character ordinary; a slash that is special ends no class.
ClassMatch match_class(std::string_view pattern, char c, GlobRules rules) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  const auto is_cut = [&] {
    return at >= pattern.size() || (rules.slash_is_special && pattern[at] == '/');
  };
  const std::size_t first = at;
  bool matched = false;
  for (; !is_cut(); ++at) {
    if (pattern[at] == ']' && at != first) return {matched != negated, at + 1};
    if (pattern[at] == '\\') ++at;
    if (is_cut()) break;
    const char low = pattern[at];
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      at += pattern[at + 2] == '\\' ? 3 : 2;
      if (is_cut()) break;
    }
    matched = matched || is_between(low, c, pattern[at], rules.ignore_case);
  }
  return {};
}

struct GlobStep {
  bool matched;
  std::size_t pattern_used;
};

GlobStep match_one(std::string_view pattern, char c, GlobRules rules) {
  const bool is_barrier = rules.slash_is_special && c == '/';
  if (pattern.front() == '?') return {!is_barrier, 1};
  if (pattern.front() == '[') {
    const ClassMatch m = match_class(pattern, c, rules);
    if (m.length != 0) return {m.matched && !is_barrier, m.length};
  }
  std::size_t used = 1;
  char expected = pattern.front();
  if (expected == '\\' && pattern.size() > 1) {
    expected = pattern[1];
    used = 2;
  }
  if (rules.ignore_case) return {ascii_lower(expected) == ascii_lower(c), used};
  return {expected == c, used};
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text, bool slash_is_special,
                  bool ignore_case) {
  const GlobRules rules{slash_is_special, ignore_case};
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
      continue;
    }
    if (p < pattern.size()) {
      const GlobStep step = match_one(pattern.substr(p), text[t], rules);
      if (step.matched) {
        p += step.pattern_used;
        ++t;
        continue;
      }
    }
    if (star == std::string_view::npos) return false;
    if (slash_is_special && text[star_text] == '/') return false;
    p = star + 1;
    t = ++star_text;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  const auto are_same = [&](std::size_t i, std::size_t j) {
    return ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);
  };
  std::vector<std::size_t> before(a.size() + 1), above(a.size() + 1), row(a.size() + 1);
  for (std::size_t i = 0; i <= a.size(); ++i) row[i] = i;
  for (std::size_t j = 1; j <= b.size(); ++j) {
    before.swap(above);
    above.swap(row);
    row[0] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      row[i] = std::min({above[i] + 1, row[i - 1] + 1, above[i - 1] + (are_same(i, j) ? 0 : 1)});
      const bool is_swapped = i > 1 && j > 1 && are_same(i, j - 1) && are_same(i - 1, j);
      if (is_swapped) row[i] = std::min(row[i], before[i - 2] + 1);
    }
  }
  return std::min(row[a.size()], limit + 1);
}

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& candidates) {
  const std::size_t limit = std::max<std::size_t>(1, text.size() / 3);
  std::size_t best = limit + 1;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(text, candidate, limit);
    if (distance >= best) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

}  // namespace steelyard
