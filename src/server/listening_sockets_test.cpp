#include "server/listening_sockets.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace steelyard::server {
namespace {

config::Listen on(std::uint16_t port) {
  config::Listen listen;
  listen.ip = IpAddress::parse("127.0.0.1");
  listen.port = port;
  listen.place.file = std::make_shared<const std::string>("httpd.conf");
  listen.place.line = 7;
  return listen;
}

// A free port, kept from others by a socket that does not listen.
class FreePort {
 public:
  FreePort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    ::getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size);
    number_ = ntohs(address.sin_port);
  }
  std::uint16_t number() const { return number_; }
  void listen() { ::listen(socket_.number(), 1); }

 private:
  Descriptor socket_;
  std::uint16_t number_ = 0;
};

TEST(ListeningSockets, every_shard_gets_a_socket_of_its_own) {
  const FreePort port;
  const auto plan = plan_listeners({on(port.number())}, {}, 3, 16);
  ASSERT_TRUE(plan) << plan.error();
  ASSERT_EQ(plan->opened.size(), 1U);
  EXPECT_EQ(plan->opened[0].sockets.size(), 3U);
  EXPECT_TRUE(plan->closed.empty());
}

TEST(ListeningSockets, what_is_open_already_is_kept) {
  const auto plan = plan_listeners({on(1)}, {on(1)}, 1, 16);
  ASSERT_TRUE(plan);
  EXPECT_TRUE(plan->opened.empty());
  EXPECT_TRUE(plan->closed.empty());
}

// httpd: the socket of [::] has them.
TEST(ListeningSockets, all_of_ipv4_beside_all_addresses_is_nothing_more) {
  config::Listen all_of_ipv4 = on(1), all = on(1);
  all_of_ipv4.ip = IpAddress::v4(0);
  all.ip.reset();
  const auto begun = plan_listeners({all_of_ipv4, all}, {all}, 1, 16);
  ASSERT_TRUE(begun) << begun.error();
  EXPECT_TRUE(begun->opened.empty() && begun->closed.empty());
  const auto ended = plan_listeners({all}, {all, all_of_ipv4}, 1, 16);
  ASSERT_TRUE(ended) << ended.error();
  EXPECT_TRUE(ended->opened.empty() && ended->closed.empty());
}

TEST(ListeningSockets, what_is_wanted_no_more_is_closed) {
  const auto plan = plan_listeners({}, {on(1)}, 1, 16);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->closed.size(), 1U);
  EXPECT_EQ(plan->closed[0].port, 1);
}

// Also when the other server would share its port.
TEST(ListeningSockets, a_busy_port_is_named_with_its_directive) {
  FreePort port;
  port.listen();
  const auto plan = plan_listeners({on(port.number())}, {}, 1, 16);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error(),
              testing::AllOf(testing::StartsWith("(98)Address already in use: could not bind"),
                             testing::HasSubstr("127.0.0.1:" + std::to_string(port.number())),
                             testing::EndsWith("(Listen on line 7 of httpd.conf)")));
}

}  // namespace
}  // namespace steelyard::server
