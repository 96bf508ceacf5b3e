#include "apacheconf/read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::preamble;
using testing::Reader;
using ::testing::SizeIs;

std::unique_ptr<config::Config> accepted(std::string_view lines) {
  Reader reader;
  auto result = reader.read(std::string(preamble) + std::string(lines));
  if (result) return std::move(result->config);
  for (const Diagnostic& each : result.error()) ADD_FAILURE() << describe(each);
  return nullptr;
}

// The faults of lines that stand below the preamble, numbered from there.
std::vector<std::string> faults(std::string_view lines) {
  Reader reader;
  auto result = reader.read(std::string(preamble) + std::string(lines));
  std::vector<std::string> said;
  if (result) return said;
  for (const Diagnostic& each : result.error()) {
    if (each.severity != Severity::fault) continue;
    said.push_back(std::to_string(static_cast<int>(each.place.line) - 2) + ": " + each.text);
  }
  return said;
}

std::string fault(std::string_view lines) {
  const std::vector<std::string> all = faults(lines);
  EXPECT_THAT(all, SizeIs(1)) << lines;
  return all.empty() ? std::string() : all[0].substr(3);
}

TEST(Read, reports_every_fault_of_one_run_in_the_order_of_the_file) {
  EXPECT_THAT(
      faults("KeepAlive maybe\n<Location /x\nTimeout 5\n</Location>\nLogLevel loud\n"
             "Lisen 80\nInclude none\nServerTokens x\n"),
      ElementsAre("1: KeepAlive must be On or Off", "2: <Location> directive missing closing '>'",
                  "3: Timeout not allowed in <Location> context",
                  "5: Log level keyword must be one of "
                  "emerg/alert/crit/error/warn/notice/info/debug/trace1/.../trace8",
                  HasSubstr("6: Invalid command 'Lisen'"),
                  HasSubstr("7: Could not open configuration file /c/none"),
                  HasSubstr("8: ServerTokens takes 1 argument:")));
}

// 63 levels a file and an Include in the innermost were 8000 levels of the stack.
TEST(Read, counts_open_sections_through_all_files) {
  Reader reader;
  std::string levels, ends;
  for (int i = 0; i < 63; ++i) {
    levels += "<IfDefine !X>\n";
    ends += "</IfDefine>\n";
  }
  EXPECT_THAT(reader.faults(std::string(preamble) + levels + "Include t.conf\n" + ends),
              ::testing::Contains(HasSubstr("<IfDefine> is nested more than 64 levels deep")));
}

TEST(Read, suggests_the_directive_that_was_meant) {
  Reader reader;
  EXPECT_THAT(reader.remarks("ServerName x\nListen 1\nKeepAliveTimout 5\n"),
              ElementsAre("Syntax error on line 3 of /c/t.conf:\n"
                          "Invalid command 'KeepAliveTimout', perhaps misspelled or defined by a "
                          "module not included in the server configuration\n"
                          "  Did you mean KeepAliveTimeout?"));
}

TEST(Read, a_timeout_of_nothing_is_the_default_and_told) {
  for (const char* word : {"0", "abc", "-1"}) {
    Reader reader;
    const std::string line = std::string("Timeout ") + word;
    EXPECT_THAT(reader.remarks("ServerName x\nListen 1\n" + line + "\n"),
                ElementsAre(HasSubstr(line + " leaves no time to anybody")));
    EXPECT_EQ(accepted(line + "\n")->servers[0]->client.timeout, std::chrono::seconds(60));
  }
}

TEST(Read, tells_that_no_name_is_looked_up_for_UseCanonicalName_DNS) {
  Reader reader;
  EXPECT_THAT(reader.remarks("ServerName x\nListen 1\nUseCanonicalName DNS\n"),
              ElementsAre(::testing::AllOf(::testing::StartsWith("Warning on line 3"),
                                           HasSubstr("it acts as On"))));
}

