#include "io/linux/listener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/linux/socket_address.hpp"

namespace steelyard::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ListenerTest : public testing::Test {
 protected:
  void listen() {
    const auto socket = open_listening_socket(IpAddress::v4(0x7f000001), 0, 16);
    ASSERT_TRUE(socket) << socket.error().text;
    SocketAddress address;
    address.size = sizeof address.storage;
    ASSERT_EQ(::getsockname(*socket, address.pointer(), &address.size), 0);
    address_ = address;
    Listener::Rules rules;
    rules.on_accept = [this](std::unique_ptr<Stream> stream, const Endpoint&) {
      accepted_.push_back(std::move(stream));
    };
    rules.has_room = [this] { return accepted_.size() < room_; };
    rules.on_pause = [this](int error) { pauses_.push_back(error); };
    listener_ = std::make_unique<Listener>(loop_, *socket, std::move(rules));
  }
  int connect() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, address_.pointer(), address_.size), 0);
    return fd;
  }
  // As many turns as the time holds.
  void turn_for(Duration time) {
    const Instant end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) loop_.turn(end);
  }
  template <class Claim>
  bool turn_until(Claim claim) {
    const Instant end = std::chrono::steady_clock::now() + seconds(10);
    while (!claim() && std::chrono::steady_clock::now() < end) loop_.turn(end);
    return claim();
  }

  EpollLoop loop_;
  SocketAddress address_;
  std::size_t room_ = 100;
  std::vector<std::unique_ptr<Stream>> accepted_;
  std::vector<int> pauses_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, who_finds_no_room_waits_in_the_queue_and_the_loop_rests) {
  listen();
  room_ = 1;
  const int first = connect(), second = connect();
  ASSERT_TRUE(turn_until([this] { return !pauses_.empty(); }));
  EXPECT_EQ(accepted_.size(), 1U);
  turn_for(Listener::pause * 3);
  // Spinning would have paused thousands of times.
  EXPECT_LE(pauses_.size(), 5U);
  EXPECT_EQ(pauses_[0], 0);
  accepted_.clear();
  EXPECT_TRUE(turn_until([this] { return accepted_.size() == 1; }));
  ::close(first);
  ::close(second);
}

TEST_F(ListenerTest, out_of_descriptors_the_loop_rests_and_goes_on_later) {
  listen();
  const int client = connect();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int lowest_free = ::dup(client);
  ::close(lowest_free);
  const rlimit none{static_cast<rlim_t>(lowest_free), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_TRUE(turn_until([this] { return !pauses_.empty(); }));
  turn_for(Listener::pause * 3);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LE(pauses_.size(), 5U);
  EXPECT_EQ(pauses_[0], EMFILE);
  EXPECT_TRUE(turn_until([this] { return accepted_.size() == 1; }));
  ::close(client);
}

}  // namespace
}  // namespace steelyard::io
