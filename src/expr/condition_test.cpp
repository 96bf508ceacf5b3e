#include "expr/condition.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/arena.hpp"
#include "expr/answer_facts.hpp"
#include "expr/local_files.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::expr {
namespace {

struct Conditions : testing::Test {
  Conditions() {
    facts.texts = {{TextFact::path, "/x/y"},
                   {TextFact::query, "q=1"},
                   {TextFact::request_line, "GET /x/y?q=1 HTTP/1.1"},
                   {TextFact::client_ip, "127.0.0.1"}};
    facts.numbers = {{NumberFact::request_status, 404}};
    facts.request = {{"Host", "a.test"}, {"Accept", "text/html"}, {"Cookie", "a=1"}};
    facts.client = IpAddress::v4(0x7f000001);
    facts.variables = {{"V", "on"}};
  }

  std::string verdict(std::string_view text) {
    const auto condition = Condition::compile(text);
    if (!condition) return "refused: " + condition.error().text;
    const auto holds = condition->evaluate(facts, arena);
    if (!holds) return "failed: " + std::string(holds.error());
    return *holds ? "yes" : "no";
  }
  void all_are(std::string_view verdict_of_all, const std::vector<std::string_view>& texts) {
    for (const std::string_view text : texts) EXPECT_EQ(verdict(text), verdict_of_all) << text;
  }

