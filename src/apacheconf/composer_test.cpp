#include "apacheconf/composer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Reader;
using ::testing::SizeIs;

// The statements as "name text", children indented.
void append(std::vector<std::string>& out, const std::vector<Statement>& statements,
            const std::string& indent) {
  for (const Statement& each : statements) {
    out.push_back(indent + each.name + (each.text.empty() ? "" : " " + each.text));
    append(out, each.children, indent + "  ");
  }
}

std::vector<std::string> composed(Reader& reader, std::string_view text,
                                  std::vector<std::string>* complaints = nullptr) {
  reader.files.contents["/c/t.conf"] = std::string(text);
  Reading reading;
  reading.config = std::make_unique<config::Config>();
  reading.server_root = "/c";
  reading.environment = reader.options.environment;
  Composer composer(reader.options, reader.files, reading);
  std::vector<std::string> out;
  append(out, composer.compose(), "");
  for (const Diagnostic& each : reading.diagnostics) {
    if (complaints) complaints->push_back(std::to_string(each.place.line) + ": " + each.text);
  }
  return out;
}

std::vector<std::string> composed(std::string_view text) {
  Reader reader;
  return composed(reader, text);
}

std::vector<std::string> complaints(std::string_view text) {
  Reader reader;
  std::vector<std::string> said;
  composed(reader, text, &said);
  return said;
}

TEST(Composer, builds_sections_and_ignores_what_follows_the_last_bracket) {
  EXPECT_THAT(composed("<VirtualHost *:80> rest\n A b\n <Location \"/x>y\">\n  C\n </location>\n"
                       "</VIRTUALHOST>\nD\n"),
              ElementsAre("<VirtualHost *:80", "  A b", "  <Location \"/x>y\"", "    C", "D"));
}

TEST(Composer, replaces_variables_before_it_splits_words) {
  Reader reader;
  reader.options.environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "HOME_PORT" ? std::optional<std::string>("81") : std::nullopt;
  };
  std::vector<std::string> said;
  EXPECT_THAT(composed(reader,
                       "Define M \"http://b route=z\"\nA ${M} ${HOME_PORT}\nB ${NO} ${map:x}\n"
                       "Define N ${M}\nUnDefine M\nC ${M}\n",
                       &said),
              ElementsAre("A http://b route=z 81", "B ${NO} ${map:x}", "C ${M}"));
  EXPECT_THAT(said, ElementsAre("3: Config variable ${NO} is not defined",
                                "4: Define takes 1-2 arguments, Define a variable, optionally to a "
                                "value.  Same as passing -D to the command line.",
                                "6: Config variable ${M} is not defined"));
}

TEST(Composer, says_where_a_variable_of_the_shell_is_set_that_nobody_read) {
  Reader reader;
  reader.files.contents["/c/envvars"] = "unset HOME\nexport RUN_USER=www-data\n";
  const auto read = reader.read("Listen 80\nServerAdmin ${RUN_USER}\nServerName ${USER}\n");
  const auto& said = read ? read->remarks : read.error();
  std::vector<std::string> advice;
  for (const Diagnostic& each : said) advice.push_back(each.advice);
  EXPECT_THAT(advice, Contains(HasSubstr("run \". /c/envvars\" in the shell first")));
  EXPECT_THAT(advice, Contains("It stays in the text as it is written."));  // USER is not RUN_USER
}

TEST(Composer, a_name_from_the_command_line_counts_but_has_no_value) {
  Reader reader;
  reader.options.defines = {"PROD"};
  EXPECT_THAT(composed(reader,
                       "<IfDefine PROD>\nA ${PROD}\n</IfDefine>\n<IfDefine !PROD>\nB\n"
                       "</IfDefine>\n"),
              ElementsAre("A ${PROD}"));
}

