// Any text compiles or is refused with a reason; what compiled has one verdict for one exchange, as
// often as it is asked, and fails only where it reads files.
#include <string>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "expr/condition.hpp"
#include "expr/table_facts.hpp"
#include "fuzz.hpp"

namespace steelyard {

void fuzz_one(std::string_view input) {
  using namespace expr;
  const auto condition = Condition::compile(input);
  if (!condition) {
    CHECK(!condition.error().text.empty());
    return;
  }
  CHECK(condition->text() == input);
  TableFacts facts;
  facts.request = {{"Host", "a%2fb"}, {"User-Agent", std::string(input)}};
  facts.texts = {{TextFact::path, "/a b"}, {TextFact::query, std::string(input)}};
  facts.client = IpAddress::v4(0x7f000001);
  facts.end = WallTime(std::chrono::seconds(1'700'000'000));
  Arena arena;
  const auto first = condition->evaluate(facts, arena);
  CHECK(first.has_value());
  CHECK(condition->evaluate(facts, arena) == first);
  const auto negated = Condition::compile("!(" + std::string(input) + ")");
  CHECK(!negated || negated->evaluate(facts, arena) != first);
  const NoFiles files;
  facts.files = &files;
  const auto with_files = condition->evaluate(facts, arena);
  CHECK(with_files.has_value() || !with_files.error().empty());
}

}  // namespace steelyard