  TableFacts facts;
  Arena arena;
};

TEST_F(Conditions, not_binds_before_and_and_before_or) {
  all_are("yes", {"true", "!false", "not false", "!!true", "! ! true", "(true)", "((true))",
                  "true || false && false", "true or false and false", "!(false && false)",
                  "false || false || true", "true && true && true", "! 'a' == 'b'",
                  "true\t&&\ntrue", "true&&true||false"});
  all_are("no", {"false", "!true", "(true || false) && false", "!false && false",
                 "not false and false", "true && true && false", "false || false"});
}

TEST_F(Conditions, texts_are_compared_byte_by_byte) {
  all_are("yes", {"'a' == 'a'", "'a' = 'a'", "'a'=='a'", "'a' != 'A'", "'a' < 'aa'", "'B' < 'a'",
                  "'a' <= 'a'", "'b' > 'a'", "'b' >= 'b'", "'\xc3\xa9' > 'z'", "1.2 == '12'",
                  "-5 == '-5'", "'a'.'b' == 'ab'", "'a' . %{REQUEST_URI} . 1 == 'a/x/y1'",
                  "\"a'c\" == 'a\\'c'", R"('\101\n' == 'A' . "\n")", "'' == ''"});
  all_are("no", {"'a' == 'A'", "'a' < 'B'", "'a' > 'aa'", "'a' != 'a'"});
}

TEST_F(Conditions, numbers_are_what_stands_in_front) {
  all_are("yes", {"'1' -eq '1abc'", "'abc' eq 0", "' 12' -eq 12", "'+12' -eq 12", "'010' -eq 10",
                  "'9223372036854775808' -eq '9223372036854775807'", "-5 -lt -4", "'-5' lt -4",
                  "'' -eq 0", "2 -gt 1", "2 gt 1", "2 -ge 2", "2 ge 2", "1 -le 1", "1 le 2",
                  "1 -ne 2", "1 ne 2", "'a'eq'b'"});
  all_are("no", {"'0x10' -eq 16", "1 -eq 2", "1 -gt 1", "2 -lt 1", "2 le 1"});
}

TEST_F(Conditions, patterns_are_searched_and_end_at_the_first_separator) {
  all_are("yes", {"'abc' =~ /b/", "'abc' !~ /x/", "'ABC' =~ /abc/i",   "'a/b' =~ m#a/b#",
                  "'x' =~ m:x:",  "'x' =~ m-x-i", "'x' =~ m\"x\"",     "'x' =~ m'x'",
                  "'x' =~ m$x$",  "'x' =~ m|x|",  "'x' =~ m^x^",       "'x' =~ m%x%",
                  "'x' =~ m,x,",  "'x' =~ m;x;",  "'x' =~ m?x?",       "'x' =~ m!x!",
                  "'x' =~ m.x.",  "'x' =~ //",    "'x' =~ /x/&& true", "'x' =~ /x/i&& true",
                  "'x'=~/x/"});
  all_are("no", {"'ABC' =~ /abc/", "'abc' !~ /b/", "'abc' =~ /^b/"});
}

TEST_F(Conditions, groups_are_those_of_the_last_pattern_that_has_some) {
  all_are("yes", {"'abc' =~ /(b)(c)/ && $1 == 'b' && $2 == 'c' && $0 == 'bc'",
                  "'abc' =~ /(b)/ && 'xyz' =~ /y/ && $1 == 'b' && $0 == 'b'",
                  "'abc' =~ /b/ && $0 == ''", "'abc' =~ /(b)/ && ('xyz' =~ /(q)/ || $1 == '')",
                  "'abc' =~ /(b)/ && ('xyz' =~ /q/ || $1 == 'b')", "'abc' !~ /(q)/ && $1 == ''",
                  "!('abc' !~ /(b)/) && $1 == 'b'", "'abc' =~ /(b)(x)?/ && $2 == ''",
                  "'abcdefghijkl' =~ /(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)/ && $9 == 'i'",
                  "'abc' =~ /(b)/ && '$1$1x' == 'bbx'", "'abc' =~ /(b)/ && toupper($1) == 'B'",
                  "'abc' =~ /(b)/ && '%{toupper:$1}' == 'B'", "$1 == ''"});
  EXPECT_EQ(verdict("'abc' =~ /(b)/ && ('xyz' =~ /(q)/ || $1 == 'b')"), "no");
}

TEST_F(Conditions, lists_and_wildcards) {
  all_are("yes", {"'a' in {'b','a'}", "'a' -in {'a'}", "'bc' in { 'b' . 'c' , 1 }", "1 in {1}",
                  "'a/b.c' -strmatch '*.c'", "'a/b.c' -fnmatch '*/*.c'", "'A' -strcmatch 'a'",
                  "'.x' -fnmatch '*'", "'abc' -STRMATCH 'a[a-c]c'", "'a*c' -strmatch 'a\\\\*c'"});
  all_are("no", {"'A' in {'a'}", "'a' -in {'b'}", "'a/b.c' -fnmatch '*.c'", "'A' -strmatch 'a'",
                 "'abc' -strmatch 'a\\\\*c'"});
}

TEST_F(Conditions, extensions_of_the_clients_certificate_are_a_list) {
  facts.tls = {{"SSL_CLIENT_EXT_0:1.2.3", "red"}, {"SSL_CLIENT_EXT_1:1.2.3", "blue"}};
  all_are("yes", {"'blue' in PeerExtList('1.2.3')", "'red' -in peerextlist('1.2' . '.3')",
                  "!('green' in PeerExtList('1.2.3'))"});
  all_are("no", {"'blue' in PeerExtList('1.2.4')", "'BLUE' in PeerExtList('1.2.3')"});
}

TEST_F(Conditions, addresses_are_matched_with_networks) {
  all_are("yes", {"-R '127.0.0.1'", "-R '127'", "-R '127.0.0.0/8'", "-R '127.0.0.0/255.0.0.0'",
                  "'10.1.2.3' -ipmatch '10.1'", "'10.1.2.3' -ipmatch '10.1.2.3/16'",
                  "'::ffff:10.1.2.3' -ipmatch '10.1'", "'2001:db8::1' -ipmatch '2001:db8::/32'"});
  all_are("no", {"-R '::1'", "-R '10.0.0.0/8'", "'abc' -ipmatch '10.1'"});
}

TEST_F(Conditions, words_alone_are_asked_about_by_letters) {
  all_are("yes", {"-n 'x'", "-n'x'", "-z ''", "-T '00'", "-T 'off '", "-T 'yes'", "-T reqenv('V')",
                  "-n 'a'.'b'", "-z %{req:None}", "-n %{REQUEST_STATUS}"});
  all_are("no", {"-n ''", "-z 'x'", "-T ''", "-T '0'", "-T 'OFF'", "-T 'no'", "-T 'False'"});
}

TEST_F(Conditions, functions_are_called_like_functions_or_inside_of_text) {
  all_are("yes",
          {"req('Host') == 'a.test'", "%{req:Host} == '%{HTTP:host}'",
           "tolower(toupper('a').'B') == 'ab'", "md5 ('foo') == 'acbd18db4cc2f85cedef654fccc4a4d8'",
           "SHA1('foo') == '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33'", "%{REQUEST_URI} == '/x/y'",
           "%{THE_REQUEST} =~ m#^GET /x#", "%{tolower:%{req:Host}} == 'a.test'",
           "%{tolower:A\\}B} == 'a}b'"});
}

struct TableFiles : LocalFiles {
  bool has_trait(std::string_view path, FileTrait trait) const override {
    if (path == "/dir") return trait == FileTrait::exists || trait == FileTrait::directory;
    if (path == "/link") return trait == FileTrait::exists || trait == FileTrait::link;
    if (path != "/file") return false;
    return trait == FileTrait::exists || trait == FileTrait::regular ||
           trait == FileTrait::with_bytes || trait == FileTrait::executable;
  }
  std::optional<std::uint64_t> bytes_of(std::string_view path) const override {
    if (path != "/file") return std::nullopt;
    return 5;
  }
  std::expected<std::string_view, std::string_view> read(std::string_view path,
                                                         Arena& arena) const override {
    if (path != "/file") return std::unexpected("Cannot open file ");
    return arena.copy("text\n");
  }
};

TEST_F(Conditions, files_are_asked_of_whoever_knows_them) {
  const TableFiles files;
  facts.files = &files;
  all_are("yes",
          {"-f '/file'", "-e '/file'", "-s '/file'", "-x '/file'", "-d '/dir'", "-e '/dir'",
           "-L '/link'", "-h '/link'", "file('/file') == 'text\n'", "%{filesize:/file} -eq 5",
           "filesize('/none') == '0'", "-f '/fi'.'le' && !-f '/none'"});
  all_are("no", {"-f '/dir'", "-d '/file'", "-s '/dir'", "-L '/file'", "-x '/dir'", "-e ''"});
}

TEST_F(Conditions, a_file_that_cannot_be_read_is_an_error_of_the_evaluation) {
  const TableFiles files;
  facts.files = &files;
  EXPECT_EQ(verdict("file('/none') == ''"), "failed: Cannot open file /none");
  EXPECT_EQ(verdict("true || file('/none') == ''"), "yes");
}

TEST_F(Conditions, without_files_there_are_none) {
  all_are("no", {"-e '/file'", "file('/file') != ''", "filesize('/file') != '0'"});
}

TEST_F(Conditions, request_fields_that_were_asked_for_are_told) {
  const auto vary = [this](std::string_view text) {
    Evaluation evaluation{facts, arena};
    EXPECT_TRUE(Condition::compile(text)->evaluate(evaluation)) << text;
    return std::string(evaluation.vary);
  };
  EXPECT_EQ(vary("%{HTTP_ACCEPT} == 'x' || req('cookie') == 'y' || %{http:Accept} == ''"),
            "Accept, cookie");
  EXPECT_EQ(vary("true || %{HTTP_ACCEPT} == 'x'"), "");
  EXPECT_EQ(vary("%{HTTP_HOST} == 'x' || req('host') == 'y' || req_novary('A') == 'z'"), "");
}

// The client may have a say in what the name is.
TEST_F(Conditions, a_computed_name_that_no_field_can_have_is_not_told) {
  const auto told = [this](std::string asked_name) {
    facts.variables = {{"N", std::move(asked_name)}};
    Evaluation evaluation{facts, arena};
    EXPECT_TRUE(Condition::compile("req(reqenv('N')) == 'x'")->evaluate(evaluation));
    return std::string(evaluation.vary);
  };
  EXPECT_EQ(told("Accept"), "Accept");
  EXPECT_EQ(told("a\r\nX-Poison: 1"), "");
  EXPECT_EQ(told("a, *"), "");
  EXPECT_EQ(told(""), "");
}

TEST(HealthConditions, see_the_status_the_fields_and_the_body_of_an_answer) {
  http::FieldList fields;
  fields.add("X-Count", "4");
  AnswerFacts facts;
  facts.status = 503;
  facts.fields = &fields;
  facts.body = "UP and well";
  Arena arena;
  for (const std::string_view text :
       {"%{REQUEST_STATUS} -eq 503", "%{resp:x-count} =~ /[02468]$/", "hc('body') =~ /^UP/",
        "%{HC_BODY} =~ /well/ && hc('BODY') == %{hc_body}", "hc('head') == ''",
        "%{REQUEST_URI} == '' && reqenv('X') == ''"}) {
    EXPECT_EQ(Condition::compile(text).value().evaluate(facts, arena), true) << text;
  }
}

TEST_F(Conditions, faults_name_the_place_and_what_was_met) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "syntax error, unexpected end"},
      {"  ", "syntax error, unexpected end"},
      {"TRUE", "syntax error at character 1, unexpected TRUE"},
      {"((true", "syntax error, unexpected end"},
      {"'a'", "syntax error, unexpected end"},
      {"'a' === 'a'", "syntax error at character 7, unexpected ="},
      {"'a' 'b'", "syntax error at character 5, unexpected '"},
      {"a == b", "syntax error at character 1, unexpected a"},
      {"true true", "syntax error at character 6, unexpected true"},
      {"true & true", "syntax error at character 6, unexpected &"},
      {"true &&\rtrue", "syntax error at character 8, unexpected \r"},
      {"'x' =~ m#x#g", "syntax error at character 12, unexpected g"},
      {"'x' =~ m_x_", "syntax error at character 8, a regular expression is missing"},
      {"'x' =~ 'x'", "syntax error at character 8, a regular expression is missing"},
      {"'x' =~ m@x@", "syntax error at character 8, a regular expression is missing"},
      {"'x' =~ /x", "The regular expression at character 8 does not end"},
      {"'x' =~ /a\\/b/", "Failed to compile regular expression at character 8"},
      {"'a' in {}", "syntax error at character 9, unexpected }"},
      {"'a' in {'a',}", "syntax error at character 13, unexpected }"},
      {"'a' in {'b' 'c'}", "syntax error at character 13, unexpected '"},
      {"'a' in 'b'", "syntax error at character 8, unexpected '"},
      {"'a' in foo('x')", "List-returning function 'foo' does not exist"},
      {"'a' in PeerExtList", "syntax error, unexpected end"},
      {"'a' in PeerExtList()", "syntax error at character 20, unexpected )"},
      {"'a' in PeerExtList('1', '2')", "syntax error at character 23, unexpected ,"},
      {"-q 'x'", "Unary operator '-q' does not exist"},
      {"-N 'x'", "Unary operator '-N' does not exist"},
      {"'x' -foo 'y'", "Binary operator '-foo' does not exist"},
      {"'a' -EQ 'b'", "Binary operator '-EQ' does not exist"},
      {"1-eq1", "Binary operator '-eq1' does not exist"},
      {"1eq1", "syntax error at character 2, unexpected eq1"},
      {"5-5 == 'x'", "syntax error at character 2, unexpected -5"},
      {"-R '10.0.0.0/33'", "parsing of subnet/netmask failed"},
      {"-R %{REQUEST_URI}", "-R requires subnet/netmask as constant argument"},
      {"'a' -ipmatch %{req:N}", "-ipmatch requires subnet/netmask as constant argument"},
      {"foo('x') == 'y'", "Function 'foo' does not exist (at character 1)"},
      {"md5('x','y') == 'z'", "syntax error at character 8, unexpected ,"},
      {"req(Host) == 'a'", "syntax error at character 5, unexpected Host"},
      {"$10 == ''", "syntax error at character 3, unexpected 0"},
      {"$a == ''", "syntax error at character 1, unexpected $"},
      {"'x' == %{FOO}", "Variable 'FOO' does not exist (in the word at character 8)"},
      {"'abc", "Unterminated string or variable (in the word at character 1)"},
      {"'x' == 'y' == 'z'", "syntax error at character 12, unexpected =="},
      {"-n 'a' == 'b'", "syntax error at character 8, unexpected =="},
      {"true == true", "syntax error at character 6, unexpected =="},
      {"(('a')) == 'a'", "syntax error at character 6, unexpected )"},
      {"'a' == 'a')", "syntax error at character 11, unexpected )"},
      {"-U '/x'",
       "The operator -U is not supported: it would ask whether a path can be reached from here"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(verdict(text), "refused: " + std::string(expected)) << text;
  }
}