TEST(Composer, decides_conditionals_while_it_reads) {
  EXPECT_THAT(
      composed("<IfModule proxy_module>\nA\n</IfModule>\n"
               "LoadModule proxy_module modules/mod_proxy.so\n"
               "<IfModule mod_proxy.c>\nB\n</IfModule>\n<IfModule !proxy_module>\nC\n</IfModule>\n"
               "<IfModule steelyard_module>\nD\n</IfModule>\n<IfModule "
               "cache_module>\nE\n</IfModule>\n"
               "<IfFile keep>\nF\n</IfFile>\n<IfFile !/c/keep>\nG\n</IfFile>\n"
               "<IfDirective Listen>\nH\n</IfDirective>\n<IfDirective ProxyHCExpr>\nI\n"
               "</IfDirective>\n<IfSection Proxy>\nJ\n</IfSection>\n"),
      ElementsAre("B", "D", "F", "H", "J"));
}

TEST(Composer, a_module_that_is_loaded_but_not_done_here_is_not_there_for_IfModule) {
  EXPECT_THAT(composed("LoadModule cache_module modules/mod_cache.so\n<IfModule cache_module>\nA\n"
                       "</IfModule>\n<IfModule !mod_cache.c>\nB\n</IfModule>\n"),
              ElementsAre("B"));
}

TEST(Composer, a_block_for_the_absence_of_a_module_that_httpd_has_is_told) {
  const std::string load = "LoadModule cache_module modules/mod_cache.so\n";
  const auto said = [&](const std::string& block) { return complaints(load + block); };
  const std::string fate = " are skipped by httpd, which has mod_cache.c, and executed here: ";
  EXPECT_THAT(said("<IfModule !mod_cache.c>\nListen 80\nHeader set A b\n</IfModule>\n"),
              ElementsAre(_, "2: Lines 2 to 5" + fate + "Listen 80"));
  EXPECT_THAT(said("<IfModule !mod_cache.c>\n<Location />\nHeader set A b\n</Location>\n"
                   "</IfModule>\n"),
              ElementsAre(_, "2: Lines 2 to 6" + fate + "Header"));
  EXPECT_THAT(said("<IfModule !mod_cache.c>\n<Directory />\nRequire all denied\n</Directory>\n"
                   "</IfModule>\n"),
              ElementsAre(_));
  EXPECT_THAT(complaints("<IfModule !mod_cache.c>\nListen 80\n</IfModule>\n"), IsEmpty());
}

TEST(Composer, a_condition_that_httpd_never_reads_is_not_contested) {
  const std::string load = "LoadModule cache_module modules/mod_cache.so\n";
  for (const std::string outer : {"<IfModule steelyard_module>", "<IfModule mod_steelyard.c>"}) {
    EXPECT_THAT(complaints(load + outer + "\n<IfModule !cache_module>\nListen 80\n</IfModule>\n" +
                           "<IfModule cache_module>\nListen 443\n</IfModule>\n</IfModule>\n"),
                ElementsAre(_))
        << outer;
  }
  EXPECT_THAT(complaints(load + "<IfModule !cache_module>\n<IfModule steelyard_module>\nListen 80\n"
                                "</IfModule>\n</IfModule>\n"),
              ElementsAre(_));
}

TEST(Composer, nothing_is_contested_where_files_are_meant) {
  const std::string load =
      "LoadModule macro_module m\nLoadModule cache_module modules/mod_cache.so\n";
  const std::string rule = "RemoteIPHeader X-A\nRedirectMatch 302 ^/$ /app/\nDeny from all\n";
  for (const std::string tag : {"Directory", "DirectoryMatch", "Files", "FilesMatch"}) {
    for (const std::string condition : {"mod_cache.c", "!mod_cache.c"}) {
      const std::string section = "<" + tag + " /var/www>\n", end = "</" + tag + ">\n";
      const std::string asks = "<IfModule " + condition + ">\n", asked = "</IfModule>\n";
      for (const std::string& block :
           {section + asks + rule + asked + end, asks + section + rule + end + asked,
            asks + "<Macro M>\n" + section + rule + end + "</Macro>\n" + asked,
            "<Macro M>\n" + asks + rule + asked + "</Macro>\n" + section + "Use M\n" + end,
            section + "<Limit GET>\n" + asks + rule + asked + "</Limit>\n" + end}) {
        EXPECT_THAT(complaints(load + block), ElementsAre(_)) << block;
      }
    }
  }
}

