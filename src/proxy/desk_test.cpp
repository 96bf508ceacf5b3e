#include "proxy/desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/limits.hpp"
#include "proxy/test_world.hpp"

// Requests that a desk answers (SetHandler balancer-manager and the like), on the simulated
// network.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct FakeDesk final : Desk {
  void ask(DeskQuestion question, Reply reply) override {
    questions.push_back(std::move(question));
    replies.push_back(std::move(reply));
  }
  std::vector<DeskQuestion> questions;
  std::vector<Reply> replies;
};

class AtTheDesk : public ::testing::Test {
 protected:
  AtTheDesk() {
    auto config = TestWorld::make_config(1, {});
    config->servers[0]->defaults.responder = config::Responder::balancer_manager;
    config->servers[0]->routes = {};
    config->servers[0]->aliases = {"shop.example", "x", "a"};
    world_.adopt(std::move(config));
    world_.group.desk = &desk_;
  }
  static std::string post(std::string_view body) {
    return "POST /manager/x?a=b HTTP/1.1\r\nHost: shop.example:81\r\nReferer: http://shop.example/"
           "\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  FakeDesk desk_;
  TestWorld world_;
};

TEST_F(AtTheDesk, is_told_what_was_asked) {
  const auto client = world_.connect();
  world_.say(*client, post("w_lf=2"));
  ASSERT_EQ(desk_.questions.size(), 1);
  const DeskQuestion& question = desk_.questions[0];
  EXPECT_EQ(question.responder, config::Responder::balancer_manager);
  EXPECT_EQ(question.method, http::Method::post);
  EXPECT_EQ(question.path, "/manager/x");
  EXPECT_EQ(question.query, "a=b");
  EXPECT_EQ(question.body, "w_lf=2");
  EXPECT_FALSE(question.body_is_cut);
  EXPECT_EQ(question.public_name, "shop.example");
  EXPECT_EQ(question.public_port, 81);
  ASSERT_NE(question.field("referer"), nullptr);
  EXPECT_EQ(*question.field("REFERER"), "http://shop.example/");
  EXPECT_EQ(question.field("X-None"), nullptr);
}

// httpd asks mod_proxy first. What only Steelyard has is there wherever it is written.
TEST_F(AtTheDesk, hears_nothing_of_what_a_route_leads_to_a_member) {
  using enum config::Responder;
  for (const auto responder : {balancer_manager, server_status, metrics, api}) {
    auto config = TestWorld::make_config(1, {});
    config->servers[0]->defaults.responder = responder;
    config->servers[0]->aliases = {"x"};
    world_.adopt(std::move(config));
    const auto client = world_.connect();
    world_.say(*client, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
    const bool is_members = responder == balancer_manager || responder == server_status;
    EXPECT_EQ(desk_.questions.empty(), is_members);
    EXPECT_EQ(world_.members[0].heard().empty(), !is_members);
    desk_.questions.clear();
  }
}

TEST_F(AtTheDesk, an_answer_reaches_its_client_and_the_connection_goes_on) {
  const auto client = world_.connect();
  world_.say(*client, post("w_lf=2"));
  EXPECT_EQ(client->take_all(), "");
  desk_.replies[0]({.status = 200,
                    .content_type = "text/html",
                    .body = "<p>done</p>",
                    .fields = {{"Cache-Control", "no-store"}}});
  world_.loop.settle();
  EXPECT_THAT(client->take_all(),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nContent-Type: text/html\r\n"),
                    HasSubstr("\r\nCache-Control: no-store\r\n"), EndsWith("\r\n\r\n<p>done</p>")));
  world_.say(*client, post(""));
  EXPECT_EQ(desk_.questions.size(), 2);
}

TEST_F(AtTheDesk, who_knows_no_name_of_the_server_is_not_let_in) {
  for (const char* const host : {"evil.example", "192.0.2.1", "[2001:db8::1]:80"}) {
    const auto client = world_.connect();
    world_.say(*client, "GET /m HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 403 Forbidden\r\n")) << host;
  }
  EXPECT_EQ(desk_.questions.size(), 0);
}

