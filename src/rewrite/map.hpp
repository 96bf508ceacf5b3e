#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "expr/local_files.hpp"

// RewriteMap: tables that rules look words up in, ${NAME:key|default}.
//
//   txt:/file   "key value" a line, '#' begins a remark, the first line of a key counts
//   rnd:/file   the same, the value is one of several: a|b|c
//   int:NAME    tolower, toupper, escape, unescape
//
// Threads: Maps are immutable; a MapTexts belongs to one shard.

namespace steelyard {
class Arena;
}

namespace steelyard::rewrite {

struct Map {
  enum class Kind : std::uint8_t { text, random, to_lower, to_upper, escape, unescape };
  Kind kind = Kind::text;
  std::string path{};  // of text and random, absolute

  bool has_file() const { return kind == Kind::text || kind == Kind::random; }
};

class Maps {
 public:
  void add(std::string name, Map map) {
    by_name_.insert_or_assign(std::move(name), std::move(map));
  }
  // Those of `outer` that have no namesake here (a virtual host inherits maps).
  void inherit(const Maps& outer) { by_name_.insert(outer.by_name_.begin(), outer.by_name_.end()); }
  const Map* find(std::string_view name) const;
  bool empty() const { return by_name_.empty(); }
  const std::map<std::string, Map, std::less<>>& entries() const { return by_name_; }

 private:
  std::map<std::string, Map, std::less<>> by_name_;
};

// What an int: map makes of a text. `kind` has no file.
std::string_view convert(Map::Kind kind, std::string_view text, Arena& arena);

// One of the parts between the '|'; `random` decides which.
std::string_view pick_part(std::string_view value, std::uint64_t random);

// The files of txt: and rnd: maps as they were read last. A file is looked at for each question
// and read anew when it has changed (httpd).
class MapTexts {
 public:
  // nullopt: there is no such key. `fault` is then set if that is because the file cannot be read.
  std::optional<std::string_view> find(const std::string& path, std::string_view key,
                                       const expr::LocalFiles& files, Arena& arena,
                                       std::string_view& fault);

 private:
  struct Table {
    std::optional<std::uint64_t> stamp;
    std::string text;
    std::unordered_map<std::string_view, std::string_view> values;  // views of `text`
  };
  static void fill(Table& table);

  std::unordered_map<std::string, std::unique_ptr<Table>> tables_;
};

}  // namespace steelyard::rewrite
