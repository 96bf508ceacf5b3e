#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"
#include "config/dump.hpp"
#include "config/target.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view modules =
    "ServerName lb.test\n"
    "Listen 127.0.0.1:8080\n"
    "LoadModule authz_core_module m\n"
    "LoadModule alias_module m\n"
    "LoadModule proxy_module m\n"
    "LoadModule proxy_http_module m\n"
    "LoadModule proxy_balancer_module m\n"
    "LoadModule lbmethod_byrequests_module m\n";

class ProxyDirectives : public ::testing::Test {
 protected:
  // The only fault of the lines, without its place; empty when there is none.
  std::string fault(std::string_view lines) {
    const std::vector<Diagnostic> said = read(lines);
    std::string text;
    for (const Diagnostic& each : said) {
      if (each.severity != Severity::fault) continue;
      text += (text.empty() ? "" : " | ") + each.text;
      advice_ = each.advice;
    }
    return text;
  }
  std::vector<std::string> warnings(std::string_view lines) {
    std::vector<std::string> texts;
    for (const Diagnostic& each : read(lines)) {
      if (each.severity == Severity::warning) texts.push_back(each.text);
    }
    return texts;
  }
  const config::Config& accept(std::string_view lines) {
    EXPECT_EQ(fault(lines), "");
    static const config::Config none;
    return config_ ? *config_ : none;
  }
  const config::Server& main_server() const { return *config_->servers.at(0); }
  const config::Server& virtual_host() const { return *config_->servers.at(1); }

  std::unique_ptr<config::Config> config_;
  std::string advice_;

 private:
  std::vector<Diagnostic> read(std::string_view lines) {
    auto result = reader_.read(std::string(modules) + std::string(lines));
    config_ = result ? std::move(result->config) : nullptr;
    return result ? std::move(result->remarks) : std::move(result.error());
  }
  testing::Reader reader_;
};

// Each sentence is what httpd 2.4.71 says about the same lines.
TEST_F(ProxyDirectives, complain_as_httpd_does) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"ProxyPass", "ProxyPass|ProxyPassMatch needs a path when not defined in a location"},
      {"ProxyPass http://h/",
       "ProxyPass|ProxyPassMatch needs a path when not defined in a location"},
      {"ProxyPass /x y", "ProxyPass URL must be absolute!: y"},
      {"ProxyPass /x http:///", "ProxyPass URL must be absolute!: http:///"},
      {"ProxyPass /x http://h/ foo=bar", "ProxyPass unknown Worker parameter"},
      {"ProxyPass /x http://h/ foo",
       "Invalid ProxyPass|ProxyPassMatch parameter. Parameter must be in the form 'key=value'."},
      {"ProxyPass /x http://h/ timeout=0", "ProxyPass Timeout must be at least one second"},
      {"ProxyPass /x http://h/ mapping=foo", "unknown mapping"},
      {"ProxyPass /x balancer://c/ retry=5", "ProxyPass unknown Balancer parameter"},
      {"ProxyPass /x balancer://c/ lbmethod=nonsense", "ProxyPass unknown lbmethod"},
      {"ProxyPass /x balancer:foo", "ProxyPass Bad syntax for a balancer name (balancer:foo)"},
      {"ProxyPass /x ! foo",
       "Invalid ProxyPass|ProxyPassMatch parameter. Parameter must be in the form 'key=value'."},
      {"ProxyPass ~ ( http://h/", "Regular expression could not be compiled."},
      {"ProxyPass /a http://h:$1/", "ProxyPass Unable to parse URL: http://h:$1/"},
      {"<Location /x>\nProxyPass /y http://h/\n</Location>",
       "ProxyPass|ProxyPassMatch can not have a path when defined in a location."},
      {"ProxyPassReverse /x", "ProxyPassReverse needs a path when not defined in a location"},
      {"<Location /x>\nProxyPassReverse /y http://h/\n</Location>",
       "ProxyPassReverse can not have a path when defined in a location"},
      {"BalancerMember", "BalancerMember must define balancer name when outside <Proxy > section"},
      {"BalancerMember balancer://c", "BalancerMember must define remote proxy server"},
      {"BalancerMember c http://h/", "BalancerMember Bad syntax for a balancer name (c)"},
      {"BalancerMember balancer://c h:80", "BalancerMember URL must be absolute!: h:80"},
      {"BalancerMember balancer://c http://h/ foo",
       "Invalid BalancerMember parameter. Parameter must be in the form 'key=value'"},
      {"<Proxy balancer://c>\nBalancerMember balancer://c http://h/\n</Proxy>",
       "BalancerMember can not have a balancer name when defined in a location"},
      {"ProxySet a=b", "ProxySet can not find 'a=b' Worker."},
      {"ProxySet balancer://nowhere a=b", "ProxySet can not find 'balancer://nowhere' Balancer."},
      {"<Proxy balancer://c>\nProxySet foo=bar\n</Proxy>",
       "ProxySet: unknown Balancer parameter foo=bar; balancer://c"},
      {"<Proxy http://h/ foo=1>\n</Proxy>", "<Proxy unknown Worker parameter foo=1; http://h/"},
      {"<Proxy balancer://c foo>\n</Proxy>",
       "Invalid Proxy parameter. Parameter must be in the form 'key=value'"},
      {"<Proxy \"*\">\nProxySet timeout=1\n</Proxy>", "ProxySet URL must be absolute!: *"},
      {"ProxyVia x", "ProxyVia must be one of: off | on | full | block"},
      {"ProxyTimeout 0", "Proxy Timeout must be at least 1 second."},
      {"ProxyErrorOverride On 399",
       "ProxyErrorOverride: status codes to intercept must be valid HTTP Status Codes >=400 && "
       "<600"},
      {"ProxyErrorOverride Off 404",
       "ProxyErrorOverride: status codes must follow a value of 'on'"},
      {"ProxyIOBufferSize 3", "ProxyIOBufferSize must be >= 512 bytes, or 0 for system default."},
      {"ProxySourceAddress 1.2.3.4:80", "ProxySourceAddress invalid value"},
      {"BalancerGrowth 1001", "BalancerGrowth must be between 0 and 1000"},
  };
  for (const auto& [lines, sentence] : cases) EXPECT_EQ(fault(lines), sentence) << lines;
}

