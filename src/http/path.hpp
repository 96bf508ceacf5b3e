// From the path of a request to the path that routes are matched with, and back to one that a
// backend may be sent (httpd: URL translation and mod_proxy's canonical form).
//
//   raw "/a/%41%2e/../b"  --decode_path-->  "/a/b"  --encode_path-->  "/a/b"
//
// When nothing has to change the very same view is returned and the arena is not touched.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace steelyard {
class Arena;
}

namespace steelyard::http {

// AllowEncodedSlashes: Off, On, NoDecode.
enum class EncodedSlashes : std::uint8_t { refuse, decode, keep };

struct PathRules {
  EncodedSlashes encoded_slashes = EncodedSlashes::refuse;
  bool merge_slashes = true;  // MergeSlashes
};

enum class PathFault : std::uint8_t {
  bad_escape,     // 400: '%' without two hexadecimal digits
  encoded_nul,    // 404: %00
  encoded_slash,  // 404: %2F under EncodedSlashes::refuse
  above_root,     // 400: more ".." than segments
  no_slash,       // 400: does not begin with '/'
};
[[nodiscard]] int status_of(PathFault fault) noexcept;
[[nodiscard]] std::string_view describe(PathFault fault) noexcept;

// Percent-decodes, removes dot segments, merges slashes. `raw` is RequestTarget::path.
[[nodiscard]] std::expected<std::string_view, PathFault> decode_path(std::string_view raw,
                                                                     PathRules rules, Arena& arena);
// The same without decoding more than the unreserved characters: for mapping=encoded.
[[nodiscard]] std::expected<std::string_view, PathFault> normalise_encoded_path(
    std::string_view raw, PathRules rules, Arena& arena);
// What httpd logs of a path that decode_path refused with 404: decoded in place up to a NUL. Other
// faults leave `raw`.
[[nodiscard]] std::string_view refused_path(std::string_view raw, PathRules rules, Arena& arena);
// Letters, digits, "~$-_.+!*'(),;:@&=" and '/' stay, all else becomes %XX in upper case; with
// EncodedSlashes::keep a "%2F" of the text stays too.
[[nodiscard]] std::string_view encode_path(std::string_view decoded, EncodedSlashes slashes,
                                           Arena& arena);
// A nocanon or encoded path, or a query, with a raw blank or control byte is answered 403 (httpd).
[[nodiscard]] bool may_be_forwarded_raw(std::string_view text) noexcept;

}  // namespace steelyard::http
