#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using balance::CheckMethod;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view modules =
    "ServerName lb.test\n"
    "Listen 127.0.0.1:8080\n"
    "LoadModule authz_core_module m\n"
    "LoadModule proxy_module m\n"
    "LoadModule proxy_http_module m\n"
    "LoadModule proxy_balancer_module m\n"
    "LoadModule lbmethod_byrequests_module m\n";

class HealthDirectives : public ::testing::Test {
 protected:
  std::string fault(std::string_view lines,
                    std::string_view load = "LoadModule proxy_hcheck_module m\n") {
    return texts(lines, load, Severity::fault);
  }
  std::string warning(std::string_view lines) {
    return texts(lines, "LoadModule proxy_hcheck_module m\n", Severity::warning);
  }
  std::string note(std::string_view lines) {
    return texts(lines, "LoadModule proxy_hcheck_module m\n", Severity::note);
  }
  const balance::CheckSpec& check_of_member(std::size_t server = 0, std::size_t member = 0) {
    return config_->servers.at(server)->balancers.at(0)->members.at(member).check;
  }

  std::unique_ptr<config::Config> config_;
  std::string advice_;

 private:
  std::string texts(std::string_view lines, std::string_view load, Severity wanted) {
    auto result = reader_.read(std::string(modules) + std::string(load) + std::string(lines));
    config_ = result ? std::move(result->config) : nullptr;
    std::string text;
    for (const Diagnostic& each : result ? result->remarks : result.error()) {
      if (each.severity != wanted) continue;
      text += (text.empty() ? "" : " | ") + each.text;
      advice_ = each.advice;
    }
    return text;
  }
  testing::Reader reader_;
};

// Each sentence is what httpd 2.4.71 says about the same lines.
TEST_F(HealthDirectives, complain_as_httpd_does) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"ProxyHCTemplate", "Missing template name for ProxyHCTemplate"},
      {"ProxyHCTemplate \"\" hcinterval=1", "Missing template name for ProxyHCTemplate"},
      {"ProxyHCTemplate t foo",
       "Invalid ProxyHCTemplate parameter. Parameter must be in the form 'key=value'"},
      {"ProxyHCTemplate t foo=1", "ProxyHCTemplate: unknown Worker hcheck parameter foo=1; t"},
      {"ProxyHCTemplate t hcinterval=50ms",
       "ProxyHCTemplate: Interval must be a positive value greater than 100ms hcinterval=50ms; t"},
      {"ProxyHCTemplate t hcinterval=abc",
       "ProxyHCTemplate: Unparse-able hcinterval setting hcinterval=abc; t"},
      {"ProxyHCTemplate t hcmethod=CPING",
       "ProxyHCTemplate: Health check method CPING not (yet) implemented hcmethod=CPING; t"},
      {"ProxyHCTemplate t hcexpr=nix",
       "ProxyHCTemplate: Unknown health check condition expr: nix hcexpr=nix; t"},
      {"ProxyHCTemplate t hctemplate=nix",
       "ProxyHCTemplate: Unknown ProxyHCTemplate name: nix hctemplate=nix; t"},
      {"ProxyHCExpr", "Missing expression name for ProxyHCExpr"},
      {"ProxyHCExpr a", "Missing expression for ProxyHCExpr"},
      {"ProxyHCExpr aaaaaaaaaaaaaaaa {1==1}", "Expression name limited to 15 characters"},
      {"ProxyHCExpr a {1==1} x", "error: extra parameter(s)"},
      {"ProxyHCTPsize -1", "Invalid ProxyHCTPsize parameter. Parameter must be >= 0"},
      {"ProxyHCTPsize 1 2",
       "ProxyHCTPsize takes one argument, Set size of health check thread pool"},
      {"<VirtualHost *:1>\nProxyHCTPsize 1\n</VirtualHost>",
       "ProxyHCTPsize cannot occur within <VirtualHost> section"},
      {"BalancerMember balancer://a http://h hcmethod=foo", "BalancerMember Unknown method"},
      {"BalancerMember balancer://a http://h hcfoo=foo",
       "BalancerMember unknown Worker hcheck parameter"},
      {"BalancerMember balancer://a http://h hctemplate=X\nProxyHCTemplate x hcmethod=GET",
       "BalancerMember Unknown ProxyHCTemplate name: X"},
      {"ProxyHCTemplate x hcmethod=GET\n<VirtualHost *:1>\n"
       "BalancerMember balancer://a http://h hctemplate=x\n</VirtualHost>",
       "BalancerMember Unknown ProxyHCTemplate name: x"},
      {"ProxyHCExpr x {1==1}\n<VirtualHost *:1>\n"
       "BalancerMember balancer://a http://h hcexpr=x\n</VirtualHost>",
       "BalancerMember Unknown health check condition expr: x"},
  };
  for (const auto& [lines, sentence] : cases) EXPECT_EQ(fault(lines), sentence) << lines;
}

