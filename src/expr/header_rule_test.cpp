#include "expr/header_rule.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/arena.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

using Words = std::vector<std::string>;

std::string print(const http::FieldList& fields) {
  std::string text;
  for (const http::Field& row : fields) {
    text.append(row.name).append(": ").append(row.value).append("\n");
  }
  return text;
}

struct HeaderRules : testing::Test {
  HeaderRules() {
    facts.texts = {{TextFact::path, "/p"}, {TextFact::load_averages, "0.29/1.32/0.86"}};
    facts.numbers = {{NumberFact::idle_percent, 98}, {NumberFact::busy_percent, 1}};
    facts.begin = WallTime(std::chrono::microseconds(1795197487782830));
    facts.took = std::chrono::microseconds(179);
    facts.request = {{"X-In", "xax"}, {"User-Agent", "curl"}, {"x-in-2", "q"}};
    facts.variables = {{"YES", "1"}, {"EVIL", "a\r\nB: c"}};
    facts.notes = {{"n", "noted"}};
    response.add("Content-Type", "text/plain; charset=x");
    response.add("X-B", "one");
    response.add("X-B", "two");
    response.add("X-C", R"(a"b,c", d)");
    response.add("Set-Cookie", "s=1; Path=/app");
    response.add("Set-Cookie", "t=2; Path=/app");
    response.add("Content-Length", "240");
  }

  void add(const Words& words) {
    auto rule = HeaderRule::parse_response(words);
    ASSERT_TRUE(rule) << rule.error().text;
    auto& rules = rule->table() == HeaderTable::response_always ? always_rules : rules_;
    rules.push_back(std::move(*rule));
  }

  // As the data path does it: the always table first.
  bool run() {
    const bool first = apply(always_rules, {always, notes, arena, &response}, facts);
    return apply(rules_, {response, notes, arena}, facts) && first;
  }

  std::string values(std::string_view name) {
    std::string text;
    for (const http::Field& row : response) {
      if (equals_ignoring_case(row.name, name)) text.append("[").append(row.value).append("]");
    }
    return text;
  }

  TableFacts facts;
  http::FieldList response, always;
  Environment notes;
  Arena arena;
  std::vector<HeaderRule> rules_, always_rules;
};

TEST_F(HeaderRules, a_condition_sees_the_response_and_what_was_done_to_it) {
  add({"set", "X-Yes", "1", "expr=resp('X-B') == 'one' && %{resp:content-type} =~ /plain/"});
  add({"set", "X-No", "1", "expr=false"});
  add({"unset", "X-B", "EXPR=%{resp:X-Yes} == '1'"});
  add({"set", "X-After", "1", "expr=-z resp('X-B')"});
  add({"set", "X-Env", "1", "expr=reqenv('YES') -eq 1"});
  // Facts of a table do not change with the rules: what is asked of them is what was there.
  facts.response = {{"X-B", "one"}, {"Content-Type", "text/plain"}, {"X-Yes", "1"}};
  EXPECT_TRUE(run());
  EXPECT_EQ(values("X-Yes"), "[1]");
  EXPECT_EQ(values("X-No"), "");
  EXPECT_EQ(values("X-B"), "");
  EXPECT_EQ(values("X-After"), "");
  EXPECT_EQ(values("X-Env"), "[1]");
}

TEST_F(HeaderRules, a_condition_about_the_request_is_named_in_vary) {
  add({"set", "X-Yes", "1", "expr=req('X-In') == 'xax'"});
  add({"set", "X-No", "1", "expr=%{HTTP_USER_AGENT} == 'other' && req('X-Skipped') == ''"});
  add({"always", "set", "X-Yes", "2", "expr=req('Accept') == ''"});
  add({"set", "X-Value", "expr=%{req:X-In-2}"});
  EXPECT_TRUE(run());
  EXPECT_EQ(values("Vary"), "[Accept, X-In, User-Agent]");
}

TEST_F(HeaderRules, a_value_that_no_field_can_hold_is_told_of) {
  Remarks remarks;
  add({"set", "X-Certificate", "expr=%{unescape:a%0ab}"});
  EXPECT_FALSE(rules_.back().apply({response, notes, arena, nullptr, &remarks}, facts));
  EXPECT_EQ(remarks.fault, "X-Certificate would hold what no field can, a line end perhaps");
}

