#include "http/path.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"

namespace steelyard::http {

namespace {

constexpr bool is_unreserved(char c) noexcept {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// What mod_proxy leaves as it is in a path.
constexpr std::array<bool, 256> path_chars = [] {
  std::array<bool, 256> table{};
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    table[static_cast<std::size_t>(byte)] =
        is_alnum(c) || std::string_view("~$-_.+!*'(),;:@&=/").find(c) != std::string_view::npos;
  }
  return table;
}();

// The byte that "%XX" at the begin stands for, or -1.
int escaped_byte(std::string_view text) noexcept {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool is_encoded_slash(std::string_view text) noexcept {
  return text.size() >= 3 && text[0] == '%' && text[1] == '2' && (text[2] == 'F' || text[2] == 'f');
}

// No escape, no empty or dot segment (nor one that only begins with a dot).
bool is_plain(std::string_view path) noexcept {
  bool after_slash = false;
  for (const char c : path) {
    if (c == '%' || (after_slash && (c == '/' || c == '.'))) return false;
    after_slash = c == '/';
  }
  return true;
}

// Decodes escapes of unreserved characters in place, so that "%2e%2e" is a dot segment as well.
std::expected<std::size_t, PathFault> decode_unreserved(std::span<char> text) noexcept {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest(text.data() + at, text.size() - at);
    if (rest.front() != '%') {
      text[kept++] = rest.front();
      continue;
    }
    const int byte = escaped_byte(rest);
    if (byte < 0) return std::unexpected(PathFault::bad_escape);
    if (is_unreserved(static_cast<char>(byte))) {
      text[kept++] = static_cast<char>(byte);
    } else {
      std::memmove(text.data() + kept, rest.data(), 3);
      kept += 3;
    }
    at += 2;
  }
  return kept;
}

// Removes dot segments, and empty ones when slashes are merged, in place. The first byte is '/'.
std::expected<std::size_t, PathFault> remove_dot_segments(std::span<char> text,
                                                          bool merge_slashes) noexcept {
  const std::string_view path(text.data(), text.size());
  std::size_t kept = 1;  // ends behind a slash whenever a segment begins
  std::size_t at = 1;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view segment = path.substr(at, end - at);
    const bool has_slash = end < path.size();
    at = end + 1;
    if (segment == "." || (segment.empty() && merge_slashes)) continue;
    if (segment == "..") {
      if (kept == 1) return std::unexpected(PathFault::above_root);
      --kept;
      while (text[kept - 1] != '/') --kept;
      continue;
    }
    std::memmove(text.data() + kept, segment.data(), segment.size());
    kept += segment.size();
    if (has_slash) text[kept++] = '/';
  }
  return kept;
}

struct Decoded {
  std::size_t size = 0;
  bool has_new_slash = false;
};

// Decodes what is left. decode_unreserved has checked that every escape is one.
std::expected<Decoded, PathFault> decode_rest(std::span<char> text,
                                              EncodedSlashes slashes) noexcept {
  Decoded decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest(text.data() + at, text.size() - at);
    if (rest.front() != '%') {
      text[decoded.size++] = rest.front();
      continue;
    }
    const int byte = escaped_byte(rest);
    if (byte == 0) return std::unexpected(PathFault::encoded_nul);
    if (byte == '/' && slashes == EncodedSlashes::refuse) {
      return std::unexpected(PathFault::encoded_slash);
    }
    at += 2;
    if (byte == '/' && slashes == EncodedSlashes::keep) {
      std::memmove(text.data() + decoded.size, rest.data(), 3);
      decoded.size += 3;
      continue;
    }
    decoded.has_new_slash = decoded.has_new_slash || byte == '/';
    text[decoded.size++] = static_cast<char>(byte);
  }
  return decoded;
}

