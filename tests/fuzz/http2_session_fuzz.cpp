// Whatever an HTTP/2 client says, in whatever pieces: the program goes on, members hear whole
// requests of HTTP/1 and nothing behind them but what goes through a WebSocket that was taken, and
// when the client is gone nothing of it is left.
#include <string>

#include "base/check.hpp"
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
  return config;
}

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
      world.loop.settle();
      world.members[0].connections.clear();
      world.loop.settle();
      piece = piece * 2 + 1;
    }
    client->take_all();
  }
  world.loop.settle();
  world.loop.advance(std::chrono::seconds(3));
  CHECK(world.busy() == 0);
  CHECK(world.shard->connection_count() == 0);
}

}  // namespace steelyard
