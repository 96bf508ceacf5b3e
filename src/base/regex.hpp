#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Perl-compatible regular expressions (PCRE2 with JIT: the language httpd's configurations use).
// Compiled once, matched from any thread; matching allocates nothing after a thread's first match.

namespace steelyard {

// The groups $0...$9 of one match, as views into the subject.
struct RegexMatch {
  std::array<std::string_view, 10> groups{};
  std::size_t count = 0;   // groups that the pattern has, with $0; at most 10
  std::size_t offset = 0;  // where $0 begins in the subject
};

enum class RegexCase { sensitive, insensitive };

class Regex {
 public:
  // The error is PCRE2's message with the offset.
  static std::expected<Regex, std::string> compile(std::string_view pattern,
                                                   RegexCase letters = RegexCase::sensitive);

  // Unanchored search from `start`. A match whose work exceeds PCRE2's limits counts as none.
  bool search(std::string_view subject, RegexMatch& match, std::size_t start = 0) const;
  bool search(std::string_view subject) const;

  // Values of the named groups of the last search are read by number: (name, group number).
  const std::vector<std::pair<std::string, std::size_t>>& named_groups() const { return names_; }
  std::size_t group_count() const { return group_count_; }  // without $0
  const std::string& pattern() const { return pattern_; }

 private:
  struct Free {
    void operator()(void* code) const;
  };
  Regex() = default;

  std::string pattern_;
  std::shared_ptr<void> code_;
  std::size_t group_count_ = 0;
  std::vector<std::pair<std::string, std::size_t>> names_;
};

// `$0`..`$9` and `&` are not special beyond: `$N` inserts group N, `\c` inserts c.
// (httpd: the substitution of ProxyPassMatch, RedirectMatch, Header edit.)
std::string substitute_groups(std::string_view replacement, const RegexMatch& match);

}  // namespace steelyard