TEST_F(ProxyDirectives, all_bad_parameters_of_a_line_are_told) {
  EXPECT_EQ(fault("BalancerMember balancer://c http://h/ lbset=100 retry=-1"),
            "BalancerMember lbset must be between 0 and 99 | "
            "BalancerMember Retry must be a positive value");
}

TEST_F(ProxyDirectives, parameters_in_the_wrong_place_are_sent_to_the_right_one) {
  fault("ProxyPass /x balancer://c/ retry=5");
  EXPECT_THAT(advice_, HasSubstr("behind the BalancerMember's URL"));
  fault("BalancerMember balancer://c http://h stickysession=a");
  EXPECT_THAT(advice_, HasSubstr("belongs to the balancer"));
  fault("BalancerMember balancer://c http://h loadfacter=2");
  EXPECT_EQ(advice_, "It is about 'loadfacter=2'. Did you mean loadfactor?");
  fault("ProxyPass /x balancer://c/ hcmethod=GET");
  EXPECT_THAT(advice_, HasSubstr("behind the BalancerMember's URL"));
}

TEST_F(ProxyDirectives, members_of_other_protocols_are_refused_with_the_way_forward) {
  for (const std::string_view scheme : {"gopher", "foo"}) {
    const std::string url = std::string(scheme) + "://h/";
    EXPECT_THAT(fault("ProxyPass /x " + url), HasSubstr("are not supported")) << scheme;
    EXPECT_NE(advice_, "") << scheme;
    EXPECT_THAT(fault("BalancerMember balancer://c " + url), HasSubstr(url.substr(0, 3)));
  }
}

TEST_F(ProxyDirectives, containers_need_their_module) {
  EXPECT_EQ(fault("ProxyPass /x ajp://h/"),
            "ProxyPass members of protocol ajp:// need a module that is not loaded");
  EXPECT_THAT(advice_, HasSubstr("LoadModule proxy_ajp_module"));
  EXPECT_EQ(
      fault("LoadModule proxy_ajp_module m\nProxyPass /x ajp://h/ secret=s iobuffersize=65536"),
      "");
}

TEST_F(ProxyDirectives, members_of_the_cgi_family_need_their_modules) {
  for (const std::string scheme : {"fcgi", "scgi", "uwsgi"}) {
    const std::string line = "ProxyPass /x " + scheme + "://h:1/";
    EXPECT_THAT(fault(line), HasSubstr("need a module that is not loaded")) << scheme;
    EXPECT_THAT(advice_, HasSubstr("LoadModule proxy_" + scheme + "_module")) << scheme;
  }
}

