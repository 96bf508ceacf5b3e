// Any text compiles or is refused with a reason; what compiled has one value, and a constant one
// never looks at the exchange.
#include <string>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "expr/string_expression.hpp"
#include "expr/table_facts.hpp"
#include "fuzz.hpp"

namespace steelyard {

void fuzz_one(std::string_view input) {
  using namespace expr;
  const auto expression = StringExpression::compile(input);
  if (!expression) {
    CHECK(!expression.error().text.empty());
    return;
  }
  CHECK(expression->text() == input);
  TableFacts nothing;
  TableFacts facts;
  facts.request = {{"Host", "a%2fb"}, {"User-Agent", std::string(input)}};
  facts.texts = {{TextFact::path, "/a b"}, {TextFact::query, std::string(input)}};
  facts.end = WallTime(std::chrono::seconds(1'700'000'000));
  Arena arena;
  const std::string first(expression->evaluate(facts, arena));
  CHECK(expression->evaluate(facts, arena) == first);
  if (expression->is_constant()) CHECK(expression->evaluate(nothing, arena) == first);
}

}  // namespace steelyard
