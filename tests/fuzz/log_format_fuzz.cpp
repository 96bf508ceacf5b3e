// Input: a log format, a zero byte, a text from outside. Whatever the format, the text appears in
// the line only in a form that can neither end the line nor a quoted item.
#include <algorithm>
#include <string>

#include "base/check.hpp"
#include "expr/log_format.hpp"
#include "expr/log_text.hpp"
#include "expr/table_facts.hpp"
#include "fuzz.hpp"

namespace steelyard {
namespace {

using namespace expr;

void check_escaped(std::string_view text) {
  std::string escaped;
  append_escaped(text, escaped);
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    CHECK(escaped[i] >= 0x20 && escaped[i] < 0x7f);
    CHECK(escaped[i] != '"');
    if (escaped[i] == '\\') CHECK(++i < escaped.size());
  }
}

std::string written(const LogFormat& format, const TableFacts& facts) {
  std::string line = "before ";
  format.write(facts, line);
  CHECK(line.starts_with("before "));
  return line;
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  check_escaped(text);
  const auto format = LogFormat::compile(input.substr(0, end));
  if (!format) {
    CHECK(!format.error().text.empty());
    return;
  }
  TableFacts facts;
  facts.request = {{"Cookie", std::string(text)}, {"Referer", std::string(text)}};
  facts.response = {{"Content-Type", std::string(text)}, {"Set-Cookie", std::string(text)}};
  facts.texts = {{TextFact::request_line, std::string(text)},
                 {TextFact::marked_query, std::string(text)}};
  facts.numbers = {{NumberFact::status, 200}};
  CHECK(written(*format, facts) == written(*format, facts));
}

}  // namespace steelyard
