#pragma once

#include <string>
#include <utility>

#include "manage/server_sources.hpp"
#include "proxy/test_world.hpp"

// A shard with members on a simulated network, and questions about it. For tests only.

namespace steelyard::manage {

class StatusWorld {
 public:
  explicit StatusWorld(int members = 1, const proxy::TestWorld::Words& member_parameters = {},
                       const proxy::TestWorld::Words& balancer_parameters = {})
      : world(members, member_parameters, balancer_parameters) {
    world.group.client_connections_max = 100;
    usage.process_id = 4711;
    usage.started = WallTime(std::chrono::seconds(1'700'000'000));
    usage.user_seconds = 1.5;
    usage.system_seconds = 0.25;
    usage.resident_bytes = 12'345'678;
    usage.virtual_bytes = 123'456'789;
    usage.open_descriptors = 12;
    usage.descriptors_max = 1024;
    usage.load_averages = {0.5, 1, 2.25};
  }

  ServerSources sources() {
    return {.group = world.group,
            .built = "Nov 29 2026",
            .usage = [this] { return usage; },
            .now = [this] { return world.loop.now(); },
            .wall_now = [this] { return usage.started + uptime; }};
  }

  proxy::DeskQuestion question(std::string query = {}) const {
    proxy::DeskQuestion asked;
    asked.generation = world.generation;
    asked.query = std::move(query);
    asked.public_name = "lb.test";
    asked.local = {IpAddress::v4(0x7f000001), 80};
    return asked;
  }

  // One request that a member answers with `body_bytes` bytes.
  void exchange(std::size_t body_bytes = 2, int status = 200) {
    auto client = world.connect();
    world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    for (proxy::TestMember& member : world.members) {
      for (const auto& connection : member.connections) {
        if (connection->take_all().empty()) continue;
        world.say(*connection, "HTTP/1.1 " + std::to_string(status) +
                                   " X\r\nContent-Length: " + std::to_string(body_bytes) +
                                   "\r\n\r\n" + std::string(body_bytes, 'x'));
      }
    }
    client.reset();
    world.loop.settle();
  }

  proxy::TestWorld world;
  ProcessUsage usage;
  std::chrono::seconds uptime{100};
};

}  // namespace steelyard::manage
