#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/forward_proxy.hpp"
#include "proxy/http2_test_client.hpp"

// A forward proxy on the simulated network, with places behind it and a client of HTTP/2 that asks
// for tunnels (CONNECT, RFC 9113 8.5). For tests only.

namespace steelyard::proxy {

struct ConnectWorld : TestWorld {
  ConnectWorld() : TestWorld(1) {
    forward.takes_requests = config::Place{};
    renew();
    for (const char* const place : {"far.test:443", "other.test:443", "proxy.test:3128"}) {
      dialer.listen(place, [this, place](std::unique_ptr<io::SimStream> peer) {
        places[place].push_back(std::move(peer));
      });
    }
  }
  void renew() {
    auto config = make_config(1, {});
    config::Server& server = *config->servers[0];
    server.client.protocols.add(config::ClientProtocol::h2c);
    server.client.timeout = std::chrono::seconds(10);
    server.proxy.timeout = std::chrono::seconds(10);
    server.client.http2.window_bytes = window_bytes;
    server.proxy.forward = std::make_shared<const config::ForwardProxy>(forward);
    server.proxy.blocked_hosts = {"blocked"};
    config->modules = modules;
    config->listens.push_back({.ip = {}, .port = 9000, .place = {}});
    adopt(std::move(config));
  }
  void ask_remote(const std::string& authorization = "") {
    config::RemoteProxy remote;
    remote.match = "*";
    remote.host = "proxy.test";
    remote.port = 3128;
    remote.authorization = authorization;
    forward.remotes.push_back(std::move(remote));
    renew();
  }
  bool was_asked(const std::string& place) const { return places.contains(place); }
  io::SimStream& at(const std::string& place) { return *places.at(place).back(); }
  const std::string& line(std::size_t i = 0) { return log_.access_lines.at(i); }

  config::ForwardProxy forward;
  std::vector<std::string> modules{"proxy_connect_module"};
  std::uint32_t window_bytes = 65535;
  std::map<std::string, std::vector<std::unique_ptr<io::SimStream>>> places;
};

inline Http2TestClient::Fields connect_to(const std::string& place,
                                          const Http2TestClient::Fields& more = {}) {
  Http2TestClient::Fields fields{{":method", "CONNECT"}, {":authority", place}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

struct ConnectTunnel {
  ConnectWorld world;
  Http2TestClient client{world};
  std::int32_t id = client.ask(connect_to("far.test:443"), true);
  Http2TestAnswers::Answer& answer() { return client[id]; }
  io::SimStream& place() { return world.at("far.test:443"); }
  std::string heard() { return place().take_all(); }
  void answer_with(std::string_view text) {
    world.say(place(), text);
    client.talk();
  }
  void close_place() {
    world.places.clear();
    world.loop.settle();
    client.talk();
  }
};

}  // namespace steelyard::proxy
