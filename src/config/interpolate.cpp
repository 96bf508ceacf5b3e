#include "config/interpolate.hpp"

#include "base/text.hpp"

namespace steelyard::config {

std::string_view interpolate(std::string_view text, const expr::Environment& environment,
                             Arena& arena) {
  std::string_view done;
  std::string_view rest = text;
  for (;;) {
    const std::size_t begin = rest.find("${");
    const std::size_t end = begin == rest.npos ? rest.npos : rest.find('}', begin);
    if (end == rest.npos) break;
    const std::string_view name = rest.substr(begin + 2, end - begin - 2);
    done = arena.join(done, rest.substr(0, begin), environment.find(name).value_or(""));
    rest = rest.substr(end + 1);
  }
  return rest.size() == text.size() ? text : arena.join(done, rest);
}

namespace {

// Hands each piece of the result to `take`, in order.
template <class Take>
void each_piece(std::string_view text, const RegexMatch& match, Take take) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool more = i + 1 < text.size();
    if (text[i] == '$' && more && is_digit(text[i + 1])) {
      take(match.groups[static_cast<std::size_t>(text[++i] - '0')]);
    } else if (text[i] == '\\' && more) {
      take(text.substr(++i, 1));
    } else {
      take(text.substr(i, 1));
    }
  }
}

}  // namespace

std::string_view substitute(std::string_view text, const RegexMatch& match, Arena& arena) {
  if (text.find_first_of("$\\") == text.npos) return text;
  std::size_t bytes = 0;
  each_piece(text, match, [&](std::string_view piece) { bytes += piece.size(); });
  char* const begin = arena.take(bytes);
  char* next = begin;
  each_piece(text, match,
             [&](std::string_view piece) { next = std::copy(piece.begin(), piece.end(), next); });
  return {begin, bytes};
}

}  // namespace steelyard::config
