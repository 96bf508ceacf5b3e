#include "expr/string_expression.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>

#include "base/arena.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

struct StringExpressions : testing::Test {
  StringExpressions() {
    setenv("TZ", "UTC", 1);
    tzset();
    setenv("STEELYARD_TEST_VALUE", "from the process", 1);
    facts.texts = {
        {TextFact::path, "/ab"},    {TextFact::query, "q=1"},  {TextFact::client_ip, "1.2.3.4"},
        {TextFact::scheme, "http"}, {TextFact::method, "GET"}, {TextFact::protocol, "HTTP/1.1"},
    };
    facts.numbers = {{NumberFact::request_status, 404}, {NumberFact::canonical_port, 28471}};
    facts.request = {{"Host", "a.test"}, {"User-Agent", "curl"}, {"Text", "a b/c?d%25"}};
    facts.response = {{"Set-Cookie", "a=1"}, {"Content-Type", "text/html"}};
    facts.variables = {{"V", "variable"}, {"BOTH", "variable"}};
    facts.notes = {{"N", "note"}, {"BOTH", "note"}};
    facts.end = WallTime(std::chrono::seconds(1795197487));
  }

  std::string value(std::string_view text) {
    const auto expression = StringExpression::compile(text);
    if (!expression) return "refused: " + expression.error().text;
    return std::string(expression->evaluate(facts, arena));
  }

  TableFacts facts;
  Arena arena;
};

using Cases = std::vector<std::pair<std::string_view, std::string_view>>;

