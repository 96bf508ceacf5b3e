#include "server/keeper.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "server/control_socket.hpp"
#include "server/keeper_line.hpp"
#include "server/pid_file.hpp"
#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

using config::LogTarget;
using Kind = LogTarget::Kind;

constexpr uid_t somebody_else = 65534;

// What a server that has been taken over could say: the questions as they travel.
class KeeperTest : public testing::Test {
 protected:
  void start(std::vector<LogTarget> targets, uid_t suspect = somebody_else) {
    Keeper::Duties duties;
    duties.server = {suspect, {suspect}};
    duties.pid_file = scratch_.file("httpd.pid");
    duties.server_process = ::getpid();
    duties.control_socket = scratch_.file("ctl");
    // The configuration is a file, so that the keeper's copy of this test can read it again.
    duties.read_targets = [targets, path = scratch_.file("more")] {
      std::vector<LogTarget> all = targets;
      std::ifstream more(path);
      for (std::string line; std::getline(more, line);) all.push_back({.text = line});
      return std::optional(Keeper::Duties::Targets{all, {}});
    };
    auto keeper = Keeper::start(duties);
    ASSERT_TRUE(keeper) << keeper.error();
    keeper_ = std::move(*keeper);
  }

  const ScratchDirectory scratch_;
  std::unique_ptr<Keeper> keeper_;
};

int error_of(const std::expected<Descriptor, int>& opened) { return opened ? 0 : opened.error(); }

TEST_F(KeeperTest, a_configured_file_is_opened_and_written_to) {
  start({{.text = scratch_.file("a")}});
  const auto file = keeper_->ask_for_file(scratch_.file("a"));
  ASSERT_TRUE(file) << file.error();
  EXPECT_EQ(::write(file->number(), "x\n", 2), 2);
  EXPECT_EQ(std::filesystem::file_size(scratch_.file("a")), 2U);
}

TEST_F(KeeperTest, a_control_socket_goes_when_nobody_listens_there_any_more) {
  start({});
  auto socket = open_control_socket(scratch_.file("ctl"));
  ASSERT_TRUE(socket) << socket.error();
  EXPECT_TRUE(keeper_->remove_control_socket());
  EXPECT_TRUE(std::filesystem::exists(scratch_.file("ctl")));
  socket->close();
  EXPECT_TRUE(keeper_->remove_control_socket());
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("ctl")));
}

TEST_F(KeeperTest, a_file_that_no_configuration_names_is_refused) {
  start({{.text = scratch_.file("a")}});
  EXPECT_EQ(error_of(keeper_->ask_for_file(scratch_.file("b"))), EPERM);
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("b")));
}

TEST_F(KeeperTest, a_new_file_counts_once_the_keeper_has_read_it_itself) {
  start({{.text = scratch_.file("a")}});
  // An answer means that the first reading is over.
  ASSERT_EQ(error_of(keeper_->ask_for_file(scratch_.file("a"))), 0);
  std::ofstream(scratch_.file("more")) << scratch_.file("b") << '\n';
  EXPECT_EQ(error_of(keeper_->ask_for_file(scratch_.file("b"))), EPERM);
  EXPECT_TRUE(keeper_->read_again());
  EXPECT_EQ(error_of(keeper_->ask_for_file(scratch_.file("b"))), 0);
}

TEST_F(KeeperTest, a_directory_of_the_servers_own_user_is_refused) {
  start({{.text = scratch_.file("a")}}, ::getuid());
  EXPECT_EQ(error_of(keeper_->ask_for_file(scratch_.file("a"))), EACCES);
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("a")));
}

TEST_F(KeeperTest, a_program_that_no_configuration_names_is_refused) {
  start({{.kind = Kind::pipe_shell, .text = "true"}});
  EXPECT_EQ(keeper_->start_program({.kind = Kind::pipe_shell, .text = "false"}, 0).error(), EPERM);
  // Nor the same words by another way.
  EXPECT_EQ(keeper_->start_program({.kind = Kind::pipe, .text = "true"}, 0).error(), EPERM);
}