TEST_F(HeaderRules, a_condition_that_cannot_be_evaluated_is_none_and_a_value_is_empty) {
  const NoFiles files;
  facts.files = &files;
  const auto tell = [this](const Words& words) {
    Remarks remarks;
    add(words);
    const bool is_clean = rules_.back().apply({response, notes, arena, nullptr, &remarks}, facts);
    return std::string(is_clean ? "clean" : "spoilt") + ": " + std::string(remarks.fault);
  };
  rules_.reserve(2);
  EXPECT_EQ(tell({"set", "X-Yes", "1", "expr=file('/none') == 'x'"}),
            "clean: Cannot open file /none");
  EXPECT_EQ(values("X-Yes"), "[1]");
  EXPECT_EQ(tell({"set", "X-Value", "expr=a%{file:/none}"}), "clean: Cannot open file /none");
  EXPECT_EQ(values("X-Value"), "[]");
}

TEST_F(HeaderRules, change_a_response_line_by_line_as_httpd_does) {
  add({"set", "X-B", "three"});
  add({"add", "X-C", "z"});
  add({"append", "X-D", "new"});
  add({"merge", "X-C", "d"});
  add({"merge", "X-C", "b"});
  add({"merge", "X-C", R"("b,c")"});
  add({"merge", "X-C", "a"});
  add({"merge", "X-C", "Z"});
  add({"edit", "X-C", "([a-z])", R"(<$1>$2\$1%t)"});
  add({"edit", "Set-Cookie", "Path=/app", "Path=/"});
  add({"note", "X-B", "mynote"});
  add({"echo", "^(user|[Xx]-[Ii]n)"});
  add({"setifempty", "X-B", "no"});
  add({"always", "set", "X-A1", "v", "env=YES"});
  add({"always", "set", "X-A2", "v", "env=!YES"});
  add({"always", "set", "X-A3", "v", "env=NO"});
  add({"always", "setifempty", "X-B", "always"});
  add({"always", "unset", "X-C"});
  ASSERT_TRUE(run());
  EXPECT_EQ(print(always), "X-A1: v\nX-B: always\n");
  EXPECT_EQ(print(response),
            "Content-Type: text/plain; charset=x\n"
            "X-B: three\n"
            "Content-Length: 240\n"
            "X-D: new\n"
            "X-C: <a>$1t=1795197487782830\"b,c\", d, b, \"b,c\", a, Z\n"
            "X-C: <z>$1t=1795197487782830\n"
            "Set-Cookie: s=1; Path=/\n"
            "Set-Cookie: t=2; Path=/\n"
            "X-In: xax\n"
            "x-in-2: q\n");
  EXPECT_EQ(notes.find("mynote"), "three");
}

TEST_F(HeaderRules, append_and_merge_look_at_the_first_row_only) {
  add({"append", "X-B", "app"});
  add({"merge", "X-B", "two"});
  add({"merge", "X-B", "one"});
  add({"merge", "X-B", "x, y"});
  add({"merge", "X-B", "y"});
  add({"merge", "X-C", " d"});
  add({"merge", "X-C", R"(a"b,c")"});
  add({"append", "X-B", ""});
  ASSERT_TRUE(run());
  EXPECT_EQ(values("X-B"), "[one, app, two, x, y, ][two]");
  EXPECT_EQ(values("X-C"), R"([a"b,c", d,  d])");
}

TEST_F(HeaderRules, edit_changes_the_first_match_or_all_in_every_row) {
  const std::pair<Words, std::string_view> cases[] = {
      {{"edit", "X-B", "o", "0"}, "[0ne][tw0]"},
      {{"edit*", "X-B", "[no]", "<$0>"}, "[<o><n>e][tw<o>]"},
      {{"edit*", "X-B", "(o)|(w)", "[$1$2]"}, "[[o]ne][t[w][o]]"},
      {{"edit", "X-B", "n(q)?", "[$1$2$9]"}, "[o[]e][two]"},
      {{"edit", "X-B", "$", "-"}, "[one-][two-]"},
      {{"edit", "X-B", "^", "-"}, "[-one][-two]"},
      {{"edit", "X-B", "nope", "-"}, "[one][two]"},
      {{"edit*", "X-B", "o", R"(\0$0&\\)"}, R"([0o&\ne][tw0o&\])"},
      {{"edit*", "X-B", "o", "expr=%{REQUEST_URI}$0"}, "[/pne][tw/p]"},
  };
  for (const auto& [words, expected] : cases) {
    const auto rule = HeaderRule::parse_response(words);
    ASSERT_TRUE(rule);
    http::FieldList fields;
    fields.add("X-B", "one");
    fields.add("x-b", "two");
    ASSERT_TRUE(rule->apply({fields, notes, arena}, facts));
    std::string text;
    for (const http::Field& row : fields) text.append("[").append(row.value).append("]");
    EXPECT_EQ(text, expected) << words[2];
  }
}