TEST_F(ProxyDirectives, ftp_members_need_their_module) {
  EXPECT_THAT(fault("ProxyPass /x ftp://h/"), HasSubstr("need a module that is not loaded"));
  EXPECT_EQ(advice_, "Add the line: LoadModule proxy_ftp_module modules/mod_proxy_ftp.so");
  EXPECT_EQ(fault("LoadModule proxy_ftp_module m\nProxyPass /x ftp://h/"), "");
  EXPECT_EQ(main_server().backends.at(0)->port, 21);
}

TEST_F(ProxyDirectives, of_ftp_the_inner_section_counts) {
  accept(
      "LoadModule proxy_ftp_module m\n"
      "ProxyFtpDirCharset utf-8\nProxyFtpListOnWildcard Off\nProxyPass / ftp://h/\n"
      "<Location /x>\nProxyFtpListOnWildcard On\nProxyFtpEscapeWildcards Off\n</Location>\n");
  const config::PathSettings merged =
      config::merge(main_server().defaults, main_server().locations[0].settings);
  EXPECT_EQ(merged.ftp_charset, "utf-8");
  EXPECT_EQ(merged.ftp_lists_on_wildcard, true);
  EXPECT_EQ(merged.ftp_escapes_wildcards, false);
  EXPECT_THAT(fault("LoadModule proxy_ftp_module m\nProxyFtpListOnWildcard maybe"),
              HasSubstr("ProxyFtpListOnWildcard"));
}

TEST_F(ProxyDirectives, a_policy_needs_its_module) {
  EXPECT_EQ(fault("ProxyPass /x balancer://c/ lbmethod=bytraffic"), "ProxyPass unknown lbmethod");
  EXPECT_THAT(advice_, HasSubstr("LoadModule lbmethod_bytraffic_module"));
  EXPECT_EQ(fault("LoadModule lbmethod_bytraffic_module m\n"
                  "ProxyPass /x balancer://c/ lbmethod=bytraffic"),
            "");
}

TEST_F(ProxyDirectives, changes_are_brought_back_where_a_server_says_so_itself) {
  accept("BalancerPersist On\n<VirtualHost *:81>\n</VirtualHost>");
  EXPECT_TRUE(main_server().persists_changes);
  EXPECT_FALSE(config_->servers[1]->persists_changes);
  accept("BalancerPersist On\nBalancerPersist Off");
  EXPECT_FALSE(main_server().persists_changes);
  EXPECT_EQ(fault("BalancerPersist On\nSteelyardJournal Off"),
            "BalancerPersist On needs a journal");
  EXPECT_EQ(fault("SteelyardJournal off\nBalancerPersist Off"), "");
  EXPECT_THAT(fault("SteelyardJournal \"\""),
              ::testing::StartsWith("SteelyardJournal takes one argument, the directory"));
}

TEST_F(ProxyDirectives, q155_a_word_with_equals_is_no_url) {
  EXPECT_EQ(fault("BalancerMember balancer://c http://127.0.0.1:81/x=y"),
            "BalancerMember must define remote proxy server");
  EXPECT_THAT(advice_, HasSubstr("cannot hold one"));
}

TEST_F(ProxyDirectives, parameters_may_stand_before_the_url) {
  accept("<Proxy balancer://c>\nBalancerMember retry=7 http://h route=a ROUTE=b\n</Proxy>");
  ASSERT_EQ(main_server().balancers.size(), 1);
  const balance::MemberSpec& member = main_server().balancers[0]->members.at(0);
  EXPECT_EQ(member.retry, std::chrono::seconds(7));
  EXPECT_EQ(member.tag, "b");
}

TEST_F(ProxyDirectives, q36_a_member_that_extends_an_earlier_one_is_swallowed) {
  EXPECT_THAT(warnings("BalancerMember balancer://c http://h/a\n"
                       "BalancerMember balancer://c http://h/ab route=x"),
              ElementsAre("Sharing worker 'http://h/a' instead of creating new worker "
                          "'http://h/ab'",
                          "Ignoring parameter 'route=x' for worker 'http://h/a' because of worker "
                          "sharing"));
  EXPECT_EQ(main_server().balancers[0]->members.size(), 1);
}

