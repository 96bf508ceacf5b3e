// The storage file on a disk, and the thread of heartbeats with real datagrams on loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "io/linux/socket_address.hpp"
#include "server/heartbeat_storage.hpp"
#include "server/heartbeat_thread.hpp"
#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

using heartbeat::Server;
using ::testing::HasSubstr;

constexpr Instant noon = Instant{} + std::chrono::hours(12);
constexpr auto patience = std::chrono::seconds(15);
const IpAddress loopback = IpAddress::v4(0x7f000001);

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

template <class Claim>
bool until(Claim claim) {
  const Instant end = std::chrono::steady_clock::now() + patience;
  bool holds = claim();
  while (!holds && std::chrono::steady_clock::now() < end) {
    ::usleep(1000);
    holds = claim();
  }
  return holds;
}

TEST(HeartbeatStorage, a_missing_file_is_a_trouble_that_is_told_once) {
  const ScratchDirectory scratch;
  HeartbeatStorage storage(scratch.file("hb.dat"));
  const auto first = storage.read_if_changed();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->trouble(),
            "(2)No such file or directory: lb_heartbeat: Unable to read heartbeats at '" +
                storage.path() + "'");
  EXPECT_FALSE(storage.read_if_changed());
}

TEST(HeartbeatStorage, is_written_whole_readable_by_all_and_read_when_it_changed) {
  const ScratchDirectory scratch;
  HeartbeatStorage storage(scratch.file("hb.dat"));
  const Server one{.ip = "10.0.0.1", .message = {.ready = 5, .busy = 1}, .seen_at = noon};
  ASSERT_TRUE(storage.write(std::span(&one, 1), noon));
  EXPECT_EQ(content(storage.path()), "10.0.0.1 &ready=5&busy=1&lastseen=0&port=80\n");
  struct stat found{};
  ASSERT_EQ(::stat(storage.path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0644U);
  EXPECT_EQ(storage.read_if_changed()->all().size(), 1U);
  EXPECT_FALSE(storage.read_if_changed());
  const Server two{.ip = "10.0.0.2", .message = {.ready = 6, .busy = 1}, .seen_at = noon};
  ASSERT_TRUE(storage.add(std::span(&two, 1), noon));
  EXPECT_EQ(storage.read_if_changed()->all().size(), 2U);
  // Nothing is left beside it.
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(storage.path()).parent_path()))
    ++files;
  EXPECT_EQ(files, 1U);
}

TEST(HeartbeatStorage, what_cannot_be_written_is_told) {
  const ScratchDirectory scratch;
  HeartbeatStorage nowhere(scratch.file("none/hb.dat"));
  EXPECT_THAT(nowhere.write({}, noon).error(), HasSubstr("Unable to open tmp file"));
  ASSERT_EQ(::mkdir(scratch.file("taken").c_str(), 0700), 0);
  HeartbeatStorage taken(scratch.file("taken"));
  EXPECT_THAT(taken.write({}, noon).error(), HasSubstr("Unable to move tmp file"));
  EXPECT_THAT(taken.read_if_changed()->trouble(), HasSubstr("Unable to read heartbeats"));
}

// The file is readable by all; what a link at its place leads to may not be.
TEST(HeartbeatStorage, what_is_added_replaces_a_link_and_copies_nothing_of_what_it_leads_to) {
  const ScratchDirectory scratch;
  std::ofstream(scratch.file("secret")) << "10.0.0.9 &ready=9&busy=9&lastseen=0&port=80\n";
  HeartbeatStorage storage(scratch.file("hb.dat"));
  ASSERT_EQ(::symlink(scratch.file("secret").c_str(), storage.path().c_str()), 0);
  const Server one{.ip = "10.0.0.1", .message = {.ready = 5, .busy = 1}, .seen_at = noon};
  ASSERT_TRUE(storage.add(std::span(&one, 1), noon));
  EXPECT_EQ(content(storage.path()), "10.0.0.1 &ready=5&busy=1&lastseen=0&port=80\n");
  EXPECT_FALSE(std::filesystem::is_symlink(storage.path()));
  EXPECT_EQ(content(scratch.file("secret")), "10.0.0.9 &ready=9&busy=9&lastseen=0&port=80\n");
}

// A port that nobody has: free again when this returns, and given out again only much later.
std::uint16_t free_port() {
  const int fd = *io::open_datagram_socket({loopback, 0});
  io::SocketAddress address;
  address.size = sizeof address.storage;
  EXPECT_EQ(::getsockname(fd, address.pointer(), &address.size), 0);
  ::close(fd);
  return io::to_endpoint(*address.pointer()).port;
}

class HeartbeatThreadTest : public ::testing::Test {
 protected:
  HeartbeatThreadTest() {
    settings_.monitors = true;
    settings_.storage_path = scratch_.file("hb.dat");
  }

