#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/complaint.hpp"
#include "expr/facts.hpp"
#include "expr/log_format.hpp"

// The format of a line of a JSON log (SteelyardJsonLog): one object, compiled once.
//
// 1. Any bytes of a client or a member give one line of valid JSON in UTF-8.
// 2. Every line has the same names in the same order; what there is nothing to tell of is null.
//
// Threads: immutable. write() is as LogFormat's.

namespace steelyard::expr {

// The names that need no format, `usual` ones without being named.
struct JsonFieldRow {
  std::string_view name;
  std::string_view format;  // of LogFormat; empty: `attempts`, an array of objects
  bool usual = false;
};
std::span<const JsonFieldRow> json_fields();

class JsonFormat {
 public:
  // Each word is a name of json_fields() or NAME=FORMAT; none: the usual fields.
  static std::expected<JsonFormat, Complaint> compile(std::span<const std::string> words);

  // Appends the object without a line end.
  void write(const Facts& facts, std::string& line) const;

  bool asks_timeline() const;
  bool names_tls() const;
  std::string describe() const;  // as it may be written

 private:
  enum class Kind : std::uint8_t { text, number, attempts };
  struct Field {
    std::string key;  // quoted, with its colon
    std::string word;
    LogFormat format;
    Kind kind = Kind::text;
    bool is_single = false;  // one directive and nothing else: null when it has nothing to tell
  };
  static std::expected<Field, Complaint> compile_field(std::string_view word);

  std::vector<Field> fields_;
};

}  // namespace steelyard::expr
