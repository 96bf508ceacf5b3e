#include "http/percent.hpp"

#include "http/syntax.hpp"

namespace steelyard::http {

std::string percent_decoded(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool may_be_escape = text[i] == '%' && text.size() - i > 2;
    const int high = may_be_escape ? hex_value(text[i + 1]) : -1;
    const int low = may_be_escape ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return plain;
}

}  // namespace steelyard::http
