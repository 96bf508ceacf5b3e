// What balance/config_text.hpp writes is read as what it was written from.
#include "balance/config_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "apacheconf/testing.hpp"
#include "balance/editable.hpp"
#include "balance/parameters.hpp"

namespace steelyard::apacheconf {
namespace {

using balance::BalancerSpec;
using balance::MemberSpec;
using balance::Overlay;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Reader;
using ::testing::StartsWith;

constexpr std::string_view head =
    "LoadModule proxy_module m\nLoadModule proxy_http_module m\n"
    "LoadModule proxy_balancer_module m\nLoadModule lbmethod_byrequests_module m\n"
    "LoadModule lbmethod_bytraffic_module m\nLoadModule lbmethod_bybusyness_module m\n"
    "LoadModule slotmem_shm_module m\nLoadModule watchdog_module m\n"
    "LoadModule proxy_hcheck_module m\n"
    "ServerName lb.test\nListen 127.0.0.1:8080\n"
    "ProxyHCExpr ok {%{REQUEST_STATUS} =~ /^[23]/}\n";

using Samples = std::map<std::string_view, std::vector<std::string>>;

const Samples& member_samples() {
  static const Samples samples{
      {"acquire", {"5", "100ms"}},
      {"addressttl", {"-1", "30"}},
      {"connectiontimeout", {"5", "250ms"}},
      {"disablereuse", {"On", "Off"}},
      {"enablereuse", {"On", "Off"}},
      {"flusher", {"f"}},
      {"flushpackets", {"On", "Off", "auto"}},
      {"flushwait", {"7"}},
      {"iobuffersize", {"0", "4096"}},
      {"keepalive", {"On", "Off"}},
      {"lbset", {"0", "7"}},
      {"loadfactor", {"1", "1.151", "2.5", "99.99"}},
      {"max", {"0", "20"}},
      {"min", {"3"}},
      {"ping", {"2", "100ms"}},
      {"proxyprotocol", {"v1", "v2", "Off"}},
      {"receivebuffersize", {"0", "2048"}},
      {"redirect", {"r1", "a b", "q\"uo\\te'd"}},
      {"resolve", {"one"}},
      {"responsefieldsize", {"0", "16384"}},
      {"retry", {"0", "5"}},
      {"route", {"r2", "x y", "\\", "a=b", "#1", "<b>", "$1", "\xc3\xa4"}},
      {"secret", {"s3cret", "with blank"}},
      {"slowstart", {"0", "1500ms"}},
      {"smax", {"2"}},
      {"status", {"D", "+SHRNI", "EC", "OGUF"}},
      {"timeout", {"9"}},
      {"ttl", {"60"}},
      {"tunneltimeout", {"90", "12h"}},
      {"upgrade", {"ANY", "websocket"}},
      {"hcdowninterval", {"2", "500ms"}},
      {"hcexpr", {}},
      {"hcfails", {"3"}},
      {"hchost", {"app.example:81"}},
      {"hcinterval", {"7", "150ms"}},
      {"hcjitter", {"100ms"}},
      {"hcmethod", {"TCP", "GET11", "OPTIONS"}},
      {"hcpasses", {"2"}},
      {"hcport", {"8081"}},
      {"hcshare", {"On", "Off"}},
      {"hcsni", {"app.example"}},
      {"hctemplate", {}},
      {"hctimeout", {"3", "300ms"}},
      {"hcuri", {"/health?a=b", "/with blank"}},
  };
  return samples;
}

const Samples& balancer_samples() {
  static const Samples samples{
      {"ejectmax", {"90s"}},
      {"ejectslow", {"3/30s", "1.5/1500ms"}},
      {"failcount", {"5/30s"}},
      {"failonstatus", {"503", "500,502,503"}},
      {"failontimeout", {"On", "Off"}},
      {"forcerecovery", {"On", "Off"}},
      {"growth", {"7"}},
      {"hashbound", {"Off", "125"}},
      {"hashkey", {"%{REMOTE_ADDR}", "%{req:X-Key} x"}},
      {"lbmethod", {"byrequests", "bytraffic", "bybusyness", "hash"}},
      {"maxattempts", {"0", "2"}},
      {"maxejected", {"30"}},
      {"minactive", {"2"}},
      {"nofailover", {"On", "Off"}},
      {"nonce", {"None", "fixed"}},
      {"queue", {"Off", "10/500ms"}},
      {"reentry", {"keep", "current"}},
      {"repeaton", {"Off", "error", "timeout,429,503", "error,timeout"}},
      {"scolonpathdelim", {"On", "Off"}},
      {"slowstart", {"30", "0"}},
      {"stickysession", {"sid", "JSESSIONID|jsessionid"}},
      {"stickysessionsep", {"Off", "-", "\"", "."}},
      {"timeout", {"4"}},
      {"trial", {"On", "Off"}},
  };
  return samples;
}

class ConfigText : public ::testing::Test {
 protected:
  unsigned below(std::size_t end) { return static_cast<unsigned>(random() % end); }

