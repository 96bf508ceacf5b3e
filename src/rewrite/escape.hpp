#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Percent escapes as rules need them, and what of a URL is what.
//
// Threads: pure functions. Results lie in the arena or are the argument.

namespace steelyard {
class Arena;
}

namespace steelyard::rewrite {

// Everything but letters, digits and $-_.+!*'(),:;@&=/~ becomes %xx (httpd: in lower case).
std::string_view escape_path(std::string_view text, Arena& arena);
// Scheme and host stay as they are. `url` is absolute, see scheme_bytes().
std::string_view escape_url(std::string_view url, Arena& arena);
// Wrong escapes stay, an escaped NUL ends the text (httpd's int:unescape).
std::string_view unescape(std::string_view text, Arena& arena);

// [B] and its relatives: how a back-reference is escaped.
struct ReferenceEscaping {
  bool on = false;
  bool controls_only = false;  // BCTLS: blanks and control bytes
  bool blank_is_plus = true;   // BNP: %20 instead
  std::string only{};          // B=...: these; empty: all that is no letter, digit or '_'
  std::string except{};        // BNE=...: these never
};
std::string_view escape_reference(std::string_view text, const ReferenceEscaping& how,
                                  Arena& arena);

// The length of "http://", "mailto:", ... at the begin of the text; 0: it is no absolute URL.
std::size_t scheme_bytes(std::string_view text);
// Whether what follows a '?' in such a URL is a query. True for paths.
bool may_have_query(std::string_view text);

// The parts of "http://host[:port]/path"; nullopt for any other scheme.
struct HttpUrl {
  std::string_view host;
  std::uint16_t port = 80;
  std::string_view path;  // "/" when nothing follows the host
};
std::optional<HttpUrl> split_http_url(std::string_view url);

}  // namespace steelyard::rewrite
