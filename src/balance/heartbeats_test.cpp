// lbmethod=heartbeat, against examples and against a slow model written from the description alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "balance/test_group.hpp"

namespace steelyard::balance {
namespace {

using heartbeat::Server;
using heartbeat::Servers;
using ::testing::ElementsAre;

// "host:port[,status]" words; lbmethod=heartbeat.
std::shared_ptr<BalancerSpec> spec_of(std::string_view words, std::string_view parameters = "") {
  auto spec = group_spec(words, parameters);
  spec->policy = Policy::heartbeat;
  for (MemberSpec& member : spec->members) {
    member.host = member.name.substr(0, member.name.find(':'));
  }
  return spec;
}

class Farm {
 public:
  explicit Farm(std::string_view members, std::string_view parameters = "")
      : Farm(spec_of(members, parameters)) {}
  explicit Farm(std::shared_ptr<BalancerSpec> spec) : group(std::move(spec)) {}

  // "host ready busy age" words of four.
  void hear(std::string_view text) {
    std::vector<Server> all;
    const auto words = split_words(text);
    for (std::size_t i = 0; i + 3 < words.size(); i += 4) {
      const auto number = [&](std::size_t at) {
        return static_cast<int>(parse_lax(words[i + at]));
      };
      all.push_back({.ip = std::string(words[i]),
                     .message = {.ready = number(1), .busy = number(2)},
                     .seen_at = group.now - seconds(number(3))});
    }
    servers = Servers(std::move(all));
  }

  Decision choose(std::uint64_t random, Explanation* explanation = nullptr) {
    ChoiceRequest request;
    request.now = group.now;
    request.random = random;
    request.servers = &servers;
    request.explanation = explanation;
    return group.balancer.choose(request);
  }

  // How often each member is chosen.
  std::map<std::string, int> shares(int draws = 8600) {
    std::map<std::string, int> shares;
    for (int i = 0; i < draws; ++i) ++shares[Group::name_of(choose(seed++))];
    return shares;
  }
  // Who is ever chosen.
  std::string chosen() {
    std::string names;
    for (const auto& [name, count] : shares(500)) names += (names.empty() ? "" : " ") + name;
    return names;
  }

