#include "expr/env_rule.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/arena.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

using Words = std::vector<std::string>;

struct EnvRules : testing::Test {
  EnvRules() {
    facts.texts = {
        {TextFact::client_ip, "127.0.0.1"}, {TextFact::local_ip, "127.0.0.1"},
        {TextFact::method, "GET"},          {TextFact::protocol, "HTTP/1.1"},
        {TextFact::path, "/ab/"},
    };
    facts.request = {{"Host", "127.0.0.1:28471"},
                     {"User-Agent", "curl/7.88.1"},
                     {"X-In", "one, three"},
                     {"X-In-2", "two"}};
  }

  void add(EnvDirective directive, const Words& words) {
    auto rule = EnvRule::parse(directive, words);
    ASSERT_TRUE(rule) << rule.error().text;
    rules.push_back(std::move(*rule));
  }
  void add(const Words& words) { add(EnvDirective::set_env_if, words); }

  std::string value(std::string_view name) {
    return std::string(environment.find(name).value_or("(null)"));
  }
  // The value that one line gives to V.
  std::string one(const Words& words) {
    rules.clear();
    environment.clear();
    add(words);
    apply(rules, facts, environment, arena);
    return value("V");
  }

  TableFacts facts;
  std::vector<EnvRule> rules;
  Environment environment;
  Arena arena;
};

TEST_F(EnvRules, every_attribute_is_known_in_any_case) {
  const std::pair<Words, std::string_view> cases[] = {
      {{"remote_ADDR", "^127", "V=$0"}, "127"},
      {{"Remote_Host", ".", "V=$0"}, "1"},
      {{"SERVER_ADDR", "127.0.0.1", "V=$0"}, "127.0.0.1"},
      {{"Request_Method", "^GET$", "V=$0"}, "GET"},
      {{"Request_Protocol", "^HTTP", "V=$0"}, "HTTP"},
      {{"Request_URI", "^/ab", "V=$0"}, "/ab"},
      {{"user-agent", "^curl", "V=$0"}, "curl"},
      {{"Referer", "^$", "V"}, "1"},
      {{"Host", "nowhere", "V"}, "(null)"},
  };
  for (const auto& [words, expected] : cases) EXPECT_EQ(one(words), expected) << words[0];
}

TEST_F(EnvRules, values_take_groups_and_escapes_as_in_httpd) {
  const std::pair<std::string, std::string_view> cases[] = {
      {R"(V=a\b\$1$0)", "ab$11"},
      {R"(V=$1-$2-$3-\$1-\-$-&-\&)", "1-2--$1--$-&-&"},
      {"V=$$1", "$1"},
      {"V", "1"},
      {"V=", "1"},
      {"V=a=b", "a=b"},
  };
  for (const auto& [change, expected] : cases) {
    const std::string pattern = change.starts_with(R"(V=a\b)") ? "." : "^(.)(.)";
    EXPECT_EQ(one({"Host", pattern, change}), expected) << change;
  }
}

TEST_F(EnvRules, a_pattern_without_special_characters_has_no_groups) {
  EXPECT_EQ(one({"User-Agent", "curl/7", R"(V=$0x\$0)"}), R"($0x\$0)");
  EXPECT_EQ(one({"User-Agent", R"(curl\/7)", "V=$0"}), "curl/7");
  EXPECT_EQ(one({"User-Agent", "7.88", "V=$0"}), "7.88");
  EXPECT_EQ(one({"User-Agent", "CURL", "V"}), "(null)");
}

TEST_F(EnvRules, the_no_case_forms_ignore_case_in_both_kinds_of_pattern) {
  add(EnvDirective::set_env_if_no_case, {"User-Agent", "CURL/7", "A"});
  add(EnvDirective::set_env_if_no_case, {"User-Agent", "^CURL", "B=$0"});
  add(EnvDirective::browser_match, {"^Cu", "C"});
  add(EnvDirective::browser_match_no_case, {"^Cu", "D=$0"});
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("A"), "1");
  EXPECT_EQ(value("B"), "curl");
  EXPECT_EQ(value("C"), "(null)");
  EXPECT_EQ(value("D"), "cu");
}

