#include "server/control_thread.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <future>
#include <thread>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "server/control_socket.hpp"
#include "server/scratch_directory.hpp"

namespace steelyard::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// The thread with its socket and one balancer of two members.
class ControlThreadTest : public ::testing::Test {
 protected:
  ControlThreadTest() {
    adopt();
    auto opened = open_control_socket(path_);
    CHECK(opened);
    control_.start(std::move(*opened), generation_);
  }
  ~ControlThreadTest() override {
    control_.stop();
    remove_control_socket(path_);
  }

  void adopt() {
    auto config = std::make_unique<config::Config>();
    config->servers.push_back(std::make_unique<config::Server>());
    auto spec = std::make_shared<balance::BalancerSpec>();
    spec->name = "balancer://app";
    CHECK(balance::set_balancer_parameter(*spec, "stickysession", "sid"));
    for (const char* url : {"http://m1:8080", "http://m2:8080"}) {
      balance::MemberSpec member;
      CHECK(balance::parse_member_url(member, url));
      spec->members.push_back(std::move(member));
    }
    config->servers[0]->balancers.push_back(std::move(spec));
    generation_ = states_.bind(std::move(config), std::chrono::steady_clock::now());
    control_.adopt(generation_);
  }

  Descriptor connect() {
    auto connected = connect_to_control_socket(path_);
    EXPECT_TRUE(connected) << connected.error();
    return std::move(*connected);
  }

  static std::string receive(const Descriptor& line) {
    std::string answer;
    char byte = 0;
    while (::recv(line.number(), &byte, 1, 0) == 1 && byte != '\n') answer += byte;
    return answer;
  }

  static std::string ask(const Descriptor& line, std::string text) {
    text += '\n';
    EXPECT_EQ(::send(line.number(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return receive(line);
  }

  const ScratchDirectory scratch_;
  const std::string path_ = scratch_.file("ctl");
  LogWriter writer_;
  LogRegistry registry_{writer_};
  proxy::StateRegistry states_;
  std::shared_ptr<const proxy::Generation> generation_;
  proxy::ShardGroup group_;
  ControlThread control_{group_, writer_, registry_, [](const auto& /*generation*/) {}};
};

TEST_F(ControlThreadTest, answers_and_keeps_orders_over_a_reload) {
  const Descriptor line = connect();
  EXPECT_THAT(ask(line, R"({"command":"members"})"), StartsWith(R"({"ok":true)"));
  EXPECT_THAT(ask(line, R"({"command":"drain","balancer":"app","member":"m1:8080","deadline":1})"),
              HasSubstr("Init Drn Ok"));
  adopt();
  EXPECT_THAT(ask(line, R"({"command":"wait","balancer":"app","member":"m1:8080"})"),
              HasSubstr(R"("state":"drained")"));
  EXPECT_THAT(ask(line, R"({"command":"members"})"), HasSubstr("Init Drn Stop"));
}

TEST_F(ControlThreadTest, has_so_many_connections_and_tells_the_next_why_not) {
  std::vector<Descriptor> lines;
  for (std::size_t i = 0; i < ControlThread::connections_max; ++i) {
    lines.push_back(connect());
    EXPECT_THAT(ask(lines.back(), "{}"), HasSubstr("no \\\"command\\\""));
  }
  EXPECT_THAT(receive(connect()), HasSubstr("32 connections are open already"));
  lines.pop_back();
  // The place is free as soon as the server noticed.
  std::string answer;
  do {
    const Descriptor line = connect();
    (void)::send(line.number(), "{}\n", 3, MSG_NOSIGNAL);
    answer = receive(line);
  } while (answer.contains("already"));
  EXPECT_THAT(answer, HasSubstr("no \\\"command\\\""));
}

TEST_F(ControlThreadTest, somebody_who_does_not_read_holds_nobody_up) {
  const Descriptor silent = connect();
  const std::string members = "{\"command\":\"members\"}\n";
  while (::send(silent.number(), members.data(), members.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
  }
  EXPECT_THAT(ask(connect(), R"({"command":"members"})"), StartsWith(R"({"ok":true)"));
}

TEST_F(ControlThreadTest, many_speak_at_once) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      const Descriptor line = connect();
      for (int i = 0; i < 50; ++i) {
        const std::string member = i % 2 == 0 ? "m1:8080" : "m2:8080";
        const std::string names = R"(,"balancer":"app","member":")" + member + "\"}";
        EXPECT_THAT(ask(line, thread % 2 == 0 ? R"({"command":"drain")" + names
                                              : R"({"command":"members"})"),
                    StartsWith(R"({"ok":true)"));
      }
    });
  }
  for (int i = 0; i < 20; ++i) adopt();
}

TEST_F(ControlThreadTest, pages_are_answered_before_and_after_the_socket_is_closed) {
  const auto ask_page = [this] {
    std::promise<proxy::DeskAnswer> answered;
    proxy::DeskQuestion question;
    question.responder = config::Responder::balancer_manager;
    question.generation = generation_;
    question.path = "/manager";
    control_.ask(question, [&](proxy::DeskAnswer answer) { answered.set_value(answer); });
    return answered.get_future().get();
  };
  const Descriptor line = connect();
  EXPECT_THAT(ask_page().body, HasSubstr("balancer://app"));
  control_.close_socket();
  EXPECT_EQ(receive(line), "");
  EXPECT_FALSE(connect_to_control_socket(path_));
  EXPECT_EQ(ask_page().status, 200);
  control_.close_socket();
}

TEST_F(ControlThreadTest, the_end_ends_who_waits) {
  const Descriptor line = connect();
  ask(line, R"({"command":"drain","balancer":"app","member":"m1:8080","deadline":"1h"})");
  const std::string wait = "{\"command\":\"wait\",\"balancer\":\"app\",\"member\":\"m1:8080\"}\n";
  ASSERT_GT(::send(line.number(), wait.data(), wait.size(), MSG_NOSIGNAL), 0);
  control_.stop();
  EXPECT_EQ(receive(line), "");
}

}  // namespace
}  // namespace steelyard::server
