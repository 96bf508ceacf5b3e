#include "http/field.hpp"

#include <algorithm>
#include <span>

#include "base/arena.hpp"
#include "base/text.hpp"

namespace steelyard::http {

namespace {

bool same_name(const Field& row, FieldId id, std::string_view name) noexcept {
  if (row.id != id) return false;
  return id != FieldId::other || equals_ignoring_case(row.name, name);
}

// Rows of the first one's name join it; the joined ones are left without a name.
void join_later_rows(std::span<Field> rows, Arena& arena) {
  Field& first = rows.front();
  const auto is_twin = [&first](const Field& row) { return same_name(row, first.id, first.name); };
  std::size_t bytes = first.value.size();
  for (const Field& row : rows.subspan(1)) {
    if (is_twin(row)) bytes += row.value.size() + 2;
  }
  if (bytes == first.value.size()) return;
  char* const text = arena.take(bytes);
  char* end = std::ranges::copy(first.value, text).out;
  for (Field& row : rows.subspan(1)) {
    if (!is_twin(row)) continue;
    end = std::ranges::copy(std::string_view(", "), end).out;
    end = std::ranges::copy(row.value, end).out;
    row.name = {};
    row.id = FieldId::other;
  }
  first.value = {text, bytes};
}

}  // namespace

const Field* FieldList::find(FieldId id) const noexcept {
  if (!has(id)) return nullptr;
  for (const Field& row : rows_) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

const Field* FieldList::find(std::string_view name) const noexcept {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return find(id);
  if ((other_names_ & name_bit(name)) == 0) return nullptr;
  for (const Field& row : rows_) {
    if (same_name(row, FieldId::other, name)) return &row;
  }
  return nullptr;
}

std::optional<std::string_view> FieldList::value(FieldId id) const noexcept {
  const Field* row = find(id);
  if (row == nullptr) return std::nullopt;
  return row->value;
}

std::optional<std::string_view> FieldList::value(std::string_view name) const noexcept {
  const Field* row = find(name);
  if (row == nullptr) return std::nullopt;
  return row->value;
}

void FieldList::set(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  const auto first =
      std::ranges::find_if(rows_, [&](const Field& row) { return same_name(row, id, name); });
  if (first == rows_.end()) {
    add(name, value, id);
    return;
  }
  first->value = value;
  rows_.erase(std::remove_if(first + 1, rows_.end(),
                             [&](const Field& row) { return same_name(row, id, name); }),
              rows_.end());
  recount();
}

std::size_t FieldList::remove(FieldId id) {
  if (!has(id)) return 0;
  return remove_if([id](const Field& row) { return row.id == id; });
}

std::size_t FieldList::remove(std::string_view name) {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return remove(id);
  if ((other_names_ & name_bit(name)) == 0) return 0;
  return remove_if([name](const Field& row) { return same_name(row, FieldId::other, name); });
}

void FieldList::clear() noexcept {
  rows_.clear();
  recount();
}

void FieldList::rebase(const Rebase& move) noexcept {
  for (Field& row : rows_) {
    move(row.name);
    move(row.value);
  }
}

std::uint64_t FieldList::name_bit(std::string_view name) noexcept {
  if (name.empty()) return 1;
  const char* const text = name.data();
  const std::size_t size = name.size();
  const auto middle = static_cast<unsigned char>(text[size / 2] | 0x20);
  const auto last = static_cast<unsigned char>(text[size - 1] | 0x20);
  return std::uint64_t{1} << ((size * 7 + middle * 31U + last * 13U) % 64);
}

void FieldList::recount() noexcept {
  present_ = 0;
  other_names_ = 0;
  may_have_duplicates_ = false;
  for (const Field& row : rows_) note(row.name, row.id);
}

const Field* find_too_long_joined(const FieldList& fields, std::size_t bytes_max) {
  for (auto row = fields.begin(); row != fields.end(); ++row) {
    std::size_t bytes = row->value.size();
    for (auto twin = row + 1; twin != fields.end(); ++twin) {
      if (same_name(*twin, row->id, row->name)) bytes += twin->value.size() + 2;
    }
    if (bytes > bytes_max) return &*row;
  }
  return nullptr;
}

void merge_duplicates(FieldList& fields, Arena& arena) {
  if (!fields.may_have_duplicates_) return;
  const std::span<Field> rows(fields.rows_);
  for (std::size_t first = 0; first < rows.size(); ++first) {
    if (!rows[first].name.empty()) join_later_rows(rows.subspan(first), arena);
  }
  fields.remove_if([](const Field& row) { return row.name.empty(); });
}

}  // namespace steelyard::http
