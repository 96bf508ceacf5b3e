#include "io/linux/datagrams.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "io/linux/file_watch.hpp"
#include "io/linux/socket_address.hpp"

namespace steelyard::io {
namespace {

using ::testing::HasSubstr;

constexpr Duration patience = std::chrono::seconds(10);
const IpAddress loopback = IpAddress::v4(0x7f000001);

template <class Claim>
bool turn_until(EpollLoop& loop, Claim claim) {
  const Instant end = std::chrono::steady_clock::now() + patience;
  while (!claim() && std::chrono::steady_clock::now() < end) loop.turn(end);
  return claim();
}

Endpoint address_of(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  EXPECT_EQ(::getsockname(fd, address.pointer(), &address.size), 0);
  return to_endpoint(*address.pointer());
}

TEST(Datagrams, what_is_sent_to_an_address_is_heard_there_and_cut_where_it_is_too_long) {
  EpollLoop loop;
  const auto fd = open_datagram_socket({loopback, 0});
  ASSERT_TRUE(fd) << fd.error();
  const Endpoint to = address_of(*fd);
  std::vector<std::string> heard;
  const DatagramReceiver receiver(loop, *fd, [&](const Endpoint& from, std::string_view bytes) {
    EXPECT_EQ(from.ip, loopback);
    heard.emplace_back(bytes);
  });
  const std::string long_one(datagram_bytes_max + 100, 'x');
  ASSERT_TRUE(send_datagram(to, "hello"));
  ASSERT_TRUE(send_datagram(to, ""));
  ASSERT_TRUE(send_datagram(to, long_one));
  ASSERT_TRUE(turn_until(loop, [&] { return heard.size() == 3; }));
  EXPECT_EQ(heard[0], "hello");
  EXPECT_EQ(heard[1], "");
  EXPECT_EQ(heard[2], long_one.substr(0, datagram_bytes_max));
}

TEST(Datagrams, more_than_one_turn_takes_are_heard_in_the_next) {
  EpollLoop loop;
  const auto fd = open_datagram_socket({loopback, 0});
  ASSERT_TRUE(fd) << fd.error();
  const Endpoint to = address_of(*fd);
  int heard = 0;
  const DatagramReceiver receiver(loop, *fd, [&](const Endpoint&, std::string_view) { ++heard; });
  constexpr int count = DatagramReceiver::datagrams_a_turn + 10;
  for (int i = 0; i < count; ++i) ASSERT_TRUE(send_datagram(to, "x"));
  loop.turn(std::chrono::steady_clock::now() + patience);
  EXPECT_EQ(heard, DatagramReceiver::datagrams_a_turn);
  EXPECT_TRUE(turn_until(loop, [&] { return heard == count; }));
}

TEST(Datagrams, an_address_that_is_taken_or_not_ours_is_told) {
  const auto fd = open_datagram_socket({loopback, 0});
  ASSERT_TRUE(fd);
  const Endpoint taken = address_of(*fd);
  EXPECT_THAT(open_datagram_socket(taken).error(), HasSubstr("could not bind to " + taken.text()));
  EpollLoop loop;
  const DatagramReceiver closes_it(loop, *fd, nullptr);
  // TEST-NET-1 is nobody's.
  EXPECT_FALSE(open_datagram_socket({*IpAddress::parse("192.0.2.1"), 0}));
}

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() : directory_(::testing::TempDir() + "/watch." + std::to_string(::getpid())) {
    std::filesystem::create_directories(directory_);
  }
  ~FileWatchTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name) { std::ofstream(directory_ + '/' + name) << "text"; }

  std::string directory_;
  EpollLoop loop_;
  int changes_ = 0;
};

TEST_F(FileWatchTest, every_way_to_change_a_file_is_told_and_others_are_not) {
  const auto watch = FileWatch::open(loop_, directory_ + "/hb.dat", [this] { ++changes_; });
  ASSERT_NE(watch, nullptr);
  const auto told = [this](int more) {
    return turn_until(loop_, [this, more] { return changes_ >= more; });
  };
  write("hb.dat");
  EXPECT_TRUE(told(1));
  changes_ = 0;
  write("hb.dat.tmp");
  loop_.turn(std::chrono::steady_clock::now() + patience);
  EXPECT_EQ(changes_, 0);
  std::filesystem::rename(directory_ + "/hb.dat.tmp", directory_ + "/hb.dat");
  EXPECT_TRUE(told(1));
  changes_ = 0;
  std::filesystem::remove(directory_ + "/hb.dat");
  EXPECT_TRUE(told(1));
}

TEST_F(FileWatchTest, a_directory_that_is_not_there_cannot_be_watched) {
  EXPECT_EQ(FileWatch::open(loop_, directory_ + "/none/hb.dat", nullptr), nullptr);
}

}  // namespace
}  // namespace steelyard::io