TEST_F(HeaderRules, a_pattern_that_matches_nothing_at_all_ends) {
  add({"edit*", "X-B", "o*", "-"});
  ASSERT_TRUE(run());
  EXPECT_EQ(values("X-B"), "[--n-e-][-t-w-]");
}

TEST_F(HeaderRules, content_type_obeys_set_edit_and_unset_only) {
  const std::pair<Words, std::string_view> cases[] = {
      {{"set", "content-type", "text/x"}, "[text/x]"},
      {{"edit", "Content-Type", "plain", "html"}, "[text/html; charset=x]"},
      {{"unset", "Content-Type"}, ""},
      {{"add", "Content-Type", "y"}, "[text/plain; charset=x]"},
      {{"append", "Content-Type", "y"}, "[text/plain; charset=x]"},
      {{"merge", "Content-Type", "y"}, "[text/plain; charset=x]"},
      {{"setifempty", "Content-Type", "y"}, "[text/plain; charset=x]"},
      {{"always", "set", "Content-Type", "text/always"}, "[text/always]"},
      {{"always", "edit", "Content-Type", "plain", "foo"}, "[text/foo; charset=x]"},
      {{"always", "append", "Content-Type", "y"}, "[text/plain; charset=x]"},
      {{"always", "add", "Content-Type", "y"}, "[text/plain; charset=x]"},
      {{"always", "unset", "Content-Type"}, "[text/plain; charset=x]"},
  };
  for (const auto& [words, expected] : cases) {
    rules_.clear();
    always_rules.clear();
    response.set("Content-Type", "text/plain; charset=x");
    add(words);
    ASSERT_TRUE(run());
    EXPECT_EQ(values("Content-Type"), expected) << words[0] << words[1];
    EXPECT_TRUE(always.empty());
  }
  response.remove("Content-Type");
  rules_.clear();
  add({"append", "Content-Type", "zz"});
  ASSERT_TRUE(run());
  EXPECT_EQ(values("Content-Type"), "[zz]");
}

TEST_F(HeaderRules, values_print_tags_escapes_and_expressions) {
  const std::pair<std::string, std::string_view> cases[] = {
      {R"(a\tb\\c\q|)", "a\tb\\c\\q|"},
      {R"(a\%{YES}e)", R"(a\1)"},
      {"a%", "a%"},
      {"%% %{YES}e %{NO}e %{X}s %{}e", "% 1 (null) (null) (null)"},
      {"%t %D", "t=1795197487782830 D=179"},
      {"%l|%i|%b", "l=0.29/1.32/0.86|i=98|b=1"},
      {"", ""},
      {"expr=", ""},
      {"expr=<%{REQUEST_URI}> %{note:n}", "</p> noted"},
      {"env=YES", "env=YES"},
  };
  for (const auto& [text, expected] : cases) {
    rules_.clear();
    add({"set", "X-V:", text});
    ASSERT_TRUE(run());
    EXPECT_EQ(values("X-V"), "[" + std::string(expected) + "]") << text;
  }
}

TEST_F(HeaderRules, variables_of_tls_are_printed_in_one_line) {
  facts.tls = {{"SSL_SERVER_CERT", "-----BEGIN\nabc\n"}, {"SSL_EMPTY", ""}};
  add({"set", "X-V:", "%{SSL_SERVER_CERT}s|%{SSL_EMPTY}s|%{SSL_NONE}s"});
  ASSERT_TRUE(run());
  EXPECT_EQ(values("X-V"), "[-----BEGIN abc |(null)|(null)]");
}

