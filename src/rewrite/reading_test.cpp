#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/arena.hpp"
#include "rewrite/cookie.hpp"
#include "rewrite/describe.hpp"
#include "rewrite/escape.hpp"
#include "rewrite/line_reader.hpp"
#include "rewrite/map.hpp"
#include "rewrite/rule_set.hpp"

namespace steelyard::rewrite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string words(std::string_view line) {
  const auto found = split_line(line);
  if (!found) return "(bad)";
  return std::string(found->first) + '|' + std::string(found->second) + '|' +
         std::string(found->flags);
}

std::string rule(std::string_view line) {
  std::vector<std::string> remarks;
  const auto read = read_rule(line, remarks);
  return read ? describe(*read) : read.error().text;
}

std::string condition(std::string_view line) {
  std::vector<std::string> remarks;
  const auto read = read_condition(line, remarks);
  return read ? describe(*read) : read.error().text;
}

TEST(RewriteLines, are_split_at_blanks_that_no_quote_or_backslash_hides) {
  EXPECT_EQ(words("  a\t b   [L] more"), "a|b|[L]");
  EXPECT_EQ(words("\"a b\" 'c d' \"[E=x:y z]\""), "a b|c d|[E=x:y z]");
  EXPECT_EQ(words("a\\ b c"), "a\\ b|c|");
  EXPECT_EQ(words("\"a\"\"b\"[NC]"), "a|b|[NC]");
  EXPECT_EQ(words("\"a\\\"b\" c"), "a\\|b\"|c");
  EXPECT_EQ(words("a"), "(bad)");
  EXPECT_EQ(words("\"a b"), "(bad)");
  EXPECT_EQ(words(""), "(bad)");
}

TEST(RewriteLines, a_rule_has_flags_short_and_long_in_any_case) {
  EXPECT_EQ(rule("a b [f]"), "\"a\" answers status=403");
  EXPECT_EQ(rule("!a - [forbidden,LAST,nocase]"), "not \"a\" answers last status=403");
  EXPECT_EQ(rule("a b [P,NE,QSA,QSD,QSL]"),
            "\"a\" -> \"b\" proxies unescaped adds-query drops-query splits-at-last");
  EXPECT_EQ(rule("a b [R=308,L]"), "\"a\" -> \"b\" redirects last status=308");
  EXPECT_EQ(rule("a b [R=foo]"), "\"a\" -> \"b\" redirects status=302");
  EXPECT_EQ(rule("a b [R=404]"), "\"a\" redirects answers status=404");
  EXPECT_EQ(rule("a b [S=3,C,PT,END]"), "\"a\" -> \"b\" passes chained ends skips=3");
  EXPECT_EQ(rule("a b [N]") + rule("a b [next=7]"),
            "\"a\" -> \"b\" rounds=10000\"a\" -> \"b\" rounds=7");
  EXPECT_EQ(rule("a b [B,BNP,BNE=/:]"),
            "\"a\" -> \"b\" escapes-references but \"/:\" blank-is-%20");
  EXPECT_EQ(rule("a b [B=+?]") + rule("a b [BCTLS]"),
            "\"a\" -> \"b\" escapes-references=\"+?\"\"a\" -> \"b\" escapes-controls");
  EXPECT_EQ(rule("a - [E=A:$1,env=!B,CO=n:v:d,H=server-status]"),
            "\"a\" env \"A:$1\" env \"!B\" cookie \"n:v:d\" handler server-status");
  EXPECT_EQ(rule("a - [UnsafeAllow3F,unsafeprefixstat,UNC,DPI,NS]"),
            "\"a\" keeps-slashes allows-question-mark");
}

TEST(RewriteLines, faults_of_rules_are_told_in_httpds_words) {
  EXPECT_EQ(rule("a"), "RewriteRule: bad argument line 'a'");
  EXPECT_EQ(rule("( b"), "RewriteRule: cannot compile regular expression '('");
  EXPECT_EQ(rule("a b [Q]"), "RewriteRule: unknown flag 'Q'");
  EXPECT_EQ(rule("a b []"), "RewriteRule: unknown flag ''");
  EXPECT_EQ(rule("a b L"), "RewriteRule: bad flag delimiters");
  EXPECT_EQ(rule("a b [ L ]"), "RewriteRule: bad flag delimiters");
  EXPECT_EQ(rule("a b [R=999]"), "RewriteRule: invalid HTTP response code '999' for flag 'R'");
  EXPECT_THAT(rule("a b [BNE]"), HasSubstr("flag 'BNE' wants a list of characters"));
  EXPECT_THAT(rule("a %{LA-U:REMOTE_USER}"), HasSubstr("is not supported"));
  EXPECT_THAT(rule("a - [E=A:%{LA-F:X}]"), HasSubstr("is not supported"));
}

