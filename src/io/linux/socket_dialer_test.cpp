#include "io/linux/socket_dialer.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/linux/epoll_loop.hpp"
#include "io/linux/socket_address.hpp"
#include "io/sim/sim_resolver.hpp"

namespace steelyard::io {
namespace {

const IpAddress ours = IpAddress::v4(0x7f000002), another_ones = IpAddress::v4(0x7f000001);

int bound(const Endpoint& endpoint) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const SocketAddress address = to_socket_address(endpoint);
  if (::bind(fd, address.pointer(), address.size) == 0) return fd;
  ::close(fd);
  return -1;
}

std::uint16_t port_of(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  EXPECT_EQ(::getsockname(fd, address.pointer(), &address.size), 0);
  return to_endpoint(*address.pointer()).port;
}

// A port at both addresses: it is held at ours, where nobody listens, and listened to at the other.
class TwoPlaces {
 public:
  TwoPlaces() {
    // What is free at one address may be taken at the other.
    for (int tries = 0; tries < 20 && listening_ < 0; ++tries) {
      if (held_ >= 0) ::close(held_);
      held_ = bound({ours, 0});
      if (held_ < 0) continue;
      port = port_of(held_);
      listening_ = bound({another_ones, port});
    }
    EXPECT_EQ(::listen(listening_, 8), 0);
  }
  TwoPlaces(const TwoPlaces&) = delete;
  TwoPlaces& operator=(const TwoPlaces&) = delete;
  ~TwoPlaces() {
    ::close(held_);
    ::close(listening_);
  }

  std::uint16_t port = 0;

 private:
  int held_ = -1, listening_ = -1;
};

struct SocketDialers : testing::Test {
  // Of a member whose name leads to `ours` for whoever looks after it; a lookup now finds the
  // other.
  Dialed dial(bool addresses_are_all, std::span<const IpAddress> barred = {}) {
    auto resolver = std::make_unique<SimResolver>(loop);
    NameReply reply;
    reply.addresses = {another_ones};
    resolver->set("app.example", std::move(reply));
    names = resolver.get();
    SocketDialer dialer(loop, std::move(resolver));
    DialTarget target;
    target.host = "app.example";
    target.port = places.port;
    target.addresses = std::make_shared<const std::vector<IpAddress>>(1, ours);
    target.addresses_are_all = addresses_are_all;
    target.barred = barred;
    Dialed result = std::unexpected(DialFailure{});
    Task<> task = dial_into(dialer, target, result);
    task.start();
    loop.run();
    asked = names->questions("app.example");
    return result;
  }
  Task<> dial_into(SocketDialer& dialer, DialTarget target, Dialed& result) {
    result = co_await dialer.dial(target, std::chrono::seconds(5));
    loop.stop();
  }

  TwoPlaces places;
  EpollLoop loop;
  SimResolver* names = nullptr;
  int asked = 0;
};

TEST_F(SocketDialers, a_member_that_is_one_address_of_a_name_is_not_sought_at_another) {
  const Dialed dialed = dial(true);
  ASSERT_FALSE(dialed);
  EXPECT_EQ(dialed.error().cause, DialFailure::Cause::refused);
  EXPECT_EQ(asked, 0);
}

TEST_F(SocketDialers, a_member_that_is_the_whole_name_is_looked_up_again_when_it_refuses) {
  const Dialed dialed = dial(false);
  ASSERT_TRUE(dialed);
  EXPECT_EQ((*dialed)->dialed().ip, another_ones);
  EXPECT_EQ(asked, 1);
}

TEST_F(SocketDialers, a_name_that_leads_to_a_barred_address_is_not_connected_to) {
  const Dialed found_out = dial(false, std::span(&another_ones, 1));
  ASSERT_FALSE(found_out);
  EXPECT_EQ(found_out.error().cause, DialFailure::Cause::barred);
  EXPECT_EQ(asked, 1);
  // What is known of it counts before anything is asked or tried.
  const Dialed known = dial(false, std::span(&ours, 1));
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error().cause, DialFailure::Cause::barred);
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace steelyard::io
