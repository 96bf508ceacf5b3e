// Whatever an HTTP/2 client says, in whatever pieces: the program goes on, members hear whole
// requests of HTTP/1 and nothing behind them, and when the client is gone nothing of it is left.
#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "http/request_head.hpp"
#include "proxy/test_world.hpp"

namespace steelyard {
namespace {

using namespace proxy;

std::unique_ptr<config::Config> world_config() {
  auto config = TestWorld::make_config(1, {});
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

}  // namespace

void fuzz_one(std::string_view input) {
  TestWorld world;
  world.adopt(world_config());
  {
    const auto client = world.connect();
    client->say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    std::size_t piece = 1;
    while (!input.empty()) {
      const std::string_view said = input.substr(0, piece);
      input.remove_prefix(said.size());
      world.say(*client, said);
      // Each member answers what it heard and closes: nothing of another stream follows.
      auto& connections = world.members[0].connections;
      for (const auto& connection : connections) check_heard(connection->take_all());
      for (const auto& connection : connections)
        connection->say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
      world.loop.settle();
      connections.clear();
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
