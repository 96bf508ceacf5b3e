// Input: lines of rules, conditions begin with '?'; a zero byte; the path of a request. What can be
// read ends, within bounds, in the same way each time, and lets no byte through that a message
// cannot hold where nothing escapes it any more.
#include <algorithm>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "fuzz.hpp"
#include "http/syntax.hpp"
#include "rewrite/describe.hpp"
#include "rewrite/test_subject.hpp"

namespace steelyard {
namespace {

using namespace rewrite;

constexpr std::size_t text_bytes_max = 4096;

// What came of it, in words.
std::string ask(const RuleSet& rules, const std::string& path) {
  TableSubject subject;
  subject.table.texts = {{expr::TextFact::path, path}};
  subject.table.request = {{"Host", "h"}, {"X", path}};
  subject.asked = "q=1";
  subject.maps["m"] = {{"a", "b?c"}, {"b", "//"}};
  subject.traced = 8;
  Arena arena;
  const Outcome outcome = run_rules({rules, path, false, text_bytes_max}, subject, arena);
  for (const std::string& cookie : subject.cookies)
    CHECK(http::first_control(cookie) == cookie.size());
  const std::string_view query = subject.asked.value_or("");
  using Kind = Outcome::Kind;
  if (outcome.kind == Kind::proxy || outcome.kind == Kind::pass || outcome.kind == Kind::path) {
    CHECK(http::first_blank_or_control(query) == query.size());
    CHECK(outcome.text.size() <= text_bytes_max + 64);
  }
  if (outcome.kind == Kind::proxy) CHECK(scheme_bytes(outcome.text) != 0);
  if (outcome.kind == Kind::redirect) CHECK(outcome.status >= 300 && outcome.status <= 399);
  return std::to_string(static_cast<int>(outcome.kind)) + std::to_string(outcome.status) +
         std::string(outcome.text) + '?' + std::string(query);
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string path = "/" + std::string(input.substr(std::min(end + 1, input.size())));
  std::vector<std::string> lines;
  for (const std::string_view line : split(input.substr(0, end), '\n')) lines.emplace_back(line);
  auto rules = rules_from(lines);
  if (!rules) {
    CHECK(!rules.error().empty());
    return;
  }
  std::size_t rounds = 0;
  for (const auto& rule : rules->rules) {
    CHECK(!describe(*rule).empty());
    if (rule->next_round) rounds = std::max<std::size_t>(rounds, rule->rounds_max);
  }
  if (rounds > 100 || path.size() > text_bytes_max) return;  // slow, and nothing else
  CHECK(ask(*rules, path) == ask(*rules, path));
}

}  // namespace steelyard
