// Header fields of one message, as views into the buffer that received it.
//
// 1. A FieldList owns its rows but never the text: the receive buffer or an Arena does.
// 2. Rows keep the order of the wire; names keep their case and compare without it.
// 3. clear() keeps the capacity, so a connection allocates only for its longest head.
//
// Threads: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/field_id.hpp"
#include "http/rebase.hpp"

namespace steelyard {
class Arena;
}

namespace steelyard::http {

struct Field {
  std::string_view name;
  std::string_view value;  // without surrounding blanks
  FieldId id = FieldId::other;
};

class FieldList {
 public:
  using const_iterator = std::vector<Field>::const_iterator;

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  [[nodiscard]] const_iterator begin() const noexcept { return rows_.begin(); }
  [[nodiscard]] const_iterator end() const noexcept { return rows_.end(); }
  [[nodiscard]] const Field& operator[](std::size_t index) const { return rows_[index]; }
  // The row may get another value; its name and id belong together and stay.
  void set_value(std::size_t index, std::string_view value) { rows_[index].value = value; }

  // True when at least one row has the id, in constant time. `id` is not FieldId::other.
  [[nodiscard]] bool has(FieldId id) const noexcept { return (present_ & bit(id)) != 0; }
  // The first row with the id or name; null when there is none.
  [[nodiscard]] const Field* find(FieldId id) const noexcept;
  [[nodiscard]] const Field* find(std::string_view name) const noexcept;
  [[nodiscard]] std::optional<std::string_view> value(FieldId id) const noexcept;
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const noexcept;

  // Appends a row. The text must outlive the list's use of it.
  void add(std::string_view name, std::string_view value) { add(name, value, field_id(name)); }
  void add(std::string_view name, std::string_view value, FieldId id) {
    rows_.emplace_back(name, value, id);
    note(name, id);
  }
  // The first row of that name gets the value and its twins vanish; appended when there was none.
  void set(std::string_view name, std::string_view value);
  // All rows of that id or name vanish; how many did.
  std::size_t remove(FieldId id);
  std::size_t remove(std::string_view name);
  template <class Predicate>
  std::size_t remove_if(Predicate&& drop) {
    const std::size_t gone = std::erase_if(rows_, drop);
    if (gone != 0) recount();
    return gone;
  }
  void clear() noexcept;

  // False only if no two rows share a name: the cheap question before merge_duplicates does work.
  [[nodiscard]] bool may_have_duplicates() const noexcept { return may_have_duplicates_; }
  void rebase(const Rebase& move) noexcept;
  friend void merge_duplicates(FieldList& fields, Arena& arena);

 private:
  static constexpr std::uint64_t bit(FieldId id) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(id);
  }
  // One bit of a hash of a name without an id.
  static std::uint64_t name_bit(std::string_view name) noexcept;
  void note(std::string_view name, FieldId id) noexcept {
    std::uint64_t& seen = id == FieldId::other ? other_names_ : present_;
    const std::uint64_t mark = id == FieldId::other ? name_bit(name) : bit(id);
    may_have_duplicates_ |= (seen & mark) != 0;
    seen |= mark;
  }
  void recount() noexcept;

  std::vector<Field> rows_;
  std::uint64_t present_ = 0;
  std::uint64_t other_names_ = 0;  // their name_bits
  bool may_have_duplicates_ = false;
};

// The first field whose value, joined with its twins as merge_duplicates does, is longer than
// `bytes_max`; null: none.
[[nodiscard]] const Field* find_too_long_joined(const FieldList& fields, std::size_t bytes_max);

// httpd joins repeated request fields with ", " in the place of the first, Cookie too, so that
// every rule and the backend see one value. Joined text lies in the arena.
void merge_duplicates(FieldList& fields, Arena& arena);

}  // namespace steelyard::http