TEST_F(HealthDirectives, without_their_module_are_unknown) {
  EXPECT_EQ(fault("BalancerMember balancer://a http://h hcmethod=GET", ""),
            "BalancerMember unknown Worker parameter");
  EXPECT_THAT(advice_, HasSubstr("LoadModule proxy_hcheck_module"));
  EXPECT_THAT(fault("ProxyHCTemplate t", ""), HasSubstr("Invalid command 'ProxyHCTemplate'"));
}

TEST_F(HealthDirectives, say_what_was_probably_meant) {
  fault(
      "ProxyHCTemplate tomcat hcmethod=GET\nBalancerMember balancer://a http://h hctemplate=tomca");
  EXPECT_THAT(advice_, HasSubstr("Did you mean tomcat?"));
  fault("BalancerMember balancer://a http://h hcmethod=GETT");
  EXPECT_THAT(advice_, HasSubstr("Did you mean get?"));
  fault("BalancerMember balancer://a http://h hcintervall=5");
  EXPECT_THAT(advice_, HasSubstr("Did you mean hcinterval?"));
  fault("BalancerMember balancer://a http://h hcmethod=CPING");
  EXPECT_THAT(advice_, HasSubstr("LoadModule proxy_ajp_module"));
}

TEST_F(HealthDirectives, a_member_is_not_checked_unless_it_says_so) {
  EXPECT_EQ(fault("BalancerMember balancer://a http://h"), "");
  EXPECT_EQ(check_of_member(), balance::CheckSpec());
}

TEST_F(HealthDirectives, a_template_begins_with_tcp_and_gives_all_its_fields_at_its_place) {
  EXPECT_EQ(fault("ProxyHCTemplate T hcuri=/s hcfails=3\n"
                  "BalancerMember balancer://a http://h hcpasses=9 hctemplate=t hcinterval=500ms"),
            "");
  EXPECT_EQ(check_of_member().method, CheckMethod::tcp);
  EXPECT_EQ(check_of_member().uri, "/s");
  EXPECT_EQ(check_of_member().fails, 3);
  EXPECT_EQ(check_of_member().passes, 1) << "what stood before the template is overwritten";
  EXPECT_EQ(check_of_member().interval, milliseconds(500));
}

TEST_F(HealthDirectives, the_first_template_of_a_name_counts_and_the_last_expression) {
  EXPECT_EQ(warning("ProxyHCTemplate t hcfails=3\nProxyHCTemplate T hcfails=4\n"
                    "ProxyHCExpr e {1 == 1}\nProxyHCExpr E {1 == 2}\n"
                    "BalancerMember balancer://a http://h hctemplate=t hcexpr=e"),
            "ProxyHCTemplate T is named already: the first one counts");
  EXPECT_EQ(check_of_member().fails, 3);
  EXPECT_EQ(config_->servers[0]->health_conditions.find("e")->text(), "1 == 2");
}

