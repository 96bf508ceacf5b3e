#include "balance/parameters.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace steelyard::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string complaint_about_member(std::string_view key, std::string_view value) {
  MemberSpec spec;
  const auto result = set_member_parameter(spec, key, value);
  EXPECT_TRUE(result || spec == MemberSpec{}) << key << '=' << value;
  return result ? "" : result.error();
}

MemberSpec member_with(std::string_view key, std::string_view value) {
  MemberSpec spec;
  const auto result = set_member_parameter(spec, key, value);
  EXPECT_TRUE(result) << key << '=' << value << ": " << result.error();
  return spec;
}

std::string complaint_about_balancer(std::string_view key, std::string_view value) {
  BalancerSpec spec;
  const auto result = set_balancer_parameter(spec, key, value);
  return result ? "" : result.error();
}

BalancerSpec balancer_with(std::string_view key, std::string_view value) {
  BalancerSpec spec;
  const auto result = set_balancer_parameter(spec, key, value);
  EXPECT_TRUE(result) << key << '=' << value << ": " << result.error();
  return spec;
}

struct Refusal {
  std::string_view key;
  std::string value;
  std::string_view complaint;
};

constexpr std::string_view factor = "LoadFactor must be a number between 1..100";
constexpr std::string_view ttl =
    "AddressTTL must be -1 or a number of seconds not exceeding (2147483647)";
constexpr std::string_view wait =
    "flushwait must be <= 1000, or 0 for system default of 10 millseconds.";

// Texts observed with `apache2 -t` (2.4.71), without the directive's prefix.
TEST(MemberParameters, refuse_what_httpd_refuses_with_its_words) {
  const std::string long_text(64, 'x');
  const std::string long_word(16, 'x');
  const Refusal refusals[] = {
      {"loadfactor", "0", factor},
      {"loadfactor", "abc", factor},
      {"loadfactor", "101", factor},
      {"loadfactor", "0.999", factor},
      {"loadfactor", "nan", factor},
      {"loadfactor", "inf", factor},
      {"loadfactor", "", factor},
      {"retry", "-1", "Retry must be a positive value"},
      {"route", long_text, "Route length must be < 64 characters"},
      {"redirect", long_text, "Redirect length must be < 64 characters"},
      {"status", "X", "Unknown status parameter option"},
      {"status", "D+", "Unknown status parameter option"},
      {"lbset", "-1", "lbset must be between 0 and 99"},
      {"lbset", "100", "lbset must be between 0 and 99"},
      {"min", "-1", "Min must be a positive number"},
      {"max", "-1", "Max must be a positive number"},
      {"smax", "-1", "Smax must be a positive number"},
      {"ttl", "0", "TTL must be at least one second"},
      {"acquire", "5S", "Acquire timeout has wrong format"},
      {"acquire", "0", "Acquire must be at least one millisecond"},
      {"acquire", "", "Acquire must be at least one millisecond"},
      {"acquire", "99999999999999999999", "Acquire timeout has wrong format"},
      {"acquire", "0x10", "Acquire timeout has wrong format"},
      {"timeout", "0", "Timeout must be at least one second"},
      {"timeout", "abc", "Timeout must be at least one second"},
      {"connectiontimeout", "5m", "Connectiontimeout has wrong format"},
      {"connectiontimeout", "5MIN", "Connectiontimeout has wrong format"},
      {"connectiontimeout", "0", "Connectiontimeout must be at least one millisecond."},
      {"connectiontimeout", "s", "Connectiontimeout must be at least one millisecond."},
      {"ping", "5us", "Ping/Pong timeout has wrong format"},
      {"ping", "1.5", "Ping/Pong timeout has wrong format"},
      {"ping", "-5", "Ping/Pong timeout has wrong format"},
      {"ping", "9223372036854775807s", "Ping/Pong timeout has wrong format"},
      {"ping", "0", "Ping/Pong timeout must be at least one millisecond"},
      {"keepalive", "x", "KeepAlive must be On|Off"},
      {"disablereuse", "x", "DisableReuse must be On|Off"},
      {"enablereuse", "1", "EnableReuse must be On|Off"},
      {"addressttl", "x", ttl},
      {"addressttl", "-2", ttl},
      {"addressttl", "-1x", ttl},
      {"addressttl", "1500ms", ttl},
      {"addressttl", "2147483648", ttl},
      {"iobuffersize", "5", "IOBufferSize must be >= 512 bytes, or 0 for system default."},
      {"iobuffersize", "-1", "IOBufferSize must be >= 512 bytes, or 0 for system default."},
      {"receivebuffersize", "511",
       "ReceiveBufferSize must be >= 512 bytes, or 0 for system default."},
      {"responsefieldsize", "-1",
       "ResponseFieldSize must be greater than 0 bytes, or 0 for system default."},
      {"flushpackets", "x", "flushpackets must be on|off|auto"},
      {"flushwait", "1001", wait},
      {"flushwait", "-1", wait},
      {"flusher", long_word, "flusher name length must be < 16 characters"},
      {"upgrade", long_word, "upgrade protocol length must be < 16 characters"},
      {"secret", long_text, "Secret length must be < 64 characters"},
      {"foo", "1", "unknown Worker parameter"},
      {"stickysession", "x", "unknown Worker parameter"},
  };
  for (const Refusal& refusal : refusals) {
    EXPECT_EQ(complaint_about_member(refusal.key, refusal.value), refusal.complaint)
        << refusal.key << '=' << refusal.value;
  }
}

