#include "rewrite/map.hpp"

#include <algorithm>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "rewrite/escape.hpp"

namespace steelyard::rewrite {

namespace {

template <char (*change)(char)>
std::string_view each_letter(std::string_view text, Arena& arena) {
  char* const room = arena.take(text.size());
  std::ranges::transform(text, room, change);
  return {room, text.size()};
}

std::string_view take_word(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && !is_space(rest[end])) ++end;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  return word;
}

}  // namespace

const Map* Maps::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

std::string_view convert(Map::Kind kind, std::string_view text, Arena& arena) {
  switch (kind) {
    case Map::Kind::to_lower:
      return each_letter<ascii_lower>(text, arena);
    case Map::Kind::to_upper:
      return each_letter<ascii_upper>(text, arena);
    case Map::Kind::escape:
      return escape_path(text, arena);
    case Map::Kind::unescape:
      return unescape(text, arena);
    case Map::Kind::text:
    case Map::Kind::random:
      break;
  }
  return {};
}

std::string_view pick_part(std::string_view value, std::uint64_t random) {
  const auto bars = static_cast<std::uint64_t>(std::ranges::count(value, '|'));
  for (std::uint64_t left = random % (bars + 1); left > 0; --left) {
    value.remove_prefix(value.find('|') + 1);
  }
  return value.substr(0, value.find('|'));
}

void MapTexts::fill(Table& table) {
  table.values.clear();
  for (std::string_view line : split(table.text, '\n')) {
    if (line.empty() || line.front() == '#' || is_space(line.front())) continue;
    const std::string_view key = take_word(line);
    const std::string_view value = take_word(line);
    if (!value.empty()) table.values.emplace(key, value);
  }
}

std::optional<std::string_view> MapTexts::find(const std::string& path, std::string_view key,
                                               const expr::LocalFiles& files, Arena& arena,
                                               std::string_view& fault) {
  std::unique_ptr<Table>& table = tables_[path];
  if (!table) table = std::make_unique<Table>();
  const std::optional<std::uint64_t> stamp = files.stamp_of(path);
  if (!stamp) {
    fault = "cannot be found";
    return std::nullopt;
  }
  if (table->stamp != stamp) {
    Arena scratch;
    const auto text = files.read(path, scratch);
    table->text = text.value_or("");
    table->stamp = text ? stamp : std::nullopt;
    if (!text) fault = "cannot be read";
    fill(*table);
  }
  const auto found = table->values.find(key);
  if (found == table->values.end()) return std::nullopt;
  // The table may change before the exchange ends.
  return arena.copy(found->second);
}

}  // namespace steelyard::rewrite
