#include "manage/markup.hpp"

#include "base/text.hpp"
#include "http/html.hpp"

namespace steelyard::manage {

namespace {

// What httpd leaves as it is in a path, without what parts parameters.
bool stays_in_url(char c) { return is_alnum(c) || std::string_view("$-_.!*(),:;@=/~").contains(c); }

}  // namespace

Markup& Markup::text(std::string_view text) {
  std::string_view rest = text;
  while (true) {
    const std::size_t quote = rest.find('\'');
    http::html_escape(out_, rest.substr(0, quote));
    if (quote == std::string_view::npos) return *this;
    out_ += "&#39;";
    rest.remove_prefix(quote + 1);
  }
}

Markup& Markup::url(std::string_view text) {
  for (const char c : text) {
    if (stays_in_url(c)) {
      out_ += c;
    } else {
      fmt::format_to(std::back_inserter(out_), "%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return *this;
}

}  // namespace steelyard::manage
