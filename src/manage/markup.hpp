// Writes HTML and XML so that nothing from outside can become markup: tags are literals of this
// program's source, everything else passes through text() or url().
//
// Threads: a value.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace steelyard::manage {

class Markup {
 public:
  // Only what the compiler saw as a constant.
  class Literal {
   public:
    template <std::size_t size>
    consteval Literal(const char (&text)[size])  // NOLINT: implicit
        : text_(text, size - 1) {}

   private:
    friend class Markup;
    std::string_view text_;
  };

  Markup& tags(Literal literal) {
    out_ += literal.text_;
    return *this;
  }
  Markup& either(bool first, Literal one, Literal other) { return tags(first ? one : other); }
  // As content or between quotes of either kind.
  Markup& text(std::string_view text);
  // As a part of a URL, a path or the value of a parameter: what could end it is percent-encoded.
  Markup& url(std::string_view text);
  Markup& number(std::integral auto number) {
    fmt::format_to(std::back_inserter(out_), "{}", number);
    return *this;
  }

  [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

 private:
  std::string out_;
};

}  // namespace steelyard::manage