  template <class Spec, class Set>
  void shuffle_into(Spec& spec, const Samples& samples, Set set) {
    for (const auto& [key, values] : samples) {
      if (values.empty() || below(3) == 0) continue;
      ASSERT_TRUE(set(spec, key, values[below(values.size())])) << key;
    }
  }
  std::shared_ptr<BalancerSpec> random_spec() {
    auto spec = std::make_shared<BalancerSpec>();
    spec->name = "balancer://app";
    shuffle_into(*spec, balancer_samples(), balance::set_balancer_parameter);
    for (const char* url : {"http://10.0.0.1:8080", "http://[fd00::1]/app", "http://u@h/?q",
                            "unix:/run/a b.sock|http://s/"}) {
      MemberSpec& member = spec->members.emplace_back();
      EXPECT_TRUE(balance::parse_member_url(member, url));
      shuffle_into(member, member_samples(), balance::set_member_parameter);
      if (below(2) == 0) member.check.expression = "ok";
    }
    return spec;
  }
  // Changes that an operator could make: each value is one that some other spec has.
  Overlay random_overlay(const BalancerSpec& spec) {
    Overlay overlay;
    const auto other = random_spec();
    for (const std::string_view field : balance::editable_balancer_fields()) {
      if (below(2) == 0) overlay.put("", field, text_of(spec, field), text_of(*other, field));
    }
    for (std::size_t i = 0; i < spec.members.size(); ++i) {
      const MemberSpec& member = spec.members[i];
      for (const std::string_view field : balance::editable_member_fields()) {
        if (below(2) == 0)
          overlay.put(member.name, field, text_of(member, field),
                      text_of(other->members[i], field));
      }
    }
    if (below(2) == 0) overlay.remove(spec.members[below(spec.members.size())].name);
    if (below(2) == 0) {
      overlay.add("http://added:81");
      overlay.put("http://added:81", "status", "", below(2) == 0 ? "D" : "");
    }
    return overlay;
  }
  // What the block is read as; null after a failure.
  std::shared_ptr<const BalancerSpec> read(const std::string& block) {
    auto result = reader.read(std::string(head) + block);
    if (!result) {
      ADD_FAILURE() << block << describe(result.error().front());
      return nullptr;
    }
    return result->config->servers[0]->balancers.at(0);
  }

