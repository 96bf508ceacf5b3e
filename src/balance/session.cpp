#include "balance/session.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace steelyard::balance {

namespace {

constexpr auto end_of_text = std::string_view::npos;

// What follows the first `name` that is directly followed by '='. After a `name` without '=', httpd
// goes on one byte behind it, so "sidsid=x" does not match `sid` while "sid;sid=x" does.
std::optional<std::string_view> after_name(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != end_of_text; at = text.find(name, at + 1)) {
    at += name.size();
    if (at >= text.size()) return std::nullopt;
    if (text[at] == '=') return text.substr(at + 1);
  }
  return std::nullopt;
}

struct UrlDelimiter {
  bool semicolon;
  bool operator()(char c) const { return c == '&' || c == '?' || (semicolon && c == ';'); }
};

std::string_view first_piece(std::string_view text, UrlDelimiter delimiter) {
  const auto begin = std::ranges::find_if_not(text, delimiter);
  const auto end = std::find_if(begin, text.end(), delimiter);
  return {begin, end};
}

// Path and query are searched as one text, "path?query". Nothing that matches spans the '?', but a
// value that would start with it starts behind it: /a;sid=?x.r1 means x.r1. Never empty.
std::optional<std::string_view> url_value(const StickySpec& sticky, const SessionText& text) {
  const UrlDelimiter delimiter{.semicolon = sticky.cut_at_semicolon};
  const auto in_path = after_name(text.url_path, sticky.url_name);
  std::string_view value = first_piece(in_path.value_or(""), delimiter);
  if (value.empty()) {
    const auto in_query = in_path ? text.query : after_name(text.query, sticky.url_name);
    value = first_piece(in_query.value_or(""), delimiter);
  }
  if (value.empty()) return std::nullopt;
  return value;
}

bool starts_cookie(std::string_view cookies, std::size_t at) {
  if (at == 0) return true;
  const char before = cookies[at - 1];
  return before == ';' || before == ',' || is_space(before);
}

// The first cookie of that name decides, even an empty one. Behind a name without '=' the search
// goes on two bytes further, as httpd's does: "sid;sid=x" does not match, "sid; sid=x" does.
std::optional<std::string_view> cookie_value(std::string_view cookies, std::string_view name) {
  for (std::size_t at = cookies.find(name); at != end_of_text; at = cookies.find(name, at + 1)) {
    if (!starts_cookie(cookies, at)) continue;
    at += name.size();
    while (at < cookies.size() && is_space(cookies[at])) ++at;
    const bool assigned = at < cookies.size() && cookies[at] == '=';
    ++at;
    if (at >= cookies.size()) return std::nullopt;
    if (!assigned) continue;
    const std::string_view value = cookies.substr(at, cookies.find(';', at) - at);
    return value.substr(0, value.find(','));
  }
  return std::nullopt;
}

}  // namespace

Session find_session(const StickySpec& sticky, const SessionText& text) {
  Session session;
  if (!sticky.enabled()) return session;
  if (const auto in_url = url_value(sticky, text)) {
    session.source = SessionSource::url;
    session.name = sticky.url_name;
    session.value = *in_url;
  } else if (const auto in_cookie = cookie_value(text.cookies, sticky.cookie_name)) {
    session.source = SessionSource::cookie;
    session.name = sticky.cookie_name;
    session.value = *in_cookie;
  } else {
    return session;
  }
  session.found = true;
  session.tag = session.value;
  if (sticky.separator) {
    const std::size_t separator = session.value.find(*sticky.separator);
    session.found = separator != end_of_text;
    session.tag = session.found ? session.value.substr(separator + 1) : std::string_view{};
  }
  return session;
}

}  // namespace steelyard::balance
