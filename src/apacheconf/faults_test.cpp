// Faults that were once overlooked, or told without what to write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/odd_characters.hpp"
#include "apacheconf/summary.hpp"
#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Reader;

// Lines count from 3: two are the preamble.
std::vector<std::string> faults(const std::string& text) {
  return Reader().faults(std::string(testing::preamble) + text);
}
std::vector<std::string> remarks(const std::string& text) {
  return Reader().remarks(std::string(testing::preamble) + text);
}

constexpr std::string_view proxy = "LoadModule proxy_module m\nLoadModule proxy_http_module m\n";

TEST(Faults, a_configuration_without_Listen_is_none) {
  EXPECT_THAT(Reader().remarks("ServerName x\n"),
              ElementsAre("no listening sockets available: there is no Listen line\n"
                          "  Add one, for example: Listen 8080"));
  EXPECT_THAT(Reader().remarks(""), ::testing::Contains(HasSubstr("no Listen line")));
}

TEST(Faults, a_skipped_block_ends_before_the_file_does) {
  EXPECT_THAT(faults("<IfModule mod_foo.c>\nBogus\n"),
              ElementsAre("3: Expected </IfModule> before end of configuration"));
  EXPECT_THAT(faults("<IfDefine X>\n<IfDefine Y>\n</IfDefine>\nBogus\n"),
              ElementsAre("3: Expected </IfDefine> before end of configuration"));
  EXPECT_THAT(faults("<IfVersion < 2>\n<Location /x>\n"),
              ElementsAre("3: Expected </Location> before end of configuration"));
}

TEST(Faults, a_skipped_block_ends_before_its_included_file_does) {
  Reader reader;
  reader.files.contents["/c/a.conf"] = "<IfDefine X>\n";
  EXPECT_THAT(reader.faults(std::string(testing::preamble) + "Include a.conf\nTimeout 3\n"),
              ElementsAre("1: Expected </IfDefine> before end of configuration"));
}

TEST(Faults, an_end_tag_is_one_word) {
  for (const std::string tag : {"Location", "If", "IfDefine"}) {
    for (const std::string tail : {" foo>", " >", ""}) {
      const std::string argument = tag == "Location" ? " /x>\n"
                                   : tag == "If"     ? " true>\n"
                                                     : " X>\n";
      std::string text("<");
      text.append(tag).append(argument).append("</").append(tag).append(tail).append("\n");
      EXPECT_THAT(faults(text), ElementsAre("4: </" + tag + "> directive missing closing '>'"));
    }
  }
  EXPECT_THAT(faults("<Location /x>\n</Location> foo\n"), IsEmpty());
}

TEST(Faults, an_end_tag_that_is_nearly_right_ends_the_section) {
  EXPECT_THAT(faults("<Location /x>\n</Locaton>\n<VirtualHost *:8080>\nBogus\n</VirtualHost>\n"),
              ElementsAre("4: Expected </Location> but saw </Locaton>",
                          HasSubstr("6: Invalid command 'Bogus'")));
  EXPECT_THAT(faults("<LocationMatch /x>\n</Location>\nListen\n"),
              ElementsAre("4: Expected </LocationMatch> but saw </Location>",
                          HasSubstr("5: Listen requires")));
  EXPECT_THAT(faults("<VirtualHost *:8080>\n<Location /x>\n</VirtualHst>\nListen\n"),
              ElementsAre("5: Expected </Location> but saw </VirtualHst>",
                          HasSubstr("6: Listen requires")));
  EXPECT_THAT(faults("<IfDefine X>\n</IfDefin>\nBogus\n"),
              ElementsAre("4: Expected </IfDefine> but saw </IfDefin>",
                          HasSubstr("5: Invalid command 'Bogus'")));
}

TEST(Faults, an_end_tag_of_another_section_ends_none) {
  EXPECT_THAT(faults("<VirtualHost *:8080>\n</Files>\nListen 81\n</VirtualHost>\n"),
              ElementsAre("4: Expected </VirtualHost> but saw </Files>",
                          "5: Listen cannot occur within <VirtualHost> section"));
}

