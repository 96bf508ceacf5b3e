#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "expr/log_text.hpp"

// Where the values of one log entry are written, and whether what came from outside is escaped on
// its way: in a line of text it is, inside a JSON string that is done later and differently.
//
// Threads: one owner.

namespace steelyard::expr {

enum class Escapes : std::uint8_t { log, none };

class EntryText {
 public:
  EntryText(std::string& line, Escapes escapes) : line_(line), escapes_(escapes) {}

  // What came from outside.
  void outside(std::string_view text) {
    if (escapes_ == Escapes::log) {
      append_escaped(text, line_);
    } else {
      line_ += text;
    }
  }
  // Nothing to tell.
  void nothing() {
    line_ += '-';
    told_all_ = false;
  }
  void ours(std::string_view text) { line_ += text; }
  void number(std::int64_t number) { append_number(number, line_); }
  void padded(std::int64_t number, std::size_t digits) { append_padded(number, digits, line_); }
  void hex(std::uint64_t number) { append_hex(number, line_); }

  bool told_all() const { return told_all_; }

 private:
  std::string& line_;
  Escapes escapes_;
  bool told_all_ = true;
};

}  // namespace steelyard::expr
