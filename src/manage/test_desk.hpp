#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "base/text.hpp"
#include "io/sim/sim_network.hpp"
#include "manage/control_connection.hpp"
#include "manage/control_desk.hpp"

// A control desk with balancers behind it, on simulated time. For tests only.

namespace steelyard::manage {

// "balancer://app" with members m1, m2, ... that have the routes r1, r2, ...
inline std::shared_ptr<const balance::BalancerSpec> sticky_spec(const std::string& name,
                                                                int members) {
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = "balancer://" + name;
  CHECK(balance::set_balancer_parameter(*spec, "stickysession", "sid"));
  for (int i = 1; i <= members; ++i) {
    balance::MemberSpec member;
    CHECK(balance::parse_member_url(member, "http://m" + std::to_string(i) + ":8080"));
    CHECK(balance::set_member_parameter(member, "route", "r" + std::to_string(i)));
    spec->members.push_back(std::move(member));
  }
  return spec;
}

class DeskWorld : public ::testing::Test {
 protected:
  DeskWorld() { adopt(one_balancer()); }

  static std::unique_ptr<config::Config> one_balancer(int members = 2) {
    auto config = std::make_unique<config::Config>();
    config->servers.push_back(std::make_unique<config::Server>());
    config->servers[0]->name = "lb.test";
    config->servers[0]->balancers.push_back(sticky_spec("app", members));
    return config;
  }

  static void add_host(config::Config& config, const std::string& name, std::uint16_t port,
                       std::shared_ptr<const balance::BalancerSpec> spec) {
    auto host = std::make_unique<config::Server>();
    host->name = name;
    host->addresses.push_back({.ip = std::nullopt, .port = port, .host = {}});
    host->balancers.push_back(std::move(spec));
    config.servers.push_back(std::move(host));
  }

  void adopt(std::unique_ptr<config::Config> config) {
    generation = registry.bind(std::move(config), loop.now());
    chronicle.adopt(*generation);
    desk.adopt(*generation);
  }

  balance::Balancer& balancer() { return *generation->groups()[0].balancers[0].state; }
  balance::MemberView view(std::size_t at = 0) { return balancer().members().at(at); }
  std::string status(std::size_t at = 0) {
    return std::string(trim(balance::display_text(view(at).status)));
  }

  // The session value "NAME.rN" asks for a member; the exchange lasts as long as the decision.
  balance::Decision visit(const std::string& value) {
    balance::Session session;
    session.found = true;
    session.value = value;
    session.tag = std::string_view(value).substr(value.find('.') + 1);
    return balancer().choose({.session = session, .now = loop.now()});
  }

  std::string ask(std::string_view line) {
    const auto request = parse_request(line);
    return request ? desk.answer(*request, "a test") : "FAULT " + request.error().text;
  }

  io::SimLoop loop;
  std::vector<std::string> lines;
  const std::function<void(config::LogLevel, const std::string&)> log_line =
      [this](config::LogLevel /*level*/, const std::string& text) { lines.push_back(text); };
  int told_of_members = 0;
  ChangesBook book{std::nullopt, log_line,  // no journal
                   [](const NamedBalancer& /*balancer*/, std::string_view condition) {
                     return condition != "nowhere";
                   }};
  proxy::ShardGroup group;
  Chronicle chronicle{loop, group};
  ControlDesk desk{ChangeDesk::Parts{.loop = loop,
                                     .book = book,
                                     .log = log_line,
                                     .members_changed = [this] { ++told_of_members; }},
                   chronicle};
  proxy::StateRegistry registry;
  std::shared_ptr<const proxy::Generation> generation;
};

}  // namespace steelyard::manage
