// The fields that Connection names as belonging to one hop (RFC 9110 7.6.1): a table that is asked
// for every field of the message. A Connection of many names costs a sort, not a search a field.
//
// Threads: one owner.
#pragma once

#include <string_view>
#include <vector>

#include "http/field.hpp"

namespace steelyard::http {

class ConnectionNames {
 public:
  // Of all Connection rows; the text must outlive the table. close, keep-alive, upgrade and
  // connection, which never stay anyway, are left out: an ordinary Connection makes an empty table.
  explicit ConnectionNames(const FieldList& fields);

  [[nodiscard]] bool empty() const noexcept { return names_.empty(); }
  [[nodiscard]] bool contains(std::string_view name) const noexcept;

 private:
  std::vector<std::string_view> names_;  // sorted without regard to case
};

}  // namespace steelyard::http
