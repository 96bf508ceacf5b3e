#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"
#include "config/fcgi_settings.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class FcgiDirectives : public ::testing::Test {
 protected:
  config::PathSettings settings(const std::string& lines) {
    auto result = reader_.read(front() + "<Location /x>\n" + lines + "\n</Location>\n");
    EXPECT_TRUE(result) << lines;
    if (!result) return {};
    return result->config->servers.front()->locations[0].settings;
  }
  std::string fault(const std::string& text) {
    const auto faults = reader_.faults(front() + text);
    EXPECT_THAT(faults, SizeIs(1)) << text;
    return faults.empty() ? "" : faults[0].substr(faults[0].find(' ') + 1);
  }

 private:
  static std::string front() {
    return std::string(testing::preamble) + "LoadModule proxy_module m\n" +
           "LoadModule proxy_fcgi_module m\n";
  }
  testing::Reader reader_;
};

TEST_F(FcgiDirectives, the_backend_type_is_one_of_two_in_any_case) {
  EXPECT_EQ(settings("ProxyFCGIBackendType fpm").fcgi_backend, config::FcgiBackend::fpm);
  EXPECT_EQ(settings("ProxyFCGIBackendType Generic").fcgi_backend, config::FcgiBackend::generic);
  EXPECT_EQ(fault("ProxyFCGIBackendType php"),
            "ProxyFCGIBackendType requires one of the following arguments: 'GENERIC', 'FPM'");
}

TEST_F(FcgiDirectives, variables_are_set_unset_and_emptied_where_a_condition_holds) {
  const auto read = settings(
      "ProxyFCGISetEnvIf \"true\" A %{REQUEST_URI}\nProxyFCGISetEnvIf \"true\" !B\n"
      "ProxyFCGISetEnvIf \"%{REQUEST_URI} =~ /x/\" C");
  ASSERT_THAT(read.fcgi_variables, SizeIs(3));
  EXPECT_EQ(read.fcgi_variables[0]->name, "A");
  EXPECT_EQ(read.fcgi_variables[0]->value->text(), "%{REQUEST_URI}");
  EXPECT_EQ(read.fcgi_variables[1]->name, "B");
  EXPECT_EQ(read.fcgi_variables[1]->value, nullptr);
  EXPECT_EQ(read.fcgi_variables[2]->condition.text(), "%{REQUEST_URI} =~ /x/");
  EXPECT_EQ(read.fcgi_variables[2]->value->text(), "");
}

TEST_F(FcgiDirectives, broken_lines_say_what_is_wrong) {
  EXPECT_EQ(fault("ProxyFCGISetEnvIf true !A b"),
            "Third argument (\"b\") is not allowed when using ProxyFCGISetEnvIf's unset mode (!A)");
  EXPECT_EQ(fault("ProxyFCGISetEnvIf true !"),
            "ProxyFCGISetEnvIf: \"!\" is not a valid variable name");
  EXPECT_THAT(fault("ProxyFCGISetEnvIf \"a b\" A"),
              HasSubstr("Could not parse expression \"a b\""));
  EXPECT_THAT(fault("ProxyFCGISetEnvIf true A %{NOBODY}"), HasSubstr("Could not parse"));
}

TEST_F(FcgiDirectives, passwords_are_passed_on_where_that_is_written) {
  EXPECT_EQ(settings("CGIPassAuth On").cgi_pass_auth, true);
  EXPECT_EQ(settings("CGIPassAuth Off").cgi_pass_auth, false);
  EXPECT_EQ(settings("").cgi_pass_auth, std::nullopt);
  EXPECT_THAT(fault("CGIPassAuth On"), HasSubstr("not allowed"));
}

TEST_F(FcgiDirectives, request_uri_is_what_the_client_asked_for) {
  settings("CGIVar REQUEST_URI original-uri");
  EXPECT_THAT(fault("CGIVar REQUEST_URI current-uri"), HasSubstr("not supported"));
  EXPECT_EQ(fault("CGIVar X y"), "Unrecognized CGI variable: \"X\"");
}

TEST_F(FcgiDirectives, a_handler_names_where_scripts_are_run) {
  auto read = settings("SetHandler proxy:fcgi://127.0.0.1:9000/pre/");
  ASSERT_NE(read.handler, nullptr);
  EXPECT_EQ(read.handler->url, "fcgi://127.0.0.1:9000/pre/");
  EXPECT_EQ(read.handler->member.port, 9000);
  EXPECT_EQ(read.responder, config::Responder::none);
  read = settings("SetHandler \"proxy:unix:/run/php.sock|fcgi://localhost\"");
  EXPECT_EQ(read.handler->url, "fcgi://localhost");
  EXPECT_EQ(read.handler->member.unix_socket_path, "/run/php.sock");
  EXPECT_EQ(settings("SetHandler proxy:balancer://php").handler->url, "balancer://php");
  EXPECT_EQ(settings("SetHandler proxy:fcgi://h\nSetHandler none").handler, nullptr);
}

TEST_F(FcgiDirectives, checks_ask_the_application) {
  const std::string modules =
      "LoadModule proxy_module m\nLoadModule proxy_fcgi_module m\n"
      "LoadModule proxy_hcheck_module m\nLoadModule proxy_ajp_module m\n"
      "LoadModule proxy_balancer_module m\nLoadModule lbmethod_byrequests_module m\n";
  const auto remarks = [&](std::string_view member) {
    testing::Reader reader;
    return reader.remarks(std::string(testing::preamble) + modules +
                          "BalancerMember balancer://c " + std::string(member) +
                          "\nProxyPass / balancer://c/");
  };
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS11", "TCP"}) {
    EXPECT_THAT(remarks("fcgi://h:1 hcuri=/ping hcmethod=" + std::string(method)), SizeIs(0));
  }
  EXPECT_THAT(remarks("unix:/run/php.sock|fcgi://localhost hcmethod=GET hcuri=/ping"), SizeIs(0));
  EXPECT_THAT(remarks("unix:/run/php.sock|fcgi://localhost hcmethod=TCP"),
              ElementsAre(HasSubstr("go to localhost:8000 and not to its socket")));
  EXPECT_THAT(remarks("fcgi://h:1 hcmethod=CPING"),
              Contains(HasSubstr("asks fcgi://h:1 in AJP, which it does not speak")));
}

TEST_F(FcgiDirectives, handlers_for_other_protocols_are_refused_and_for_files_told) {
  testing::Reader reader;
  const auto said =
      reader.remarks(std::string(testing::preamble) +
                     "<FilesMatch \\.php$>\nSetHandler proxy:fcgi://h\n</FilesMatch>\n");
  ASSERT_THAT(said, SizeIs(2));  // the first is about the section
  EXPECT_THAT(said[1], HasSubstr("Warning on line 4"));
  EXPECT_THAT(said[1], HasSubstr("no files are served"));
  EXPECT_THAT(fault("SetHandler proxy:http://h"), HasSubstr("is not supported"));
}

}  // namespace
}  // namespace steelyard::apacheconf