TEST_F(StringExpressions, plain_text_and_escapes_come_out_as_in_httpd) {
  const Cases cases = {
      {"", ""},
      {"plain", "plain"},
      {R"(a$1b$ c% d%x\q\\y\x41\101)", R"(ab$ c% d%xq\yx41A)"},
      {R"(\n\r\t\b\f|)", "\n\r\t\b\f|"},
      {R"(\101\11x|\1z)", "A\tx|\1z"},
      {"100%", "100%"},
      {"5$", "5$"},
      {"$$1", "$"},
      {"a}b{c", "a}b{c"},
      {"c\\", "c\\"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(value(text), expected) << text;
}

TEST_F(StringExpressions, variables_are_found_in_any_case) {
  const Cases cases = {
      {"%{REQUEST_URI}", "/ab"},
      {"<%{request_uri}?%{Query_String}>", "</ab?q=1>"},
      {"%{HTTP_HOST} %{HTTP_USER_AGENT} %{HTTP_REFERER}", "a.test curl "},
      {"%{REMOTE_ADDR} %{REMOTE_HOST} %{REMOTE_USER}|", "1.2.3.4 1.2.3.4 |"},
      {"%{SERVER_PORT} %{REQUEST_STATUS}", "28471 404"},
      {"%{CONTENT_TYPE}", "text/html"},
      {"%{HTTPS} %{HTTP2} %{IPV6} %{IS_SUBREQ}", "off off off false"},
      {"%{TIME} %{TIME_WDAY}", "20261120175807 5"},
      {"%{TIME_YEAR}-%{TIME_MON}-%{TIME_DAY} %{TIME_HOUR}:%{TIME_MIN}:%{TIME_SEC}",
       "2026-11-20 17:58:07"},
      {"%{REQUEST_METHOD}%{REQUEST_URI}%{REQUEST_METHOD}%{REQUEST_URI}%{REQUEST_METHOD}"
       "%{REQUEST_URI}%{REQUEST_METHOD}%{REQUEST_URI}%{REQUEST_METHOD}!",
       "GET/abGET/abGET/abGET/abGET!"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(value(text), expected) << text;
}

TEST_F(StringExpressions, variables_of_tls_are_asked_for_by_their_names) {
  facts.tls = {{"SSL_PROTOCOL", "TLSv1.3"}, {"SSL_SERVER_S_DN_Email", "a@b"}};
  EXPECT_EQ(value("%{SSL_PROTOCOL} %{SSL_SERVER_S_DN_Email}|%{SSL_NONE}|"), "TLSv1.3 a@b||");
  EXPECT_EQ(value("%{SSL:SSL_PROTOCOL} %{ssl:SSL_SERVER_S_DN_Email}|%{SSL:none}|"),
            "TLSv1.3 a@b||");
}

TEST_F(StringExpressions, HTTPS_is_the_connections_whatever_the_scheme_is_called) {
  facts.texts[TextFact::scheme] = "https";
  EXPECT_EQ(value("%{HTTPS} %{REQUEST_SCHEME}"), "off https");
  facts.tls = {{"HTTPS", "off"}};
  EXPECT_EQ(value("%{HTTPS} %{REQUEST_SCHEME}"), "off https");
  facts.texts[TextFact::scheme] = "http";
  facts.tls = {{"HTTPS", "on"}};
  EXPECT_EQ(value("%{HTTPS} %{REQUEST_SCHEME}"), "on http");
}

TEST_F(StringExpressions, functions_take_text_with_variables_and_calls) {
  const Cases cases = {
      {"%{req:host} %{HTTP:Host} %{req_novary:HOST} %{req:Nope}|", "a.test a.test a.test |"},
      {"%{resp:set-cookie}", "a=1"},
      {"%{reqenv:V}%{reqenv:N}", "variable"},
      {"%{note:N}%{note:V}", "note"},
      {"%{env:BOTH} %{env:V} %{env:STEELYARD_TEST_VALUE}", "note variable from the process"},
      {"%{osenv:STEELYARD_TEST_VALUE}%{osenv:STEELYARD_NOT_THERE}", "from the process"},
      {"%{tolower:AB%{REQUEST_URI}$0}", "ab/ab"},
      {R"(%{toupper:a\}b}%{tolower:A{B}c})", "A}Ba{bc}"},
      {R"(%{tolower:A%B$C"'})", R"(a%b$c"')"},
      {"%{tolower:%{toupper:%{req:%{tolower:HOST}}}}", "a.test"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(value(text), expected) << text;
}

TEST_F(StringExpressions, encodings_are_those_of_httpd) {
  const Cases cases = {
      {"%{escape:%{req:Text}}", "a%20b/c%3fd%2525"},
      {"%{escape:<>+;=@:~'()*&!,$#[]|^\xe4}", "%3c%3e+;=@:~'()*&!,$%23%5b%5d%7c%5e%e4"},
      {"%{unescape:a%20b+%5c%e4}", "a b+\\\xe4"},
      {"%{unescape:%41%2f%2F}", "A%2f%2F"},
      {"%{unescape:a%zz}|%{unescape:a%2}|%{unescape:%}|%{unescape:x%00}|", "||||"},
      {"%{base64:hello}|%{base64:a}|%{base64:ab}|%{base64:abc}", "aGVsbG8=|YQ==|YWI=|YWJj"},
      {"%{unbase64:aGVsbG8=}|%{unbase64:aGVs!!bG8=}|%{unbase64:aGV}|%{unbase64:a}",
       "hello|hel|he|"},
      {R"(%{ldap:a,b+c<d>e;f*g\(h=i #j/k\\\001})", R"(a\2cb\2bc\3cd\3ee\3bf\2ag\28h=i #j/k\5c\01)"},
      {"%{md5:foo}", "acbd18db4cc2f85cedef654fccc4a4d8"},
      {"%{sha1:foo}", "0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33"},
      {"%{SSL_PROTOCOL}%{SCRIPT_USER}%{LAST_MODIFIED}", "19700101000000"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(value(text), expected) << text;
}

TEST_F(StringExpressions, faults_name_what_is_wrong) {
  const Cases cases = {
      {"%{FOO}", "Variable 'FOO' does not exist"},
      {"%{req}", "Variable 'req' does not exist"},
      {"%{foo:x}", "Function 'foo' does not exist"},
      {"%{REQUEST_URI:x}", "Function 'REQUEST_URI' does not exist"},
      {"%{req:}", "Function 'req' needs an argument"},
      {"%{", "Unterminated string or variable"},
      {"%{REQUEST_URI", "Unterminated string or variable"},
      {"%{req:a", "Unterminated string or variable"},
      {R"(%{req:a\})", "Unterminated string or variable"},
      {"%{}", "A variable's name is missing behind %{"},
      {"%{:x}", "A variable's name is missing behind %{"},
      {"%{ REQUEST_URI}", "Invalid character in variable name ' '"},
      {"%{a-b}", "Invalid character in variable name '-'"},
      {"%{1a}", "Invalid character in variable name '1'"},
      {R"(\8)", "Bad escape sequence"},
      {R"(\1234)", "Bad escape sequence"},
      {R"(\400)", "Escape sequence out of bound"},
      {R"(\0)", "Escape sequence out of bound"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(value(text), "refused: " + std::string(expected)) << text;
  }
}

TEST_F(StringExpressions, a_fault_says_what_to_write_instead) {
  EXPECT_EQ(StringExpression::compile("%{REQUEST_URL}").error().advice,
            "did you mean 'REQUEST_URI'?");
  EXPECT_EQ(StringExpression::compile("%{req}").error().advice,
            "'req' is a function: write %{req:...}");
  EXPECT_EQ(StringExpression::compile("%{tolowr:x}").error().advice, "did you mean 'tolower'?");
}

TEST_F(StringExpressions, calls_nest_only_so_deep) {
  std::string inside = "A";
  for (int i = 0; i < 20; ++i) inside = "%{tolower:" + inside + "}";
  EXPECT_EQ(value(inside), "a");
  EXPECT_EQ(value("%{tolower:" + inside + "}"), "refused: Recursion limit exceeded");
}

TEST_F(StringExpressions, constant_text_is_a_view_of_the_expression) {
  const auto expression = StringExpression::compile(R"(no \"quotes\")");
  EXPECT_TRUE(expression->is_constant());
  EXPECT_EQ(expression->evaluate(facts, arena).data(), expression->evaluate(facts, arena).data());
  EXPECT_FALSE(StringExpression::compile("%{REQUEST_URI}")->is_constant());
}

}  // namespace
}  // namespace steelyard::expr
