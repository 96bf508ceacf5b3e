#include "server/control_socket.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <filesystem>
#include <fstream>
#include <thread>

#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

using ::testing::HasSubstr;

class ControlSocket : public ::testing::Test {
 protected:
  [[nodiscard]] static std::string why_not(const std::string& path) {
    const auto opened = open_control_socket(path);
    return opened ? "it could" : opened.error();
  }

  const ScratchDirectory scratch_;
  const std::string path_ = scratch_.file("httpd.pid.ctl");
};

TEST_F(ControlSocket, is_for_its_owner_alone) {
  const auto opened = open_control_socket(path_);
  ASSERT_TRUE(opened) << opened.error();
  struct stat found{};
  ASSERT_EQ(::lstat(path_.c_str(), &found), 0);
  EXPECT_TRUE(S_ISSOCK(found.st_mode));
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  const auto client = connect_to_control_socket(path_);
  ASSERT_TRUE(client) << client.error();
  const Descriptor accepted(::accept(opened->number(), nullptr, nullptr));
  const auto peer = peer_of(accepted.number());
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->user, ::geteuid());
  EXPECT_EQ(peer->process, ::getpid());
}

TEST_F(ControlSocket, of_a_living_instance_is_not_taken_over) {
  const auto first = open_control_socket(path_);
  ASSERT_TRUE(first);
  EXPECT_THAT(why_not(path_), HasSubstr("another instance listens there"));
  EXPECT_TRUE(connect_to_control_socket(path_));
  remove_control_socket(path_);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ControlSocket, that_is_full_is_alive) {
  const auto first = open_control_socket(path_);
  ASSERT_TRUE(first);
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 200; ++i) {
    sockaddr_storage unused{};
    socklen_t size = sizeof unused;
    ASSERT_EQ(::getsockname(first->number(), reinterpret_cast<sockaddr*>(&unused), &size), 0);
    Descriptor one(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(one.number(), reinterpret_cast<sockaddr*>(&unused), size) != 0) break;
    waiting.push_back(std::move(one));
  }
  ASSERT_LT(waiting.size(), 200U);
  EXPECT_THAT(why_not(path_), HasSubstr("another instance listens there"));
}

TEST_F(ControlSocket, that_nobody_has_any_more_is_replaced) {
  {
    const auto first = open_control_socket(path_);
  }
  ASSERT_TRUE(std::filesystem::exists(path_));
  EXPECT_TRUE(open_control_socket(path_));
}

TEST_F(ControlSocket, goes_when_it_was_closed) {
  {
    const auto first = open_control_socket(path_);
  }
  remove_control_socket(path_);
  EXPECT_FALSE(std::filesystem::exists(path_));
  remove_control_socket(path_);
  EXPECT_THAT(connect_to_control_socket(path_).error(), HasSubstr("is it running?"));
}

TEST_F(ControlSocket, leaves_alone_what_is_none) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(why_not(path_), HasSubstr("is no socket, and is left alone"));
  remove_control_socket(path_);
  EXPECT_EQ(std::filesystem::file_size(path_), 8U);
}

TEST_F(ControlSocket, follows_no_link) {
  const std::string target = scratch_.file("target");
  {
    const auto abandoned = open_control_socket(target);
  }
  std::filesystem::create_symlink(target, path_);
  EXPECT_THAT(why_not(path_), HasSubstr("is no socket"));
  remove_control_socket(path_);
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_TRUE(std::filesystem::exists(target));
}

TEST_F(ControlSocket, may_have_a_long_path) {
  std::string folder = scratch_.file(std::string(100, 'd'));
  std::filesystem::create_directory(folder);
  const std::string path = folder + "/steelyard.ctl";
  ASSERT_GT(path.size(), 107U);
  auto opened = open_control_socket(path);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_TRUE(connect_to_control_socket(path));
  EXPECT_THAT(why_not(path), HasSubstr("another instance"));
  opened->close();
  remove_control_socket(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THAT(why_not(scratch_.file(std::string(200, 'n'))), HasSubstr("File name too long"));
}

TEST_F(ControlSocket, needs_its_directory) {
  EXPECT_THAT(why_not(scratch_.file("missing/httpd.pid.ctl")), HasSubstr("No such file"));
  EXPECT_THAT(why_not(scratch_.file("")), HasSubstr("could not make the control socket"));
}

TEST_F(ControlSocket, who_holds_the_directory_does_not_hold_up_a_start_for_ever) {
  const Descriptor folder(::open(scratch_.file("").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(folder.number(), LOCK_EX), 0);
  EXPECT_THAT(why_not(path_), HasSubstr("its directory is locked"));
}

// Of many that find an abandoned file at the same moment exactly one gets the path.
TEST_F(ControlSocket, one_of_many_gets_it) {
  for (int round = 0; round < 50; ++round) {
    {
      const auto abandoned = open_control_socket(path_);
    }
    constexpr int starters = 4;
    std::barrier together(starters);
    std::array<Descriptor, starters> made;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < starters; ++i) {
        threads.emplace_back([&, i] {
          together.arrive_and_wait();
          if (auto opened = open_control_socket(path_)) made[i] = std::move(*opened);
        });
      }
    }
    ASSERT_EQ(std::ranges::count_if(made, &Descriptor::is_open), 1);
    ASSERT_TRUE(connect_to_control_socket(path_));
  }
}

}  // namespace
}  // namespace steelyard::server