TEST_F(EnvRules, a_pattern_over_names_takes_the_last_header_that_matches) {
  EXPECT_EQ(one({"^x-in", "(.*)", "V=$1"}), "two");
  EXPECT_EQ(one({"X.In", ".", "V=$0"}), "t");
  EXPECT_EQ(one({"^X-Nope", "^$", "V"}), "1");
}

TEST_F(EnvRules, an_unknown_attribute_is_a_variable) {
  add({"Host", ".", "A=abc"});
  add({"A", "^ab", "B=$0"});
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("B"), "ab");
}

TEST_F(EnvRules, consecutive_lines_about_one_attribute_read_it_once) {
  add({"FOO", "^$", "FOO=1"});
  add({"foo", "1", "BAR=1"});
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("FOO"), "1");
  EXPECT_EQ(value("BAR"), "(null)");

  environment.clear();
  rules.clear();
  add({"FOO", "^$", "FOO=1"});
  add({"Request_URI", ".", "X"});
  add({"FOO", "1", "BAR=1"});
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("BAR"), "1");
}

TEST_F(EnvRules, a_line_sets_and_unsets_several) {
  environment.set("OLD", "x");
  add({"Host", ".", "A", "B=2", "!OLD", "A=3"});
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("A"), "3");
  EXPECT_EQ(value("B"), "2");
  EXPECT_FALSE(environment.has("OLD"));
}

TEST_F(EnvRules, wrong_lines_are_refused_in_httpds_words) {
  using enum EnvDirective;
  const std::tuple<EnvDirective, Words, std::string_view> cases[] = {
      {set_env_if, {}, "Missing header-field name for SetEnvIf"},
      {set_env_if, {"", "x", "A"}, "Missing header-field name for SetEnvIf"},
      {set_env_if, {"Host"}, "Missing regular expression for SetEnvIf"},
      {set_env_if, {"Host", "", "A"}, "Missing regular expression for SetEnvIf"},
      {set_env_if, {"Host", "x"}, "Missing envariable expression for SetEnvIf"},
      {set_env_if, {"Host", "x", ""}, "Missing envariable expression for SetEnvIf"},
      {set_env_if, {"Host", "(", "A"}, "SetEnvIf regex could not be compiled."},
      {set_env_if, {"^(", "x", "A"}, "SetEnvIfHeader name regex could not be compiled."},
      {set_env_if_no_case, {"Host"}, "Missing regular expression for SetEnvIfNoCase"},
      {browser_match, {}, "Missing regular expression for BrowserMatch"},
      {browser_match, {"x"}, "Missing envariable expression for BrowserMatch"},
      {browser_match_no_case, {"(", "A"}, "BrowserMatchNoCase regex could not be compiled."},
  };
  for (const auto& [directive, words, expected] : cases) {
    const auto rule = EnvRule::parse(directive, words);
    ASSERT_FALSE(rule) << expected;
    EXPECT_EQ(rule.error().text, expected);
    EXPECT_FALSE(rule.error().advice.empty());
  }
}

TEST_F(EnvRules, a_condition_decides_and_gives_its_groups) {
  const auto expression = [this](const Words& words) { add(EnvDirective::set_env_if_expr, words); };
  expression({"%{REQUEST_URI} =~ m#^/(.)(b)#", R"(V=$1-$2-$0 \$1 %{REQUEST_URI})", "W", "!X"});
  expression({"%{REQUEST_URI} !~ /(q)/", "RAW=$0-$1"});
  expression({"true", "RAW2=$1"});
  expression({"%{REQUEST_METHOD} == 'POST'", "NO"});
  expression({"reqenv('W') == '1' && %{REQUEST_URI} =~ /(a)/", "SEEN=$1"});
  expression({"true", "CARRIED=$1"});
  add({"Request_Method", "G(E)", "M=$1"});
  expression({"true", "FROM_PATTERN=$1"});
  environment.set("X", "old");
  facts.variables = {{"W", "1"}};
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("V"), "a-b-/ab $1 %{REQUEST_URI}");
  EXPECT_EQ(value("W"), "1");
  EXPECT_EQ(value("X"), "(null)");
  EXPECT_EQ(value("RAW"), "$0-$1");
  EXPECT_EQ(value("RAW2"), "$1");
  EXPECT_EQ(value("NO"), "(null)");
  EXPECT_EQ(value("SEEN"), "a");
  EXPECT_EQ(value("CARRIED"), "a");
  EXPECT_EQ(value("FROM_PATTERN"), "E");
}