TEST_F(ProxyDirectives, q128_a_repeated_member_is_one_member) {
  EXPECT_THAT(warnings("BalancerMember balancer://c http://h:80\n"
                       "BalancerMember balancer://c http://H\n"
                       "BalancerMember balancer://c http://h:8080"),
              IsEmpty());
  EXPECT_EQ(main_server().balancers[0]->members.size(), 2);
}

TEST_F(ProxyDirectives, sockets_with_one_url_are_one_member_and_that_is_told) {
  EXPECT_THAT(warnings("BalancerMember balancer://c unix:/a.sock|http://localhost\n"
                       "BalancerMember balancer://c unix:/b.sock|http://localhost"),
              ElementsAre(HasSubstr("Sharing worker")));
}

TEST_F(ProxyDirectives, q37_a_route_shares_the_backend_that_covers_its_url) {
  EXPECT_THAT(warnings("ProxyPass /a http://h\nProxyPass /b http://h/b timeout=1"),
              ElementsAre("Ignoring parameter 'timeout=1' for worker 'http://h' because of worker "
                          "sharing"));
  ASSERT_EQ(main_server().backends.size(), 1);
  EXPECT_EQ(main_server().routes[1].backend, 0);
}

TEST_F(ProxyDirectives, proxy_sections_and_proxy_set_add_parameters_to_a_known_backend) {
  accept(
      "ProxyPass /a http://h/ retry=1\n"
      "<Proxy http://h/ timeout=5>\n</Proxy>\n"
      "<Proxy http://h/>\nProxySet lbset=7\n</Proxy>\n"
      "ProxySet http://h/x max=9");
  ASSERT_EQ(main_server().backends.size(), 1);
  const balance::MemberSpec& backend = *main_server().backends[0];
  EXPECT_EQ(backend.retry, std::chrono::seconds(1));
  EXPECT_EQ(backend.timeout, std::chrono::seconds(5));
  EXPECT_EQ(backend.lbset, 7);
  EXPECT_EQ(backend.pool.connections_max, 9);
}

TEST_F(ProxyDirectives, q80_an_undefined_balancer_is_made_empty) {
  accept("ProxyPass / balancer://Nobody/");
  ASSERT_EQ(main_server().balancers.size(), 1);
  EXPECT_EQ(main_server().balancers[0]->name, "balancer://nobody");
  EXPECT_TRUE(main_server().balancers[0]->members.empty());
  EXPECT_EQ(main_server().routes[0].balancer, 0);
}

TEST_F(ProxyDirectives, q38_a_virtual_host_that_names_a_balancer_gets_the_main_servers_members) {
  EXPECT_THAT(warnings("BalancerMember balancer://c http://b1\n"
                       "<VirtualHost *:8080>\n"
                       "BalancerMember balancer://c http://b2\n"
                       "ProxyPass / balancer://c/\n"
                       "</VirtualHost>"),
              ElementsAre(HasSubstr("Member http://b2 is not used")));
  ASSERT_EQ(virtual_host().balancers.size(), 1);
  ASSERT_EQ(virtual_host().balancers[0]->members.size(), 1);
  EXPECT_EQ(virtual_host().balancers[0]->members[0].name, "http://b1");
}

TEST_F(ProxyDirectives, what_the_members_protocol_does_not_have_is_warned_about) {
  constexpr std::string_view load =
      "LoadModule proxy_ajp_module m\nLoadModule proxy_fcgi_module m\n"
      "LoadModule proxy_ftp_module m\nLoadModule proxy_http2_module m\n";
  const auto warned = [&](const std::string& line) { return warnings(std::string(load) + line); };
  for (const std::string scheme : {"h2c", "fcgi", "ajp", "ftp"}) {
    EXPECT_THAT(warned("ProxyPass / " + scheme + "://h/ upgrade=websocket"),
                ElementsAre("upgrade= has no effect on " + scheme + ":// members"));
  }
  for (const std::string scheme : {"http", "ws", "fcgi", "h2c"}) {
    EXPECT_THAT(warned("BalancerMember balancer://b " + scheme + "://h secret=hush"),
                ElementsAre("secret= has no effect on " + scheme + ":// members"));
  }
  for (const std::string scheme : {"fcgi", "ftp"}) {
    EXPECT_THAT(warned("ProxyPass / " + scheme + "://h/ Ping=1"),
                ElementsAre("ping= has no effect on " + scheme + ":// members"));
  }
  for (const std::string line :
       {"http://h/ upgrade=websocket ping=1", "ws://h/ upgrade=any ping=1",
        "ajp://h/ secret=x ping=1", "h2c://h/ ping=1", "unix:/x|http://h/ upgrade=websocket"}) {
    EXPECT_THAT(warned("ProxyPass / " + line), ElementsAre()) << line;
  }
}

