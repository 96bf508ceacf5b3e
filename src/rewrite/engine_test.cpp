#include "rewrite/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rewrite/test_subject.hpp"

namespace steelyard::rewrite {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Outcome::Kind;

class Engine : public ::testing::Test {
 protected:
  // "kind text?query", with the status of what has one.
  std::string run(const std::vector<std::string>& lines, std::string text = "/a/b") {
    auto rules = rules_from(lines);
    if (!rules) return "refused: " + rules.error();
    rules->directory = directory_;
    text_ = std::move(text);
    subject_.table.texts[expr::TextFact::path] = text_;
    const Scene scene{*rules, text_, !directory_.empty(), 400};
    outcome_ = run_rules(scene, subject_, arena_);
    return shown();
  }

  std::string variable(std::string_view name) {
    return std::string(subject_.table.variable(name).value_or("(none)"));
  }

  TableSubject subject_;
  Outcome outcome_;
  std::string directory_;

 private:
  std::string shown() const {
    constexpr std::array<std::string_view, 6> names{"nothing", "path",     "pass",
                                                    "proxy",   "redirect", "status"};
    std::string text(names[static_cast<std::size_t>(outcome_.kind)]);
    if (outcome_.status != 0) text += ' ' + std::to_string(outcome_.status);
    if (!outcome_.text.empty()) text += ' ' + std::string(outcome_.text);
    const bool has_own = outcome_.kind == Kind::redirect || outcome_.kind == Kind::status;
    if (subject_.asked && !has_own && outcome_.kind != Kind::nothing)
      text.append("?").append(*subject_.asked);
    return text;
  }

