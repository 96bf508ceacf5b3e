#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "balance/parameters.hpp"
#include "balance/scheme.hpp"
#include "base/check.hpp"
#include "health/prober.hpp"
#include "io/sim/sim_network.hpp"

// Members on a simulated network with a prober that looks after them. For tests only.

namespace steelyard::health {

class LineLog final : public proxy::LogSink {
 public:
  void access(const config::LogTarget& /*target*/, std::string_view /*line*/) override {}
  void error(const config::LogTarget& /*target*/, const proxy::ErrorLine& line) override {
    lines.emplace_back(line.text);
  }
  void turn_ended() override {}
  std::vector<std::string> lines;
};

// What a member does with the connections of checks.
struct PlayedMember {
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  enum class Then { close, stay_open, reset } then = Then::close;
  std::string heard;
  int connections = 0;
  std::vector<std::unique_ptr<io::SimStream>> open;
};

inline balance::MemberSpec checked_member(std::string_view url,
                                          std::span<const std::string> parameters) {
  balance::MemberSpec member;
  CHECK(balance::parse_member_url(member, url));
  for (const std::string& parameter : parameters) {
    const std::size_t at = parameter.find('=');
    const std::string key = parameter.substr(0, at), value = parameter.substr(at + 1);
    if (key == "hcexpr") {
      member.check.expression = value;
    } else {
      CHECK(balance::set_member_parameter(member, key, value));
    }
  }
  return member;
}

class CheckedWorld {
 public:
  // Members m1, m2, ... of balancer://app on port 80, each with these parameters.
  explicit CheckedWorld(int members, std::vector<std::string> parameters,
                        std::string scheme = "http")
      : parameters_(std::move(parameters)), scheme_(std::move(scheme)) {
    for (int i = 1; i <= members; ++i) revive(i);
    reload(members);
  }

  void reload(int members) { adopt(make_config(members)); }
  void reload(int members, std::vector<std::string> parameters) {
    parameters_ = std::move(parameters);
    reload(members);
  }
  void adopt(std::unique_ptr<config::Config> config) {
    generation = registry.bind(std::move(config), loop.now());
    prober.adopt(generation);
    loop.settle();
  }

  std::unique_ptr<config::Config> make_config(int members) {
    auto config = std::make_unique<config::Config>();
    config->servers.push_back(std::make_unique<config::Server>());
    config::Server& server = *config->servers[0];
    server.name = "lb.test";
    server.client.timeout = std::chrono::seconds(3);
    server.log_levels.general = config::LogLevel::debug;
    server.health_conditions = conditions;
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://app";
    for (int i = 1; i <= members; ++i) {
      const std::string port = balance::default_port(scheme_) == 80 ? "" : ":80";
      spec->members.push_back(
          checked_member(scheme_ + "://m" + std::to_string(i) + port, parameters_));
    }
    server.balancers.push_back(spec);
    return config;
  }

  void revive(int i) { listen("m" + std::to_string(i) + ":80", member(i)); }
  void kill(int i) { dialer.refuse("m" + std::to_string(i) + ":80"); }
  void listen(const std::string& place, PlayedMember& played) {
    dialer.listen(place, [this, &played](std::unique_ptr<io::SimStream> peer) {
      ++played.connections;
      played.open.push_back(std::move(peer));
      loop.post([this, &played] { answer(played); });
    });
  }
  PlayedMember& member(int i) { return members_[i]; }

  std::string status(int i) { return balance::display_text(view(i).status); }
  balance::MemberView view(int i) {
    return generation->groups()[0].balancers[0].state->members().at(
        static_cast<std::size_t>(i - 1));
  }
  std::string last_text(int i) {
    const auto checks = view(i).checks;
    return checks.last ? checks.last->evidence.text : "none";
  }
  void pass(Duration time) { loop.advance(time); }

  io::SimLoop loop;
  io::SimDialer dialer{loop};
  LineLog log;
  config::HealthConditions conditions;
  proxy::StateRegistry registry;
  std::shared_ptr<const proxy::Generation> generation;
  std::uint64_t next_random = 0;
  Prober prober{{loop, dialer, log, [this] { return next_random; }}};

 private:
  void answer(PlayedMember& played) {
    if (played.open.empty()) return;
    io::SimStream& stream = *played.open.back();
    played.heard += stream.take_all();
    stream.say(played.answer);
    if (played.then == PlayedMember::Then::stay_open) return;
    if (played.then == PlayedMember::Then::reset) stream.reset();
    played.open.pop_back();
  }

  std::vector<std::string> parameters_;
  std::string scheme_;
  std::map<int, PlayedMember> members_;
};

}  // namespace steelyard::health