// Arena text that only shrinks.
std::expected<std::span<char>, PathFault> normalised_copy(std::string_view raw, PathRules rules,
                                                          Arena& arena) {
  const std::span<char> text(arena.take(raw.size()), raw.size());
  std::ranges::copy(raw, text.begin());
  const auto decoded = decode_unreserved(text);
  if (!decoded) return std::unexpected(decoded.error());
  const auto size = remove_dot_segments(text.first(*decoded), rules.merge_slashes);
  if (!size) return std::unexpected(size.error());
  return text.first(*size);
}

}  // namespace

int status_of(PathFault fault) noexcept {
  return fault == PathFault::encoded_nul || fault == PathFault::encoded_slash ? 404 : 400;
}

std::string_view describe(PathFault fault) noexcept {
  switch (fault) {
    case PathFault::bad_escape:
      return "an invalid escape in the path";
    case PathFault::encoded_nul:
      return "an encoded NUL in the path";
    case PathFault::encoded_slash:
      return "an encoded slash in the path (AllowEncodedSlashes Off)";
    case PathFault::above_root:
      return "the path climbs above the root";
    case PathFault::no_slash:
      return "the path does not begin with a slash";
  }
  return {};
}

std::expected<std::string_view, PathFault> decode_path(std::string_view raw, PathRules rules,
                                                       Arena& arena) {
  if (!raw.starts_with('/')) return std::unexpected(PathFault::no_slash);
  if (is_plain(raw)) return raw;
  const auto text = normalised_copy(raw, rules, arena);
  if (!text) return std::unexpected(text.error());
  const auto decoded = decode_rest(*text, rules.encoded_slashes);
  if (!decoded) return std::unexpected(decoded.error());
  if (!decoded->has_new_slash) return std::string_view(text->data(), decoded->size);
  const auto size = remove_dot_segments(text->first(decoded->size), rules.merge_slashes);
  if (!size) return std::unexpected(size.error());
  return std::string_view(text->data(), *size);
}

std::expected<std::string_view, PathFault> normalise_encoded_path(std::string_view raw,
                                                                  PathRules rules, Arena& arena) {
  if (!raw.starts_with('/')) return std::unexpected(PathFault::no_slash);
  if (is_plain(raw)) return raw;
  const auto text = normalised_copy(raw, rules, arena);
  if (!text) return std::unexpected(text.error());
  return std::string_view(text->data(), text->size());
}

std::string_view refused_path(std::string_view raw, PathRules rules, Arena& arena) {
  if (!raw.starts_with('/')) return raw;
  const auto text = normalised_copy(raw, rules, arena);
  if (!text) return raw;
  const std::size_t nul = std::string_view(text->data(), text->size()).find("%00");
  const bool keeps = rules.encoded_slashes == EncodedSlashes::keep;
  const auto decoded = decode_rest(text->first(std::min(nul, text->size())),
                                   keeps ? EncodedSlashes::keep : EncodedSlashes::decode);
  return {text->data(), decoded->size};
}

std::string_view encode_path(std::string_view decoded, EncodedSlashes slashes, Arena& arena) {
  const auto stays = [](char c) { return path_chars[static_cast<unsigned char>(c)]; };
  const auto first =
      static_cast<std::size_t>(std::ranges::find_if_not(decoded, stays) - decoded.begin());
  if (first == decoded.size()) return decoded;
  constexpr std::string_view digits = "0123456789ABCDEF";
  const std::size_t most = first + (decoded.size() - first) * 3;
  char* const text = arena.take(most);
  char* end = std::ranges::copy(decoded.substr(0, first), text).out;
  for (std::size_t at = first; at < decoded.size(); ++at) {
    const char c = decoded[at];
    const bool kept_slash = slashes == EncodedSlashes::keep && is_encoded_slash(decoded.substr(at));
    if (stays(c) || kept_slash) {
      *end++ = c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    *end++ = '%';
    *end++ = digits[byte >> 4];
    *end++ = digits[byte & 0xf];
  }
  const auto used = static_cast<std::size_t>(end - text);
  arena.give_back(most, used);
  return {text, used};
}

bool may_be_forwarded_raw(std::string_view text) noexcept {
  return first_blank_or_control(text) == text.size();
}

}  // namespace steelyard::http
