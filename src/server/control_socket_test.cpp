#include "server/control_socket.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path_.size(), sizeof address.sun_path);
    path_.copy(address.sun_path, path_.size());
    Descriptor one(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(one.number(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) break;
    waiting.push_back(std::move(one));
  }
  ASSERT_GT(waiting.size(), 10U);
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

TEST_F(ControlSocket, who_holds_the_lock_does_not_hold_up_a_start_for_ever) {
  const Descriptor lock(::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(::flock(lock.number(), LOCK_EX), 0);
  EXPECT_THAT(why_not(path_), HasSubstr("another process holds its lock"));
}

// Whoever may read the directory can.
TEST_F(ControlSocket, who_locks_the_directory_holds_up_nobody) {
  const Descriptor folder(::open(scratch_.file("").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(folder.number(), LOCK_EX), 0);
  EXPECT_TRUE(open_control_socket(path_));
}

TEST_F(ControlSocket, its_lock_is_a_file_of_its_owner_and_follows_no_link) {
  ASSERT_TRUE(open_control_socket(path_));
  struct stat found{};
  ASSERT_EQ(::lstat((path_ + ".lock").c_str(), &found), 0);
  EXPECT_TRUE(S_ISREG(found.st_mode));
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  const std::string other = scratch_.file("other.ctl");
  std::filesystem::create_symlink(scratch_.file("made"), other + ".lock");
  EXPECT_THAT(why_not(other), HasSubstr("its lock file cannot be opened"));
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("made")));
}

// Its directory is looked up once: what was found there is what is bound, locked and removed.
TEST_F(ControlSocket, is_where_its_directory_was_when_it_was_made) {
  std::filesystem::create_directory(scratch_.file("one"));
  std::filesystem::create_symlink("one", scratch_.file("link"));
  const std::string path = scratch_.file("link/ctl");
  const auto opened = open_control_socket(path);
  ASSERT_TRUE(opened) << opened.error();
  sockaddr_un bound{};
  socklen_t size = sizeof bound;
  ASSERT_EQ(::getsockname(opened->number(), reinterpret_cast<sockaddr*>(&bound), &size), 0);
  EXPECT_THAT(bound.sun_path, testing::MatchesRegex("/proc/self/fd/[0-9]+/ctl"));
  EXPECT_TRUE(std::filesystem::exists(scratch_.file("one/ctl")));
  EXPECT_TRUE(connect_to_control_socket(path));
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
