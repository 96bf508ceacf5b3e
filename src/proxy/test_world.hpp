#pragma once

#include <memory>
#include <string>
#include <vector>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "config/target.hpp"
#include "expr/table_facts.hpp"
#include "io/sim/sim_network.hpp"
#include "io/sim/sim_splicer.hpp"
#include "proxy/kept_log.hpp"
#include "proxy/shard.hpp"

// A shard on a simulated network, with members and clients that the test plays. For tests only.

namespace steelyard::proxy {

// One member: keeps every connection that was made to it, oldest first.
struct TestMember {
  std::vector<std::unique_ptr<io::SimStream>> connections;
  io::SimStream& last() { return *connections.back(); }
  std::string heard() {
    std::string all;
    for (const auto& connection : connections) all += connection->take_all();
    return all;
  }
};

class TestWorld {
 public:
  // "ProxyPass / balancer://app/" with members m1:80, m2:80, ...
  using Words = std::vector<std::string>;  // key=value; of members a last # is the member's number
  explicit TestWorld(int members = 1, const Words& member_parameters = {},
                     const Words& balancer_parameters = {})
      : generation(registry.bind(make_config(members, member_parameters, balancer_parameters))) {
    this->members.resize(static_cast<std::size_t>(members));
    for (int i = 1; i <= members; ++i) revive(i);
    ProcessFacts process;
    process.files = &no_files;
    shard = std::make_unique<Shard>(
        ShardParts{group, loop, dialer, splicer, log_, process, [] { return 1; }, {}}, generation);
  }

  // A graceful reload.
  void reload(int member_count, const Words& member_parameters = {},
              const Words& balancer_parameters = {}) {
    adopt(make_config(member_count, member_parameters, balancer_parameters));
  }
  void adopt(std::unique_ptr<config::Config> config) {
    generation = registry.bind(std::move(config));
    shard->adopt(generation);
    loop.settle();
  }

  static std::unique_ptr<config::Config> make_config(int member_count,
                                                     const Words& member_parameters,
                                                     const Words& balancer_parameters = {}) {
    auto config = std::make_unique<config::Config>();
    config->servers.push_back(std::make_unique<config::Server>());
    config::Server& server = *config->servers[0];
    server.name = "lb.test";
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://app";
    for (int i = 1; i <= member_count; ++i) {
      balance::MemberSpec member;
      CHECK(balance::parse_member_url(member, "http://m" + std::to_string(i)));
      for (const std::string& parameter : member_parameters) {
        const std::size_t at = parameter.find('=');
        std::string value = parameter.substr(at + 1);
        if (value.ends_with('#')) value.replace(value.size() - 1, 1, std::to_string(i));
        CHECK(balance::set_member_parameter(member, parameter.substr(0, at), value));
      }
      spec->members.push_back(member);
    }
    for (const std::string& parameter : balancer_parameters) {
      const std::size_t at = parameter.find('=');
      CHECK(balance::set_balancer_parameter(*spec, parameter.substr(0, at),
                                            parameter.substr(at + 1)));
    }
    server.balancers.push_back(spec);
    config::Route route;
    route.path = "/";
    route.target = "balancer://app/";
    server.routes.push_back(route);
    config::resolve_targets(server);
    config::AccessLog log;
    std::string format = "%r|%>s|%{BALANCER_WORKER_NAME}e|%X";
    if (spec->queue) format += "|%{BALANCER_QUEUED}e";
    log.format = *expr::LogFormat::compile(format);
    server.access_logs.push_back(log);
    return config;
  }

  void revive(int member, const io::SimLink& link = {}) {
    TestMember& played = members[static_cast<std::size_t>(member - 1)];
    dialer.listen(
        "m" + std::to_string(member) + ":80",
        [&played](std::unique_ptr<io::SimStream> peer) {
          played.connections.push_back(std::move(peer));
        },
        link);
  }
  void kill(int member) { dialer.refuse("m" + std::to_string(member) + ":80"); }

  std::unique_ptr<io::SimStream> connect(const io::SimLink& link = {}) {
    io::SimPair pair = io::connect_pair(loop, link);
    shard->accept(std::move(pair.program), {IpAddress::v4(0x7f000001), 40000});
    return std::move(pair.peer);
  }
  // Says it in one piece or byte by byte, and lets everything come to rest.
  void say(io::SimStream& stream, std::string_view text, bool byte_by_byte = false) {
    if (!byte_by_byte) {
      stream.say(text);
      loop.settle();
      return;
    }
    for (const char c : text) {
      stream.say({&c, 1});
      loop.settle();
    }
  }
  int busy() const {
    int sum = 0;
    for (const auto& view : generation->groups()[0].balancers[0].state->members()) sum += view.busy;
    return sum;
  }

  expr::NoFiles no_files;
  io::SimLoop loop;
  io::SimDialer dialer{loop};
  io::SimSplicer splicer;
  KeptLog log_;
  ShardGroup group;
  StateRegistry registry;
  std::shared_ptr<const Generation> generation;
  std::vector<TestMember> members;
  std::unique_ptr<Shard> shard;
};

}  // namespace steelyard::proxy