  Arena arena_;
  std::string text_;
};

TEST_F(Engine, a_rule_that_does_not_match_changes_nothing) {
  subject_.asked = "q";
  EXPECT_EQ(run({"^/x http://h/ [P,E=A:1]"}), "nothing");
  EXPECT_EQ(variable("A"), "(none)");
  EXPECT_EQ(*subject_.asked, "q");
}

TEST_F(Engine, a_rule_proxies_and_ends_the_list) {
  EXPECT_EQ(run({"^/a/(.*) http://h:81/x/$1 [P]", "^ /y"}), "proxy http://h:81/x/b");
  EXPECT_FALSE(outcome_.unescaped);
  EXPECT_EQ(run({"^/a/(.*) balancer://c/$1 [P,NE]"}), "proxy balancer://c/b");
  EXPECT_TRUE(outcome_.unescaped);
  EXPECT_EQ(run({"^/a /x [P]"}), "proxy http://lb.test/x");
}

TEST_F(Engine, a_path_is_passed_on_only_with_PT) {
  EXPECT_EQ(run({"^/a /x"}), "path /x");
  EXPECT_EQ(run({"^/a /x [PT]", "^ /y"}), "pass /x");
  EXPECT_EQ(run({"^/a /x", "^/x - [PT]"}), "pass /x");
  EXPECT_EQ(run({"^/a - [PT]"}), "nothing");
}

TEST_F(Engine, redirects_are_whole_and_escaped) {
  EXPECT_EQ(run({"^/a(.*) /x$1 [R]"}, "/a y#z"), "redirect 302 http://lb.test/x%20y%23z");
  EXPECT_EQ(run({"^/a(.*) /x$1 [R=301,NE]"}, "/a#z"), "redirect 301 http://lb.test/x#z");
  EXPECT_EQ(run({"^/a x [R=permanent]"}), "redirect 301 http://lb.test/x");
  EXPECT_EQ(run({"^/a http://o.test/x"}), "redirect 302 http://o.test/x");
  EXPECT_EQ(run({"^/a http://o.test/x [R=303]", "^http://o.test http://p.test/ [R=307]"}),
            "redirect 307 http://p.test/");
  EXPECT_EQ(run({"^/a - [R]"}), "nothing");
}

TEST_F(Engine, a_URL_of_the_server_itself_is_a_path) {
  EXPECT_EQ(run({"^/a http://lb.test/x"}), "path /x");
  EXPECT_EQ(run({"^/a http://lb.test [PT]"}), "pass /");
  EXPECT_EQ(run({"^/a http://lb.test:8080/x"}), "redirect 302 http://lb.test:8080/x");
  EXPECT_EQ(run({"^/a http://lb.test/x [R]"}), "redirect 302 http://lb.test/x");
}

TEST_F(Engine, queries_are_kept_replaced_appended_or_dropped) {
  const auto asked_with = [&](std::string_view query, const std::string& rule) {
    subject_.asked = query;
    return run({rule});
  };
  EXPECT_EQ(asked_with("a=1", "^/a /x [PT]"), "pass /x?a=1");
  EXPECT_EQ(asked_with("a=1", "^/a /x?b=2 [PT]"), "pass /x?b=2");
  EXPECT_EQ(asked_with("a=1", "^/a /x?b=2 [PT,QSA]"), "pass /x?b=2&a=1");
  EXPECT_EQ(asked_with("a=1", "^/a /x? [PT,QSA]"), "pass /x?a=1");
  EXPECT_EQ(asked_with("a=1", "^/a /x? [PT]"), "pass /x");
  EXPECT_EQ(asked_with("a=1", "^/a /x [PT,QSD]"), "pass /x");
  EXPECT_EQ(asked_with("a=1", "^/a /x?b& [PT,QSD,QSA]"), "pass /x?b&");
  EXPECT_EQ(asked_with("a=1", "^/a /x?a?b [PT]"), "pass /x?a?b");
  EXPECT_EQ(asked_with("a=1", "^/a /x?a?b [PT,QSL]"), "pass /x?a?b");
  EXPECT_EQ(*subject_.asked, "b");
  EXPECT_EQ(asked_with("a=%20", "^/a /x [R]"), "redirect 302 http://lb.test/x?a=%20");
  EXPECT_EQ(asked_with("a=1", "^/a(.*) /x?y=%20\\%20 [R]"),
            "redirect 302 http://lb.test/x?y=0%2520");
}

TEST_F(Engine, a_blank_or_control_byte_in_a_query_is_refused) {
  EXPECT_EQ(run({"^/a(.*) http://h/?x=$1 [P]"}, "/a b"), "status 403");
  EXPECT_EQ(run({"^/a(.*) /?x=$1 [PT]"}, "/a\r\nb"), "status 403");
  EXPECT_EQ(run({"^/a(.*) /?x=$1 [R]"}, "/a b"), "redirect 302 http://lb.test/?x=%20b");
}

TEST_F(Engine, a_question_mark_from_the_request_is_refused_in_a_path) {
  EXPECT_EQ(run({"^/a(.*) http://h/$1 [P]"}, "/a?b"), "status 403");
  EXPECT_THAT(subject_.complaints, ElementsAre(HasSubstr("UnsafeAllow3F")));
  EXPECT_EQ(run({"^/a(.*) http://h/$1 [P,UnsafeAllow3F]"}, "/a?b"), "proxy http://h/?b");
  EXPECT_EQ(run({"^/a(.*) http://h/?$1 [P]"}, "/a?b"), "proxy http://h/??b");
  subject_.asked.reset();
  EXPECT_EQ(run({"^/a(.*) http://h/$1 [P,B]"}, "/a?b"), "proxy http://h/%3fb");
}

TEST_F(Engine, rules_answer_with_a_status) {
  EXPECT_EQ(run({"^/a - [F]"}), "status 403");
  EXPECT_EQ(run({"^/a /x [G]"}), "status 410");
  EXPECT_EQ(run({"^/a /x [R=404]"}), "status 404");
  EXPECT_EQ(run({"^/a - [E=A:1]", "^/b - [F]", "^/a - [G]"}), "status 410");
}

TEST_F(Engine, variables_are_set_and_unset_on_the_way) {
  subject_.table.variables = {{"OLD", "1"}};
  EXPECT_EQ(run({"^/a/(.) - [E=A:x:$1,E=!OLD,E=B]", "?%{ENV:A} ^x:(.)", "^ - [E=C:%1]"}),
            "nothing");
  EXPECT_EQ(variable("A"), "x:b");
  EXPECT_EQ(variable("B"), "");
  EXPECT_EQ(variable("C"), "b");
  EXPECT_EQ(variable("OLD"), "(none)");
}

TEST_F(Engine, a_chain_is_skipped_whole_when_one_of_it_does_not_match) {
  const std::vector<std::string> rules{"^/no - [C]", "^ - [C,E=A:1]", "^ - [E=B:1]", "^ - [E=D:1]"};
  EXPECT_EQ(run(rules), "nothing");
  EXPECT_EQ(variable("A") + variable("B") + variable("D"), "(none)(none)1");
  EXPECT_EQ(run({"^/a - [C]", "^/no - [C]", "^ - [E=E:1]"}), "nothing");
  EXPECT_EQ(variable("E"), "(none)");
}

TEST_F(Engine, S_jumps_over_rules_and_L_and_END_stop) {
  run({"^ - [S=2]", "^ - [E=A:1]", "^ - [E=B:1]", "^ - [E=C:1]"});
  EXPECT_EQ(variable("A") + variable("B") + variable("C"), "(none)(none)1");
  run({"^ - [L]", "^ - [E=D:1]"});
  EXPECT_EQ(variable("D"), "(none)");
  EXPECT_FALSE(outcome_.ends);
  run({"^ - [END]", "^ - [E=D:1]"});
  EXPECT_EQ(variable("D"), "(none)");
  EXPECT_TRUE(outcome_.ends);
  run({"^ - [S=9]", "^ - [E=D:1]"});
  EXPECT_EQ(variable("D"), "(none)");
}

TEST_F(Engine, N_begins_anew_until_its_limit) {
  EXPECT_EQ(run({"^(.*)/n(.*)$ $1/$2 [N]", "^(.*)$ /z$1"}, "/n/n/q"), "path /z/q");
  EXPECT_EQ(run({"^.*$ //x$0"}, "//a"), "path //x//a");
  EXPECT_EQ(run({"^(.*) /$1 [UNC]"}, "/a"), "path //a");
  EXPECT_EQ(run({"^/a - [N=3]"}), "status 500");
  EXPECT_THAT(subject_.complaints.back(), HasSubstr("AH02596"));
  EXPECT_EQ(run({"^/a - [N]"}), "status 500");
}

TEST_F(Engine, what_grows_without_end_is_a_500) {
  EXPECT_EQ(run({"^/a(.*)$ /a$1$1xxxxxxxx [N]"}), "status 500");
  EXPECT_EQ(run({"^/a - [E=A:%{ENV:A}%{ENV:A}xxxxxxxx,N]"}), "status 500");
  EXPECT_THAT(subject_.complaints.back(), HasSubstr("more text"));
}

TEST_F(Engine, a_guard_that_ran_out_of_room_lets_nobody_pass) {
  subject_.table.variables.emplace_back("A", std::string(700'000, 'x'));
  EXPECT_EQ(run({"?%{ENV:A}%{ENV:A}bad bad$", "^ - [F]", "^ http://h/ [P]"}), "status 500");
  EXPECT_THAT(subject_.complaints, ElementsAre(HasSubstr("more text than one request may")));
}

TEST_F(Engine, text_of_maps_takes_room_too) {
  subject_.maps["m"]["k"] = "/" + std::string(300, 'x');
  EXPECT_EQ(run({"^ ${m:k} [N=20000]"}), "status 500");
  EXPECT_THAT(subject_.complaints, ElementsAre(HasSubstr("more text than one request may")));
}

TEST_F(Engine, conditions_are_joined_by_and_and_OR) {
  const auto holds = [&](std::vector<std::string> conditions) {
    conditions.emplace_back("^ - [F]");
    return run(conditions) == "status 403";
  };
  EXPECT_TRUE(holds({"?a a", "?b b"}));
  EXPECT_FALSE(holds({"?a a", "?b x"}));
  EXPECT_TRUE(holds({"?a x [OR]", "?b b"}));
  EXPECT_FALSE(holds({"?a a [OR]", "?b x", "?c x"}));
  EXPECT_TRUE(holds({"?a a [OR]", "?b x [OR]", "?c x", "?d d"}));
  EXPECT_TRUE(holds({"?a a", "?b x [OR]"}));  // httpd: nothing comes that could fail
  EXPECT_FALSE(holds({"?a x", "?b b [OR]"}));
  EXPECT_TRUE(holds({"?a !x"}));
}

TEST_F(Engine, a_text_compares_by_length_first) {
  const auto holds = [&](const std::string& condition) {
    return run({"?" + condition, "^ - [F]"}) == "status 403";
  };
  EXPECT_FALSE(holds("b >ab"));
  EXPECT_TRUE(holds("b >aB [NC]"));
  EXPECT_TRUE(holds("abc <abd"));
  EXPECT_TRUE(holds("abc >=abc"));
  EXPECT_TRUE(holds("abc <=abc"));
  EXPECT_FALSE(holds("ABC =abc"));
  EXPECT_TRUE(holds("ABC =abc [NC]"));
  EXPECT_TRUE(holds("%{ENV:NO} =\"\""));
  EXPECT_FALSE(holds("%{ENV:NO} !=\"\""));
  EXPECT_TRUE(holds("10x -eq10"));
  EXPECT_TRUE(holds("10 \"-gt 9\""));
  EXPECT_TRUE(holds("5 -ge5"));
  EXPECT_FALSE(holds("5 -GE5"));
  EXPECT_FALSE(holds("5 -ne5"));
  EXPECT_FALSE(holds("5 -lt5"));
  EXPECT_TRUE(holds("5 -le5"));
}

struct OneFile : expr::NoFiles {
  bool has_trait(std::string_view path, expr::FileTrait trait) const override {
    return path == "/srv/down.html" && trait == expr::FileTrait::regular;
  }
};

TEST_F(Engine, files_are_asked_by_name) {
  const OneFile files;
  const std::vector<std::string> rules{"?%{DOCUMENT_ROOT}/down.html -f", "^ - [R=503]"};
  subject_.table.texts[expr::TextFact::document_root] = "/srv";
  EXPECT_EQ(run(rules), "nothing");
  subject_.table.files = &files;
  EXPECT_EQ(run(rules), "status 503");
  EXPECT_EQ(run({"?/srv/down.html -d", "^ - [F]"}), "nothing");
  EXPECT_EQ(run({"?%{ENV:NO} -f", "^ - [F]"}), "nothing");
}

TEST_F(Engine, an_expression_is_asked_and_gives_its_groups) {
  subject_.table.texts[expr::TextFact::method] = "POST";
  EXPECT_EQ(run({"?expr \"%{REQUEST_METHOD} =~ /(.)OST/\"", "^ /$0%1 [PT]"}), "pass /P");
  EXPECT_EQ(run({"?expr \"%{REQUEST_METHOD} == 'GET'\"", "^ - [F]"}), "nothing");
  EXPECT_EQ(run({"?expr !true", "^ - [F]"}), "nothing");
}

TEST_F(Engine, later_rules_see_what_earlier_ones_made) {
  subject_.asked = "q";
  EXPECT_EQ(run({"^/a /x?n", "?%{REQUEST_URI}|%{REQUEST_FILENAME}|%{QUERY_STRING} (.*)",
                 "^/x - [E=SEEN:%1]"}),
            "path /x?n");
  EXPECT_EQ(variable("SEEN"), "/a/b|/x|n");
}

TEST_F(Engine, maps_give_values_and_defaults) {
  subject_.maps["m"] = {{"b", "found"}, {"found", "deeper"}};
  EXPECT_EQ(run({"^/a/(.*) /${m:$1|no} [PT]"}), "pass /found");
  EXPECT_EQ(run({"^/a/(.*) /${m:x$1|no$1} [PT]"}), "pass /nob");
  EXPECT_EQ(run({"^/a/(.*) /${m:${m:$1}|${m:b}} [PT]"}), "pass /deeper");
  EXPECT_EQ(run({"^/a/(.*) /${none:$1|d}${m:|e}${m:x} [PT]"}), "pass /de");
}

TEST_F(Engine, cookies_are_set_once_a_name_and_hold_no_line_ends) {
  EXPECT_EQ(run({"^ - [CO=n:v:d,CO=n:w:d,CO=m:w:d]"}), "nothing");
  EXPECT_THAT(subject_.cookies, ElementsAre("n=v; path=/; domain=d", "m=w; path=/; domain=d"));
  EXPECT_EQ(run({"^/a(.*) - [CO=x:$1:d]"}, "/a\r\nX: y"), "status 500");
}

TEST_F(Engine, Vary_names_fields_that_are_there) {
  subject_.table.request = {{"X-A", "1"}, {"Host", "h"}, {"X-B", "2"}};
  run({"?%{HTTP:X-A}%{HTTP_HOST}%{HTTP:X-No} 1h", "?%{HTTP:X-B} 2 [NV]", "^ - [E=A:1]"});
  EXPECT_EQ(subject_.vary, "X-A");
  subject_.vary.clear();
  run({"?%{HTTP:X-A} no", "^ - [E=A:1]"});
  EXPECT_THAT(subject_.vary, IsEmpty());
}

TEST_F(Engine, sections_take_their_directory_off_and_put_it_back) {
  directory_ = "/srv/a/";
  EXPECT_EQ(run({"^x$ y"}, "/srv/a/x"), "path /srv/a/y");
  EXPECT_EQ(run({"^x$ /y"}, "/srv/a/x"), "path /y");
  EXPECT_EQ(run({"^/other/x$ y"}, "/other/x"), "path /srv/a/y");
  EXPECT_EQ(run({"^x$ /y [PT]"}, "/srv/a/x"), "path /y");
  EXPECT_EQ(run({"^proxy:http://h/(.*) http://i/$1 [P]"}, "proxy:http://h/x"), "proxy http://i/x");
  EXPECT_EQ(run({"^proxy: y"}, "proxy:http://h/x"), "path y");
}

TEST_F(Engine, tells_at_its_trace_levels_what_it_did) {
  run({"^/a /x [PT]"});
  EXPECT_THAT(subject_.traces_seen, IsEmpty());
  subject_.traced = 8;
  run({"?a b", "^/a - [F]", "^/a /x [E=A:1,PT]"});
  EXPECT_THAT(subject_.traces_seen,
              ElementsAre("3 pattern '^/a' is asked about '/a/b'",
                          "4 condition: 'a' and 'b': does not hold",
                          "3 pattern '^/a' is asked about '/a/b'", "2 '/a/b' becomes '/x'",
                          "5 variable A is '1'", "1 the result is /x"));
}

}  // namespace
}  // namespace steelyard::rewrite