  void obey() {
    auto config = std::make_unique<config::Config>();
    auto server = std::make_unique<config::Server>();
    server->error_log.text = scratch_.file("error.log");
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://c";
    spec->policy = balance::Policy::heartbeat;
    server->balancers.push_back(std::move(spec));
    config->servers.push_back(std::move(server));
    config->heartbeat = settings_;
    thread_.obey(registry_.bind(std::move(config)));
  }
  const Server* heard(std::string_view ip) {
    servers_ = group_.heartbeats.servers();
    return servers_->find(ip);
  }
  void listen() { settings_.listen = Endpoint{loopback, free_port()}; }
  void say(std::string_view text) { ASSERT_TRUE(io::send_datagram(*settings_.listen, text)); }

  const ScratchDirectory scratch_;
  config::HeartbeatSettings settings_;
  proxy::StateRegistry registry_;
  proxy::ShardGroup group_;
  LogWriter writer_;
  LogRegistry logs_{writer_};
  HeartbeatThread thread_{group_, writer_, logs_};
  std::shared_ptr<const heartbeat::Servers> servers_;
};

TEST_F(HeartbeatThreadTest, a_datagram_is_on_the_board_and_malformed_ones_change_nothing) {
  listen();
  obey();
  say("nonsense");
  say("v=1&ready=7");
  say("v=1&ready=7&busy=1");
  ASSERT_TRUE(until([&] { return heard("127.0.0.1") != nullptr; }));
  EXPECT_EQ(heard("127.0.0.1")->message.ready, 7);
}

TEST_F(HeartbeatThreadTest, a_reload_moves_to_another_address_and_keeps_what_was_heard) {
  listen();
  obey();
  say("v=1&ready=7&busy=1");
  ASSERT_TRUE(until([&] { return heard("127.0.0.1") != nullptr; }));
  const Endpoint before = *settings_.listen;
  listen();
  obey();
  EXPECT_NE(heard("127.0.0.1"), nullptr);
  // The old address is free, the new one is heard.
  const auto fd = io::open_datagram_socket(before);
  EXPECT_TRUE(fd);
  ::close(*fd);
  say("v=1&ready=9&busy=1");
  EXPECT_TRUE(until([&] { return heard("127.0.0.1")->message.ready == 9; }));
}

TEST_F(HeartbeatThreadTest, a_file_that_others_write_is_chosen_by_as_soon_as_it_changes) {
  settings_.servers_max = 0;
  obey();
  EXPECT_EQ(heard("a"), nullptr);
  EXPECT_THAT(servers_->trouble(), HasSubstr("No such file"));
  std::ofstream(settings_.storage_path) << "a &ready=5&busy=1&lastseen=1\n";
  ASSERT_TRUE(until([&] { return heard("a") != nullptr; }));
  EXPECT_EQ(servers_->trouble(), "");
  std::ofstream(settings_.storage_path) << "b &ready=5&busy=1&lastseen=1\n";
  EXPECT_TRUE(until([&] { return heard("b") != nullptr && heard("a") == nullptr; }));
  std::filesystem::remove(settings_.storage_path);
  EXPECT_TRUE(until([&] { return heard("b") == nullptr && !servers_->trouble().empty(); }));
}

TEST_F(HeartbeatThreadTest, with_a_file_a_post_is_written_at_once_and_gone_at_the_next_refresh) {
  settings_.servers_max = 0;
  listen();
  obey();
  EXPECT_EQ(content(settings_.storage_path), "");
  group_.heartbeats.heard_post(IpAddress::v4(0x0a000001), {.ready = 5, .busy = 1}, noon);
  EXPECT_NE(heard("10.0.0.1"), nullptr);
  ASSERT_TRUE(until([&] { return !content(settings_.storage_path).empty(); }));
  EXPECT_EQ(content(settings_.storage_path), "10.0.0.1 &ready=5&busy=1&lastseen=0&port=80\n");
  say("v=1&ready=7&busy=1");
  // Five seconds later, as in httpd.
  ASSERT_TRUE(until([&] { return heard("127.0.0.1") != nullptr; }));
  EXPECT_EQ(heard("10.0.0.1"), nullptr);
  EXPECT_THAT(content(settings_.storage_path), ::testing::StartsWith("127.0.0.1 &ready=7&busy=1&"));
}

TEST_F(HeartbeatThreadTest, what_is_sent_tells_the_capacity_less_the_connections_that_are_busy) {
  const Endpoint to{loopback, free_port()};
  const auto fd = io::open_datagram_socket(to);
  ASSERT_TRUE(fd);
  settings_.send_to = to;
  settings_.capacity = 150;
  const auto received = [&] {
    char bytes[100];
    const auto got = ::recv(*fd, bytes, sizeof bytes, 0);
    return got < 0 ? std::string() : std::string(bytes, static_cast<std::size_t>(got));
  };
  obey();
  std::string text;
  ASSERT_TRUE(until([&] { return !(text = received()).empty(); }));
  EXPECT_EQ(text, "v=1&ready=150&busy=0");
  thread_.fall_silent();
  while (!received().empty()) {
  }
  obey();  // a tick at once
  EXPECT_EQ(received(), "");
  ::close(*fd);
}

TEST_F(HeartbeatThreadTest, nothing_to_do_means_no_thread) {
  obey();
  EXPECT_NE(group_.heartbeats.servers(), nullptr);
  thread_.fall_silent();
  thread_.stop();
  thread_.stop();
}

}  // namespace
}  // namespace steelyard::server