TEST(RewriteLines, a_condition_has_one_of_many_tests) {
  EXPECT_EQ(condition("%{A} ^x$ [NC,OR,NV]"), "\"%{A}\" ~ \"^x$\" any-case or no-vary");
  EXPECT_EQ(condition("a !b"), "\"a\" not ~ \"b\"");
  EXPECT_EQ(condition("a =b"), "\"a\" text = \"b\"");
  EXPECT_EQ(condition("a >=b"), "\"a\" text >= \"b\"");
  EXPECT_EQ(condition("a =\"\""), "\"a\" text = \"\"");
  EXPECT_EQ(condition("a ="), "\"a\" ~ \"=\"");
  EXPECT_EQ(condition("a -lt5"), "\"a\" number < \"5\"");
  EXPECT_EQ(condition("a -lt"), "\"a\" ~ \"-lt\"");
  EXPECT_EQ(condition("a !-f"), "\"a\" not file \"-f\"");
  EXPECT_EQ(condition("a -q"), "\"a\" ~ \"-q\"");
  EXPECT_EQ(condition("Expr true"), "expression \"true\"");
}

TEST(RewriteLines, faults_of_conditions_are_told_in_httpds_words) {
  EXPECT_EQ(condition("a"), "RewriteCond: bad argument line 'a'");
  EXPECT_EQ(condition("a ( "), "RewriteCond: cannot compile regular expression '('");
  EXPECT_EQ(condition("a b [L]"), "RewriteCond: unknown flag 'L'");
  EXPECT_EQ(condition("a b c"), "RewriteCond: bad flag delimiters");
  EXPECT_THAT(condition("expr foo"), HasSubstr("RewriteCond: cannot compile expression \"foo\" "));
  EXPECT_THAT(condition("a -F"), HasSubstr("is not supported"));
  EXPECT_THAT(condition("a -U"), HasSubstr("is not supported"));
}

TEST(RewriteLines, what_has_no_effect_is_remarked) {
  std::vector<std::string> remarks;
  ASSERT_TRUE(read_condition("%{NOPE} -f [NC]", remarks));
  ASSERT_TRUE(read_rule("a b [T=text/plain]", remarks));
  EXPECT_THAT(remarks, ElementsAre(HasSubstr("no variable 'NOPE'"), HasSubstr("NoCase option"),
                                   HasSubstr("flag 'T' has no effect")));
}

std::string pieces(std::string_view text) {
  const auto compiled = Template::compile(text);
  if (!compiled) return compiled.error().text;
  std::string shown;
  for (const Template::Piece& piece : compiled->pieces()) {
    shown += '<' + std::to_string(static_cast<int>(piece.kind)) + piece.text + '>';
  }
  return shown;
}

TEST(Template, what_is_no_reference_stands_for_itself) {
  EXPECT_EQ(pieces("a$b%c$&$"), "<0a$b%c$&$>");
  EXPECT_EQ(pieces("\\$1\\%1\\\\"), "<0$1%1\\>");
  EXPECT_EQ(pieces("${m}${m:a%{A"), "<0${m}${m:a%{A>");
  EXPECT_EQ(pieces("x$1%2"), "<0x><1><2>");
  EXPECT_EQ(pieces("%{REQUEST_FILENAME}%{QUERY_STRING}%{HTTP:X}%{ENV:Y}"), "<4><5><7X><8Y>");
  EXPECT_EQ(pieces("${m:${n:$1}|d}"), "<10m>");
  EXPECT_EQ(pieces("%{}%{NOPE}"), "");
}

TEST(Template, maps_in_maps_end_somewhere) {
  std::string nested;
  for (int i = 0; i < 100; ++i) nested += "${m:";
  nested += "x" + std::string(100, '}');
  EXPECT_THAT(pieces(nested), HasSubstr("nested"));
}

TEST(Escaping, references_are_escaped_as_the_flags_say) {
  Arena arena;
  ReferenceEscaping how;
  EXPECT_EQ(escape_reference("a b&", how, arena), "a b&");
  how.on = true;
  EXPECT_EQ(escape_reference("a b&_-", how, arena), "a+b%26_%2d");
  how.blank_is_plus = false;
  how.except = "&";
  EXPECT_EQ(escape_reference("a b&", how, arena), "a%20b&");
  how = {.on = true, .only = "#"};
  EXPECT_EQ(escape_reference("a b#", how, arena), "a b%23");
  how = {.on = true, .controls_only = true};
  EXPECT_EQ(escape_reference("a b\r\x7f&\xc3", how, arena), "a+b%0d%7f&\xc3");
}

TEST(Escaping, a_URL_keeps_its_host_and_a_path_its_characters) {
  Arena arena;
  EXPECT_EQ(escape_url("http://h h/a b?%", arena), "http://h h/a%20b%3f%25");
  EXPECT_EQ(escape_url("http://h", arena), "http://h");
  EXPECT_EQ(escape_url("mailto:a b", arena), "mailto:a%20b");
  EXPECT_EQ(escape_path("/$-_.+!*'(),:;@&=~\xc3", arena), "/$-_.+!*'(),:;@&=~%c3");
  EXPECT_EQ(unescape("a%20b", arena), "a b");
  EXPECT_EQ(unescape("a%2fb", arena), "a/b");
  EXPECT_EQ(unescape("a%00b", arena), "a");
  EXPECT_EQ(unescape("a%2%zz", arena), "a%2%zz");
  EXPECT_EQ(scheme_bytes("HTTP://h"), 7u);
  EXPECT_EQ(scheme_bytes("http://"), 0u);
  EXPECT_EQ(scheme_bytes("/http://h"), 0u);
  EXPECT_FALSE(may_have_query("ftp://h/x?y"));
  EXPECT_FALSE(split_http_url("http://h:99999/"));
  EXPECT_EQ(split_http_url("http://h:81")->path, "/");
}