TEST(Composer, what_stands_behind_a_section_for_files_is_contested_again) {
  const std::string load =
      "LoadModule macro_module m\nLoadModule cache_module modules/mod_cache.so\n";
  const std::string files = "<Directory />\nDeny from all\n</Directory>\n";
  const auto one_fault = [](const std::string& names) { return ElementsAre(_, HasSubstr(names)); };
  for (const std::string condition : {"mod_cache.c", "!mod_cache.c"}) {
    const std::string asks = "<IfModule " + condition + ">\n", asked = "</IfModule>\n";
    EXPECT_THAT(complaints(load + files + asks + "Listen 80\n" + asked), one_fault(": Listen 80"));
    EXPECT_THAT(complaints(load + asks + files + "Listen 80\n" + asked), one_fault(": Listen 80"));
    EXPECT_THAT(complaints(load + asks + "<Macro M>\n" + files + "Listen 80\n</Macro>\n" + asked),
                one_fault(": Listen 80"));
    EXPECT_THAT(
        complaints(load + "<Location />\n" + asks + "Deny from all\n" + asked + "</Location>\n"),
        one_fault(": Deny"));
  }
}

// httpd 2.4.71: Define acts while the file is read, in <Directory> too.
TEST(Composer, a_variable_set_in_a_contested_block_is_told_wherever_it_stands) {
  const std::string load = "LoadModule cache_module modules/mod_cache.so\n";
  const std::string block = "<IfModule !cache_module>\nDefine NOSSL\nUnDefine SSL\n</IfModule>\n";
  for (const std::string& text : {block, "<Directory />\n" + block + "</Directory>\n"}) {
    const std::vector<std::string> said =
        Reader().remarks("ServerName x\nListen 1\n" + load + text);
    const auto warning = std::ranges::find_if(
        said, [](const std::string& each) { return each.starts_with("Warning"); });
    ASSERT_NE(warning, said.end()) << text;
    EXPECT_THAT(*warning, AllOf(HasSubstr("executed here: Define, UnDefine"),
                                HasSubstr("Look also at the <IfDefine> blocks and the ${...} that "
                                          "name NOSSL, SSL: httpd reads them differently.")));
  }
}

TEST(Composer, names_ways_and_client_addresses_decide) {
  const std::string asks = "LoadModule cache_module m\n<IfModule cache_module>\n";
  const auto faults = [&](const std::string& line) {
    Reader reader;
    return reader.faults("ServerName x\nListen 1\n" + asks + line + "\n</IfModule>\n");
  };
  for (const std::string line :
       {"ServerName a", "ServerAlias b", "ServerPath /c", "ProxyRemote * http://p:1",
        "ProxyRemoteMatch . http://p:1", "ProxyBlock *", "ProxyRequests On",
        "SetHandler proxy:http://h", "SetHandler \"proxy:unix:/s|http://localhost\"",
        "RemoteIPHeader X-Forwarded-For", "RemoteIPInternalProxy 10.0.0.0/8",
        "RemoteIPInternalProxyList f", "RemoteIPTrustedProxy 10.0.0.1",
        "RemoteIPTrustedProxyList f", "RemoteIPProxyProtocol On", "JkMount /a w", "JkMountFile f",
        "SSLEngine \"on\""}) {
    EXPECT_THAT(faults(line), SizeIs(1)) << line;
  }
  for (const std::string line :
       {"ProxyRequests Off", "SetHandler server-info", "SetHandler None",
        "RemoteIPProxyProtocol Off", "SSLEngine \"off\"", "RemoteIPProxiesHeader X"}) {
    EXPECT_THAT(faults(line), IsEmpty()) << line;
  }
}