TEST_F(HeaderRules, work_on_requests_too) {
  http::FieldList request;
  request.add("Host", "a.test");
  request.add("Accept", "*/*");
  request.add("X-In", "xax");
  const Words lines[] = {
      {"set", "X-Q", "%{YES}e %{NOPE}e"},
      {"set", "Content-Type", "foo"},
      {"append", "Accept", "more"},
      {"merge", "Accept", "*/*"},
      {"setifempty", "X-In", "b"},
      {"edit", "X-In", "(.)", "[$1]"},
      {"edit*", "X-In", "x", "yy"},
      {"unset", "host"},
      {"add", "X-Z", "1"},
      {"add", "x-z", "2"},
      {"append", "Content-Type", "bar"},
  };
  std::vector<HeaderRule> rules;
  for (const Words& words : lines) rules.push_back(HeaderRule::parse_request(words).value());
  ASSERT_TRUE(apply(rules, {request, notes, arena}, facts));
  EXPECT_EQ(print(request),
            "Accept: */*, more\nX-Q: 1 (null)\nContent-Type: foo, bar\nX-In: [yy]ayy\n"
            "X-Z: 1\nx-z: 2\n");
  EXPECT_FALSE(request.has(http::FieldId::host));
}

TEST_F(HeaderRules, nothing_that_would_split_a_message_comes_out) {
  const Words lines[] = {
      {"edit", "X-B", "^one", "expr=%{unescape:%0d%0ab}"},
      {"set", "X-Evil", R"(a\nb)"},
      {"add", "X Y", "b"},
      {"add", "", "b"},
  };
  for (const Words& words : lines) {
    rules_.clear();
    add(words);
    EXPECT_FALSE(run()) << words[1];
    for (const http::Field& row : response) {
      EXPECT_EQ(row.value.find_first_of("\r\n"), std::string_view::npos);
    }
  }
  EXPECT_EQ(values("X-B"), "[two]");
  EXPECT_EQ(values("X-Evil"), "");
}

// httpd: one line, too.
TEST_F(HeaderRules, line_ends_in_variables_become_blanks) {
  add({"set", "X-V:", "<%{EVIL}e>"});
  ASSERT_TRUE(run());
  const std::string value = values("X-V");
  EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos);
  EXPECT_NE(value, "[<(null)>]");
}

// Eight kilobytes of a client's, each byte replaced by eight kilobytes, would be 64 megabytes.
TEST_F(HeaderRules, an_edited_value_is_no_longer_than_a_head) {
  const std::string many(600, 'x');
  facts.request.emplace_back("X-Many", many);
  response.add("X-Many", many);
  response.add("X-Few", "x");
  Remarks remarks;
  for (const char* replacement : {"expr=%{req:X-Many}", "$0$0"}) {
    rules_.clear();
    add({"edit*", "X-Few", "x", replacement});
    EXPECT_TRUE(run()) << replacement;
  }
  rules_.clear();
  add({"edit*", "X-Many", "x", "expr=%{req:X-Many}"});
  EXPECT_FALSE(apply(rules_, {response, notes, arena, nullptr, &remarks}, facts));
  EXPECT_EQ(values("X-Many"), "");
  EXPECT_EQ(remarks.fault, "an edited value is too long");
}

TEST_F(HeaderRules, a_note_about_a_missing_header_is_no_note) {
  notes.set("n2", "old");
  add({"note", "X-Nope", "n2"});
  ASSERT_TRUE(run());
  EXPECT_FALSE(notes.has("n2"));
}

struct Refusal {
  Words words;
  std::string_view text;
};

TEST(HeaderLines, can_be_early) {
  for (const auto& words : {Words{"set", "X", "a", "Early"}, Words{"unset", "X", "early"}}) {
    const auto rule = HeaderRule::parse_request(words);
    ASSERT_TRUE(rule) << rule.error().text;
    EXPECT_TRUE(rule->is_early());
  }
  EXPECT_FALSE(HeaderRule::parse_request(Words{"set", "X", "early"})->is_early());
}