TEST(Read, tells_which_Include_lines_led_to_a_fault) {
  Reader reader;
  reader.files.contents["/c/a.conf"] = "\nInclude b.conf\n";
  reader.files.contents["/c/b.conf"] = "KeepAlive x\n";
  EXPECT_THAT(reader.remarks("ServerName x\nListen 1\nInclude a.conf\n"),
              ElementsAre("Syntax error on line 1 of /c/b.conf:\nKeepAlive must be On or Off\n"
                          "  included on line 2 of /c/a.conf\n  included on line 3 of /c/t.conf"));
}

TEST(Read, a_directive_without_its_module_names_the_line_to_add_once) {
  Reader reader;
  EXPECT_THAT(
      reader.remarks("ServerName x\nListen 1\nRequestReadTimeout header=5\n"
                     "RequestReadTimeout body=5\nRequestReadTimeout body=6\n"),
      ElementsAre("Syntax error on line 3 of /c/t.conf:\n"
                  "Invalid command 'RequestReadTimeout', perhaps misspelled or defined by a "
                  "module not included in the server configuration\n"
                  "  Add this line before it: LoadModule reqtimeout_module "
                  "modules/mod_reqtimeout.so\n"
                  "  (2 more lines need the same module)"));
}

TEST(Read, refuses_what_it_does_not_do_and_says_how_to_proceed) {
  Reader reader;
  EXPECT_THAT(
      reader.remarks("ServerName x\nListen 1\nLoadModule substitute_module m\nSubstitute X\n"
                     "<If \"true\">\nFoo\n</If>\n"),
      ElementsAre(HasSubstr("substitute_module: not part of this program"),
                  HasSubstr("Substitute is not supported: it would change bodies on their way"),
                  HasSubstr("line 6 of /c/t.conf:\nInvalid command 'Foo'")));
  EXPECT_THAT(reader.remarks("ServerName x\nListen 1\nExpiresDefault x\n"),
              ElementsAre(HasSubstr("Leave it out: expires_module is not part of this program")));
}

TEST(Read, says_once_what_many_refused_lines_would_do) {
  Reader reader;
  EXPECT_THAT(
      reader.remarks(std::string(preamble) + "Substitute X\nOutputSed a\n" + "Substitute Y\n"),
      ElementsAre("Syntax error on line 3 of /c/t.conf:\n"
                  "Substitute is not supported: it would change bodies on their way\n  Bodies pass "
                  "unchanged: remove it, or keep it for httpd inside "
                  "<IfModule !steelyard_module>.\n  (and 2 more lines: 4, 5)"));
}

TEST(Read, looks_into_a_section_whose_own_line_is_wrong) {
  EXPECT_THAT(faults("<Location /a /b>\nTimeout 5\n</Location>\n"), SizeIs(2));
  EXPECT_THAT(faults("LoadModule proxy_module m\nProxyPass /x ajp://h foo=1 nonsense=2\n"),
              SizeIs(3));
}

TEST(Read, says_where_a_directive_may_not_stand) {
  EXPECT_THAT(faults("<Location /a>\nTimeout 5\nListen 1\n<Location /b>\n</Location>\n</Location>\n"
                     "<VirtualHost *:80>\nListen 2\nPidFile x\nServerTokens Full\n"
                     "<VirtualHost *>\n</VirtualHost>\n</VirtualHost>\n<Limit GET>\n</Limit>\n"
                     "<Location /c>\n<Files x>\n</Files>\n</Location>\n"
                     "<Directory /a>\n<Files b>\nTimeout 5\n</Files>\n</Directory>\n"),
              ElementsAre("2: Timeout not allowed in <Location> context",
                          "3: Listen not allowed in <Location> context",
                          "4: <Location not allowed in <Location> context",
                          "8: Listen cannot occur within <VirtualHost> section",
                          "9: PidFile cannot occur within <VirtualHost> section",
                          "10: ServerTokens cannot occur within <VirtualHost> section",
                          "11: <VirtualHost> cannot occur within <VirtualHost> section",
                          "14: <Limit not allowed here",
                          "17: <Files> cannot occur within <Location> section",
                          "22: Timeout not allowed in <Files> context"));
}

