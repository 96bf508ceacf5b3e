#include "config/redirect.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/interpolate.hpp"
#include "config/path_prefix.hpp"
#include "http/status.hpp"

namespace steelyard::config {

namespace {

bool stays_in_location(char c) {
  return is_alnum(c) || std::string_view("$-_.+!*'(),:;@&=/~").find(c) != std::string_view::npos;
}

// httpd writes these escapes in lower case, unlike those of the proxy.
std::string_view escape(std::string_view text, Arena& arena) {
  const auto dirty = std::ranges::count_if(text, [](char c) { return !stays_in_location(c); });
  if (dirty == 0) return text;
  const std::size_t bytes = text.size() + 2 * static_cast<std::size_t>(dirty);
  char* const begin = arena.take(bytes);
  char* next = begin;
  for (const char c : text) {
    if (stays_in_location(c)) {
      *next++ = c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *next++ = '%';
    *next++ = "0123456789abcdef"[byte >> 4];
    *next++ = "0123456789abcdef"[byte & 15];
  }
  return {begin, bytes};
}

// Query and fragment of a computed target stay as they are.
std::string_view escape_path_only(std::string_view url, Arena& arena) {
  const std::size_t end = std::min(url.find_first_of("?#"), url.size());
  return arena.join(escape(url.substr(0, end), arena), url.substr(end));
}

std::string_view complete(std::string_view location, const RedirectRequest& request, Arena& arena) {
  if (location.starts_with('/')) location = arena.join(request.origin, location);
  if (request.has_query && location.find('?') == location.npos) {
    location = arena.join(location, "?", request.query);
  }
  return location;
}

// nullopt: does not fit.
std::optional<std::string_view> location_of(const Redirect& redirect,
                                            const RedirectRequest& request, Arena& arena) {
  if (redirect.regex) {
    RegexMatch match;
    if (!redirect.regex->search(request.path, match)) return std::nullopt;
    return escape_path_only(substitute(redirect.target, match, arena), arena);
  }
  if (!redirect.path.empty()) {
    const std::optional<std::size_t> covered = prefix_length(redirect.path, request.path);
    if (!covered) return std::nullopt;
    return arena.join(redirect.target, escape(request.path.substr(*covered), arena));
  }
  if (!redirect.expression || request.facts == nullptr) return redirect.target;
  return escape_path_only(redirect.expression->evaluate(*request.facts, arena), arena);
}

bool is_for_whole_section(const Redirect& redirect) {
  return redirect.path.empty() && !redirect.regex;
}

std::optional<RedirectAnswer> try_redirect(const Redirect& redirect, const RedirectRequest& request,
                                           Arena& arena) {
  const std::optional<std::string_view> location = location_of(redirect, request, arena);
  if (!location) return std::nullopt;
  const bool needs_location = redirect.status >= 300 && redirect.status <= 399;
  if (!needs_location) return RedirectAnswer{redirect.status, {}};
  return RedirectAnswer{redirect.status, complete(*location, request, arena)};
}

}  // namespace

std::optional<RedirectAnswer> find_redirect(std::span<const Redirect> redirects,
                                            const RedirectRequest& request, Arena& arena) {
  const auto whole = std::ranges::find_if(redirects, is_for_whole_section);
  if (whole != redirects.end()) return try_redirect(*whole, request, arena);
  for (const Redirect& redirect : redirects) {
    const auto answer = try_redirect(redirect, request, arena);
    if (answer) return answer;
  }
  return std::nullopt;
}

bool has_whole_section_redirect(std::span<const Redirect> redirects) {
  return std::ranges::any_of(redirects, is_for_whole_section);
}

const ErrorDocument* find_error_document(const PathSettings& settings, int status) {
  // httpd: a status that it does not know is a 500 to it.
  const bool is_known = !http::reason_phrase(status).empty();
  const auto it = settings.error_documents.find(is_known ? status : 500);
  if (it == settings.error_documents.end()) return nullptr;
  return it->second.kind == ErrorDocument::Kind::standard ? nullptr : &it->second;
}

}  // namespace steelyard::config
