#include "base/regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/text.hpp"

namespace steelyard {

namespace {

struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

// Room for the whole match and nine groups; more groups match but are not read.
pcre2_match_data* thread_match_data() {
  thread_local const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
      pcre2_match_data_create(10, nullptr));
  return data.get();
}

std::vector<std::pair<std::string, std::size_t>> read_names(const pcre2_code* code) {
  std::uint32_t count = 0, entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, static_cast<void*>(&table));
  std::vector<std::pair<std::string, std::size_t>> names;
  for (std::uint32_t i = 0; i < count; ++i) {
    const PCRE2_SPTR entry = table + i * entry_size;
    names.emplace_back(reinterpret_cast<const char*>(entry + 2),
                       static_cast<std::size_t>(entry[0]) << 8 | entry[1]);
  }
  return names;
}

}  // namespace

void Regex::Free::operator()(void* code) const { pcre2_code_free(static_cast<pcre2_code*>(code)); }

std::expected<Regex, std::string> Regex::compile(std::string_view pattern, RegexCase letters) {
  int error = 0;
  std::size_t offset = 0;
  // httpd's RegexDefaultOptions: '.' is any byte, and '$' the very end, not before a last line end.
  const std::uint32_t options = PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY |
                                (letters == RegexCase::insensitive ? PCRE2_CASELESS : 0);
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   options, &error, &offset, nullptr);
  if (code == nullptr) {
    PCRE2_UCHAR text[160];
    pcre2_get_error_message(error, text, sizeof text);
    return std::unexpected(std::string(reinterpret_cast<const char*>(text)) + " at offset " +
                           std::to_string(offset));
  }
  // Without JIT support in the library matching still works, only slower.
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  Regex regex;
  regex.pattern_ = pattern;
  regex.code_ = std::shared_ptr<void>(code, Free{});
  std::uint32_t groups = 0;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
  regex.group_count_ = groups;
  regex.names_ = read_names(code);
  return regex;
}

bool Regex::search(std::string_view subject, RegexMatch& match, std::size_t start) const {
  pcre2_match_data* data = thread_match_data();
  const char* begin = subject.data() == nullptr ? "" : subject.data();
  const auto match_with = [&](std::uint32_t options) {
    return pcre2_match(static_cast<const pcre2_code*>(code_.get()),
                       reinterpret_cast<PCRE2_SPTR>(begin), subject.size(), start, options, data,
                       nullptr);
  };
  int found = match_with(0);
  // Compiled code has a small stack; a long subject must not pass for one that does not match.
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = match_with(PCRE2_NO_JIT);
  if (found < 0) return false;
  const std::size_t* ovector = pcre2_get_ovector_pointer(data);
  const std::size_t set = found == 0 ? 10 : static_cast<std::size_t>(found);
  match.count = std::min<std::size_t>(10, group_count_ + 1);
  match.offset = ovector[0];
  for (std::size_t i = 0; i < match.groups.size(); ++i) {
    const bool has = i < set && ovector[2 * i] != PCRE2_UNSET;
    match.groups[i] = has ? subject.substr(ovector[2 * i], ovector[2 * i + 1] - ovector[2 * i])
                          : std::string_view();
  }
  return true;
}

bool Regex::search(std::string_view subject) const {
  RegexMatch ignored;
  return search(subject, ignored);
}

std::string substitute_groups(std::string_view replacement, const RegexMatch& match) {
  std::string result;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    const bool more = i + 1 < replacement.size();
    if (c == '$' && more && is_digit(replacement[i + 1])) {
      result += match.groups[static_cast<std::size_t>(replacement[++i] - '0')];
    } else if (c == '\\' && more) {
      result += replacement[++i];
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace steelyard