TEST(Composer, a_condition_about_this_program_is_not_contested_where_lines_are_left_out) {
  for (const std::string condition :
       {"IfModule steelyard_module", "IfModule !steelyard_module", "IfModule mod_steelyard.c",
        "IfDirective SteelyardShards", "IfDirective !SteelyardShards"}) {
    const std::string tag = condition.substr(0, condition.find(' '));
    EXPECT_THAT(complaints("LoadModule cache_module m\n<IfModule mod_cache.c>\n<" + condition +
                           ">\nListen 8443\n</" + tag + ">\n</IfModule>\n"),
                ElementsAre(_))
        << condition;
  }
  EXPECT_THAT(complaints("LoadModule cache_module m\n<IfDirective SteelyardShards>\n"
                         "<IfModule cache_module>\nListen 8443\n</IfModule>\n</IfDirective>\n"),
              ElementsAre(_));
}

TEST(Composer, IfDirective_and_IfSection_are_contested_like_IfModule) {
  const std::string load = "LoadModule cache_module modules/mod_cache.so\n";
  EXPECT_THAT(complaints(load + "<IfDirective CacheEnable>\nListen 80\n</IfDirective>\n"),
              ElementsAre(_,
                          "2: Lines 2 to 4 are left out because CacheEnable is not part of "
                          "this program (nothing is cached): Listen 80"));
  EXPECT_THAT(complaints(load + "<IfDirective !CacheEnable>\nListen 80\n</IfDirective>\n"),
              ElementsAre(_,
                          "2: Lines 2 to 4 are skipped by httpd, which has CacheEnable, and "
                          "executed here: Listen 80"));
  EXPECT_THAT(complaints("<IfDirective CacheEnable>\nListen 80\n</IfDirective>\n"), IsEmpty());
}

TEST(Composer, answers_IfVersion_as_2_4_71) {
  const std::vector<std::pair<std::string, bool>> cases{
      {"2.4.71", true}, {"= 2.4.71", true}, {"== 2.4.71", true}, {"2.4", false},
      {">= 2.4", true}, {">= 3", false},    {"> 2.4.71", false}, {"<= 2.4.71", true},
      {"< 2.5", true},  {"!< 2.5", false},  {"~ ^2", true},      {"= /^2\\.4/", true},
      {"!~ ^2", false}};
  for (const auto& [condition, holds] : cases) {
    EXPECT_EQ(!composed("<IfVersion " + condition + ">\nA\n</IfVersion>\n").empty(), holds)
        << condition;
  }
}

TEST(Composer, skipped_lines_are_not_looked_at_beyond_their_tags) {
  EXPECT_THAT(complaints("<IfModule no>\n${NO} nonsense\n<Foo ${BAR}>\nInclude nothing\n</Foo>\n"
                         "</IfModule>\n"),
              IsEmpty());
}

TEST(Composer, says_every_fault_of_tags_and_goes_on) {
  EXPECT_THAT(complaints("</Location>\n<VirtualHost *>\n<Location /a>\n</VirtualHost>\n<Proxy *>\n"
                         "A\n</Proxi>\n"),
              ElementsAre("1: </Location> without matching <Location> section",
                          "4: Expected </Location> but saw </VirtualHost>",
                          "7: Expected </Proxy> but saw </Proxi>"));
  EXPECT_THAT(complaints("<Proxy *>\nA\n</Files>\n"),
              ElementsAre("3: Expected </Proxy> but saw </Files>",
                          "1: /c/t.conf:1: <Proxy> was not closed."));
  EXPECT_THAT(complaints("<IfModule no>\n<Location /x>\n</IfModule>\n"),
              ElementsAre("3: Expected </Location> but saw </IfModule>"));
  EXPECT_THAT(complaints("<IfModule>\n</IfModule>\n"),
              ElementsAre("1: <IfModule> directive requires additional arguments"));
}