TEST(Faults, a_section_with_a_mistyped_tag_is_looked_into) {
  EXPECT_THAT(faults("<Loaction /x>\nBogus\nTimeout 3\n</Loaction>\n"),
              ElementsAre(HasSubstr("3: Invalid command '<Loaction'"),
                          HasSubstr("4: Invalid command 'Bogus'"),
                          "5: Timeout not allowed in <Location> context"));
  EXPECT_THAT(faults("<VirtualHots *:8080>\nBogus\n</VirtualHots>\n"),
              ElementsAre(HasSubstr("3: Invalid command '<VirtualHots'"),
                          HasSubstr("4: Invalid command 'Bogus'")));
  EXPECT_THAT(faults("<Location /x\nBogus\n</Location>\n"),
              ElementsAre("3: <Location> directive missing closing '>'",
                          HasSubstr("4: Invalid command 'Bogus'")));
}

TEST(Faults, a_section_in_a_wrong_place_is_looked_into) {
  EXPECT_THAT(faults("<Location /x>\n<VirtualHost *:8080>\nServerName a\nBogus\n</VirtualHost>\n"
                     "</Location>\n"),
              ElementsAre("4: <VirtualHost not allowed in <Location> context",
                          HasSubstr("6: Invalid command 'Bogus'")));
  EXPECT_THAT(faults("<VirtualHost *:1>\n<VirtualHost *:2>\n<VirtualHost *:3>\nBogus\n"
                     "</VirtualHost>\n</VirtualHost>\n</VirtualHost>\n"),
              ElementsAre("4: <VirtualHost> cannot occur within <VirtualHost> section",
                          "5: <VirtualHost> cannot occur within <VirtualHost> section",
                          HasSubstr("6: Invalid command 'Bogus'")));
}

TEST(Faults, a_section_that_nobody_knows_is_not_looked_into) {
  EXPECT_THAT(faults("<Perl>\nuse strict;\n</Perl>\n"),
              ElementsAre(HasSubstr("3: Invalid command '<Perl'")));
}

TEST(Faults, a_module_has_the_name_that_is_in_its_file) {
  EXPECT_THAT(remarks("LoadModule proxy_modul /usr/lib/modules/mod_proxy.so\nProxyVia On\n"),
              ElementsAre("Syntax error on line 3 of /c/t.conf:\nCan't locate API module structure "
                          "`proxy_modul' in file /usr/lib/modules/mod_proxy.so\n"
                          "  That file has proxy_module."));
  EXPECT_THAT(faults("LoadModule mpm_worker_module modules/mod_mpm_event.so\n"),
              ElementsAre(HasSubstr("`mpm_worker_module'")));
  EXPECT_THAT(faults("LoadModule mpm_event_module modules/mod_mpm_event.so\n"
                     "LoadModule evasive20_module modules/mod_evasive24.so\n"
                     "LoadModule proxy_module modules/anything.so\n"),
              IsEmpty());
}

TEST(Faults, what_nobody_sees_is_shown_and_named) {
  EXPECT_THAT(Reader().remarks("\xef\xbb\xbfListen 1\nServerName x\nListen 2\n"),
              ElementsAre(::testing::AllOf(HasSubstr("Invalid command '\\xef\\xbb\\xbfListen'"),
                                           HasSubstr("save the file as UTF-8 without BOM"))));
  EXPECT_THAT(remarks("Timeout\xc2\xa0"
                      "5\n"),
              ElementsAre(::testing::AllOf(HasSubstr("'Timeout\\xc2\\xa05'"),
                                           HasSubstr("no-break space"))));
  EXPECT_THAT(remarks("\x1a"), ElementsAre(::testing::AllOf(HasSubstr("Invalid command '\\x1a'"),
                                                            HasSubstr("Ctrl-Z"))));
  EXPECT_THAT(remarks("Time\xe2\x80\x8bout 5\n"),
              ElementsAre(::testing::AllOf(HasSubstr("'Time\\xe2\\x80\\x8bout'"),
                                           HasSubstr("type the line anew"))));
}

TEST(Faults, a_file_in_utf_16_is_named) {
  EXPECT_THAT(Reader().remarks(std::string_view("\xff\xfeL\0i\0", 6)),
              ::testing::Contains(::testing::AllOf(HasSubstr("Invalid command '\\xff\\xfeL'"),
                                                   HasSubstr("save it as UTF-8."))));
}

