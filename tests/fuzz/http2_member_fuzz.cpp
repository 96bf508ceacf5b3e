// Whatever a member of HTTP/2 says, in whatever pieces: the program goes on, each client gets heads
// of HTTP/1 that a strict reader reads, or nothing, and in the end nobody is waited for.
#include <array>
#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "http/response_head.hpp"
#include "proxy/test_world.hpp"

namespace steelyard {
namespace {

using namespace proxy;

struct Question {
  std::string_view text;
  http::Method method;
};
// In streams 1, 3 and 5 of one connection. Of the second the body does not end.
constexpr std::array questions{
    Question{"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", http::Method::get},
    Question{"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
             http::Method::post},
    Question{"HEAD /c HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n", http::Method::head},
};

std::unique_ptr<config::Config> world_config() {
  auto config = TestWorld::make_config(1, {});
  auto& balancer = config->servers[0]->balancers[0];
  auto spec = std::make_shared<balance::BalancerSpec>(*balancer);
  spec->members[0].scheme = "h2c";
  balancer = std::move(spec);
  return config;
}

// Interim heads and then the final one.
void check_heads(std::string_view got, http::Method method) {
  while (!got.empty()) {
    http::ResponseHeadReader reader;
    http::ResponseHead head;
    Arena arena;
    const auto progress = reader.read(got, method, head, arena);
    CHECK(progress && *progress == http::ResponseProgress::complete);
    CHECK(head.status != 101);
    if (head.status >= 200) return;
    got.remove_prefix(head.head_bytes);
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  TestWorld world;
  world.adopt(world_config());
  std::array<std::unique_ptr<io::SimStream>, questions.size()> clients;
  std::array<std::string, questions.size()> heard;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i] = world.connect();
    world.say(*clients[i], questions[i].text);
  }
  CHECK(world.members[0].connections.size() == 1);
  std::size_t piece = 1;
  while (!input.empty()) {
    const std::string_view said = input.substr(0, piece);
    input.remove_prefix(said.size());
    world.say(*world.members[0].connections.front(), said);
    // What is sent once more meets nobody who answers it.
    for (const auto& connection : world.members[0].connections) connection->take_all();
    for (std::size_t i = 0; i < clients.size(); ++i) heard[i] += clients[i]->take_all();
    piece = piece * 2 + 1;
  }
  world.kill(1);
  world.members[0].connections.clear();
  world.loop.settle();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    heard[i] += clients[i]->take_all();
    check_heads(heard[i], questions[i].method);
    clients[i].reset();
  }
  world.loop.settle();
  world.loop.advance(std::chrono::seconds(70));
  CHECK(world.busy() == 0);
  CHECK(world.shard->connection_count() == 0);
}

}  // namespace steelyard
