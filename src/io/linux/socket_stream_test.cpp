#include "io/linux/socket_stream.hpp"

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "io/linux/listener.hpp"
#include "io/linux/socket_address.hpp"

namespace steelyard::io {
namespace {

// Both ends of a TCP connection on the loopback.
std::pair<int, int> connected_pair() {
  const auto listening = open_listening_socket(IpAddress::v4(0x7f00'0001), 0, 1);
  EXPECT_TRUE(listening.has_value());
  SocketAddress address;
  address.size = sizeof address.storage;
  EXPECT_EQ(::getsockname(*listening, address.pointer(), &address.size), 0);
  const int one = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(::connect(one, address.pointer(), address.size), 0);
  const int other = ::accept4(*listening, nullptr, nullptr, SOCK_NONBLOCK);
  ::close(*listening);
  return {one, other};
}

// How many packets a socket has received.
std::uint32_t packets(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_segs_in;
}

// A stream of the loop's and the plain end of its peer, with as little room between as possible.
class SocketStreamTest : public ::testing::Test {
 protected:
  SocketStreamTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    const int small = 4096;
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    stream = SocketStream::adopt(loop, ends[0]);
    peer = ends[1];
  }
  ~SocketStreamTest() override { ::close(peer); }

  IoResult write(std::string_view text) {
    const std::string_view pieces[] = {text};
    return stream->write(pieces);
  }
  void turn() { loop.turn(std::chrono::steady_clock::now()); }
  // What arrived so far; `ended` tells whether the stream finished behind it.
  std::string received() {
    std::string all;
    char room[65536];
    ssize_t got = 0;
    while ((got = ::read(peer, room, sizeof room)) > 0)
      all.append(room, static_cast<std::size_t>(got));
    ended = got == 0;
    return all;
  }
  // Writes until the socket is full and something is owed.
  std::string fill() {
    std::string all;
    for (char c = 'a'; stream->settle(); c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
      const std::string text(3000, c);
      EXPECT_EQ(write(text).bytes, text.size());
      all += text;
      turn();
    }
    return all;
  }

  EpollLoop loop;
  std::unique_ptr<SocketStream> stream;
  int peer = -1;
  bool ended = false;
};

TEST_F(SocketStreamTest, small_writes_leave_in_order_at_the_end_of_the_turn) {
  write("one ");
  write("two ");
  EXPECT_EQ(received(), "");
  turn();
  EXPECT_EQ(received(), "one two ");
}

TEST_F(SocketStreamTest, what_a_turn_collected_is_handed_over_before_its_letters_leave) {
  std::string before = "never asked";
  loop.at_turn_end([&] { before = received(); });
  write("letter");
  turn();
  EXPECT_EQ(before, "");
  EXPECT_EQ(received(), "letter");
}

TEST_F(SocketStreamTest, a_large_write_follows_the_small_ones_before_it) {
  write("small ");
  const IoResult large = write(std::string(5000, 'x'));
  EXPECT_EQ(received(), "small " + std::string(large.bytes, 'x'));
}

TEST_F(SocketStreamTest, what_a_full_socket_does_not_take_arrives_when_there_is_room) {
  const std::string sent = fill();
  EXPECT_EQ(write("more").status, IoStatus::would_block);
  std::string all = received();
  EXPECT_LT(all.size(), sent.size());
  for (int i = 0; i < 100 && all.size() < sent.size(); ++i) {
    turn();
    all += received();
  }
  EXPECT_EQ(all, sent);
  EXPECT_TRUE(stream->settle());
  EXPECT_EQ(write("more").bytes, 4u);
}

TEST_F(SocketStreamTest, the_end_follows_what_is_owed) {
  const std::string sent = fill();
  stream->end_writing();
  std::string all = received();
  EXPECT_FALSE(ended);
  for (int i = 0; i < 100 && !ended; ++i) {
    turn();
    all += received();
  }
  EXPECT_EQ(all, sent);
}

TEST_F(SocketStreamTest, a_stream_that_is_closed_sends_its_letters_first) {
  write("last words");
  stream.reset();
  EXPECT_EQ(received(), "last words");
  EXPECT_TRUE(ended);
  turn();
}

TEST_F(SocketStreamTest, the_last_letter_and_the_end_are_one_packet) {
  for (const bool closed : {true, false}) {
    const auto [ours, theirs] = connected_pair();
    stream = SocketStream::adopt(loop, ours);
    ::close(std::exchange(peer, theirs));
    const std::uint32_t before = packets(peer);
    write("last ");
    write("words");
    if (closed) {
      stream.reset();
    } else {
      stream->end_writing();
    }
    EXPECT_EQ(received(), "last words");
    EXPECT_TRUE(ended);
    EXPECT_EQ(packets(peer), before + 1);
  }
}

TEST_F(SocketStreamTest, what_is_written_after_a_reset_does_not_outlive_the_stream) {
  stream->reset();
  write("late words");
  stream.reset();
  turn();
  EXPECT_EQ(received(), "late words");
}

TEST_F(SocketStreamTest, a_peer_that_is_gone_has_hung_up_and_one_that_half_closed_has_not) {
  EXPECT_FALSE(stream->has_hung_up());
  ASSERT_EQ(::shutdown(peer, SHUT_WR), 0);
  EXPECT_FALSE(stream->has_hung_up());
  ::close(std::exchange(peer, -1));
  EXPECT_TRUE(stream->has_hung_up());
}

TEST_F(SocketStreamTest, a_broken_connection_fails_the_next_write) {
  ::close(std::exchange(peer, ::dup(0)));
  write("lost");
  turn();
  EXPECT_TRUE(stream->settle());
  EXPECT_EQ(write("lost too").status, IoStatus::failed);
}

}  // namespace
}  // namespace steelyard::io