TEST(Faults, a_condition_asks_for_something) {
  EXPECT_THAT(faults("<IfDefine \"\">\n</IfDefine>\n"),
              ElementsAre("3: <IfDefine> directive requires additional arguments"));
}

TEST(Faults, a_macro_has_a_name) {
  EXPECT_THAT(faults("LoadModule macro_module m\n<Macro \"\">\n</Macro>\n"),
              ElementsAre("4: <Macro macro definition: empty name"));
}

TEST(Faults, curly_quotes_are_none) {
  EXPECT_THAT(remarks("ServerAdmin \xe2\x80\x9c"
                      "a b\xe2\x80\x9d\n"),
              ElementsAre(EndsWith("  Curly quotes do not quote: write \" or '.")));
}

TEST(Faults, letters_of_any_language_stay_readable) {
  EXPECT_EQ(with_odd_characters_shown("f\xc3\xbcr \xd0\x96\t\n"), "f\xc3\xbcr \xd0\x96\t\n");
  EXPECT_EQ(odd_characters("f\xc3\xbcr \xd0\x96\t"), "");
}

TEST(Faults, an_empty_argument_is_none) {
  const std::string logs = "LoadModule alias_module m\n";
  for (const std::string line :
       {"ServerName \"\"", "CustomLog \"\" common", "ErrorDocument 500 \"\"", "Redirect \"\" /x",
        "ServerAdmin ''", "Include \"\"", "LogFormat \"\"", "PidFile \"\"", "KeepAlive \"\"",
        "Listen \"\"", "ErrorLog \"\""}) {
    EXPECT_EQ(faults(logs + line + '\n').size(), 1u) << line;
  }
  EXPECT_THAT(faults("LoadModule env_module m\nSetEnv X \"\"\n"), IsEmpty());
}

TEST(Faults, a_word_behind_a_switch_is_none) {
  EXPECT_THAT(faults("KeepAlive On # comment\n"), IsEmpty());
  EXPECT_THAT(faults("KeepAlive # On\n"), ElementsAre("3: KeepAlive must be On or Off"));
}

TEST(Faults, each_is_told_with_what_to_write) {
  const std::string modules = std::string(proxy) + "LoadModule proxy_balancer_module m\n";
  struct Case {
    std::string line, advice;
  };
  for (const auto& [line, advice] : std::vector<Case>{
           {"BalancerMember balancer://b 10.0.0.3:80", "Write its scheme: http://10.0.0.3:80."},
           {"BalancerMember balancer://b app", "A URL begins with its scheme: http://HOST:PORT."},
           {"BalancerMember balancer://b http://10.0.0.4:8080,", "Leave out the mark at its end."},
           {"BalancerMember balancer://b http://a status=+Z",
            "Behind + (set) or - (clear) stand letters: D disabled,"},
           {"BalancerMember balancer://b http://a retry=5 # comment",
            "A comment has a line of its own: here # is text."},
           {"ProxyPass /x http://a # comment", "A comment has a line of its own: here # is text."},
           {"LogLevel proxy_balancr:debug", "Did you mean proxy_balancer?"},
           {"Listen 80a", "\"80a\" is none: a port is a number from 1 to 65535."},
       }) {
    EXPECT_THAT(remarks(modules + line + '\n'), ::testing::Contains(HasSubstr(advice))) << line;
  }
}

TEST(Faults, a_faulty_format_is_one_fault_however_many_use_it) {
  EXPECT_THAT(remarks("LogFormat \"%>\" f\nCustomLog a f\nCustomLog b f\n"),
              ElementsAre(HasSubstr("line 3")));
}

TEST(Warnings, a_module_has_not_the_name_of_its_file) {
  EXPECT_THAT(remarks("<IfModule mod_proxy.so>\nBogus\n</IfModule>\n"),
              ElementsAre(HasSubstr("Write <IfModule proxy_module>.")));
}