TEST(CheckParameters, refuse_what_httpd_refuses_with_its_words) {
  const std::string long_text(64, 'x');
  const Refusal refusals[] = {
      {"hcmethod", "nonsense", "Unknown method"},
      {"hcmethod", "PROVIDER", "Health check method PROVIDER not (yet) implemented"},
      {"hcinterval", "abc", "Unparse-able hcinterval setting"},
      {"hcinterval", "99ms", "Interval must be a positive value greater than 100ms"},
      {"hcinterval", "0", "Interval must be a positive value greater than 100ms"},
      {"hcpasses", "-1", "Passes must be a positive value"},
      {"hcfails", "-1", "Fails must be a positive value"},
      {"hcuri", long_text, "Health check uri length must be < 64 characters"},
      {"hcfoo", "1", "unknown Worker hcheck parameter"},
      {"proxyprotocol", "v3", "proxyprotocol must be v1|v2|Off"},
      {"hctimeout", "0", "hctimeout must be at least one millisecond"},
      {"hcport", "0", "hcport must be a number between 1 and 65535"},
      {"hcport", "65536", "hcport must be a number between 1 and 65535"},
      {"hchost", "a b", "hchost must be a host name, with :port if it is not the scheme's"},
      {"hchost", "", "hchost must be a host name, with :port if it is not the scheme's"},
      {"hcjitter", "2h", "hcjitter must be at most one hour"},
      {"hcdowninterval", "5ms", "Interval must be a positive value greater than 100ms"},
      {"hcshare", "yes", "hcshare must be On|Off"},
      {"hcsni", "a:1", "hcsni must be a host name"},
  };
  for (const Refusal& refusal : refusals) {
    EXPECT_EQ(complaint_about_member(refusal.key, refusal.value), refusal.complaint)
        << refusal.key << '=' << refusal.value;
  }
}

TEST(CheckParameters, every_listed_key_is_known) {
  for (const std::string_view key : check_parameter_keys()) {
    if (key == "hcexpr" || key == "hctemplate") continue;
    EXPECT_NE(complaint_about_member(key, "2"), unknown_check_parameter) << key;
  }
  EXPECT_TRUE(std::ranges::is_sorted(check_parameter_keys()));
}