TEST(Composer, includes_in_byte_order_by_patterns_in_any_component) {
  Reader reader;
  reader.files.contents["/c/sites/b/x.conf"] = "B\n";
  reader.files.contents["/c/sites/a/x.conf"] = "A\n";
  reader.files.contents["/c/sites/a/y.txt"] = "Y\n";
  reader.files.contents["/c/sites/.h/x.conf"] = "H\n";
  reader.files.contents["/c/all/2"] = "Two\n";
  reader.files.contents["/c/all/1~"] = "One\n";
  reader.files.contents["/c/all/sub/3"] = "Three\n";
  EXPECT_THAT(composed(reader,
                       "Include sites/*/*.conf\nInclude all\nInclude /c/sites/[b]/x.conf\n"
                       "IncludeOptional no/*.conf\nIncludeOptional none\nZ\n"),
              ElementsAre("A", "B", "One", "Two", "Three", "B", "Z"));
}

TEST(Composer, says_what_Include_did_not_find) {
  EXPECT_THAT(
      complaints("Include none.conf\nInclude no/*.conf\nInclude *.nothing\nInclude\n"),
      ElementsAre("1: Could not open configuration file /c/none.conf: No such file or directory",
                  "2: Include/IncludeOptional: Could not open directory /c/no: No such file or "
                  "directory",
                  "3: Include/IncludeOptional: No matches for the wildcard '*.nothing' in '/c', "
                  "failing",
                  "4: Include takes one argument, Name(s) of the config file(s) to be included; "
                  "fails if the wildcard does not match at least one file"));
}

TEST(Composer, an_included_text_must_balance_by_itself) {
  Reader reader;
  reader.files.contents["/c/open.conf"] = "<Location /x>\n";
  std::vector<std::string> said;
  EXPECT_THAT(composed(reader, "<Proxy *>\nInclude open.conf\nA\n</Proxy>\n", &said),
              ElementsAre("<Proxy *", "  <Location /x", "  A"));
  EXPECT_THAT(said, ElementsAre("1: /c/open.conf:1: <Location> was not closed."));
}

TEST(Composer, names_the_circle_of_includes) {
  Reader reader;
  reader.files.contents["/c/a.conf"] = "\nInclude b.conf\n";
  reader.files.contents["/c/b.conf"] = "Include a.conf\nInclude a.conf\n";
  const std::vector<std::string> said = reader.remarks("ServerName x\nListen 1\nInclude a.conf\n");
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_THAT(said[0], HasSubstr("Exceeded maximum include depth of 128"));
  EXPECT_THAT(said[0], HasSubstr("/c/a.conf line 2 -> /c/b.conf line 1 -> /c/a.conf"));
  EXPECT_THAT(said[0], EndsWith("\n  and so on, 128 files deep"));
  EXPECT_EQ(std::ranges::count(said[0], '\n'), 11) << said[0];
}

TEST(Composer, expands_macros_longer_names_first) {
  EXPECT_THAT(composed("LoadModule macro_module modules/mod_macro.so\n<Macro App $a $ab>\n"
                       "<Location /$a>\nB $ab $a$ab\n</Location>\n</Macro>\nUse app x \"y z\"\n"),
              ElementsAre("<Location /x", "  B y z xy z"));
}

TEST(Composer, what_stands_for_a_parameter_with_at_is_one_word) {
  EXPECT_THAT(composed("LoadModule macro_module modules/mod_macro.so\n<Macro M $n @a>\n"
                       "<Location /$n>\nB @a\n</Location>\n</Macro>\n"
                       "Use M 1 'two \"words\" \\x'\nUse M 2 @a\nUse M 3 \"\"\n"),
              ElementsAre("<Location /1", R"(  B "two \"words\" \\x")", "<Location /2", "  B @a",
                          "<Location /3", R"(  B "")"));
}

TEST(Composer, a_fault_in_a_macro_names_both_places) {
  Reader reader;
  const std::vector<std::string> said = reader.remarks(
      "ServerName x\nListen 1\nLoadModule macro_module modules/mod_macro.so\n<Macro bad>\nFoo\n"
      "</Macro>\nUse bad\n");
  ASSERT_THAT(said, SizeIs(1));
  EXPECT_THAT(said[0], HasSubstr("Syntax error on line 1 of macro 'bad' (defined on line 4 of "
                                 "\"/c/t.conf\") used on line 7 of \"/c/t.conf\":\n"
                                 "Invalid command 'Foo'"));
}

