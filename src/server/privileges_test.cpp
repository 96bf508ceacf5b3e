#include "server/privileges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace steelyard::server {
namespace {

TEST(Identity, names_and_numbers_are_understood) {
  const auto root = find_identity("root", "");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->user, 0U);
  EXPECT_EQ(root->group, 0U);
  const auto numbers = find_identity("#4242", "#4343");
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->user, 4242U);
  EXPECT_EQ(numbers->group, 4343U);
}

TEST(Identity, unknown_names_are_refused_with_httpds_words) {
  EXPECT_EQ(find_identity("nosuchuser", "").error(), "bad user name nosuchuser");
  EXPECT_EQ(find_identity("root", "nosuchgroup").error(), "bad group name nosuchgroup");
  EXPECT_EQ(find_identity("#12x", "").error(), "bad user name #12x");
}

// In a child process: a change of user cannot be taken back.
int exit_status_of_a_child(int (*body)()) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(Privileges, root_is_given_up_for_good) {
  if (!running_as_root()) GTEST_SKIP() << "only root can give root up";
  EXPECT_EQ(exit_status_of_a_child([] {
              if (!become(Identity{.user = 65534, .group = 65534, .user_name = "nobody"})) return 1;
              if (::geteuid() != 65534 || ::getuid() != 65534 || ::getegid() != 65534) return 2;
              if (::setuid(0) == 0) return 3;
              give_up_capabilities();
              return ::access("/etc/shadow", R_OK) == 0 ? 4 : 0;
            }),
            0);
}

TEST(Privileges, the_descriptor_limit_is_raised_to_the_hard_one) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(raise_descriptor_limit(), limit.rlim_max);
}

}  // namespace
}  // namespace steelyard::server