TEST_F(EnvRules, a_condition_that_cannot_be_evaluated_sets_nothing_and_is_told) {
  const NoFiles files;
  facts.files = &files;
  add(EnvDirective::set_env_if_expr, {"file('/none') == ''", "V"});
  Remarks remarks;
  apply(rules, facts, environment, arena, &remarks);
  EXPECT_EQ(value("V"), "(null)");
  EXPECT_EQ(remarks.fault, "Cannot open file /none");
}

// Seen on httpd 2.4.71: rules about one attribute read it once, and a condition's pattern takes the
// place of what was read.
TEST_F(EnvRules, a_condition_disturbs_what_the_rules_around_it_read) {
  add({"Request_Method", "GET", "A"});
  add(EnvDirective::set_env_if_expr, {"%{REQUEST_URI} !~ /(q)/", "B"});
  add({"Request_Method", "GET", "C"});
  add(EnvDirective::set_env_if_expr, {"'subject' =~ /(s)/", "D"});
  add({"Request_Method", "sub(j)", "E=$1"});
  apply(rules, facts, environment, arena);
  EXPECT_EQ(value("A") + value("B") + value("C") + value("D") + value("E"), "11(null)1j");
}

TEST(EnvRuleLines, of_conditions_are_refused_in_httpds_words) {
  const std::pair<Words, std::string_view> cases[] = {
      {{}, "Missing expression for SetEnvIfExpr"},
      {{"", "V"}, "Missing expression for SetEnvIfExpr"},
      {{"true"}, "Missing envariable expression for SetEnvIfExpr"},
      {{"true", ""}, "Missing envariable expression for SetEnvIfExpr"},
      {{"foo", "V"},
       "Could not parse expression \"foo\": syntax error at character 1, unexpected foo"},
  };
  for (const auto& [words, expected] : cases) {
    EXPECT_EQ(EnvRule::parse(EnvDirective::set_env_if_expr, words).error().text, expected);
  }
}

TEST(EnvConditions, tell_presence_from_absence) {
  Environment environment;
  environment.set("A", "");
  EXPECT_TRUE(EnvCondition::parse("env=A")->holds(environment));
  EXPECT_FALSE(EnvCondition::parse("env=!A")->holds(environment));
  EXPECT_TRUE(EnvCondition::parse("env=a")->holds(environment));
  EXPECT_TRUE(EnvCondition::parse("ENV=!b")->holds(environment));
  EXPECT_EQ(EnvCondition::parse("env=").error().text, "missing environment variable name");
  EXPECT_EQ(EnvCondition::parse("env=!").error().text, "missing environment variable name");
  EXPECT_EQ(EnvCondition::parse("foo=A").error().text, "error in condition clause");
}

TEST(Environments, keep_one_value_a_name_in_any_case) {
  Environment environment;
  environment.set("Abc", "1");
  environment.set("aBC", "2");
  environment.set("Abd", "3");
  EXPECT_EQ(environment.find("abc"), "2");
  EXPECT_EQ(environment.find("ABD"), "3");
  ASSERT_EQ(environment.entries().size(), 2U);
  EXPECT_EQ(environment.entries()[0].name, "Abc");
  environment.unset("ABC");
  environment.unset("Ab");
  EXPECT_FALSE(environment.has("Abc"));
  EXPECT_TRUE(environment.has("abD"));
}

}  // namespace
}  // namespace steelyard::expr