  Group group;
  Servers servers;
  std::uint64_t seed = 1;
};

TEST(ByHeartbeat, one_address_of_a_name_belongs_to_the_server_at_that_address) {
  auto spec = spec_of("app:1 app:2 b:3");
  spec->members[0].address = IpAddress::parse("10.0.0.5");
  spec->members[1].address = IpAddress::parse("::1");
  Farm farm(spec);
  farm.hear("10.0.0.5 40 10 1");
  EXPECT_EQ(farm.chosen(), "app:1");
  farm.hear("::1 40 10 1 10.0.0.6 40 10 1");
  EXPECT_EQ(farm.chosen(), "app:2");
  // Two addresses of one name are two servers, also to who wants to know why.
  farm.hear("::1 40 10 1 10.0.0.5 40 10 1");
  EXPECT_EQ(farm.chosen(), "app:1 app:2");
  Explanation explanation;
  farm.choose(1, &explanation);
  for (const Candidate& candidate : explanation.candidates)
    EXPECT_NE(candidate.verdict, Verdict::shadowed) << candidate.name;
}

TEST(ByHeartbeat, the_worked_example_gives_forty_and_three_parts_of_forty_three) {
  Farm farm("a b");
  farm.hear("a 40 10 1 b 8 0 1");
  auto shares = farm.shares();
  EXPECT_NEAR(shares["a"], 8000, 120);
  EXPECT_NEAR(shares["b"], 600, 120);
}

TEST(ByHeartbeat, nothing_heard_means_nobody) {
  Farm farm("a b");
  const Decision decision = farm.choose(1);
  EXPECT_EQ(decision.outcome, Outcome::none_usable);
  EXPECT_FALSE(decision.lease);
  EXPECT_EQ(farm.group.name_of(farm.group.choose()), "-");
  EXPECT_EQ(Farm("").choose(1).outcome, Outcome::no_members);
}

TEST(ByHeartbeat, a_host_that_was_silent_for_ten_seconds_gets_nothing) {
  Farm farm("a b");
  farm.hear("a 40 10 9 b 40 10 10");
  EXPECT_EQ(farm.chosen(), "a");
}

TEST(ByHeartbeat, the_host_has_to_be_the_address_as_text) {
  Farm farm("a b");
  farm.hear("A 40 10 1 aa 40 10 1 b 40 10 1");
  EXPECT_EQ(farm.chosen(), "b");
}

TEST(ByHeartbeat, no_idle_workers_means_nobody_but_beside_others_a_boundary_is_hit) {
  Farm farm("a b");
  farm.hear("a 0 10 1 b 3 0 1");
  EXPECT_EQ(farm.chosen(), "-");
  farm.hear("a 1 10 1 b 0 10 1");
  auto shares = farm.shares(1000);
  EXPECT_NEAR(shares["a"], 500, 60);
  EXPECT_NEAR(shares["b"], 500, 60);
  farm.hear("a 0 10 1 b 1 10 1");
  EXPECT_EQ(farm.chosen(), "b");
}

TEST(ByHeartbeat, of_several_members_of_a_host_the_last_usable_gets_all) {
  Farm farm("a:1 a:2 b:1 a:3");
  farm.hear("a 40 10 1");
  EXPECT_EQ(farm.chosen(), "a:3");
  farm.group.change("a:3", Flag::disabled);
  EXPECT_EQ(farm.chosen(), "a:2");
}

TEST(ByHeartbeat, a_host_with_two_members_counts_twice) {
  Farm farm("a:1 b:1 a:2");
  farm.hear("a 10 1 1 b 10 1 1");
  auto shares = farm.shares(3100);
  // Points 0 to 30: a takes 0-9, b 10-19, a again 20-30.
  EXPECT_NEAR(shares["a:2"], 2100, 120);
  EXPECT_NEAR(shares["b:1"], 1000, 120);
}

TEST(ByHeartbeat, sets_standbys_spares_draining_and_factors_are_not_asked) {
  Farm farm("a@1 b,H c,R d,N e*100");
  farm.hear("a 10 1 1 b 10 1 1 c 10 1 1 d 10 1 1 e 10 1 1");
  auto shares = farm.shares(5100);
  for (const std::string_view name : {"a", "b", "c", "d", "e"}) {
    EXPECT_NEAR(shares[std::string(name)], 1000, 160) << name;
  }
}

TEST(ByHeartbeat, a_member_in_error_is_tried_again_when_its_time_is_over) {
  Farm farm("a b");
  farm.hear("a 10 1 1 b 10 1 1");
  Decision decision = farm.choose(1);
  const std::string failed = Group::name_of(decision);
  EXPECT_TRUE(farm.group.balancer.connect_failed(decision.lease, farm.group.now));
  EXPECT_EQ(farm.chosen(), failed == "a" ? "b" : "a");
  farm.group.now += seconds(61);
  farm.hear("a 10 1 1 b 10 1 1");
  EXPECT_EQ(farm.chosen(), "a b");
}

TEST(ByHeartbeat, credits_stay_as_they_are) {
  Farm farm("a b");
  farm.hear("a 10 1 1 b 10 1 1");
  farm.shares(100);
  EXPECT_THAT(farm.group.credits(), ElementsAre(0, 0));
}

TEST(ByHeartbeat, a_session_is_honoured_without_any_heartbeat) {
  Farm farm("a=one b=two", "stickysession=sid");
  EXPECT_EQ(Group::name_of(farm.group.choose("two")), "b");
}

TEST(ByHeartbeat, an_explanation_tells_why_not) {
  Farm farm("a:1 a:2 b c,D");
  farm.hear("a 10 1 1 c 10 1 1");
  Explanation explanation;
  farm.choose(1, &explanation);
  std::vector<Verdict> verdicts;
  verdicts.reserve(explanation.candidates.size());
  for (const Candidate& candidate : explanation.candidates) verdicts.push_back(candidate.verdict);
  EXPECT_THAT(verdicts, ElementsAre(Verdict::shadowed, Verdict::chosen, Verdict::no_heartbeat,
                                    Verdict::unusable));
  EXPECT_EQ(explanation.candidates[1].heartbeat_weight, 10);
}

// From the description, by tables of points: who owns each point from 0 to the total.
std::vector<std::string> owners(
    const std::vector<std::tuple<std::string, std::string, bool>>& members,
    const std::map<std::string, std::array<int, 3>>& heard) {
  std::map<std::string, std::string> last;
  std::vector<std::pair<std::string, int>> listed;
  for (const auto& [name, host, usable] : members) {
    const auto found = heard.find(host);
    if (!usable || found == heard.end() || found->second[2] >= 10) continue;
    const auto [ready, busy, age] = found->second;
    last[host] = name;
    listed.emplace_back(host, busy == 0 ? ready / 4 : ready);
  }
  int total = 0;
  for (const auto& [host, ready] : listed) total += ready;
  if (total == 0) return {};
  std::vector<std::string> points(static_cast<std::size_t>(total) + 1);
  std::size_t begin = 0;
  for (const auto& [host, ready] : listed) {
    for (std::size_t p = begin; p <= begin + static_cast<std::size_t>(ready); ++p)
      points[p] = last[host];
    begin += static_cast<std::size_t>(ready);
  }
  return points;
}

TEST(ByHeartbeat, agrees_with_a_slow_model_in_random_worlds) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 dice(seed);
    const auto roll = [&](int most) {
      return static_cast<int>(dice() % static_cast<unsigned>(most));
    };
    std::string words;
    std::vector<std::tuple<std::string, std::string, bool>> members;
    for (int i = 0, count = 1 + roll(6); i < count; ++i) {
      const std::string host(1, static_cast<char>('a' + roll(4)));
      const std::string name = host + ':' + std::to_string(i);
      const bool usable = roll(4) != 0;
      words += name + (usable ? " " : ",D ");
      members.emplace_back(name, host, usable);
    }
    Farm farm(words);
    std::map<std::string, std::array<int, 3>> heard;
    std::string text;
    for (const char host : {'a', 'b', 'c', 'd'}) {
      if (roll(4) == 0) continue;
      heard[std::string(1, host)] = {roll(9), roll(3), roll(12)};
      const auto& [ready, busy, age] = heard[std::string(1, host)];
      text += std::string(1, host) + ' ' + std::to_string(ready) + ' ' + std::to_string(busy) +
              ' ' + std::to_string(age) + ' ';
    }
    farm.hear(text);
    const std::vector<std::string> points = owners(members, heard);
    std::map<std::string, double> wanted;
    for (const std::string& owner : points)
      wanted[owner] += 1.0 / static_cast<double>(points.size());
    if (points.empty()) wanted["-"] = 1;
    constexpr int draws = 2000;
    auto got = farm.shares(draws);
    for (const auto& [name, count] : got) EXPECT_TRUE(wanted.contains(name)) << seed << ' ' << name;
    for (const auto& [name, share] : wanted) {
      EXPECT_NEAR(got[name], share * draws, 150)
          << "seed " << seed << ' ' << name << " in " << text;
    }
  }
}

}  // namespace
}  // namespace steelyard::balance