TEST_F(AtTheDesk, a_status_without_a_text_gets_the_usual_page) {
  const auto client = world_.connect();
  world_.say(*client, post(""));
  desk_.replies[0]({.status = 400});
  world_.loop.settle();
  EXPECT_THAT(client->take_all(),
              AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("<h1>Bad Request</h1>")));
}

TEST_F(AtTheDesk, of_a_form_a_thousand_bytes_count) {
  const auto client = world_.connect();
  world_.say(*client, post(std::string(form_bytes_max + 1, 'a')));
  ASSERT_EQ(desk_.questions.size(), 1);
  EXPECT_EQ(desk_.questions[0].body, std::string(form_bytes_max, 'a'));
  EXPECT_TRUE(desk_.questions[0].body_is_cut);
}

TEST_F(AtTheDesk, an_answer_to_a_client_that_left_goes_nowhere) {
  {
    const auto client = world_.connect();
    world_.say(*client, post(""));
    world_.shard->stop();
  }
  ASSERT_EQ(desk_.replies.size(), 1);
  desk_.replies[0]({.status = 200, .content_type = "text/plain", .body = "late"});
  world_.loop.settle();
}

TEST_F(AtTheDesk, other_methods_are_answered_as_if_there_were_no_page) {
  for (const auto& [method, status] : {std::pair("PUT", "405"), std::pair("PROPFIND", "405"),
                                       std::pair("BREW", "501"), std::pair("OPTIONS", "200")}) {
    const auto client = world_.connect();
    world_.say(*client, std::string(method) + " /manager HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(client->take_all(), AllOf(StartsWith("HTTP/1.1 " + std::string(status)),
                                          HasSubstr("Allow: GET,HEAD,OPTIONS,POST,TRACE")));
  }
  EXPECT_TRUE(desk_.questions.empty());
}

