#include "health/question.hpp"

#include <gtest/gtest.h>

#include "config/fcgi_settings.hpp"
#include "health/target_rules.hpp"
#include "health/test_members.hpp"

namespace steelyard::health {
namespace {

using balance::MemberSpec;
using Words = std::vector<std::string>;

const Words usual{"hcmethod=GET11", "hcuri=/h", "hcinterval=1"};

TargetRules rules_of(const config::Server& server, const std::string& url, Words words = {}) {
  words.insert(words.begin(), usual.begin(), usual.end());
  TargetRules rules;
  rules.server = &server;
  rules.member = checked_member(url, words);
  rules.balancer = "balancer://app";
  return rules;
}

Question question(const config::Server& server, const std::string& url, const Words& words = {}) {
  return question_of(plan_for(rules_of(server, url, words)));
}

config::Server usual_server() {
  config::Server server;
  server.client.timeout = std::chrono::seconds(3);
  return server;
}

TEST(Question, is_another_when_anything_differs_that_the_answer_or_its_count_depends_on) {
  const config::Server server = usual_server();
  const Question plain = question(server, "http://m1");
  for (const std::string_view word :
       {"hcmethod=GET", "hcuri=/other", "hcinterval=2", "hcpasses=2", "hcfails=2", "hcport=81",
        "hchost=h", "hcsni=h", "hctimeout=1", "hcjitter=1", "hcdowninterval=2", "timeout=2",
        "connectiontimeout=2", "addressttl=9", "proxyprotocol=v2"})
    EXPECT_NE(question(server, "http://m1", {std::string(word)}), plain) << word;
  for (const char* url : {"http://m2", "http://m1:81", "http://m1/app", "ws://m1", "h2c://m1"})
    EXPECT_NE(question(server, url), plain) << url;
  EXPECT_NE(question(server, "http://m1", {"connectiontimeout=2"}),
            question(server, "http://m1", {"connectiontimeout=2", "timeout=4"}));
  EXPECT_NE(question(server, "unix:/a|fcgi://m1"), question(server, "unix:/b|fcgi://m1"));
  EXPECT_EQ(question(server, "unix:/a|http://m1"), plain) << "httpd: not asked on its socket";
  TargetRules one_address = rules_of(server, "http://m1");
  one_address.member.address = IpAddress::v4(0x7f000001);
  EXPECT_NE(question_of(plan_for(one_address)), plain);
}

TEST(Question, does_not_depend_on_what_requests_do) {
  const config::Server server = usual_server();
  const Question plain = question(server, "http://m1");
  for (const std::string_view word :
       {"loadfactor=3", "lbset=1", "route=r", "retry=5", "status=+D", "max=9", "keepalive=On",
        "hcshare=On", "slowstart=5", "timeout=3", "ping=1"}) {
    const Question same = question(server, "http://m1", {std::string(word)});
    EXPECT_EQ(same, plain) << word;
    EXPECT_EQ(QuestionHash()(same), QuestionHash()(plain));
  }
}

TEST(Question, depends_on_what_the_virtual_host_says) {
  const config::Server server = usual_server();
  const Question plain = question(server, "http://m1");
  config::Server slower = usual_server();
  slower.proxy.timeout = std::chrono::seconds(9);
  EXPECT_NE(question(slower, "http://m1"), plain);
  config::Server elsewhere = usual_server();
  elsewhere.proxy.source_address = IpAddress::v4(0x7f000002);
  EXPECT_NE(question(elsewhere, "http://m1"), plain);
  // A request of the CGI family tells more of it.
  config::Server rooted = usual_server();
  rooted.document_root = "/srv";
  EXPECT_EQ(question(rooted, "http://m1"), plain);
  EXPECT_NE(question(rooted, "fcgi://m1:9000"), question(server, "fcgi://m1:9000"));
  config::Server signed_off = usual_server();
  signed_off.admin = "root@lb.test";
  EXPECT_NE(question(signed_off, "scgi://m1:9000"), question(server, "scgi://m1:9000"));
  config::Server generic = usual_server();
  generic.defaults.fcgi_backend = config::FcgiBackend::generic;
  EXPECT_NE(question(generic, "fcgi://m1:9000"), question(server, "fcgi://m1:9000"));
}

TEST(Question, is_judged_by_the_condition_and_not_by_its_name) {
  const config::Server server = usual_server();
  const auto is_200 = expr::Condition::compile("%{REQUEST_STATUS} == '200'");
  const auto is_503 = expr::Condition::compile("%{REQUEST_STATUS} == '503'");
  const auto judged = [&](const std::string& name, const expr::Condition& condition) {
    TargetRules rules = rules_of(server, "http://m1", {"hcexpr=" + name});
    rules.condition = &condition;
    return question_of(plan_for(rules));
  };
  EXPECT_EQ(judged("ok", *is_200), judged("fine", *is_200));
  EXPECT_NE(judged("ok", *is_200), judged("ok", *is_503));
  EXPECT_NE(judged("ok", *is_200), question(server, "http://m1"));
}

TEST(Question, depends_on_the_settings_of_tls_and_not_on_who_has_them) {
  config::TlsBackendSettings settings;
  settings.engine = true;
  const tls::FileAccess no_files;
  const auto context = [&] {
    tls::Material material(no_files);
    return *tls::ClientContext::make(settings, material);
  };
  const auto one = context(), same = context();
  settings.checks_name = false;
  const auto other = context();
  const config::Server server = usual_server();
  const auto asked = [&](const std::string& url, const tls::ClientContext* tls) {
    const TargetRules rules = rules_of(server, url);
    CheckPlan plan = plan_for(rules);
    plan.tls = tls;
    return question_of(plan);
  };
  EXPECT_EQ(asked("https://m1", one.get()), asked("https://m1", same.get()));
  EXPECT_NE(asked("https://m1", one.get()), asked("https://m1", other.get()));
  EXPECT_NE(asked("https://m1", one.get()), asked("https://m1", nullptr));
  EXPECT_EQ(asked("http://m1", one.get()), asked("http://m1", nullptr));
}

}  // namespace
}  // namespace steelyard::health
