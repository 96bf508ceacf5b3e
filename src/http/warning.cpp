#include "http/warning.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::http {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::size_t code_digits = 3;

// Bytes of `text` up to the first that is (not) a blank, from `at`.
std::size_t skip_blanks(std::string_view text, std::size_t at) noexcept {
  return std::min(text.find_first_not_of(blanks, at), text.size());
}

// Where a quoted text that begins at `at` ends, its last quote included; npos: there is none.
std::size_t quoted_end(std::string_view text, std::size_t at) noexcept {
  if (at >= text.size() || text[at] != '"') return std::string_view::npos;
  const std::size_t end = text.find('"', at + 1);
  return end == std::string_view::npos ? end : end + 1;
}

// A warning that `text` begins with: code, agent, text and perhaps a date.
std::optional<Warning> warning_at(std::string_view text) noexcept {
  if (text.size() < code_digits) return std::nullopt;
  if (!std::ranges::all_of(text.substr(0, code_digits), is_digit)) return std::nullopt;
  const std::size_t agent = skip_blanks(text, code_digits);
  const std::size_t agent_end = std::min(text.find_first_of(blanks, agent), text.size());
  const std::size_t quote = skip_blanks(text, agent_end);
  if (agent == code_digits || agent_end == agent || quote == agent_end) return std::nullopt;
  const std::size_t end = quoted_end(text, quote);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t date = skip_blanks(text, end);
  const std::size_t date_end = quoted_end(text, date);
  const bool has_date = date != end && date_end != std::string_view::npos && date_end > date + 2;
  if (!has_date) return Warning{text.substr(0, end), {}};
  return Warning{text.substr(0, date_end), text.substr(date + 1, date_end - date - 2)};
}

}  // namespace

std::optional<Warning> take_warning(std::string_view& rest) noexcept {
  while (!rest.empty()) {
    if (const auto warning = warning_at(rest)) {
      rest.remove_prefix(warning->text.size());
      return warning;
    }
    rest.remove_prefix(1);
  }
  return std::nullopt;
}

}  // namespace steelyard::http