TEST_F(HealthDirectives, names_given_in_a_section_belong_to_its_server) {
  EXPECT_EQ(fault("<Location /x>\nProxyHCTemplate t hcmethod=GET11\nProxyHCExpr e \"1 == 1\"\n"
                  "</Location>\nBalancerMember balancer://a http://h hctemplate=t hcexpr=E"),
            "");
  EXPECT_EQ(check_of_member().method, CheckMethod::get11);
}

TEST_F(HealthDirectives, extensions_are_read) {
  EXPECT_EQ(fault("BalancerMember balancer://a http://h hcmethod=HEAD hctimeout=250ms "
                  "hchost=app.example hcport=9000 hcjitter=100ms hcdowninterval=1 "
                  "hcshare=on"),
            "");
  EXPECT_EQ(check_of_member().timeout, milliseconds(250));
  EXPECT_EQ(check_of_member().host, "app.example");
  EXPECT_EQ(check_of_member().port, 9000);
  EXPECT_EQ(check_of_member().jitter, milliseconds(100));
  EXPECT_EQ(check_of_member().down_interval, milliseconds(1000));
  EXPECT_TRUE(check_of_member().is_shared);
}

TEST_F(HealthDirectives, on_a_direct_backend_say_that_they_have_no_effect) {
  EXPECT_EQ(note("ProxyPass /x http://h/ hcmethod=GET"),
            "hcmethod=GET has no effect: only members of balancers are checked");
}

TEST_F(HealthDirectives, a_member_behind_a_socket_is_told_that_its_check_goes_elsewhere) {
  EXPECT_THAT(warning("BalancerMember balancer://a unix:/run/x|http://h hcmethod=TCP"),
              HasSubstr("go to h:80 and not to its socket"));
}

TEST_F(HealthDirectives, an_ftp_member_greets_and_answers_no_check_that_speaks_http) {
  constexpr std::string_view module = "LoadModule proxy_ftp_module m\n";
  EXPECT_THAT(fault(std::string(module) + "BalancerMember balancer://a ftp://h hcmethod=GET"),
              HasSubstr("in HTTP, which it does not speak"));
  EXPECT_THAT(advice_, HasSubstr("Write hcmethod=OPTIONS"));
  for (const std::string_view method : {"TCP", "OPTIONS"})
    EXPECT_EQ(fault(std::string(module) +
                    "BalancerMember balancer://a ftp://h hcmethod=" + std::string(method)),
              "");
}

TEST_F(HealthDirectives, only_an_ajp_member_is_asked_by_cping) {
  for (const std::string_view url : {"http://h", "ws://h"}) {
    EXPECT_EQ(fault("LoadModule proxy_ajp_module m\nLoadModule proxy_wstunnel_module m\n"
                    "BalancerMember balancer://a " +
                    std::string(url) + " hcmethod=CPING"),
              "hcmethod=CPING asks " + std::string(url) + " in AJP, which it does not speak");
    EXPECT_THAT(advice_, HasSubstr("Write hcmethod=GET"));
  }
}

TEST_F(HealthDirectives, an_ajp_member_is_asked_by_cping) {
  constexpr std::string_view module = "LoadModule proxy_ajp_module m\n";
  const auto with = [&](std::string_view method) {
    return fault(std::string(module) +
                 "BalancerMember balancer://a ajp://h hcmethod=" + std::string(method));
  };
  for (const std::string_view method : {"GET", "HEAD11", "OPTIONS"})
    EXPECT_THAT(with(method), HasSubstr("in HTTP, which it does not speak")) << method;
  EXPECT_THAT(advice_, HasSubstr("Write hcmethod=CPING"));
  for (const std::string_view method : {"CPING", "TCP", "NONE"}) EXPECT_EQ(with(method), "");
}

}  // namespace
}  // namespace steelyard::apacheconf