TEST_F(Conditions, a_fault_says_what_to_write_instead) {
  EXPECT_EQ(Condition::compile("REQUEST_URI == 'x'").error().advice, "write %{REQUEST_URI}");
  EXPECT_EQ(Condition::compile("'x' == word").error().advice, "put quotes around text: 'word'");
  EXPECT_NE(Condition::compile("'x' =~ /a\\/b/").error().advice.find("m#...#"), std::string::npos);
}

TEST_F(Conditions, everything_is_bounded) {
  const std::string many(static_cast<std::size_t>(200), '(');
  const std::string closed(static_cast<std::size_t>(200), ')');
  EXPECT_EQ(verdict(many + "true" + closed), "yes");
  EXPECT_EQ(verdict("(" + many + "true" + closed + ")"), "refused: Recursion limit exceeded");
  EXPECT_EQ(verdict(std::string(100001, '!') + "true"), "no");
  const std::string text(8191, 'a');
  EXPECT_EQ(verdict("'" + text + "' == 'a'"), "no");
  EXPECT_EQ(verdict("'" + text + "a' == 'a'"),
            "refused: String too long (in the word at character 1)");
  EXPECT_EQ(verdict("'a' =~ /" + text + "/"), "no");
  EXPECT_EQ(verdict("'a' =~ /" + text + "a/"), "refused: Regexp too long");
}

}  // namespace
}  // namespace steelyard::expr