struct Complaint {
  std::string_view lines, text;
};

// The sentences are httpd's, so that whoever searches for them finds the same explanations.
TEST(Read, complains_in_httpds_words) {
  const std::vector<Complaint> cases{
      {"ErrorLog", "ErrorLog takes one argument, The filename of the error log"},
      {"LogLevel", "LogLevel requires at least one argument, Level of verbosity in error logging"},
      {"LogLevel core:loud",
       "core:loud: Log level keyword must be one of "
       "emerg/alert/crit/error/warn/notice/info/debug/trace1/.../trace8"},
      {"LogLevel nomod:debug", "Cannot find module nomod"},
      {"KeepAliveTimeout x", "KeepAliveTimeout has wrong format"},
      {"KeepAliveTimeout 5MIN", "KeepAliveTimeout has wrong format"},
      {"KeepAliveTimeout -1", "KeepAliveTimeout has wrong format"},
      {"LimitRequestLine -1", "LimitRequestLine \"-1\" must be a non-negative integer"},
      {"LimitRequestFieldSize -1", "LimitRequestFieldsize \"-1\" must be a non-negative integer"},
      {"LimitRequestFields -2",
       "LimitRequestFields \"-2\" must be a non-negative integer (0 = no limit)"},
      {"LimitRequestBody x", "LimitRequestBody requires a non-negative integer."},
      {"LimitRequestBody 99999999999999999999", "LimitRequestBody argument is not parsable."},
      {"ServerName *", "Invalid ServerName \"*\" use ServerAlias to set multiple server names."},
      {"ServerName x:99999",
       "The port number \"x:99999\" is outside the appropriate range (i.e., 1..65535)."},
      {"ServerAlias a", "ServerAlias only used in <VirtualHost>"},
      {"ServerTokens Foo",
       "ServerTokens takes 1 argument: 'Prod(uctOnly)', 'Major', 'Minor', 'Min(imal)', 'OS', or "
       "'Full'"},
      {"ServerSignature Foo", "ServerSignature: use one of: off | on | email"},
      {"UseCanonicalName x", "parameter must be 'on', 'off', or 'dns'"},
      {"UseCanonicalPhysicalPort x", "parameter must be 'on' or 'off'"},
      {"TraceEnable x", "TraceEnable must be one of 'on', 'off', or 'extended'"},
      {"AllowEncodedSlashes x", "AllowEncodedSlashes must be On, Off, or NoDecode"},
      {"MergeSlashes x", "MergeSlashes must be On or Off"},
      {"StrictHostCheck x", "StrictHostCheck must be On or Off"},
      {"HostnameLookups x", "parameter must be 'on', 'off', or 'double'"},
      {"HttpProtocolOptions Strict Strict2",
       "HttpProtocolOptions accepts 'Unsafe' or 'Strict' (default), 'RegisteredMethods' or "
       "'LenientMethods' (default), and 'Require1.0' or 'Allow0.9' (default)"},
      {"ListenBacklog 0", "ListenBacklog must be > 0"},
      {"Listen", "Listen requires 1 or 2 arguments."},
      {"Listen 80 https x", "Listen requires 1 or 2 arguments."},
      {"Listen 1.2.3.4", "Port must be specified"},
      {"Listen 99999", "Invalid address or port"},
      {"Listen 127.0.0.1:8080", "Cannot define multiple Listeners on the same IP:port"},
      {"<Location>\n</Location>", "<Location> directive requires additional arguments"},
      {"<Location ~ \"(\">\n</Location>", "Regex could not be compiled"},
      {"<LocationMatch \"(\">\n</LocationMatch>", "Regex could not be compiled"},
      {"<Location /a /b>\n</Location>", "Multiple <Location> arguments not (yet) supported."},
      {"<VirtualHost 80>\n</VirtualHost>", "Missing address for VirtualHost"},
      {"<VirtualHost *:99999>\n</VirtualHost>", "The address or port is invalid"},
      {"<VirtualHost [::1>\n</VirtualHost>", "The address or port is invalid"},
      {"Error \"not here\"", "not here"},
      {"Error", "The Error directive was used with no message."},
      {"Options Foo", "Illegal option Foo"},
      {"AllowOverride None", "AllowOverride not allowed here"},
      {"EnableSendfile x", "parameter must be 'on' or 'off'"},
      {"CustomLog x",
       "CustomLog takes two or three arguments, a file name, a custom log format "
       "string or format name, and an optional \"env=\" or \"expr=\" clause (see docs)"},
      {"CustomLog x y z", "error in condition clause"},
      {"CustomLog x y env=", "missing environment variable name"},
      {"CustomLog x y env=!", "missing environment variable name"},
      {"LogFormat \"%y\"", "Unrecognized LogFormat directive %y"},
      {"CustomLog x \"%y\"", "Unrecognized LogFormat directive %y"},
      {"StartServers",
       "StartServers takes one argument, Number of child processes launched at "
       "server startup"},
      {"ExtendedStatus x", "ExtendedStatus must be On or Off"},
      {"SteelyardShards many", "SteelyardShards \"many\" is not a number from 0 to 1024"},
      {"SteelyardBodyMemory 2G", "SteelyardBodyMemory \"2G\" is not a size from 0 to 1073741824"},
  };
  for (const Complaint& each : cases) EXPECT_EQ(fault(each.lines), each.text) << each.lines;
}

