// Input: the words of a Header line, one a line of the input; a zero byte; a text from outside. No
// rule puts a field into a message that could end early or become two.
#include <algorithm>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "expr/header_rule.hpp"
#include "expr/table_facts.hpp"
#include "fuzz.hpp"
#include "http/syntax.hpp"

namespace steelyard {
namespace {

using namespace expr;

void check_rule(const HeaderRule& rule, const TableFacts& facts) {
  Arena arena;
  Environment notes;
  http::FieldList fields;
  fields.add("Content-Type", "text/plain");
  fields.add("X", "one, two");
  fields.add("x", "three");
  for (int i = 0; i < 2; ++i) rule.apply({fields, notes, arena}, facts);
  for (const http::Field& field : fields) {
    CHECK(http::is_token(field.name));
    CHECK(http::first_control(field.value) == field.value.size());
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(std::min(end + 1, input.size()));
  std::vector<std::string> words;
  for (const std::string_view word : split(input.substr(0, end), '\n')) words.emplace_back(word);
  TableFacts facts;
  facts.variables = {{"V", std::string(text)}};
  facts.notes = facts.variables;
  facts.texts = {{TextFact::path, std::string(text)}};
  facts.request = {{"A", "1"}};
  if (const auto rule = HeaderRule::parse_response(words)) check_rule(*rule, facts);
  if (const auto rule = HeaderRule::parse_request(words)) check_rule(*rule, facts);
}

}  // namespace steelyard
