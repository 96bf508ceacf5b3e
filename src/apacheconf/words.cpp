#include "apacheconf/words.hpp"

#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

void take_quoted(std::string_view& rest, std::string& word, char quote) {
  std::size_t i = 1;
  while (i < rest.size() && rest[i] != quote) {
    const bool escaped =
        rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == quote || rest[i + 1] == '\\');
    if (escaped) ++i;
    word.push_back(rest[i++]);
  }
  rest.remove_prefix(i < rest.size() ? i + 1 : i);
}

void take_braced(std::string_view& rest, std::string& word) {
  std::size_t i = 1;
  int depth = 1;
  for (; i < rest.size(); ++i) {
    if (rest[i] == '{') ++depth;
    if (rest[i] == '}' && --depth == 0) break;
    word.push_back(rest[i]);
  }
  rest.remove_prefix(i < rest.size() ? i + 1 : i);
}

void take_plain(std::string_view& rest, std::string& word) {
  std::size_t i = 0;
  while (i < rest.size() && !is_space(rest[i])) {
    if (rest[i] == '\\' && i + 1 < rest.size() && rest[i + 1] == '\\') ++i;
    word.push_back(rest[i++]);
  }
  rest.remove_prefix(i);
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
}

}  // namespace

bool take_word(std::string_view& rest, std::string& word, Braces braces) {
  word.clear();
  skip_blanks(rest);
  if (rest.empty()) return false;
  const char first = rest.front();
  if (first == '"' || first == '\'') {
    take_quoted(rest, word, first);
  } else if (first == '{' && braces == Braces::quote) {
    take_braced(rest, word);
  } else {
    take_plain(rest, word);
  }
  skip_blanks(rest);
  return true;
}

std::vector<std::string> split_into_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  while (take_word(text, word)) words.push_back(word);
  return words;
}

}  // namespace steelyard::apacheconf
