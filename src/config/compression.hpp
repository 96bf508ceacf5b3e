#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which answers are compressed, and how (mod_deflate, with the ways of mod_filter and mod_mime to
// say where its filter stands).
//
// Threads: values.

namespace steelyard::config {

// What a section or a server says of the filter DEFLATE.
struct Compression {
  std::optional<bool> all;         // SetOutputFilter: it names the filter, or others alone
  std::vector<std::string> types;  // AddOutputFilterByType; httpd: compared as they are written
  // AddOutputFilter and RemoveOutputFilter, by the endings of names: lower case, without the dot.
  std::map<std::string, bool, std::less<>> endings;

  // "text/html; charset=utf-8" is of the type text/html.
  bool names_type(std::string_view content_type) const;
  // The last part of the path has such an ending; "a.js.map" has two, ".js" none.
  bool names_ending(std::string_view path) const;
};

// What holds inside `inner`: types take the place of those around it (httpd), endings each for
// itself.
Compression merge(const Compression& outer, const Compression& inner);

// A server's; a virtual host that says any of it has none of the main server's (httpd).
struct DeflateSettings {
  enum class EntityTag : std::uint8_t { suffix, kept, removed };  // DeflateAlterETag

  std::int8_t level = -1;        // DeflateCompressionLevel 1..9; -1: zlib's own choice
  std::int8_t window_bits = 15;  // DeflateWindowSize 9..15
  std::int8_t memory_level = 9;  // DeflateMemLevel 1..9
  EntityTag entity_tag = EntityTag::suffix;
  // DeflateFilterNote: names of notes; empty: none. Bytes before, after, and 100 * after / before.
  std::string input_note, output_note, ratio_note;
};

}  // namespace steelyard::config
