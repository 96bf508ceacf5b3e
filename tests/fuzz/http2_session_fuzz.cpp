// Whatever an HTTP/2 client says, in whatever pieces: the program goes on, members hear whole
// requests of HTTP/1 and nothing behind them but what goes through a WebSocket that was taken, a
// CONNECT leads to the one place that it may lead to, and when the client is gone nothing of it is
// left.
#include <string>

#include "base/check.hpp"
#include "config/forward_proxy.hpp"
#include "fuzz.hpp"
#include "http/request_head.hpp"
#include "http/websocket_key.hpp"
#include "proxy/test_world.hpp"

namespace steelyard {
namespace {

using namespace proxy;

std::unique_ptr<config::Config> world_config() {
  auto config = TestWorld::make_config(1, {"upgrade=websocket"});
  config->servers[0]->client.http2.takes_websockets = true;
  config->servers[0]->client.protocols.add(config::ClientProtocol::h2c);
  config->servers[0]->client.keep_alive_requests_max = 0;
  config::ForwardProxy forward;
  forward.takes_requests = config::Place{};
  config->servers[0]->proxy.forward = std::make_shared<const config::ForwardProxy>(forward);
  config->servers[0]->proxy.blocked_hosts = {"blocked"};
  config->modules = {"proxy_connect_module"};
  return config;
}

// Where CONNECT may lead, and where it may not although somebody is there: its host is blocked, its
// port not allowed.
struct Places {
  explicit Places(TestWorld& world) {
    world.dialer.listen("far.test:443", [this](std::unique_ptr<io::SimStream> peer) {
      tunnels.push_back(std::move(peer));
    });
    for (const char* const place : {"blocked.test:443", "far.test:25"})
      world.dialer.listen(place, [](std::unique_ptr<io::SimStream>) { CHECK(false); });
  }
  // Says again what it hears, and acts on how that begins.
  void answer() {
    for (auto& tunnel : tunnels) {
      if (tunnel == nullptr) continue;
      const std::string heard = tunnel->take_all();
      tunnel->say(heard);
      if (heard.starts_with("half")) tunnel->end_writing();
      if (heard.starts_with("reset")) tunnel->reset();
      if (heard.starts_with("reset") || heard.starts_with("close")) tunnel.reset();
    }
  }
  std::vector<std::unique_ptr<io::SimStream>> tunnels;
};

// What a member heard on one connection begins with a head that is one; what follows is its body.
void check_heard(const std::string& heard) {
  if (heard.find("\r\n\r\n") == std::string::npos) return;
  http::RequestHeadReader reader;
  http::RequestHead head;
  const auto progress = reader.read(heard, head);
  CHECK(progress && *progress == http::HeadProgress::complete);
  CHECK(head.method_id != http::Method::connect);
  CHECK(head.target.form != http::RequestTarget::Form::absolute);
  if (!head.body.has_bytes()) CHECK(heard.size() == head.head_bytes);
  if (head.body.kind == http::BodyFraming::Kind::length)
    CHECK(heard.size() - head.head_bytes <= head.body.length);
}

// Of each connection what it said is said again, if it asked for a WebSocket; others get an answer
// and are closed, so nothing of another stream follows.
void answer(TestMember& member, std::vector<std::unique_ptr<io::SimStream>>& tunnels) {
  // The world's chance is always the same.
  static const std::string taken =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Accept: " +
      http::make_websocket_key(1, 1).accepted + "\r\n\r\n";
  for (const auto& tunnel : tunnels) tunnel->say(tunnel->take_all());
  for (auto& connection : member.connections) {
    const std::string heard = connection->take_all();
    check_heard(heard);
    if (heard.find("\r\nUpgrade: websocket\r\n\r\n") != std::string::npos) {
      connection->say(taken);
      tunnels.push_back(std::move(connection));
    } else {
      connection->say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
    }
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  TestWorld world;
  world.adopt(world_config());
  Places places(world);
  {
    const auto client = world.connect();
    client->say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    std::vector<std::unique_ptr<io::SimStream>> tunnels;
    std::size_t piece = 1;
    while (!input.empty()) {
      const std::string_view said = input.substr(0, piece);
      input.remove_prefix(said.size());
      world.say(*client, said);
      answer(world.members[0], tunnels);
      places.answer();
      world.loop.settle();
      world.members[0].connections.clear();
      world.loop.settle();
      piece = piece * 2 + 1;
    }
    client->take_all();
  }
  world.loop.settle();
  world.loop.advance(std::chrono::seconds(3));
  for (const auto& tunnel : places.tunnels) CHECK(tunnel == nullptr || tunnel->ended());
  CHECK(world.busy() == 0);
  CHECK(world.shard->connection_count() == 0);
}

}  // namespace steelyard