TEST(Warnings, the_folder_of_the_pid_file_is_missing) {
  Reader reader;
  reader.options.machine.is_folder = [](const std::string& path) { return path == "/run"; };
  const std::string text(testing::preamble);
  EXPECT_THAT(reader.remarks(text + "PidFile /nowhere/pid\n"),
              ElementsAre(HasSubstr("Warning on line 3 of /c/t.conf:\nPidFile: there is no "
                                    "directory /nowhere\n")));
  EXPECT_THAT(reader.remarks(text + "PidFile /run/pid\n"), IsEmpty());
}

std::vector<std::string> warnings(const std::string& text) {
  std::vector<std::string> kept;
  for (const std::string& each : remarks(text)) {
    if (each.starts_with("Warning")) kept.push_back(each);
  }
  return kept;
}

TEST(Warnings, a_filter_without_its_module_is_told_once) {
  const std::string text =
      "LoadModule filter_module m\nAddOutputFilterByType DEFLATE text/html\n"
      "<Location /x>\nSetOutputFilter DEFLATE\n</Location>\n";
  EXPECT_THAT(warnings(text),
              ElementsAre(::testing::AllOf(
                  HasSubstr("Warning on line 4 of /c/t.conf:\nAddOutputFilterByType "
                            "DEFLATE: answers pass uncompressed"),
                  HasSubstr("LoadModule deflate_module modules/mod_deflate.so"))));
  EXPECT_THAT(warnings("LoadModule deflate_module m\n" + text), IsEmpty());
}

TEST(Warnings, brotli_is_told_once) {
  const std::string text =
      "LoadModule deflate_module m\nLoadModule filter_module m\n<Directory />\nSetOutputFilter "
      "BROTLI_COMPRESS\n</Directory>\nAddOutputFilterByType BROTLI_COMPRESS;DEFLATE text/html\n"
      "<Location /x>\nSetOutputFilter BROTLI_COMPRESS\n</Location>\n";
  EXPECT_THAT(warnings(text),
              ElementsAre(::testing::AllOf(
                  HasSubstr("Warning on line 8 of /c/t.conf:\nAddOutputFilterByType "
                            "BROTLI_COMPRESS;DEFLATE: answers are not compressed by brotli"),
                  HasSubstr("Write DEFLATE"))));
}

TEST(Reports, name_the_files_that_were_read) {
  Reader reader;
  reader.files.contents["/c/a.conf"] = "\nInclude b.conf\n";
  reader.files.contents["/c/b.conf"] = "Timeout 3\n";
  const auto read =
      reader.read(std::string(testing::preamble) + "Include a.conf\nInclude b.conf\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sources,
            "Included configuration files:\n  (*) /c/t.conf\n    (3) /c/a.conf\n"
            "      (2) /c/b.conf\n    (4) /c/b.conf\n");
}

TEST(Reports, name_the_certificates_of_each_server) {
  Reader reader;
  const auto read = reader.read(
      std::string(testing::preamble) +
      "LoadModule ssl_module m\n<VirtualHost *:8080>\nServerName a\nSSLCertificateFile /c/keep\n"
      "</VirtualHost>\n<VirtualHost *:8080>\nServerName b\nSSLCertificateFile /c/keep\n"
      "</VirtualHost>\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(describe_certificates(*read->config), "Server certificates:\n  /c/keep\n  /c/keep\n");
}

TEST(Redirects, stay_relative_where_it_is_said) {
  Reader reader;
  const auto read = reader.read(std::string(testing::preamble) +
                                "LoadModule alias_module m\nRedirectRelative On\n"
                                "<Location /x>\nRedirectRelative off\n</Location>\n");
  ASSERT_TRUE(read);
  const config::Server& server = *read->config->servers.front();
  EXPECT_EQ(server.defaults.redirect_relative, true);
  EXPECT_EQ(server.locations[0].settings.redirect_relative, false);
  EXPECT_EQ(config::merge(server.defaults, server.locations[0].settings).redirect_relative, false);
  EXPECT_EQ(config::merge(server.defaults, {}).redirect_relative, true);
  EXPECT_THAT(faults("LoadModule alias_module m\nRedirectRelative perhaps\n"),
              ElementsAre("4: RedirectRelative must be On or Off"));
}

}  // namespace
}  // namespace steelyard::apacheconf