TEST_F(KeeperTest, a_configured_program_reads_its_input) {
  const LogTarget target{.kind = Kind::pipe_shell, .text = "cat > " + scratch_.file("out")};
  start({target});
  std::ofstream(scratch_.file("in")) << "line\n";
  const Descriptor input(::open(scratch_.file("in").c_str(), O_RDONLY | O_CLOEXEC));
  const auto program = keeper_->start_program(target, input.number());
  ASSERT_TRUE(program) << program.error();
  pollfd watched{.fd = program->exit.number(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&watched, 1, 10'000), 1);
  EXPECT_EQ(std::filesystem::file_size(scratch_.file("out")), 5U);
}

TEST_F(KeeperTest, programs_of_one_target_are_bounded) {
  const LogTarget target{.kind = Kind::pipe, .text = "cat"};
  start({target});
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor input(ends[0]), held(ends[1]);
  for (std::size_t i = 0; i < Keeper::programs_a_target_max; ++i)
    EXPECT_TRUE(keeper_->start_program(target, input.number()));
  EXPECT_EQ(keeper_->start_program(target, input.number()).error(), EAGAIN);
}

TEST_F(KeeperTest, the_pid_file_is_written_again_unless_it_names_the_server) {
  start({});
  const auto path = scratch_.file("httpd.pid");
  EXPECT_EQ(keeper_->write_pid_file(), 0);
  EXPECT_EQ((*read_pid_file(path))->pid, ::getpid());
  EXPECT_EQ(keeper_->write_pid_file(), EALREADY);
  ASSERT_TRUE(write_pid_file(path, ::getppid()));
  EXPECT_EQ(keeper_->write_pid_file(), 0);
  EXPECT_EQ((*read_pid_file(path))->pid, ::getpid());
}

TEST_F(KeeperTest, a_server_that_may_change_the_directory_gets_no_pid_file_of_roots) {
  start({}, ::getuid());
  EXPECT_EQ(keeper_->write_pid_file(), EACCES);
  EXPECT_FALSE(std::filesystem::exists(scratch_.file("httpd.pid")));
}

TEST_F(KeeperTest, the_pid_file_is_removed_only_while_it_names_the_server) {
  start({});
  const auto path = scratch_.file("httpd.pid");
  ASSERT_TRUE(write_pid_file(path, ::getppid()));
  EXPECT_TRUE(keeper_->remove_pid_file());
  EXPECT_TRUE(std::filesystem::exists(path));
  ASSERT_TRUE(write_pid_file(path, ::getpid()));
  EXPECT_TRUE(keeper_->remove_pid_file());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(KeeperTest, the_keeper_holds_nothing_of_the_servers_and_ends_with_it) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  start({});
  ASSERT_TRUE(keeper_->read_again());
  write_end.close();
  pollfd watched{.fd = read_end.number(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&watched, 1, 10'000), 1);
  EXPECT_NE(watched.revents & POLLHUP, 0);
}

TEST(KeeperLine, one_descriptor_travels_with_a_message) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Descriptor one(ends[0]);
  Descriptor other(ends[1]);
  ASSERT_EQ(send_message(one, "text", 1), 0);
  const auto got = receive_message(other);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->text, "text");
  EXPECT_TRUE(got->attached.is_open());
  EXPECT_EQ(send_message(one, std::string(keeper_text_bytes_max + 1, 'x'), -1), EMSGSIZE);
  other.close();
  EXPECT_FALSE(receive_message(one));
}

// Whoever sends more must not fill the keeper's table: no descriptor stays that nobody holds.
TEST(KeeperLine, a_second_descriptor_is_not_taken_in) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const Descriptor one(ends[0]);
  const Descriptor other(ends[1]);
  char text[] = "text";
  iovec bytes{text, 4};
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(2 * sizeof(int));
  const int two[] = {1, 2};
  std::memcpy(CMSG_DATA(header), two, sizeof two);
  const Descriptor lowest_before(::dup(1));
  const int expected = lowest_before.number() + 1;
  ASSERT_EQ(::sendmsg(one.number(), &message, 0), 4);
  {
    const auto got = receive_message(other);
    ASSERT_TRUE(got);
  }
  const Descriptor lowest_after(::dup(1));
  EXPECT_EQ(lowest_after.number(), expected);
}

}  // namespace
}  // namespace steelyard::server
