#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"
#include "tests/support/counting_heap.hpp"

// RemoteIPHeader: who a long chain of proxies says the client is. Short ones are compared with
// apache2.

namespace steelyard::proxy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class NamedClient : public testing::Test {
 protected:
  NamedClient() {
    auto config = TestWorld::make_config(1, {});
    config::Server& server = *config->servers[0];
    server.client.remote_ip.header = "X-Forwarded-For";
    server.client.remote_ip.proxies_header = "X-By";
    server.access_logs[0].format = *expr::LogFormat::compile("%a");
    world_.adopt(std::move(config));
    client_ = world_.connect();
  }
  // The nth proxy of a chain, counted from us.
  static std::string proxy(int n) { return "9.9.9." + std::to_string(n); }
  // As the nearest proxy sends it: the client first.
  static std::string chain(int last, int first = 1) {
    std::string field;
    for (int n = last; n >= first; --n) field += (field.empty() ? "" : ", ") + proxy(n);
    return field;
  }
  // What the member hears.
  std::string ask(const std::string& forwarded_for) {
    world_.say(*client_,
               "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + forwarded_for + "\r\n\r\n");
    std::string heard = world_.members[0].heard();
    world_.say(world_.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    return heard;
  }

  TestWorld world_;
  std::unique_ptr<io::SimStream> client_;
};

TEST_F(NamedClient, a_hundred_proxies_are_followed_and_told_in_order) {
  std::string by = "127.0.0.1";
  for (int n = 1; n < 100; ++n) by += ", " + proxy(n);
  const std::string heard = ask(chain(100));
  EXPECT_THAT(heard, HasSubstr("\r\nX-By: " + by + "\r\n"));
  EXPECT_THAT(heard, HasSubstr("\r\nX-Forwarded-For: " + proxy(100) + "\r\n"));
  EXPECT_THAT(world_.log_.access_lines, ElementsAre(proxy(100)));
}

TEST_F(NamedClient, nobody_is_believed_behind_the_hundredth) {
  const std::string heard = ask(chain(250));
  EXPECT_THAT(heard,
              HasSubstr("\r\nX-Forwarded-For: " + chain(250, 101) + ", " + proxy(100) + "\r\n"));
  EXPECT_THAT(world_.log_.access_lines, ElementsAre(proxy(100)));
}

// Each proxy costs its address, not the list of those before it once more.
// ThreadSanitizer brings its own operator new: there is nothing to count in its build.
#if !__has_feature(thread_sanitizer)
TEST_F(NamedClient, a_long_chain_takes_little_memory) {
  const auto takes_of = [&](const std::string& field) {
    (void)ask(field);  // what is kept for the next request is taken now
    const std::size_t before = heap_takes();
    (void)ask(field);
    return heap_takes() - before;
  };
  const std::size_t many = takes_of(chain(100));
  EXPECT_LE(many, takes_of(chain(1)) + 4);
}
#endif

}  // namespace
}  // namespace steelyard::proxy
