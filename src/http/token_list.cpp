#include "http/token_list.hpp"

#include "base/text.hpp"
#include "http/syntax.hpp"

namespace steelyard::http {

namespace {

// Index of the first separator outside a quoted string; text.size() when there is none.
std::size_t element_length(std::string_view text, std::string_view separators) noexcept {
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (quoted && text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      quoted = !quoted;
    } else if (!quoted && separators.find(text[at]) != std::string_view::npos) {
      return at;
    }
  }
  return text.size();
}

}  // namespace

TokenRange::Iterator& TokenRange::Iterator::operator++() noexcept {
  done_ = true;
  while (!rest_.empty()) {
    const std::size_t length = element_length(rest_, separators_);
    element_ = trim_blanks(rest_.substr(0, length));
    rest_.remove_prefix(length < rest_.size() ? length + 1 : length);
    if (element_.empty()) continue;
    done_ = false;
    break;
  }
  return *this;
}

bool has_token(std::string_view text, std::string_view token) noexcept {
  for (const std::string_view element : tokens(text)) {
    if (equals_ignoring_case(element, token)) return true;
  }
  return false;
}

}  // namespace steelyard::http