TEST_F(ProxyDirectives, protocols_that_nobody_is_spoken_to_in_are_warned_about) {
  const std::string load = "LoadModule http2_module m\n";
  const std::string h2 = "Protocols lists h2, which is spoken within TLS, and SSLEngine is not on";
  const std::string sockets = "H2WebSockets On has no effect: no client is spoken to in HTTP/2";
  EXPECT_THAT(warnings(load + "Protocols h2 http/1.1"), ElementsAre(h2));
  EXPECT_THAT(warnings(load + "<VirtualHost *:8080>\nProtocols h2 http/1.1\n</VirtualHost>"),
              ElementsAre(h2));
  EXPECT_THAT(warnings(load + "H2WebSockets On"), ElementsAre(sockets));
  EXPECT_THAT(warnings(load + "H2WebSockets On\nProtocols h2 http/1.1"), ElementsAre(h2, sockets));
  for (const std::string lines :
       {"Protocols h2 h2c http/1.1\nH2WebSockets On", "Protocols http/1.1", "H2WebSockets Off",
        "H2WebSockets On\n<VirtualHost *:8080>\nProtocols h2c http/1.1\n</VirtualHost>"}) {
    EXPECT_THAT(warnings(load + lines), ElementsAre()) << lines;
  }
}

TEST_F(ProxyDirectives, q39_pass_inherit_off_does_not_stop_inherited_routes) {
  accept("ProxyPass /a http://b1\n<VirtualHost *:8080>\nProxyPassInherit Off\n</VirtualHost>");
  ASSERT_EQ(virtual_host().routes.size(), 1);
  EXPECT_EQ(virtual_host().routes[0].backend, 0);
}

TEST_F(ProxyDirectives, with_both_inherits_off_a_virtual_host_has_only_its_own) {
  accept(
      "BalancerMember balancer://c http://b1\nProxyPass /a balancer://c\n"
      "<VirtualHost *:8080>\nProxyPassInherit Off\nBalancerInherit Off\n"
      "BalancerMember balancer://c http://b2\n</VirtualHost>");
  ASSERT_EQ(virtual_host().balancers.size(), 1);
  EXPECT_EQ(virtual_host().balancers[0]->members.at(0).name, "http://b2");
  EXPECT_EQ(virtual_host().routes.size(), 1);
}

TEST_F(ProxyDirectives, q40_the_policy_of_a_named_balancer_is_not_inherited) {
  accept(
      "LoadModule lbmethod_bytraffic_module m\n"
      "BalancerMember balancer://c http://b1\n"
      "BalancerMember balancer://d http://b1\n"
      "ProxyPass /m balancer://c/ lbmethod=bytraffic stickysession=S nofailover=On\n"
      "ProxyPass /n balancer://d/ lbmethod=bytraffic\n"
      "<VirtualHost *:8080>\nProxyPass / balancer://c/ stickysessionsep=: failonstatus=500\n"
      "</VirtualHost>");
  ASSERT_EQ(virtual_host().balancers.size(), 2);
  const balance::BalancerSpec& named = *virtual_host().balancers[0];
  EXPECT_EQ(named.effective_policy(), balance::Policy::by_requests);
  EXPECT_EQ(named.sticky.cookie_name, "S");
  EXPECT_EQ(named.sticky.separator, ':');
  EXPECT_EQ(named.nofailover, true);
  EXPECT_THAT(named.fail_on_status, ElementsAre(500));
  EXPECT_EQ(virtual_host().balancers[1]->effective_policy(), balance::Policy::by_traffic);
  EXPECT_EQ(main_server().balancers[0]->effective_policy(), balance::Policy::by_traffic);
}

