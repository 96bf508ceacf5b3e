#include "auth/checker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace steelyard::auth {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Verdict = Finding::Verdict;

// SHA-1 of "one" and "two".
constexpr std::string_view one = "{SHA}/gW83NxJKAEngaXxoqd8u1OY4QY=",
                           two = "{SHA}rXguzax3D8brmmLkT5CHP7l/sms=";

struct TableFiles final : Files {
  std::expected<std::uint64_t, std::string> stamp_of(const std::string& path) override {
    if (!texts.contains(path)) return std::unexpected("No such file or directory");
    return std::hash<std::string>()(texts[path]);
  }
  std::expected<std::string, std::string> read(const std::string& path) override {
    ++reads;
    return texts[path];
  }
  std::map<std::string, std::string> texts;
  int reads = 0;
};

struct Checking : testing::Test {
  Checking() {
    files.texts["/users"] = "bob:" + std::string(one) + "\n";
    files.texts["/groups"] = "admins: bob\n";
  }
  static Login login(std::string_view user, std::string_view password,
                     std::string_view groups = "") {
    return {user, password, "/users", groups};
  }
  Verdict check(std::string_view user, std::string_view password) {
    return checker.check(login(user, password), now).verdict;
  }
  TableFiles files;
  Checker checker{files};
  Instant now = Instant() + std::chrono::hours(1);
};

TEST_F(Checking, tells_right_from_wrong_and_unknown) {
  EXPECT_EQ(check("bob", "one"), Verdict::right);
  EXPECT_EQ(check("bob", "two"), Verdict::wrong_password);
  EXPECT_EQ(check("ann", "one"), Verdict::unknown_user);
}

TEST_F(Checking, what_was_found_right_is_known_at_once) {
  EXPECT_FALSE(checker.known(login("bob", "one"), now));
  EXPECT_EQ(check("bob", "one"), Verdict::right);
  const auto known = checker.known(login("bob", "one"), now);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->verdict, Verdict::right);
  EXPECT_FALSE(checker.known(login("bob", "two"), now));
  EXPECT_FALSE(checker.known(login("ann", "one"), now));
  EXPECT_EQ(files.reads, 1);
}

TEST_F(Checking, who_shows_a_certificate_is_asked_for_groups_alone) {
  Login login{"bob", "", "/none", "/groups"};
  login.is_certified = true;
  EXPECT_FALSE(checker.known(login, now)) << "nobody has read the file";
  const Finding finding = checker.check(login, now);
  EXPECT_EQ(finding.verdict, Verdict::right);
  EXPECT_THAT(finding.groups, testing::ElementsAre("admins"));
  EXPECT_EQ(files.reads, 1);
  ASSERT_TRUE(checker.known(login, now));
  EXPECT_THAT(checker.known(login, now)->groups, testing::ElementsAre("admins"));
  login.is_certified = false;
  EXPECT_EQ(checker.check(login, now).verdict, Verdict::no_file);
}

TEST_F(Checking, what_was_found_wrong_is_never_known) {
  EXPECT_EQ(check("bob", "two"), Verdict::wrong_password);
  EXPECT_FALSE(checker.known(login("bob", "two"), now));
}

TEST_F(Checking, a_changed_file_counts_within_a_second) {
  EXPECT_EQ(check("bob", "one"), Verdict::right);
  files.texts["/users"] = "bob:" + std::string(two) + "\n";
  EXPECT_TRUE(checker.known(login("bob", "one"), now));
  now += Checker::fresh_time;
  EXPECT_FALSE(checker.known(login("bob", "one"), now));
  EXPECT_EQ(check("bob", "one"), Verdict::wrong_password);
  EXPECT_EQ(check("bob", "two"), Verdict::right);
  EXPECT_EQ(files.reads, 2);
}

// So that who was found right does not wait for those who guess.
TEST_F(Checking, files_that_are_asked_about_stay_fresh) {
  EXPECT_EQ(check("bob", "one"), Verdict::right);
  for (int i = 0; i < 10; ++i) {
    now += Checker::fresh_time / 2;
    checker.refresh(now);
    now += Checker::fresh_time / 4;
    EXPECT_TRUE(checker.known(login("bob", "one"), now)) << i;
  }
  EXPECT_EQ(files.reads, 1);
  files.texts["/users"] = "bob:" + std::string(two) + "\n";
  checker.refresh(now);
  EXPECT_FALSE(checker.known(login("bob", "one"), now));
  EXPECT_EQ(files.reads, 2);
  now += Checker::use_time;
  files.texts["/users"] = "";
  checker.refresh(now);
  EXPECT_EQ(files.reads, 2) << "nobody asked about it for long";
}

TEST_F(Checking, an_unchanged_file_is_not_read_again) {
  check("bob", "one");
  now += Checker::fresh_time;
  EXPECT_FALSE(checker.known(login("bob", "one"), now));
  EXPECT_EQ(check("bob", "one"), Verdict::right);
  EXPECT_TRUE(checker.known(login("bob", "one"), now));
  EXPECT_EQ(files.reads, 1);
}

TEST_F(Checking, a_file_that_is_gone_lets_nobody_in) {
  check("bob", "one");
  files.texts.erase("/users");
  now += Checker::fresh_time;
  const Finding finding = checker.check(login("bob", "one"), now);
  EXPECT_EQ(finding.verdict, Verdict::no_file);
  EXPECT_EQ(finding.fault, "No such file or directory");
  ASSERT_TRUE(checker.known(login("bob", "one"), now));
  EXPECT_EQ(checker.known(login("bob", "one"), now)->verdict, Verdict::no_file);
  files.texts["/users"] = "bob:" + std::string(one) + "\n";
  now += Checker::fresh_time;
  EXPECT_EQ(check("bob", "one"), Verdict::right);
}

TEST_F(Checking, groups_are_looked_up_only_where_somebody_asks) {
  EXPECT_THAT(checker.check(login("bob", "one"), now).groups, IsEmpty());
  EXPECT_FALSE(checker.known(login("bob", "one", "/groups"), now));
  EXPECT_THAT(checker.check(login("bob", "one", "/groups"), now).groups, ElementsAre("admins"));
  const auto known = checker.known(login("bob", "one", "/groups"), now);
  ASSERT_TRUE(known);
  EXPECT_THAT(known->groups, ElementsAre("admins"));
  const Finding lost = checker.check(login("bob", "one", "/none"), now);
  EXPECT_EQ(lost.verdict, Verdict::right);
  EXPECT_EQ(lost.group_fault, "No such file or directory");
}

TEST(VerifiedPasswords, belong_to_user_password_and_what_is_kept) {
  Verified verified;
  verified.add("bob", "one", "kept");
  EXPECT_TRUE(verified.has("bob", "one", "kept"));
  EXPECT_FALSE(verified.has("bob", "onek", "ept"));
  EXPECT_FALSE(verified.has("bobo", "ne", "kept"));
  EXPECT_FALSE(verified.has("ann", "one", "kept"));
  EXPECT_FALSE(verified.has("bob", "one", "other"));
}

TEST(VerifiedPasswords, are_bounded_and_the_oldest_goes) {
  Verified verified;
  for (std::size_t i = 0; i <= Verified::entries_max; ++i)
    verified.add("user" + std::to_string(i), "p", "k");
  EXPECT_FALSE(verified.has("user0", "p", "k"));
  EXPECT_TRUE(verified.has("user1", "p", "k"));
  EXPECT_TRUE(verified.has("user" + std::to_string(Verified::entries_max), "p", "k"));
}

}  // namespace
}  // namespace steelyard::auth
