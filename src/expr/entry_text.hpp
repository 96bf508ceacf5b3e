#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_text.hpp"
#include "expr/log_text.hpp"

// Where the values of one log entry are written, and how what came from outside is escaped on its
// way: as httpd does in a line of text, or as JSON wants it between the quotes of a string.
//
// Threads: one owner.

namespace steelyard::expr {

enum class Escapes : std::uint8_t { log, json };

class EntryText {
 public:
  EntryText(std::string& line, Escapes escapes) : line_(line), escapes_(escapes) {}

  // What came from outside.
  void outside(std::string_view text) {
    if (escapes_ == Escapes::log) {
      append_escaped(text, line_);
    } else {
      append_json_text(text, line_);
    }
  }
  // What the configuration says: a line of text has it as it is written.
  void configured(std::string_view text) {
    if (escapes_ == Escapes::log) {
      line_ += text;
    } else {
      append_json_text(text, line_);
    }
  }
  // Nothing to tell.
  void nothing() {
    line_ += '-';
    told_all_ = false;
  }
  // Words of ours, which need no escape anywhere.
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
