#include "auth/files.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::auth {

namespace {

constexpr std::string_view blanks = " \t\v\f\r\n";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// The next line with those that continue it. False: there is none, or it is too long.
bool take_line(std::string_view& text, std::string& line) {
  line.clear();
  bool goes_on = !text.empty();
  if (!goes_on) return false;
  while (goes_on && !text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.ends_with('\r')) piece.remove_suffix(1);
    goes_on = piece.ends_with('\\');
    if (goes_on) piece.remove_suffix(1);
    if (line.size() + piece.size() > line_bytes_max) return false;
    line += piece;
  }
  return true;
}

// Calls `take` with each line that says something.
template <class Take>
void each_line(std::string_view text, Take take) {
  for (std::string line; take_line(text, line);) {
    std::string_view said = line;
    said = without_blanks(said.substr(0, said.find('\0')));
    if (!said.empty() && !said.starts_with('#')) take(said);
  }
}

// Up to a colon; several in a row count as one.
std::string_view take_part(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find(':'));
  text.remove_prefix(part.size());
  text.remove_prefix(std::min(text.find_first_not_of(':'), text.size()));
  return part;
}

// A word, maybe in quotes; in them a backslash keeps a quote or a backslash.
std::string take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  std::string word;
  const char quote = text.empty() ? '\0' : text.front();
  if (quote != '"' && quote != '\'') {
    word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
  }
  text.remove_prefix(1);
  for (; !text.empty() && text.front() != quote; text.remove_prefix(1)) {
    const bool escapes =
        text.front() == '\\' && text.size() > 1 && (text[1] == quote || text[1] == '\\');
    if (escapes) text.remove_prefix(1);
    word += text.front();
  }
  if (!text.empty()) text.remove_prefix(1);
  return word;
}

}  // namespace

UserFile UserFile::read(std::string_view text) {
  UserFile file;
  each_line(text, [&file](std::string_view line) {
    const std::string user(take_part(line));
    const auto [entry, is_new] = file.passwords_.emplace(user, take_part(line));
    if (file.passwords_.size() == 1 && is_new) file.first_ = user;
  });
  return file;
}

const std::string* UserFile::password_of(std::string_view user) const {
  const auto found = passwords_.find(std::string(user));
  return found == passwords_.end() ? nullptr : &found->second;
}

const std::string* UserFile::any_password() const { return password_of(first_); }

GroupFile GroupFile::read(std::string_view text) {
  GroupFile file;
  each_line(text, [&file](std::string_view line) {
    const std::string_view name = without_blanks(take_part(line));
    const std::size_t row = file.names_.size();
    file.names_.emplace_back(name);
    for (std::string user = take_word(line); !user.empty(); user = take_word(line)) {
      std::vector<std::size_t>& rows = file.groups_[user];
      if (rows.empty() || rows.back() != row) rows.push_back(row);
    }
  });
  return file;
}

std::vector<std::string> GroupFile::groups_of(std::string_view user) const {
  std::vector<std::string> groups;
  const auto found = groups_.find(std::string(user));
  if (found == groups_.end()) return groups;
  for (const std::size_t row : found->second) groups.push_back(names_[row]);
  return groups;
}

}  // namespace steelyard::auth
