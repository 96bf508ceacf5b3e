#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"
#include "expr/facts.hpp"

// Text with the tags of httpd's Header directive: %t %D %l %i %b %{NAME}e %{NAME}s %%.
//
// Threads: immutable.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

class HeaderText {
 public:
  HeaderText() = default;  // the empty text
  static std::expected<HeaderText, Complaint> compile(std::string_view text);

  // A view of this object when the text has no tag, else of the arena.
  std::string_view write(const Facts& facts, Arena& arena) const;
  bool is_constant() const;
  std::string describe() const;  // with its tags, as a configuration could say it

 private:
  friend class HeaderTextReader;

  struct Piece {
    enum class Kind : std::uint8_t { text, start, elapsed, load, idle, busy, variable, tls };
    Kind kind = Kind::text;
    std::string text;
  };
  std::vector<Piece> pieces_;
};

}  // namespace steelyard::expr