  Reader reader;
  std::mt19937 random{20'261'129};
};

// Policies as they are effective: that byrequests was written makes no difference.
void expect_same(const BalancerSpec& read, const BalancerSpec& meant, const std::string& text) {
  EXPECT_EQ(read.name, meant.name);
  EXPECT_EQ(read.effective_policy(), meant.effective_policy());
  EXPECT_EQ(read.sticky, meant.sticky);
  EXPECT_EQ(read.nofailover, meant.nofailover);
  EXPECT_EQ(read.timeout, meant.timeout);
  EXPECT_EQ(read.maxattempts, meant.maxattempts);
  EXPECT_EQ(read.fail_on_status, meant.fail_on_status);
  EXPECT_EQ(read.fail_on_timeout, meant.fail_on_timeout);
  EXPECT_EQ(read.force_recovery, meant.force_recovery);
  EXPECT_EQ(read.nonce, meant.nonce);
  EXPECT_EQ(read.growth, meant.growth);
  EXPECT_EQ(read.hash_key, meant.hash_key);
  EXPECT_EQ(read.hash_bound, meant.hash_bound);
  EXPECT_EQ(read.slow_start, meant.slow_start);
  EXPECT_EQ(read.reentry, meant.reentry);
  EXPECT_EQ(read.queue, meant.queue);
  EXPECT_EQ(read.repeat, meant.repeat);
  EXPECT_EQ(read.ejection, meant.ejection);
  EXPECT_EQ(read.separator_written, meant.separator_written);
  EXPECT_EQ(read.cut_written, meant.cut_written);
  EXPECT_EQ(read.members, meant.members) << text;
}

TEST_F(ConfigText, there_is_a_sample_of_every_parameter) {
  for (const auto keys : {balance::member_parameter_keys(), balance::check_parameter_keys()}) {
    for (const std::string_view key : keys) EXPECT_TRUE(member_samples().contains(key)) << key;
  }
  for (const std::string_view key : balance::balancer_parameter_keys())
    EXPECT_TRUE(balancer_samples().contains(key)) << key;
}

TEST_F(ConfigText, any_balancer_with_any_changes_is_read_as_it_is) {
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    const auto spec = random_spec();
    const Overlay overlay = random_overlay(*spec);
    const std::string text = balance::config_text(spec, overlay);
    ASSERT_THAT(text, StartsWith("<Proxy balancer://app>\n"));
    if (const auto again = read(text)) expect_same(*again, *laid_over(spec, overlay), text);
  }
}

TEST_F(ConfigText, only_what_was_said_is_said) {
  BalancerSpec spec;
  spec.name = "balancer://app";
  ASSERT_TRUE(balance::parse_member_url(spec.members.emplace_back(), "http://a:8080"));
  EXPECT_EQ(balance::config_text(spec),
            "<Proxy balancer://app>\n    BalancerMember http://a:8080\n</Proxy>\n");
}

// The other way round the longer one would be taken for the shorter ("Sharing worker").
TEST_F(ConfigText, a_url_that_begins_with_anothers_is_written_before_it) {
  auto spec = std::make_shared<BalancerSpec>();
  spec->name = "balancer://app";
  for (const char* url : {"http://b", "http://a:81", "http://c"})
    ASSERT_TRUE(balance::parse_member_url(spec->members.emplace_back(), url));
  Overlay overlay;
  overlay.add("http://a:81/x");
  overlay.add("http://a:81/x/y");
  const auto again = read(balance::config_text(spec, overlay));
  ASSERT_NE(again, nullptr);
  std::string names;
  for (const MemberSpec& member : again->members) names += member.name + ' ';
  EXPECT_EQ(names, "http://b http://a:81/x/y http://a:81/x http://a:81 http://c ");
}

TEST_F(ConfigText, what_no_line_could_say_is_told) {
  auto spec = std::make_shared<BalancerSpec>();
  spec->name = "balancer://app";
  ASSERT_TRUE(balance::parse_member_url(spec->members.emplace_back(), "http://a"));
  ASSERT_TRUE(balance::parse_member_url(spec->members.emplace_back(), "http://b/?x=y"));
  ASSERT_TRUE(balance::parse_member_url(spec->members.emplace_back(), "http://joe:secret@c"));
  Overlay overlay;
  overlay.put("http://a", "route", "", "two\nlines");
  overlay.put("http://a", "redirect", "", "${HOME}");
  overlay.put("http://10.0.0.5:8080", "lbset", "0", "2");
  overlay.remove("http://10.0.0.6:8080");
  const std::string text = balance::config_text(spec, overlay);
  EXPECT_THAT(text, HasSubstr("# Left out, of \"http://a\": \"route=two?lines\""));
  EXPECT_THAT(text, HasSubstr("# Left out, of \"http://a\": \"redirect=${HOME}\""));
  EXPECT_THAT(text, HasSubstr("# Left out, of \"http://b/?x=y\""));
  EXPECT_THAT(text, HasSubstr("# Left out, of \"http://joe@c\": the password in its URL"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  EXPECT_THAT(text, HasSubstr("# Left out, of \"http://10.0.0.5:8080\": lbset=\"2\""));
  EXPECT_THAT(text, HasSubstr("# Left out, of \"http://10.0.0.6:8080\": that it was removed"));
  const auto again = read(text);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(again->members.size(), 2U);
  EXPECT_THAT(text.substr(text.find("<Proxy")), Not(HasSubstr("HOME")));
}

}  // namespace
}  // namespace steelyard::apacheconf
