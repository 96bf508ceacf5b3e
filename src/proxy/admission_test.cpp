#include "proxy/admission.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/auth_settings.hpp"
#include "proxy/doorman.hpp"
#include "proxy/limits.hpp"
#include "proxy/test_world.hpp"

// Passwords in front of a member, on the simulated network, with a doorman who takes his time.

namespace steelyard::proxy {
namespace {

using auth::Finding;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct FakeDoorman final : Doorman {
  std::optional<Finding> known(const auth::Login& login) const override {
    if (login.user != "known") return std::nullopt;
    return Finding{.verdict = Finding::Verdict::right};
  }
  void ask(LoginQuestion question, Reply reply) override {
    questions.push_back(std::move(question));
    replies.push_back(std::move(reply));
  }
  std::vector<LoginQuestion> questions;
  std::vector<Reply> replies;
};

std::shared_ptr<const expr::Require> require(std::vector<std::string> words) {
  expr::RequireBuilder builder;
  CHECK(builder.require(words));
  return *builder.finish();
}

class AtTheDoor : public ::testing::Test {
 protected:
  AtTheDoor() {
    adopt({"valid-user"});
    world_.group.doorman = &doorman_;
  }
  void adopt(const std::vector<std::string>& words) {
    auto config = TestWorld::make_config(1, {});
    config::AuthSettings settings;
    settings.type = config::AuthType::basic;
    settings.realm = *expr::StringExpression::compile("a \"place\"");
    settings.user_file = "/users";
    settings.group_file = "/groups";
    config::PathSettings& defaults = config->servers[0]->defaults;
    defaults.auth = std::make_shared<const config::AuthSettings>(settings);
    defaults.require = require(words);
    world_.adopt(std::move(config));
  }
  // "bob:bobpw" unless another login is said.
  static std::string get(std::string_view login = "Ym9iOmJvYnB3") {
    return "GET /x HTTP/1.1\r\nHost: lb.test\r\nAuthorization: Basic " + std::string(login) +
           "\r\n\r\n";
  }
  void answer(const Finding& finding) {
    doorman_.replies.back()(finding);
    world_.loop.settle();
  }
  FakeDoorman doorman_;
  TestWorld world_;
};

TEST_F(AtTheDoor, who_says_nothing_is_asked) {
  const auto client = world_.connect();
  world_.say(*client, "GET /x HTTP/1.1\r\nHost: lb.test\r\n\r\n");
  EXPECT_THAT(client->take_all(),
              AllOf(StartsWith("HTTP/1.1 401 Unauthorized\r\n"),
                    HasSubstr("\r\nWWW-Authenticate: Basic realm=\"a \\\"place\\\"\"\r\n")));
  EXPECT_THAT(doorman_.questions, IsEmpty());
  EXPECT_THAT(world_.members[0].heard(), IsEmpty());
}

TEST_F(AtTheDoor, who_proves_it_gets_in_with_the_field_as_it_was) {
  const auto client = world_.connect();
  world_.say(*client, get());
  ASSERT_EQ(doorman_.questions.size(), 1);
  EXPECT_EQ(doorman_.questions[0].user, "bob");
  EXPECT_EQ(doorman_.questions[0].password, "bobpw");
  EXPECT_EQ(doorman_.questions[0].user_file, "/users");
  EXPECT_EQ(doorman_.questions[0].group_file, "");  // nobody asks for groups
  EXPECT_THAT(world_.members[0].heard(), IsEmpty());
  answer({.verdict = Finding::Verdict::right});
  EXPECT_THAT(world_.members[0].heard(), HasSubstr("\r\nAuthorization: Basic Ym9iOmJvYnB3\r\n"));
}

TEST_F(AtTheDoor, who_is_known_does_not_wait) {
  const auto client = world_.connect();
  world_.say(*client, get("a25vd246cHc="));
  EXPECT_THAT(doorman_.questions, IsEmpty());
  EXPECT_THAT(world_.members[0].heard(), StartsWith("GET /x"));
}

TEST_F(AtTheDoor, groups_decide_once_they_are_known) {
  adopt({"group", "admins"});
  for (const bool is_one : {false, true}) {
    const auto client = world_.connect();
    world_.say(*client, get());
    EXPECT_EQ(doorman_.questions.back().group_file, "/groups");
    answer({.verdict = Finding::Verdict::right, .groups = {is_one ? "Admins" : "users"}});
    EXPECT_EQ(client->take_all().starts_with("HTTP/1.1 401"), !is_one);
  }
}

TEST_F(AtTheDoor, failures_become_what_httpd_makes_of_them) {
  struct {
    Finding::Verdict verdict;
    std::string_view line, log;
  } const cases[] = {
      {Finding::Verdict::wrong_password, "401 Unauthorized",
       "AH01617: user bob: authentication failure for \"/x\": Password Mismatch"},
      {Finding::Verdict::unknown_user, "401 Unauthorized", "AH01618: user bob not found: /x"},
      {Finding::Verdict::no_file, "500 Internal Server Error",
       "AH01620: Could not open password file: /users: why"},
      {Finding::Verdict::overloaded, "503 Service Unavailable", "so many passwords wait"},
  };
  for (const auto& one : cases) {
    const auto client = world_.connect();
    world_.say(*client, get());
    answer({.verdict = one.verdict, .fault = "why"});
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 " + std::string(one.line)));
    EXPECT_THAT(world_.log_.error_lines.back(), HasSubstr(one.log));
    EXPECT_THAT(world_.members[0].heard(), IsEmpty());
  }
}

TEST_F(AtTheDoor, nobody_waits_for_ever) {
  const auto client = world_.connect();
  world_.say(*client, get());
  world_.loop.advance(doorman_patience + std::chrono::seconds(1));
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 503"));
  EXPECT_TRUE(*doorman_.questions[0].given_up);
  answer({.verdict = Finding::Verdict::right});  // too late, and harmless
  EXPECT_THAT(world_.members[0].heard(), IsEmpty());
}

TEST_F(AtTheDoor, a_shard_that_stops_gives_its_questions_up) {
  const auto client = world_.connect();
  world_.say(*client, get());
  ASSERT_EQ(doorman_.questions.size(), 1);
  world_.shard->stop();
  world_.loop.settle();
  EXPECT_TRUE(*doorman_.questions[0].given_up);
  answer({.verdict = Finding::Verdict::right});
  EXPECT_THAT(world_.members[0].heard(), IsEmpty());
}

TEST(AuthWords, differ_for_servers_and_forward_proxies) {
  Exchange x;
  EXPECT_EQ(auth_words(x).status, 401);
  EXPECT_EQ(auth_words(x).credentials, "Authorization");
  x.guest.write().is_asked_by_proxy = true;
  EXPECT_EQ(auth_words(x).status, 407);
  EXPECT_EQ(auth_words(x).challenge, "Proxy-Authenticate");
  EXPECT_EQ(auth_words(x).credentials, "Proxy-Authorization");
}

}  // namespace
}  // namespace steelyard::proxy