TEST(Cookies, are_written_as_httpd_writes_them) {
  Arena arena;
  const WallTime now{std::chrono::seconds(1'700'000'000)};
  const auto line = [&](std::string_view text) {
    const auto cookie = make_cookie(text, now, arena);
    return cookie ? std::string(cookie->line) : "(none)";
  };
  EXPECT_EQ(line("n:v:d"), "n=v; path=/; domain=d");
  EXPECT_EQ(line("n:v:d:10:/p:secure:HttpOnly:lax"),
            "n=v; path=/p; domain=d; expires=Tue, 14-Nov-2023 22:23:20 GMT; secure; HttpOnly; "
            "SameSite=lax");
  EXPECT_EQ(line(";n;v:w;d;0;/;false;1;0"), "n=v:w; path=/; domain=d");
  EXPECT_EQ(line("n::d"), "(none)");
  EXPECT_EQ(line("n:v"), "(none)");
  EXPECT_EQ(line(""), "(none)");
  EXPECT_THAT(line("n:v:d:99999999999999999999"), HasSubstr("expires="));
}

struct MapFile : expr::LocalFiles {
  std::string text;
  std::optional<std::uint64_t> stamp = 1;
  mutable int reads = 0;
  bool has_trait(std::string_view, expr::FileTrait) const override { return true; }
  std::optional<std::uint64_t> bytes_of(std::string_view) const override { return text.size(); }
  std::optional<std::uint64_t> stamp_of(std::string_view) const override { return stamp; }
  std::expected<std::string_view, std::string_view> read(std::string_view,
                                                         Arena& arena) const override {
    ++reads;
    return arena.copy(text);
  }
};

TEST(Maps, a_file_is_read_again_only_when_it_changed) {
  MapFile file;
  file.text = "# c\nk one rest\nk two\n odd x\nempty \t\n\nlast\tv";
  MapTexts texts;
  Arena arena;
  std::string_view fault;
  const auto find = [&](std::string_view key) {
    return std::string(texts.find("/m", key, file, arena, fault).value_or("(none)"));
  };
  EXPECT_EQ(find("k") + find("last") + find("odd") + find("empty") + find("#"),
            "onev(none)(none)(none)");
  EXPECT_EQ(file.reads, 1);
  file.text = "k three\n";
  EXPECT_EQ(find("k"), "one");
  file.stamp = 2;
  EXPECT_EQ(find("k"), "three");
  EXPECT_THAT(fault, IsEmpty());
  file.stamp.reset();
  EXPECT_EQ(find("k"), "(none)");
  EXPECT_THAT(fault, HasSubstr("cannot be found"));
}

TEST(Maps, a_part_is_picked_by_a_number) {
  EXPECT_EQ(pick_part("a|b||c", 0), "a");
  EXPECT_EQ(pick_part("a|b||c", 1), "b");
  EXPECT_EQ(pick_part("a|b||c", 2), "");
  EXPECT_EQ(pick_part("a|b||c", 7), "c");
  EXPECT_EQ(pick_part("a", 5), "a");
}

TEST(RuleSets, inner_rules_replace_outer_ones_unless_somebody_says_Inherit) {
  const auto set = [](std::string_view name, Options options) {
    std::vector<std::string> remarks;
    auto made = std::make_shared<RuleSet>();
    made->options = options;
    made->rules.push_back(
        std::make_shared<const Rule>(*read_rule(std::string(name) + " -", remarks)));
    return std::shared_ptr<const RuleSet>(made);
  };
  const auto merged = [&](Options outer, Options inner) {
    std::string names;
    for (const auto& each : merge(set("outer", outer), set("inner", inner))->rules)
      names += each->written + ' ';
    return names;
  };
  EXPECT_EQ(merged({}, {}), "inner ");
  EXPECT_EQ(merged({}, {.written = true, .inherits = true}), "inner outer ");
  EXPECT_EQ(merged({}, {.written = true, .inherits_before = true}), "outer inner ");
  EXPECT_EQ(merged({.inherits = true}, {}), "inner outer ");
  EXPECT_EQ(merged({.inherits = true}, {.written = true}), "inner ");
  EXPECT_EQ(merged({.gives_down = true}, {}), "inner outer ");
  EXPECT_EQ(merged({.gives_down_before = true}, {}), "outer inner ");
  EXPECT_EQ(merged({.gives_down = true}, {.written = true, .refuses_gifts = true}), "inner ");
  EXPECT_EQ(merge(nullptr, nullptr), nullptr);
  RuleSet on, unset;
  on.engine = true;
  EXPECT_TRUE(
      merge(std::make_shared<const RuleSet>(on), std::make_shared<const RuleSet>(unset))->is_on());
}

}  // namespace
}  // namespace steelyard::rewrite