TEST(Composer, says_what_is_wrong_with_macros) {
  const std::string load = "LoadModule macro_module modules/mod_macro.so\n";
  EXPECT_THAT(complaints(load + "Use m\n"), ElementsAre("2: no macro defined before Use"));
  EXPECT_THAT(complaints(load + "<Macro m $x>\nA $x\n</Macro>\nUse m\nUse n 1\n"),
              ElementsAre("5: macro 'm' (defined on line 2 of \"/c/t.conf\") used with 0 arguments "
                          "instead of 1",
                          "6: macro 'n' undefined"));
  EXPECT_THAT(complaints(load + "<Macro m>\nUse m\n</Macro>\nUse m\n"),
              ElementsAre("1: recursive use of macro 'm' is invalid"));
  EXPECT_THAT(complaints(load + "<Macro m $x>\nA\n</Macro>\n"),
              ElementsAre("2: macro 'm' (defined on line 2 of \"/c/t.conf\"): argument '$x' (#1) "
                          "never used"));
  EXPECT_THAT(complaints(load + "UndefMacro m\n<Macro m>\n"),
              ElementsAre("2: no macro defined before UndefMacro",
                          "3: macro 'm' (defined on line 3 of \"/c/t.conf\")\n\tcontents error: "
                          "expected token not found: </Macro>"));
}

TEST(Composer, without_mod_macro_a_macro_is_an_unknown_section) {
  Reader reader;
  EXPECT_THAT(reader.faults("ServerName x\nListen 1\n<Macro m>\nFoo\n</Macro>\n"),
              ElementsAre(HasSubstr("3: Invalid command '<Macro'")));
}

TEST(Composer, stops_where_a_text_grows_without_end) {
  Reader reader;
  reader.options.limits.expanded_bytes_max = 1 << 20;
  std::string text = "Define A xxxxxxxxxxxxxxxx\n";
  for (int i = 0; i < 40; ++i) text += "Define A ${A}${A}\n";
  std::vector<std::string> said;
  composed(reader, text, &said);
  EXPECT_THAT(said, ElementsAre(HasSubstr("expand to too much text")));
}

TEST(Composer, stops_after_the_limit_of_lines) {
  Reader reader;
  reader.options.limits.lines_max = 10;
  std::vector<std::string> said;
  EXPECT_THAT(composed(reader, "A\nA\nA\nA\nA\nA\nA\nA\nA\nA\nA\nA\n", &said), SizeIs(10));
  EXPECT_THAT(said, ElementsAre(HasSubstr("more than 10 lines")));
}

TEST(Composer, executes_the_command_lines_directives_around_the_file) {
  Reader reader;
  reader.options.before = {"Define X 1"};
  reader.options.after = {"B ${X}"};
  EXPECT_THAT(composed(reader, "A ${X}\n"), ElementsAre("A 1", "B 1"));
}

TEST(Composer, ServerRoot_moves_relative_paths) {
  Reader reader;
  reader.files.contents["/d/x.conf"] = "A\n";
  std::vector<std::string> said;
  EXPECT_THAT(composed(reader, "ServerRoot /d\nInclude x.conf\nServerRoot /none\n", &said),
              ElementsAre("A"));
  EXPECT_THAT(said, ElementsAre("3: ServerRoot must be a valid directory"));
}

TEST(Composer, a_module_loaded_twice_is_warned_about) {
  EXPECT_THAT(complaints("LoadModule env_module a\nLoadModule env_module a\nLoadModule x\n"),
              ElementsAre("2: module env_module is already loaded, skipping",
                          "3: LoadModule takes two arguments, a module name and the name of a "
                          "shared object file to load it from"));
}

}  // namespace
}  // namespace steelyard::apacheconf