TEST_F(AtTheDesk, what_is_left_open_is_for_clients_on_this_machine) {
  const auto status_of = [this](std::string_view fields, IpAddress from) {
    io::SimPair pair = io::connect_pair(world_.loop, {});
    world_.shard->accept(std::move(pair.program), {from, 40000});
    world_.say(*pair.peer, "GET /manager HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    const std::string answer = pair.peer->take_all();
    return answer.empty() ? "asked" : answer.substr(9, 3);
  };
  const IpAddress here = *IpAddress::parse("127.0.0.9");
  const IpAddress elsewhere = *IpAddress::parse("192.0.2.1");
  EXPECT_EQ(status_of("", here), "asked");
  EXPECT_EQ(status_of("", *IpAddress::parse("::1")), "asked");
  EXPECT_EQ(status_of("", elsewhere), "403");
  EXPECT_EQ(status_of("X-Forwarded-For: 192.0.2.1\r\n", here), "403");
  EXPECT_EQ(status_of("forwarded: for=192.0.2.1\r\n", here), "403");
  EXPECT_EQ(status_of("Via: 1.1 front\r\n", here), "403");
  EXPECT_EQ(desk_.questions.size(), 2);
  EXPECT_THAT(world_.log_.error_lines,
              testing::Contains(HasSubstr("balancer-manager is left open to everybody")));
}

TEST_F(AtTheDesk, a_require_that_asks_something_lets_in_whom_it_names) {
  auto config = TestWorld::make_config(1, {});
  config->servers[0]->defaults.responder = config::Responder::balancer_manager;
  config->servers[0]->routes = {};
  expr::RequireBuilder builder;
  const std::vector<std::string> words{"ip", "0.0.0.0/0", "::/0"};
  ASSERT_TRUE(builder.require(words));
  config->servers[0]->defaults.require = *builder.finish();
  world_.adopt(std::move(config));
  io::SimPair pair = io::connect_pair(world_.loop, {});
  world_.shard->accept(std::move(pair.program), {*IpAddress::parse("192.0.2.1"), 40000});
  world_.say(*pair.peer, "GET /manager HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(desk_.questions.size(), 1);
}

TEST_F(AtTheDesk, a_desk_that_never_answers_is_503) {
  const auto client = world_.connect();
  world_.say(*client, post(""));
  world_.loop.advance(desk_patience);
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
}

class Listener : public AtTheDesk {
 protected:
  std::unique_ptr<io::SimStream> listen(std::string_view version = "1.1") {
    auto client = world_.connect();
    world_.say(*client, "GET /m HTTP/" + std::string(version) + "\r\nHost: x\r\n\r\n");
    desk_.replies.back()(
        {.status = 200, .content_type = "text/event-stream", .body = "first\n", .feed = feed_});
    world_.loop.settle();
    return client;
  }
  std::string said(std::string_view text) {
    feed_->say(text);
    world_.loop.settle();
    return {};
  }
  const std::shared_ptr<Feed> feed_ = std::make_shared<Feed>();
};

TEST_F(Listener, hears_each_word_when_it_is_said) {
  const auto client = listen();
  EXPECT_THAT(client->take_all(),
              AllOf(HasSubstr("\r\nTransfer-Encoding: chunked\r\n"),
                    HasSubstr("\r\nContent-Type: text/event-stream\r\n"),
                    Not(HasSubstr("Content-Length")), EndsWith("\r\n\r\n6\r\nfirst\n\r\n")));
  said("data: 1\n\n");
  EXPECT_EQ(client->take_all(), "9\r\ndata: 1\n\n\r\n");
  said("data: 2\n\n");
  EXPECT_EQ(client->take_all(), "9\r\ndata: 2\n\n\r\n");
  world_.loop.advance(std::chrono::hours(1));
  EXPECT_TRUE(feed_->is_heard());
  feed_->end();
  world_.loop.settle();
  EXPECT_EQ(client->take_all(), "0\r\n\r\n");
  // The connection goes on.
  world_.say(*client, post(""));
  EXPECT_EQ(desk_.questions.size(), 2);
}

TEST_F(Listener, of_an_old_version_hears_until_the_connection_ends) {
  const auto client = listen("1.0");
  said("more");
  EXPECT_THAT(client->take_all(),
              AllOf(Not(HasSubstr("chunked")), EndsWith("\r\n\r\nfirst\nmore")));
  feed_->end();
  world_.loop.settle();
  EXPECT_TRUE(client->ended());
}

TEST_F(Listener, who_leaves_is_noticed_without_a_word) {
  auto client = listen();
  EXPECT_TRUE(feed_->is_heard());
  client.reset();
  world_.loop.settle();
  EXPECT_FALSE(feed_->is_heard());
  EXPECT_FALSE(feed_->say("late"));
  EXPECT_THAT(world_.log_.access_lines, testing::SizeIs(1));
}

TEST_F(Listener, who_does_not_keep_up_is_let_go) {
  const auto client = listen();
  const std::string much(100'000, 'x');
  int said_times = 0;
  while (said_times < 1000 && feed_->say(much)) ++said_times;
  EXPECT_EQ(said_times, Feed::waiting_bytes_max / much.size());
}

TEST_F(Listener, a_shard_that_stops_lets_the_feed_go) {
  const auto client = listen();
  world_.shard->stop();
  EXPECT_FALSE(feed_->is_heard());
  EXPECT_FALSE(feed_->say("late"));
}

TEST_F(Listener, of_the_head_alone_hears_no_more) {
  const auto client = world_.connect();
  world_.say(*client, "HEAD /m HTTP/1.1\r\nHost: x\r\n\r\n");
  desk_.replies.back()({.status = 200, .content_type = "text/event-stream", .feed = feed_});
  world_.loop.settle();
  EXPECT_THAT(client->take_all(), EndsWith("\r\n\r\n"));
  EXPECT_FALSE(feed_->is_heard());
}

TEST_F(AtTheDesk, without_a_desk_it_is_503) {
  world_.group.desk = nullptr;
  const auto client = world_.connect();
  world_.say(*client, post(""));
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
