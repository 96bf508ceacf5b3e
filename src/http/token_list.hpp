// Comma-separated lists of field values, walked without a copy.
//
//   for (std::string_view option : tokens(value, ",;")) ...
//
// Elements are trimmed and never empty; separators inside quoted strings do not count.
// Threads: pure.
#pragma once

#include <string_view>

namespace steelyard::http {

class TokenRange {
 public:
  class Iterator {
   public:
    Iterator() = default;
    Iterator(std::string_view rest, std::string_view separators) noexcept
        : rest_(rest), separators_(separators) {
      ++*this;
    }
    std::string_view operator*() const noexcept { return element_; }
    Iterator& operator++() noexcept;
    bool operator==(const Iterator& other) const noexcept { return done_ == other.done_; }

   private:
    std::string_view rest_;
    std::string_view separators_;
    std::string_view element_;
    bool done_ = true;
  };

  TokenRange(std::string_view text, std::string_view separators) noexcept
      : text_(text), separators_(separators) {}
  [[nodiscard]] Iterator begin() const noexcept { return {text_, separators_}; }
  [[nodiscard]] Iterator end() const noexcept { return {}; }

 private:
  std::string_view text_;
  std::string_view separators_;
};

[[nodiscard]] inline TokenRange tokens(std::string_view text,
                                       std::string_view separators = ",") noexcept {
  return {text, separators};
}
// One of the elements is the token, in any case.
[[nodiscard]] bool has_token(std::string_view text, std::string_view token) noexcept;

}  // namespace steelyard::http
