// Conditions made at random are evaluated as a tiny reference does that knows nothing of words,
// tokens or precedence: it works on the tree from which the text was printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "expr/condition.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

// How tightly the outermost operator binds; what binds less than its place needs parentheses.
enum Binding { disjunction, conjunction, negation, operand };

struct Made {
  std::string text;
  bool holds = false;
  Binding binding = operand;
};

class ConditionMaker {
 public:
  explicit ConditionMaker(unsigned seed) : random_(seed) {}

  Made make(int depth) {
    switch (depth == 0 ? 0 : roll(4)) {
      case 1:
        return negate(make(depth - 1));
      case 2:
        return join(depth, conjunction);
      case 3:
        return join(depth, disjunction);
      default:
        return compare();
    }
  }

 private:
  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
  std::string blanks() { return std::string(static_cast<std::size_t>(roll(3)), ' '); }

  std::string placed(const Made& made, Binding needed) {
    if (made.binding >= needed && roll(4) > 0) return made.text;
    return "(" + blanks() + made.text + blanks() + ")";
  }
  Made negate(const Made& inner) {
    const std::string sign = roll(2) == 0 ? "!" + blanks() : std::string("not ");
    return {sign + placed(inner, negation), !inner.holds, negation};
  }
  Made join(int depth, Binding binding) {
    const bool is_and = binding == conjunction;
    Made made = make(depth - 1);
    made.text = placed(made, static_cast<Binding>(binding + 1));
    for (int i = roll(3); i >= 0; --i) {
      const Made next = make(depth - 1);
      const std::string sign =
          roll(2) == 0 ? (is_and ? " && " : " || ") : (is_and ? " and " : " or ");
      made.text += sign + blanks() + placed(next, static_cast<Binding>(binding + 1));
      made.holds = is_and ? made.holds && next.holds : made.holds || next.holds;
    }
    made.binding = binding;
    return made;
  }

  // Small numbers and texts of two letters, so that all outcomes are met.
  Made compare() {
    const int left = roll(5) - 2;
    const int right = roll(5) - 2;
    const std::string text = std::string(1, static_cast<char>('a' + roll(2)));
    const std::string other = std::string(1, static_cast<char>('a' + roll(2)));
    switch (roll(8)) {
      case 0:
        return {"true", true};
      case 1:
        return {"false", false};
      case 2:
        return {std::to_string(left) + " -lt " + std::to_string(right), left < right};
      case 3:
        return {number_word(left) + " ge " + number_word(right), left >= right};
      case 4:
        return {"'" + text + "'" + blanks() + "==" + blanks() + "\"" + other + "\"", text == other};
      case 5:
        return {"req('" + text + "') =~ /^" + other + "$/", text == other};
      case 6:
        return {"%{req:" + text + "} in {'" + other + "', 'c'}", text == other};
      default:
        return {"'" + text + "'.'" + other + "' > 'a' . 'a'", text + other > "aa"};
    }
  }
  static std::string number_word(int number) { return "'" + std::to_string(number) + "x'"; }

  std::mt19937 random_;
};

TEST(RandomConditions, hold_when_the_reference_says_so) {
  TableFacts facts;
  facts.request = {{"a", "a"}, {"b", "b"}};
  Arena arena;
  int held = 0;
  constexpr unsigned rounds = 3000;
  for (unsigned seed = 0; seed < rounds; ++seed) {
    const Made made = ConditionMaker(seed).make(static_cast<int>(seed % 5));
    const auto condition = Condition::compile(made.text);
    ASSERT_TRUE(condition) << made.text << ": " << condition.error().text;
    ASSERT_EQ(condition->evaluate(facts, arena), made.holds)
        << "seed " << seed << ": " << made.text;
    held += made.holds ? 1 : 0;
    arena.reset();
  }
  EXPECT_GT(held, 500);
  EXPECT_LT(held, 2500);
}

// Every beginning of a condition is a condition or refused, never a crash or a hang.
TEST(RandomConditions, may_be_cut_anywhere) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    const std::string text = ConditionMaker(seed).make(3).text;
    for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
      const auto condition = Condition::compile(std::string_view(text).substr(0, bytes));
      if (!condition) EXPECT_FALSE(condition.error().text.empty());
    }
  }
}

}  // namespace
}  // namespace steelyard::expr