TEST(MemberParameters, q85_a_load_factor_is_cut_to_hundredths) {
  EXPECT_EQ(member_with("loadfactor", "1.999").load_factor, 199);
  EXPECT_EQ(member_with("loadfactor", "100.009").load_factor, 10000);
  EXPECT_EQ(member_with("loadfactor", "1e1").load_factor, 1000);
  EXPECT_EQ(member_with("loadfactor", "2x").load_factor, 200);
  EXPECT_EQ(member_with("loadfactor", " 5").load_factor, 500);
  // 1.15 is a little less than 1.15 in binary, and httpd cuts rather than rounds.
  EXPECT_EQ(member_with("loadfactor", "1.15").load_factor, 114);
}

TEST(MemberParameters, q35_plain_numbers_ignore_units) {
  EXPECT_EQ(member_with("timeout", "2min").timeout, seconds(2));
  EXPECT_EQ(member_with("retry", "5min").retry, seconds(5));
  EXPECT_EQ(member_with("retry", "abc").retry, seconds(0));
  EXPECT_EQ(member_with("max", "+5").pool.connections_max, 5);
  EXPECT_EQ(member_with("timeout", "99999999999").timeout, seconds(INT32_MAX));
}

TEST(MemberParameters, q33_q84_durations_have_lower_case_units) {
  EXPECT_EQ(member_with("acquire", "200").pool.acquire_wait, milliseconds(200));
  EXPECT_EQ(member_with("acquire", "5s").pool.acquire_wait, seconds(5));
  EXPECT_EQ(member_with("acquire", "+5").pool.acquire_wait, milliseconds(5));
  EXPECT_EQ(member_with("connectiontimeout", "5").connection_timeout, seconds(5));
  EXPECT_EQ(member_with("connectiontimeout", "5second").connection_timeout, seconds(5));
  EXPECT_EQ(member_with("connectiontimeout", "5mi").connection_timeout, seconds(300));
  EXPECT_EQ(member_with("connectiontimeout", "5msx").connection_timeout, milliseconds(5));
  EXPECT_EQ(member_with("ping", "1hours").ping, seconds(3600));
}

TEST(MemberParameters, keys_and_switches_ignore_case) {
  EXPECT_EQ(member_with("LoadFactor", "3").load_factor, 300);
  EXPECT_TRUE(member_with("KEEPALIVE", "oN").tcp_keepalive);
  EXPECT_EQ(member_with("disablereuse", "on").disable_reuse, true);
  EXPECT_EQ(member_with("enablereuse", "on").disable_reuse, false);
}

TEST(MemberParameters, values_that_stand_for_others) {
  EXPECT_EQ(member_with("upgrade", "any").upgrade, "*");
  EXPECT_EQ(member_with("upgrade", "websocket").upgrade, "websocket");
  EXPECT_EQ(member_with("flushwait", "0").flush_wait, milliseconds(10));
  EXPECT_EQ(member_with("flushpackets", "AUTO").flush_packets, FlushPackets::automatic);
  EXPECT_EQ(member_with("responsefieldsize", "0").response_field_bytes, 8192);
  EXPECT_EQ(member_with("iobuffersize", "0").io_buffer_bytes, 0);
  EXPECT_EQ(member_with("addressttl", "1h").address_ttl, seconds(3600));
  EXPECT_EQ(member_with("addressttl", "").address_ttl, seconds(0));
  EXPECT_EQ(member_with("addressttl", "2000ms").address_ttl, seconds(2));
}

TEST(MemberParameters, addressttl_minus_one_means_for_ever) {
  MemberSpec spec = member_with("addressttl", "5");
  EXPECT_TRUE(set_member_parameter(spec, "addressttl", "-1"));
  EXPECT_EQ(spec.address_ttl, address_ttl_for_ever);
}

TEST(MemberParameters, status_letters_build_on_each_other) {
  MemberSpec spec = member_with("status", "+DH");
  EXPECT_TRUE(set_member_parameter(spec, "status", "-D"));
  EXPECT_EQ(spec.status, Status(Flag::standby));
}

TEST(MemberParameters, every_listed_key_is_known) {
  for (const std::string_view key : member_parameter_keys()) {
    EXPECT_NE(complaint_about_member(key, "2"), unknown_member_parameter) << key;
  }
  EXPECT_TRUE(std::ranges::is_sorted(member_parameter_keys()));
}