TEST(HeaderLines, are_refused_in_httpds_words) {
  const std::string_view first =
      "first argument must be 'add', 'set', 'setifempty', 'append', 'merge', 'unset', 'echo', "
      "'note', 'edit', or 'edit*'.";
  const std::string_view envclause =
      "error: missing environment variable name. envclause should be in the form env=envar";
  const Refusal cases[] = {
      {{}, first},
      {{"foo", "X", "b"}, first},
      {{"maybe", "set", "X", "b"}, first},
      {{"always"}, first},
      {{"set"}, "Header requires three arguments"},
      {{"set", "X"}, "Header requires three arguments"},
      {{"always", "set"}, "Header requires three arguments"},
      {{"note", "X"}, "Header requires three arguments"},
      {{"set", "X", "a", "b"}, "Unknown parameter: b"},
      {{"set", "X", "a", "b", "c"}, "Too many arguments to directive"},
      {{"unset", "X", "y"}, "Unknown parameter: y"},
      {{"echo", "X", "y"}, "Unknown parameter: y"},
      {{"note", "X", "n", "m"}, "Unknown parameter: m"},
      {{"set", "X", "a", "env"}, "Unknown parameter: env"},
      {{"set", "X", "a", "env="}, envclause},
      {{"set", "X", "a", "env=!"}, envclause},
      {{"unset", "X", "env="}, envclause},
      {{"set", "X", "a", "early", "env=A"}, "Too many arguments to directive"},
      {{"set", "X", "a", "expr=foo"},
       "Can't parse envclause/expression: syntax error at character 1, unexpected foo"},
      {{"set", "X", "a", "expr="},
       "Can't parse envclause/expression: syntax error, unexpected end"},
      {{"set", "X", "%q"}, "Unrecognized header format %q"},
      {{"set", "X", "%{FOO"}, "Unrecognized header format %"},
      {{"set", "X", "%{FOO}"}, "Unrecognized header format %"},
      {{"set", "X", "%{FOO}q"}, "Unrecognized header format %q"},
      {{"set", "X", R"(a\%d)"}, "Unrecognized header format %d"},
      {{"note", "X", "%q"}, "Unrecognized header format %q"},
      {{"set", "X", "expr=%{FOO}"}, "Can't parse value expression : Variable 'FOO' does not exist"},
      {{"echo", "("}, "Header echo regex could not be compiled"},
      {{"edit", "X", "a"}, "Header edit requires a match and a substitution"},
      {{"edit", "X"}, "Header edit requires a match and a substitution"},
      {{"edit", "X", "(", "b"}, "Header edit regex could not be compiled"},
      {{"edit", "X", "a", "b", "c"}, "Unknown parameter: c"},
      {{"edit", "X", "a", "b", "c", "d"}, "Header has too many arguments"},
      {{"edit", "X", "a", "%{X}q"}, "Unrecognized header format %q"},
  };
  for (const Refusal& each : cases) {
    const auto rule = HeaderRule::parse_response(each.words);
    ASSERT_FALSE(rule) << each.text;
    EXPECT_EQ(rule.error().text, each.text);
    EXPECT_FALSE(rule.error().advice.empty() && !each.text.starts_with("Can't")) << each.text;
  }
}

TEST(HeaderLines, of_requests_know_no_tables_echo_or_note) {
  const Refusal cases[] = {
      {{"echo", "X"}, "Header echo only valid on Header directives"},
      {{"note", "X", "n"}, "RequestHeader does not support the 'note' action"},
      {{"always", "set", "X", "n"},
       "first argument must be 'add', 'set', 'setifempty', 'append', 'merge', 'unset', 'echo', "
       "'note', 'edit', or 'edit*'."},
  };
  for (const Refusal& each : cases) {
    EXPECT_EQ(HeaderRule::parse_request(each.words).error().text, each.text);
  }
  EXPECT_EQ(HeaderRule::parse_request(Words{"set", "X", "1"})->table(), HeaderTable::request);
}

TEST(HeaderLines, name_their_table_in_any_case) {
  const auto table = [](const Words& words) { return HeaderRule::parse_response(words)->table(); };
  EXPECT_EQ(table({"Always", "SET", "X", "b"}), HeaderTable::response_always);
  EXPECT_EQ(table({"onsuccess", "set", "X", "b"}), HeaderTable::response_normal);
  EXPECT_EQ(table({"Set", "X", "b"}), HeaderTable::response_normal);
  EXPECT_EQ(HeaderRule::parse_response(Words{"set", "X:6", "b"})->name(), "X");
}

}  // namespace
}  // namespace steelyard::expr