TEST(Read, complains_about_RequestReadTimeout_in_httpds_words) {
  const std::string load = "LoadModule reqtimeout_module modules/mod_reqtimeout.so\n";
  const std::vector<Complaint> cases{
      {"header", "Invalid RequestReadTimeout parameter. Parameter must be in the form 'key=value'"},
      {"foo=5", "RequestReadTimeout: foo=5: Unknown RequestReadTimeout parameter"},
      {"header=x", "RequestReadTimeout: header=x: Value 'x' not numerical"},
      {"header=20-10,MinRate=5",
       "RequestReadTimeout: header=20-10,MinRate=5: Maximum timeout must be larger than initial "
       "timeout"},
      {"header=20-40",
       "RequestReadTimeout: header=20-40: Must set MinRate option if using timeout range"},
      {"header=20,Foo=1", "RequestReadTimeout: header=20,Foo=1: Cannot parse ',Foo=1'"},
      {"header=-1",
       "RequestReadTimeout: header=-1: Must set MinRate option if using timeout range"},
  };
  for (const Complaint& each : cases) {
    EXPECT_EQ(fault(load + "RequestReadTimeout " + std::string(each.lines)), each.text);
  }
}

TEST(Read, httpds_lax_numbers_are_lax) {
  const auto config = accepted(
      "Timeout 8x\nMaxKeepAliveRequests 7x\nKeepAliveTimeout 500ms\n"
      "LimitRequestLine 9000x\n");
  const config::ClientSettings& client = config->servers[0]->client;
  EXPECT_EQ(client.timeout, std::chrono::seconds(8));
  EXPECT_EQ(client.keep_alive_requests_max, 7u);
  EXPECT_EQ(client.keep_alive_timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(client.limits.line_bytes_max, 9000u);
}

TEST(Read, a_virtual_host_inherits_whatever_the_main_server_says_even_below) {
  const auto config = accepted(
      "<VirtualHost *:81>\nServerName v:82\nKeepAlive Off\n</VirtualHost>\n"
      "Timeout 7\nKeepAlive On\nAllowEncodedSlashes On\n"
      "LogLevel info\nServerAdmin me\n");
  const config::Server& host = *config->servers[1];
  EXPECT_EQ(host.client.timeout, std::chrono::seconds(7));
  EXPECT_FALSE(host.client.keep_alive);
  EXPECT_TRUE(config->servers[0]->client.keep_alive);
  EXPECT_EQ(host.log_levels.general, config::LogLevel::info);
  EXPECT_EQ(host.admin, "me");
  EXPECT_EQ(host.encoded_slashes, config::EncodedSlashes::refuse) << "httpd does not inherit it";
}

TEST(Read, the_port_of_a_server_is_its_names_or_its_addresses) {
  const auto config = accepted(
      "<VirtualHost *:81>\n</VirtualHost>\n<VirtualHost *:82>\nServerName a\n</VirtualHost>\n"
      "<VirtualHost *:83 1.2.3.4:84>\nServerName a:85\n</VirtualHost>\n"
      "<VirtualHost 1.2.3.4:*>\n</VirtualHost>\n");
  EXPECT_EQ(config->servers[1]->name_port, 81);
  EXPECT_EQ(config->servers[1]->name, "lb.test");
  EXPECT_EQ(config->servers[2]->name_port, std::nullopt);
  EXPECT_EQ(config->servers[3]->name_port, 85);
  EXPECT_EQ(config->servers[3]->addresses.size(), 2u);
  EXPECT_EQ(config->servers[4]->addresses[0].port, std::nullopt);
}

TEST(Read, an_address_without_port_takes_the_port_that_ServerName_gave_above) {
  Reader reader;
  auto result = reader.read(
      "<VirtualHost *>\n</VirtualHost>\nServerName x:8080\nListen 8080\n"
      "<VirtualHost 1.2.3.4>\n</VirtualHost>\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config->servers[1]->addresses[0].port, std::nullopt);
  EXPECT_EQ(result->config->servers[2]->addresses[0].port, 8080);
}

TEST(Read, names_in_addresses_are_resolved_by_who_reads) {
  Reader reader;
  reader.options.resolve_host = [](const std::string& name) {
    std::vector<IpAddress> found;
    if (name == "here") found = {*IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.2")};
    return found;
  };
  auto result = reader.read(
      "ServerName x\nListen here:80\n<VirtualHost here:80 gone:80>\n"
      "</VirtualHost>\n");
  ASSERT_TRUE(result);
  EXPECT_THAT(result->config->listens, SizeIs(2));
  EXPECT_THAT(result->config->servers[1]->addresses, SizeIs(2));
  ASSERT_THAT(result->remarks, SizeIs(1));
  EXPECT_EQ(result->remarks[0].text, "Could not resolve host name gone -- ignoring!");
}

TEST(Read, Listen_takes_httpds_forms) {
  const auto config = accepted(
      "Listen 1\nListen *:2\nListen [::1]:3\nListen ::1:4\n"
      "Listen 127.0.0.1:1\n");
  std::vector<std::string> seen;
  for (const config::Listen& each : config->listens) {
    seen.push_back((each.ip ? each.ip->text() : "*") + " " + std::to_string(each.port));
  }
  EXPECT_THAT(seen, ElementsAre("127.0.0.1 8080", "* 1", "* 2", "::1 3", "::1 4", "127.0.0.1 1"));
}

TEST(Read, sections_keep_their_pattern_and_kind) {
  const auto config = accepted(
      "LoadModule proxy_module x\n<Location \"/a b\">\nServerSignature On\n</Location>\n"
      "<Location /c*>\n</Location>\n<Location ~ ^/d>\n</Location>\n<LocationMatch e$>\n"
      "</LocationMatch>\n<Proxy *>\n</Proxy>\n<ProxyMatch ^http>\n</ProxyMatch>\n");
  using Kind = config::Section::Kind;
  const auto& locations = config->servers[0]->locations;
  ASSERT_THAT(locations, SizeIs(4));
  EXPECT_EQ(locations[0].pattern, "/a b");
  EXPECT_EQ(locations[0].kind, Kind::prefix);
  EXPECT_EQ(locations[0].settings.signature, config::Signature::on);
  EXPECT_EQ(locations[0].place.line, 4u);
  EXPECT_EQ(locations[1].kind, Kind::glob);
  EXPECT_EQ(locations[2].kind, Kind::regex);
  EXPECT_EQ(locations[2].pattern, "^/d");
  EXPECT_EQ(locations[3].kind, Kind::regex);
  ASSERT_THAT(config->servers[0]->proxies, SizeIs(2));
  EXPECT_EQ(config->servers[0]->proxies[0].kind, Kind::glob);
}

TEST(Read, formats_may_be_named_after_their_use_and_hold_in_virtual_hosts) {
  const auto config = accepted(
      "CustomLog a.log mine\nGlobalLog g.log mine\nTransferLog \"|/bin/x y\"\n"
      "<VirtualHost *:1>\nCustomLog b.log mine env=!quiet\n</VirtualHost>\n"
      "<VirtualHost *:2>\n</VirtualHost>\n"
      "LogFormat \"%h %U\" mine\nLogFormat \"%s\"\n");
  const auto logs = [&](std::size_t i) {
    std::vector<std::string> seen;
    for (const config::AccessLog& each : config->servers[i]->access_logs) {
      seen.push_back(each.target.text + " = " + std::get<expr::LogFormat>(each.format).text());
    }
    return seen;
  };
  EXPECT_THAT(logs(0), ElementsAre("/c/a.log = %h %U", "/bin/x y = %s", "/c/g.log = %h %U"));
  EXPECT_THAT(logs(1), ElementsAre("/c/b.log = %h %U", "/c/g.log = %h %U"));
  EXPECT_THAT(logs(2), ElementsAre("/c/a.log = %h %U", "/bin/x y = %s", "/c/g.log = %h %U"));
  EXPECT_EQ(config->servers[1]->access_logs[0].condition->describe(), "env=!quiet");
  EXPECT_EQ(config->servers[0]->access_logs[1].target.kind, config::LogTarget::Kind::pipe);
}

TEST(Read, a_general_level_forgets_the_modules_before_it) {
  const auto config = accepted("LogLevel core:debug info so:trace2 mod_so.c:trace3\n");
  const config::LogLevels& levels = config->servers[0]->log_levels;
  EXPECT_EQ(levels.general, config::LogLevel::info);
  ASSERT_THAT(levels.modules, SizeIs(1));
  EXPECT_EQ(levels.modules[0].first, "so");
  EXPECT_EQ(levels.modules[0].second, config::LogLevel::trace3);
}

TEST(Read, read_timeouts_hold_only_with_their_module) {
  EXPECT_EQ(accepted("")->servers[0]->client.read_header.first, Duration(0));
  const auto config = accepted(
      "LoadModule reqtimeout_module x\n"
      "RequestReadTimeout header=10-30,minrate=100 body=0\n");
  const config::ClientSettings& client = config->servers[0]->client;
  EXPECT_EQ(client.read_header.first, std::chrono::seconds(10));
  EXPECT_EQ(client.read_header.most, std::chrono::seconds(30));
  EXPECT_EQ(client.read_header.bytes_per_second, 100u);
  EXPECT_EQ(client.read_body.first, Duration(0));
}

TEST(Read, sizes_of_processes_are_accepted_with_one_note_each) {
  Reader reader;
  const std::vector<std::string> said = reader.remarks(
      std::string(preamble) + "StartServers 2\nStartServers 3\nThreadsPerChild 25\n");
  EXPECT_THAT(said,
              ElementsAre(HasSubstr("Note on line 3 of /c/t.conf:\nStartServers: there are no"),
                          HasSubstr("Note on line 5 of /c/t.conf:\nThreadsPerChild:")));
}

TEST(Read, a_file_that_cannot_be_opened_is_all_there_is_to_say) {
  ReadOptions options;
  options.file = "/missing.conf";
  const auto result = read_configuration(options, MemoryFiles());
  ASSERT_FALSE(result);
  ASSERT_THAT(result.error(), SizeIs(1));
  EXPECT_EQ(result.error()[0].severity, Severity::fault);
}

TEST(Read, a_server_without_name_takes_the_machines) {
  Reader reader;
  reader.options.host_name = [] { return "box.test"; };
  auto result = reader.read("Listen 1\n");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->config->servers[0]->name, "box.test");
  ASSERT_THAT(result->remarks, SizeIs(1));
  EXPECT_THAT(result->remarks[0].text, HasSubstr("fully qualified domain name, using box.test"));
}

TEST(Read, what_stands_in_a_Directory_is_checked_and_forgotten) {
  EXPECT_EQ(fault("<Directory />\nServerSignature maybe\n</Directory>\n"),
            "ServerSignature: use one of: off | on | email");
  const auto config = accepted("<Directory />\nServerSignature On\n</Directory>\n");
  EXPECT_FALSE(config->servers[0]->defaults.signature);
}

TEST(Read, an_unreadable_file_is_one_fault) {
  MemoryFiles files;
  ReadOptions options;
  options.file = "/none.conf";
  auto result = read_configuration(options, files);
  ASSERT_FALSE(result);
  std::vector<std::string> said;
  for (const Diagnostic& each : result.error()) {
    if (each.severity == Severity::fault) said.push_back(describe(each));
  }
  EXPECT_THAT(said, ElementsAre("Could not open configuration file /none.conf: No such file or "
                                "directory"));
}

TEST(Read, warns_of_pages_that_only_files_could_be) {
  Reader reader;
  const std::vector<std::string> said = reader.remarks(
      std::string(preamble) +
      "LoadModule alias_module m\nLoadModule proxy_module m\nLoadModule proxy_http_module m\n"
      "Alias /errors /srv/errors\nProxyPass /static !\nProxyPass /app http://h\n"
      "ErrorDocument 502 /errors/502.html\nErrorDocument 503 /static/503.html\n"
      "ErrorDocument 404 /app/404.html\nErrorDocument 403 /other.html\n");
  EXPECT_THAT(said, ElementsAre(HasSubstr("Warning on line 6 of /c/t.conf:\nAlias /errors: no"),
                                HasSubstr("Note on line 6"),
                                HasSubstr("ErrorDocument /errors/502.html: no files are served"),
                                HasSubstr("ErrorDocument /static/503.html: no files are served")));
}

TEST(Read, warns_of_a_section_that_AuthMerging_opens) {
  Reader reader;
  EXPECT_THAT(reader.remarks(std::string(preamble) +
                             "LoadModule authz_core_module m\n<Location /a>\nAuthMerging Off\n"
                             "</Location>\n<Location /b>\nAuthMerging Off\nRequire all denied\n"
                             "</Location>\n"),
              ElementsAre(HasSubstr("line 4 of /c/t.conf:\nAuthMerging Off without a Require")));
}

TEST(Read, quotes_a_word_that_is_none_of_the_choices) {
  Reader reader;
  EXPECT_THAT(reader.remarks(std::string(preamble) + "TraceEnable extnded\nServerSignature 5\n"),
              ElementsAre(HasSubstr("\n  \"extnded\" is none of them. Did you mean extended?"),
                          HasSubstr("off | on | email\n  \"5\" is none of them.")));
}

TEST(DiskFiles, refuse_a_file_that_is_too_long_to_be_a_configuration) {
  const std::string path = ::testing::TempDir() + "long.conf";
  std::ofstream(path) << "Listen 1\n";
  EXPECT_EQ(DiskFiles().read(path), "Listen 1\n");
  std::filesystem::resize_file(path, (std::uintmax_t{64} << 20) + 1);
  EXPECT_EQ(DiskFiles().read(path).error(), "It has more than 64 MiB, which is no configuration");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace steelyard::apacheconf
