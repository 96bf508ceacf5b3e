#include "http/field_id.hpp"

#include <array>
#include <cstring>

#include "base/text.hpp"

namespace steelyard::http {

namespace {

// In the order of FieldId.
constexpr std::array<std::string_view, field_id_count> spellings = {
    "",
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Accept-Ranges",
    "Age",
    "Allow",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Cookie2",
    "Date",
    "Destination",
    "ETag",
    "Expect",
    "Expires",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Retry-After",
    "Server",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "URI",
    "User-Agent",
    "Vary",
    "Via",
    "Warning",
    "WWW-Authenticate",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
};
static_assert(static_cast<std::size_t>(FieldId::x_forwarded_server) + 1 == field_id_count);
static_assert(field_id_count < 64, "FieldList keeps presence in one word");

constexpr std::size_t name_bytes_max = 24;

// A name as words: a byte of the input with its `fold` bit set must equal `lower`. Only letters
// have the bit, so nothing but the other case of a letter can pass for it.
struct Known {
  std::array<char, name_bytes_max> lower{};
  std::array<char, name_bytes_max> fold{};
  std::uint8_t size = 0;
};

constexpr std::array<Known, field_id_count> known_names = [] {
  std::array<Known, field_id_count> table{};
  for (std::size_t id = 1; id < field_id_count; ++id) {
    const std::string_view name = spellings[id];
    table[id].size = static_cast<std::uint8_t>(name.size());
    for (std::size_t i = 0; i < name.size(); ++i) {
      table[id].lower[i] = ascii_lower(name[i]);
      table[id].fold[i] = is_alpha(name[i]) ? 0x20 : 0;
    }
  }
  return table;
}();

constexpr std::size_t slot_count = 256;

constexpr std::size_t slot_of(std::string_view name) noexcept {
  const char* const text = name.data();
  const std::size_t size = name.size();
  const auto first = static_cast<unsigned char>(text[0] | 0x20);
  const auto middle = static_cast<unsigned char>(text[size / 2] | 0x20);
  const auto last = static_cast<unsigned char>(text[size - 1] | 0x20);
  return (size * 11 + first * 7U + middle * 23U + last * 5U) % slot_count;
}

// Open addressing: a name stands in its slot or in the next free one behind it.
constexpr std::array<std::uint8_t, slot_count> slots = [] {
  std::array<std::uint8_t, slot_count> table{};
  for (std::size_t id = 1; id < field_id_count; ++id) {
    std::size_t slot = slot_of(spellings[id]);
    while (table[slot] != 0) slot = (slot + 1) % slot_count;
    table[slot] = static_cast<std::uint8_t>(id);
  }
  return table;
}();

std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

bool same_word(const char* text, const Known& known, std::size_t at) noexcept {
  return (load_word(text + at) | load_word(known.fold.data() + at)) ==
         load_word(known.lower.data() + at);
}

// The last word overlaps the one before.
bool same_name(std::string_view name, const Known& known) noexcept {
  const std::size_t size = name.size();
  if (size != known.size) return false;
  if (size >= 8) {
    return same_word(name.data(), known, 0) && (size < 17 || same_word(name.data(), known, 8)) &&
           same_word(name.data(), known, size - 8);
  }
  const char* const text = name.data();
  for (std::size_t i = 0; i < size; ++i) {
    if (static_cast<char>(text[i] | known.fold.data()[i]) != known.lower.data()[i]) return false;
  }
  return true;
}

}  // namespace

FieldId field_id(std::string_view name) noexcept {
  if (name.size() < 2 || name.size() > name_bytes_max) return FieldId::other;
  const std::uint8_t* const table = slots.data();
  for (std::size_t slot = slot_of(name); table[slot] != 0; slot = (slot + 1) % slot_count) {
    if (same_name(name, known_names.data()[table[slot]])) return static_cast<FieldId>(table[slot]);
  }
  return FieldId::other;
}

std::string_view field_name(FieldId id) noexcept { return spellings[static_cast<std::size_t>(id)]; }

}  // namespace steelyard::http