TEST(BalancerParameters, refuse_what_httpd_refuses_with_its_words) {
  const std::string_view codes = "failonstatus must be one or more HTTP response codes";
  const Refusal refusals[] = {
      {"lbmethod", "foo", "unknown lbmethod"},
      {"lbmethod", "", "unknown lbmethod"},
      {"lbmethod", "BYREQUESTS", "unknown lbmethod"},
      {"stickysessionsep", "ab", "stickysessionsep must be a single character or Off"},
      {"stickysessionsep", "", "stickysessionsep must be a single character or Off"},
      {"scolonpathdelim", "x", "scolonpathdelim must be On|Off"},
      {"nofailover", "x", "failover must be On|Off"},
      {"timeout", "0", "timeout must be at least one second"},
      {"timeout", "abc", "timeout must be at least one second"},
      {"maxattempts", "-1", "maximum number of attempts must be a positive number"},
      {"failonstatus", "99", codes},
      {"failonstatus", "600", codes},
      {"failonstatus", "abc", codes},
      {"failonstatus", "5xx,500", codes},
      {"failontimeout", "x", "failontimeout must be On|Off"},
      {"forcerecovery", "x", "forcerecovery must be On|Off"},
      {"nonce", std::string(37, 'x'), "Provided nonce is too large"},
      {"growth", "0", "growth must be between 1 and 100"},
      {"growth", "101", "growth must be between 1 and 100"},
      {"growth", "abc", "growth must be between 1 and 100"},
      {"foo", "1", "unknown Balancer parameter"},
      {"loadfactor", "2", "unknown Balancer parameter"},
      {"retry", "2", "unknown Balancer parameter"},
  };
  for (const Refusal& refusal : refusals) {
    EXPECT_EQ(complaint_about_balancer(refusal.key, refusal.value), refusal.complaint)
        << refusal.key << '=' << refusal.value;
  }
}