TEST_F(ProxyDirectives, policies_of_our_own_need_no_module_and_near_misses_are_told) {
  for (const char* word : {"random", "tworandom", "leasttime", "hash", "maglev"}) {
    accept("BalancerMember balancer://c http://b1\nProxyPass / balancer://c/ lbmethod=" +
           std::string(word));
  }
  EXPECT_EQ(fault("ProxyPass /x balancer://c/ lbmethod=tworandm"), "ProxyPass unknown lbmethod");
  EXPECT_EQ(advice_, "It is about 'lbmethod=tworandm'. Did you mean tworandom?");
  fault("ProxyPass /x balancer://c/ lbmethod=nonsense");
  EXPECT_THAT(advice_, HasSubstr("byrequests, bytraffic, bybusyness, random, tworandom, "
                                 "leasttime, hash, maglev, heartbeat."));
  EXPECT_EQ(fault("ProxyPass /x balancer://c/ hash-key=%{REMOTE_ADDR}"),
            "ProxyPass unknown Balancer parameter");
  EXPECT_THAT(advice_, HasSubstr("Did you mean hashkey?"));
  EXPECT_EQ(fault("ProxyPass /x balancer://c/ slow_start=3"),
            "ProxyPass unknown Balancer parameter");
  EXPECT_THAT(advice_, HasSubstr("Did you mean slowstart?"));
  EXPECT_EQ(fault("BalancerMember balancer://c http://b1 hashkey=%{REMOTE_ADDR}"),
            "BalancerMember unknown Worker parameter");
  EXPECT_THAT(advice_, HasSubstr("belongs to the balancer"));
}

TEST_F(ProxyDirectives, a_hash_key_is_an_expression_that_differs_between_requests) {
  EXPECT_THAT(fault("ProxyPass /x balancer://c/ lbmethod=hash hashkey=%{nonsense:x}"),
              HasSubstr("Cannot parse hashkey expression"));
  EXPECT_EQ(fault("ProxyPass /x balancer://c/ lbmethod=hash hashkey=REMOTE_ADDR"),
            "ProxyPass hashkey is the same for every request");
  EXPECT_THAT(advice_, HasSubstr("%{REMOTE_ADDR}"));
}

TEST_F(ProxyDirectives, parameters_that_a_policy_does_not_look_at_are_told) {
  const std::string member = "BalancerMember balancer://c http://b1\n";
  EXPECT_THAT(warnings(member + "ProxyPass / balancer://c/ hashkey=%{REMOTE_ADDR}"),
              ElementsAre("hashkey and hashbound of balancer://c have no effect with "
                          "lbmethod=byrequests"));
  EXPECT_THAT(warnings(member + "ProxyPass / balancer://c/ lbmethod=hash reentry=current"),
              ElementsAre("reentry of balancer://c has no effect with lbmethod=hash"));
  EXPECT_THAT(warnings(member + "ProxyPass / balancer://c/ lbmethod=hash hashbound=150 "
                                "hashkey=%{REMOTE_ADDR} slowstart=30"),
              IsEmpty());
  EXPECT_THAT(warnings(member + "ProxyPass / balancer://c/ queue=9/2 timeout=3"),
              ElementsAre("timeout of balancer://c has no effect with queue="));
  EXPECT_THAT(warnings(member + "ProxyPass / balancer://c/ queue=off timeout=3"), IsEmpty());
}

TEST_F(ProxyDirectives, q136_a_virtual_host_inherits_balancers_it_does_not_mention) {
  accept("BalancerMember balancer://c http://b2\n<VirtualHost *:8080>\n</VirtualHost>");
  EXPECT_EQ(config::find_balancer(virtual_host(), "balancer://c/x"), 0);
}

TEST_F(ProxyDirectives, pages_show_what_a_virtual_host_names_behind_what_it_only_inherits) {
  const std::string main =
      "BalancerMember balancer://a http://b1\nBalancerMember balancer://b http://b2\n";
  accept(main +
         "<VirtualHost *:8080>\nBalancerMember balancer://own http://b3\n"
         "ProxyPass / balancer://a\n</VirtualHost>");
  EXPECT_THAT(virtual_host().balancer_order, ElementsAre(1, 2, 0));
  accept(main + "<VirtualHost *:8080>\nBalancerMember balancer://own http://b3\n</VirtualHost>");
  EXPECT_TRUE(virtual_host().balancer_order.empty());
}

TEST_F(ProxyDirectives, routes_stand_main_server_first) {
  accept("<VirtualHost *:8080>\nProxyPass / http://b2/\n</VirtualHost>\nProxyPass /a http://b1");
  ASSERT_EQ(virtual_host().routes.size(), 2);
  EXPECT_EQ(virtual_host().routes[0].path, "/a");
  EXPECT_EQ(virtual_host().routes[1].path, "/");
}

TEST_F(ProxyDirectives, wildcards_in_a_location_make_its_route_a_regex) {
  accept(
      "<LocationMatch \"^/a/(.*)$\">\nProxyPass http://h/$1\n</LocationMatch>\n"
      "<LocationMatch \"^/b\">\nProxyPass http://h/\n</LocationMatch>");
  EXPECT_TRUE(main_server().locations[0].settings.route->regex.has_value());
  EXPECT_FALSE(main_server().locations[1].settings.route->regex.has_value());
}

TEST_F(ProxyDirectives, references_in_the_path_switch_reuse_off_unless_asked_for) {
  accept(
      "ProxyPassMatch ^/a(.*) http://h1/$1\n"
      "ProxyPassMatch ^/b(.*) http://h2/$1 enablereuse=on\n"
      "ProxyPassMatch ^/c http://h3/");
  EXPECT_EQ(main_server().backends[0]->disable_reuse, true);
  EXPECT_EQ(main_server().backends[1]->disable_reuse, false);
  EXPECT_FALSE(main_server().backends[2]->disable_reuse);
}

TEST_F(ProxyDirectives, digits_in_the_host_are_no_references) {
  accept("ProxyPassMatch ^/a(.*) http://10.0.0.1:81/$1 enablereuse=on");
  EXPECT_EQ(main_server().backends[0]->host, "10.0.0.1");
  EXPECT_EQ(main_server().backends[0]->disable_reuse, false);
}

TEST_F(ProxyDirectives, plain_and_matched_lines_share_no_backend) {
  accept(
      "ProxyPass /a http://h/\n"
      "ProxyPassMatch ^/b http://h/q\n"
      "ProxyPass /c http://h/q\n"
      "ProxyPassMatch ^/d(.*) http://h/q$1");
  ASSERT_EQ(main_server().backends.size(), 2U);
  EXPECT_EQ(main_server().backends[0]->name, "http://h/");
  EXPECT_EQ(main_server().backends[1]->name, "http://h/q");
}

TEST_F(ProxyDirectives, references_in_the_host_leave_the_address_to_the_request) {
  EXPECT_THAT(warnings("ProxyPassMatch ^/a(.) http://h:$1/ enablereuse=on"),
              ElementsAre(HasSubstr("enablereuse=on is ignored")));
  const balance::MemberSpec& backend = *main_server().backends[0];
  EXPECT_EQ(backend.host, "");
  EXPECT_EQ(backend.disable_reuse, true);
  EXPECT_FALSE(main_server().routes[0].backend);
  EXPECT_EQ(config::find_backend(main_server(), "http://h:71/"), 0);
  EXPECT_FALSE(config::find_backend(main_server(), "http://h:7/")) << "shorter than the name";
}

TEST_F(ProxyDirectives, q72_an_empty_value_is_a_value) {
  accept("<Proxy balancer://c>\nBalancerMember http://h route=\n</Proxy>");
  EXPECT_EQ(main_server().balancers[0]->members.at(0).tag, "");
}

TEST_F(ProxyDirectives, a_missing_policy_module_is_told_once_for_each_balancer) {
  testing::Reader reader;
  EXPECT_THAT(reader.faults("ServerName a\nListen 80\nLoadModule proxy_module m\n"
                            "LoadModule proxy_balancer_module m\n"
                            "BalancerMember balancer://c http://h\n"),
              ElementsAre("5: Cannot find LB Method: byrequests for balancer://c"));
}

TEST_F(ProxyDirectives, sections_carry_switches_and_maps) {
  accept(
      "ProxyPreserveHost On\n"
      "ProxyErrorOverride On 404 503\n"
      "<Location /a>\nProxyPreserveHost Off\nProxyPassReverse http://h/a interpolate\n"
      "ProxyPassReverseCookiePath /x /y\n</Location>");
  EXPECT_EQ(main_server().defaults.preserve_host, true);
  EXPECT_THAT(main_server().defaults.error_override->statuses, ElementsAre(404, 503));
  const config::PathSettings& inner = main_server().locations[0].settings;
  EXPECT_EQ(inner.preserve_host, false);
  EXPECT_EQ(inner.reverse_urls.at(0).external, "/a");
  EXPECT_TRUE(inner.reverse_urls.at(0).interpolate);
  EXPECT_EQ(inner.reverse_cookie_paths.at(0).internal, "/x");
}

}  // namespace
}  // namespace steelyard::apacheconf