TEST(MemberParameters, of_ours_say_what_to_write) {
  for (const std::string_view wrong : {"", "0", "1500ms", "169h", "-1", "x"}) {
    EXPECT_EQ(complaint_about_member("tunneltimeout", wrong),
              "tunneltimeout must be a time of 1s to 7 days, as in 3600, 90s or 12h")
        << wrong;
  }
  EXPECT_EQ(member_with("tunneltimeout", "168h").tunnel_idle, seconds(7 * 86'400));
}

TEST(BalancerParameters, of_ours_say_what_to_write) {
  const std::string_view queue =
      "queue must be N/TIME with 1 to 100000 requests and 1ms to 1h, or Off";
  const std::string_view failcount =
      "failcount must be 1 to 1000 failures within a time of 1s to 24h, as in 5/30s";
  const std::string_view ejectslow =
      "ejectslow must be a factor of 1.5 to 100 and a time of 1s to 1h, as in 3/30s";
  const std::string_view repeaton =
      "repeaton must be Off or a list of error, timeout and statuses from 400 to 599, as in "
      "error,timeout,503";
  const Refusal refusals[] = {
      {"repeaton", "", repeaton},
      {"repeaton", "On", repeaton},
      {"repeaton", "error,", repeaton},
      {"repeaton", "error,,503", repeaton},
      {"repeaton", "399", repeaton},
      {"repeaton", "600", repeaton},
      {"repeaton", "5xx", repeaton},
      {"repeaton", "error, timeout", repeaton},
      {"hashkey", "", "hashkey must be an expression such as %{REMOTE_ADDR}"},
      {"hashbound", "99", "hashbound must be between 100 and 10000 per cent or Off"},
      {"hashbound", "10001", "hashbound must be between 100 and 10000 per cent or Off"},
      {"hashbound", "125%", "hashbound must be between 100 and 10000 per cent or Off"},
      {"hashbound", "+125", "hashbound must be between 100 and 10000 per cent or Off"},
      {"slowstart", "", "slowstart must be a time of at most 24h, as in 30, 500ms or 2min"},
      {"slowstart", "25h", "slowstart must be a time of at most 24h, as in 30, 500ms or 2min"},
      {"slowstart", "-1", "slowstart must be a time of at most 24h, as in 30, 500ms or 2min"},
      {"reentry", "now", "reentry must be keep|current"},
      {"queue", "", queue},
      {"queue", "10", queue},
      {"queue", "10/", queue},
      {"queue", "/10", queue},
      {"queue", "0/10", queue},
      {"queue", "100001/10", queue},
      {"queue", "+1/10", queue},
      {"queue", "1/0", queue},
      {"queue", "1/61mi", queue},
      {"queue", "1/5x", queue},
      {"failcount", "5", failcount},
      {"failcount", "0/30", failcount},
      {"failcount", "1001/30", failcount},
      {"failcount", "5/", failcount},
      {"failcount", "5/999ms", failcount},
      {"failcount", "5/25h", failcount},
      {"failcount", "/30", failcount},
      {"failcount", "5/30/2", failcount},
      {"ejectslow", "1.49/30", ejectslow},
      {"ejectslow", "100.01/30", ejectslow},
      {"ejectslow", "3/2h", ejectslow},
      {"ejectslow", "3./30", ejectslow},
      {"ejectslow", ".5/30", ejectslow},
      {"ejectslow", "3", ejectslow},
      {"ejectslow", "9999999999/30", ejectslow},
      {"ejectslow", "-3/30", ejectslow},
      {"ejectmax", "", "ejectmax must be a time of 1s to 24h, as in 300, 90s or 10min"},
      {"ejectmax", "0", "ejectmax must be a time of 1s to 24h, as in 300, 90s or 10min"},
      {"maxejected", "101", "maxejected must be between 0 and 100 per cent, as in 30 or 30%"},
      {"maxejected", "%", "maxejected must be between 0 and 100 per cent, as in 30 or 30%"},
      {"maxejected", "5%%", "maxejected must be between 0 and 100 per cent, as in 30 or 30%"},
      {"minactive", "0", "minactive must be between 1 and 1000"},
      {"minactive", "1001", "minactive must be between 1 and 1000"},
      {"trial", "x", "trial must be On|Off"},
  };
  for (const Refusal& refusal : refusals) {
    EXPECT_EQ(complaint_about_balancer(refusal.key, refusal.value), refusal.complaint)
        << refusal.key << '=' << refusal.value;
  }
}

TEST(BalancerParameters, policies_by_name) {
  EXPECT_EQ(balancer_with("lbmethod", "byrequests").policy, Policy::by_requests);
  EXPECT_EQ(balancer_with("lbmethod", "bytraffic").policy, Policy::by_traffic);
  EXPECT_EQ(balancer_with("LBMethod", "bybusyness").policy, Policy::by_busyness);
  EXPECT_EQ(policy_name(Policy::by_busyness), "bybusyness");
  EXPECT_EQ(BalancerSpec{}.effective_policy(), Policy::by_requests);
}

TEST(BalancerParameters, every_policy_has_a_word_and_only_httpds_want_a_module) {
  for (const PolicyTraits& traits : all_policies()) {
    EXPECT_EQ(balancer_with("lbmethod", traits.name).policy, traits.policy);
    EXPECT_EQ(policy_name(traits.policy), traits.name);
    EXPECT_EQ(traits.origin == PolicyOrigin::httpd,
              traits.name.starts_with("by") || traits.name == "heartbeat");
  }
}

TEST(BalancerParameters, extensions_are_read_and_have_defaults) {
  EXPECT_EQ(balancer_with("hashkey", "%{req:X-User}").hash_key, "%{req:X-User}");
  EXPECT_EQ(BalancerSpec{}.effective_hash_key(), "%{REMOTE_ADDR}");
  EXPECT_EQ(balancer_with("hashbound", "150").hash_bound, 150);
  EXPECT_EQ(balancer_with("hashbound", "off").hash_bound, 0);
  EXPECT_EQ(balancer_with("lbmethod", "hash").effective_hash_bound(), 125);
  EXPECT_EQ(balancer_with("lbmethod", "maglev").effective_hash_bound(), 0);
  EXPECT_EQ(balancer_with("hashbound", "150").effective_hash_bound(), 0);  // byrequests
  EXPECT_EQ(balancer_with("slowstart", "30").slow_start, std::chrono::seconds(30));
  EXPECT_EQ(balancer_with("SlowStart", "500ms").slow_start, std::chrono::milliseconds(500));
  EXPECT_EQ(balancer_with("slowstart", "2min").slow_start, std::chrono::minutes(2));
  EXPECT_EQ(balancer_with("reentry", "Current").reentry, Reentry::current);
  EXPECT_EQ(balancer_with("reentry", "keep").reentry, Reentry::keep);
  EXPECT_EQ(balancer_with("queue", "100/10").queue, (QueueSpec{100, std::chrono::seconds(10)}));
  EXPECT_EQ(balancer_with("queue", "100000/1h").queue, (QueueSpec{100'000, std::chrono::hours(1)}));
  EXPECT_EQ(balancer_with("queue", "1/1ms").effective_queue(), (QueueSpec{1, milliseconds(1)}));
  EXPECT_EQ(balancer_with("queue", "off").effective_queue(), std::nullopt);
  EXPECT_EQ(BalancerSpec{}.effective_queue(), std::nullopt);
  MemberSpec member;
  EXPECT_TRUE(set_member_parameter(member, "slowstart", "0"));
  EXPECT_EQ(member.slow_start, std::chrono::milliseconds(0));
}

TEST(BalancerParameters, ejection_is_read_and_has_defaults) {
  EXPECT_EQ(balancer_with("failcount", "5/30").ejection.fail_limit,
            (FailLimit{.failures = 5, .within = std::chrono::seconds(30)}));
  EXPECT_EQ(balancer_with("FailCount", "1000/24h").ejection.fail_limit,
            (FailLimit{.failures = 1000, .within = std::chrono::hours(24)}));
  EXPECT_EQ(balancer_with("ejectslow", "1.5/1500ms").ejection.slow_limit,
            (SlowLimit{.factor_hundredths = 150, .window = std::chrono::milliseconds(1500)}));
  EXPECT_EQ(balancer_with("ejectslow", "2.259/1h").ejection.slow_limit->factor_hundredths, 225);
  EXPECT_EQ(balancer_with("ejectslow", "100/1").ejection.slow_limit->factor_hundredths, 10000);
  EXPECT_EQ(balancer_with("ejectmax", "10min").ejection.longest, std::chrono::minutes(10));
  EXPECT_EQ(balancer_with("maxejected", "30").ejection.percent_max, 30);
  EXPECT_EQ(balancer_with("maxejected", "30%").ejection.percent_max, 30);
  EXPECT_EQ(balancer_with("maxejected", "0").ejection.percent_max, 0);
  EXPECT_EQ(balancer_with("minactive", "3").ejection.active_min, 3);
  EXPECT_EQ(balancer_with("trial", "On").ejection.trial, true);
  EXPECT_EQ(EjectionSpec{}.effective_longest(), std::chrono::minutes(5));
  EXPECT_EQ(EjectionSpec{}.effective_percent_max(), 50);
  EXPECT_FALSE(BalancerSpec{}.ejects());
}

TEST(BalancerParameters, sticky_names_are_split_and_cut_in_silence) {
  const StickySpec same = balancer_with("stickysession", "JSESSIONID").sticky;
  EXPECT_EQ(same.cookie_name, "JSESSIONID");
  EXPECT_EQ(same.url_name, "JSESSIONID");
  const StickySpec two = balancer_with("stickysession", "JSESSIONID|jsessionid").sticky;
  EXPECT_EQ(two.cookie_name, "JSESSIONID");
  EXPECT_EQ(two.url_name, "jsessionid");
  EXPECT_EQ(balancer_with("stickysession", std::string(70, 'n')).sticky.cookie_name,
            std::string(63, 'n'));
  EXPECT_FALSE(balancer_with("stickysession", "").sticky.enabled());
  EXPECT_FALSE(balancer_with("stickysession", "|b").sticky.enabled());
}

TEST(BalancerParameters, separator_is_a_character_or_off) {
  EXPECT_EQ(BalancerSpec{}.sticky.separator, '.');
  EXPECT_EQ(balancer_with("stickysessionsep", "~").sticky.separator, '~');
  EXPECT_EQ(balancer_with("stickysessionsep", "oFF").sticky.separator, std::nullopt);
}

TEST(BalancerParameters, failonstatus_lists) {
  EXPECT_EQ(balancer_with("failonstatus", "500,502 503").fail_on_status,
            (std::vector{500, 502, 503}));
  EXPECT_EQ(balancer_with("failonstatus", ",500abc,").fail_on_status, std::vector{500});
  EXPECT_TRUE(balancer_with("failonstatus", "").fail_on_status.empty());
}

TEST(BalancerParameters, failonstatus_given_again_replaces_the_list) {
  BalancerSpec spec = balancer_with("failonstatus", "500");
  EXPECT_TRUE(set_balancer_parameter(spec, "failonstatus", "503"));
  EXPECT_EQ(spec.fail_on_status, std::vector{503});
}

TEST(BalancerParameters, plain_values) {
  EXPECT_EQ(balancer_with("timeout", "2min").timeout, seconds(2));
  EXPECT_EQ(balancer_with("maxattempts", "abc").maxattempts, 0);
  EXPECT_EQ(balancer_with("nofailover", "On").nofailover, true);
  EXPECT_EQ(balancer_with("forcerecovery", "off").force_recovery, false);
  EXPECT_EQ(balancer_with("failontimeout", "on").fail_on_timeout, true);
  EXPECT_EQ(balancer_with("nonce", "NONE").nonce, "");
  EXPECT_EQ(balancer_with("nonce", "abc").nonce, "abc");
  EXPECT_EQ(balancer_with("growth", "100").growth, 100);
  EXPECT_TRUE(balancer_with("scolonpathdelim", "on").sticky.cut_at_semicolon);
}

TEST(BalancerParameters, maxattempts_defaults_to_the_number_of_other_members) {
  BalancerSpec spec;
  EXPECT_EQ(spec.effective_maxattempts(), 0);
  spec.members.resize(1);
  EXPECT_EQ(spec.effective_maxattempts(), 0);
  spec.members.resize(3);
  EXPECT_EQ(spec.effective_maxattempts(), 2);
  spec.maxattempts = 7;
  EXPECT_EQ(spec.effective_maxattempts(), 7);
}

TEST(BalancerParameters, every_listed_key_is_known) {
  for (const std::string_view key : balancer_parameter_keys()) {
    EXPECT_NE(complaint_about_balancer(key, "2"), unknown_balancer_parameter) << key;
  }
  EXPECT_TRUE(std::ranges::is_sorted(balancer_parameter_keys()));
}

TEST(MemberUrl, the_host_of_an_ipv6_member_has_no_brackets) {
  MemberSpec spec;
  ASSERT_TRUE(parse_member_url(spec, "http://[2001:DB8::1]:81/x"));
  EXPECT_EQ(spec.host, "2001:db8::1");
  EXPECT_EQ(spec.port, 81);
}

struct UrlCase {
  std::string_view url;
  std::string_view name;
};

// Names observed in httpd's "Defined worker" messages.
TEST(MemberUrl, is_normalised_as_httpd_does) {
  const UrlCase cases[] = {
      {"http://H:80/App", "http://h/App"},
      {"HTTP://H:8080", "http://h:8080"},
      {"http://h/", "http://h/"},
      {"http://user:Pw@H:81/x", "http://user@h:81/x"},
      {"https://h:443/", "https://h/"},
      {"ws://h:80", "ws://h"},
      {"ajp://h:8009/x", "ajp://h/x"},
      {"h2c://h:80/", "h2c://h/"},
      {"http://[::1]:80/x", "http://[::1]/x"},
      {"http://[::1]:81/x", "http://[::1]:81/x"},
      {"http://h:0/", "http://h/"},
      {"http://h:", "http://h"},
      {"http://h?x", "http://h?x"},
      {"http://h/a#f", "http://h/a#f"},
      {"http://h/a%20b", "http://h/a%20b"},
      {"foo://h:5/", "foo://h:5/"},
      {"foo://h/", "foo://h/"},
      {"http://h$1/", "http://h$1/"},
      {"unix:/run/s|http://H/x", "http://h/x"},
      {"unix:/run/s|http:", "http://localhost"},
      {"unix:/run/s|http://", "http://localhost"},
  };
  for (const UrlCase& a_case : cases) {
    MemberSpec spec;
    const auto result = parse_member_url(spec, a_case.url);
    ASSERT_TRUE(result) << a_case.url << ": " << result.error();
    EXPECT_EQ(spec.name, a_case.name) << a_case.url;
  }
}

TEST(MemberUrl, is_taken_apart) {
  MemberSpec spec;
  ASSERT_TRUE(parse_member_url(spec, "unix:/run/App.sock|HTTPS://u:p@Host:81/a/b"));
  EXPECT_EQ(spec.scheme, "https");
  EXPECT_EQ(spec.host, "host");
  EXPECT_EQ(spec.port, 81);
  EXPECT_EQ(spec.path_prefix, "/a/b");
  EXPECT_EQ(spec.userinfo, "u:p");
  EXPECT_EQ(spec.unix_socket_path, "/run/App.sock");
  ASSERT_TRUE(parse_member_url(spec, "ajp://h"));
  EXPECT_EQ(spec.port, 8009);
  EXPECT_EQ(spec.unix_socket_path, "");
  ASSERT_TRUE(parse_member_url(spec, "foo://h"));
  EXPECT_EQ(spec.port, 0);
}

TEST(MemberUrl, refuses_with_httpds_words) {
  const UrlCase cases[] = {
      {"unix:/run/s|http", "uses an invalid \"unix:\" URL"},
      {"unix:/run/s", "URL must be absolute!: unix:/run/s"},
      {"/x", "URL must be absolute!: /x"},
      {"h:80", "URL must be absolute!: h:80"},
      {"http:/x", "URL must be absolute!: http:/x"},
      {"http://", "URL must be absolute!: http://"},
      {"http://:80/", "URL must be absolute!: http://:80/"},
      {"://h/", "URL must be absolute!: ://h/"},
      {"http://h:x/", "Unable to parse URL: http://h:x/"},
      {"http://h:8x/", "Unable to parse URL: http://h:8x/"},
      {"http://h:99999/", "Unable to parse URL: http://h:99999/"},
      {"", "URL must be absolute!: "},
  };
  for (const UrlCase& a_case : cases) {
    MemberSpec spec;
    const auto result = parse_member_url(spec, a_case.url);
    ASSERT_FALSE(result) << a_case.url;
    EXPECT_EQ(result.error(), a_case.name);
    EXPECT_EQ(spec, MemberSpec{});
  }
}

TEST(MemberUrl, refuses_what_is_too_long) {
  MemberSpec spec;
  const std::string host(260, 'x');
  const auto long_host = parse_member_url(spec, "http://" + host + "/");
  ASSERT_FALSE(long_host);
  EXPECT_EQ(long_host.error(), "worker hostname (" + host + ") too long");
  const std::string path = "/" + std::string(100, 'x');
  const auto long_path = parse_member_url(spec, "unix:" + path + "|http://l/");
  ASSERT_FALSE(long_path);
  EXPECT_EQ(long_path.error(), "worker uds path (" + path + ") too long");
}

}  // namespace
}  // namespace steelyard::balance
