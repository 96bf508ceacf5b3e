#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "proxy/test_world.hpp"

// ErrorDocument with a path, whose answer comes from a member: a second way through routing and
// forwarding for one request of the client.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view not_found = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";
// Too long to lie in the string object itself, where freed memory would keep it readable.
constexpr std::string_view document = "/document/of/the/section?asked-for=what-is-not-there";

// ProxyPass / balancer://app/, and a <Location /> that has its own documents for members' errors.
std::unique_ptr<config::Config> make_config(int members,
                                            const config::ErrorDocument& own = {
                                                .kind = config::ErrorDocument::Kind::local_path,
                                                .target = std::string(document)}) {
  auto config = TestWorld::make_config(members, {});
  config::Server& server = *config->servers[0];
  config::Section section;
  section.pattern = "/";
  section.settings.error_override = config::ErrorOverride{.on = true, .statuses = {404}};
  section.settings.error_documents[404] = own;
  server.locations.push_back(std::move(section));
  return config;
}

struct ErrorDocuments : testing::Test {
  ErrorDocuments() { world.adopt(make_config(1)); }
  void ask() {
    world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(world.members[0].heard(), StartsWith("GET /a HTTP/1.1\r\n"));
  }

  TestWorld world{2};
  std::unique_ptr<io::SimStream> client = world.connect();
};

TEST_F(ErrorDocuments, are_asked_for_by_get_and_keep_the_status_of_the_error) {
  ask();
  world.say(world.members[0].last(), not_found);
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET " + std::string(document) + " HTTP/1.1"));
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

// The first round's settings lie in a cache that forgets at a reload, the names of its member in a
// lease that ends before the second round.
TEST_F(ErrorDocuments, what_the_first_round_said_outlives_a_reload_and_the_member) {
  auto config = make_config(1);
  config->servers[0]->access_logs[0].format =
      *expr::LogFormat::compile("%U|%{REDIRECT_URL}e|%{REDIRECT_BALANCER_WORKER_NAME}e");
  world.adopt(std::move(config));
  ask();
  auto later = make_config(2);
  auto spec = std::make_shared<balance::BalancerSpec>(*later->servers[0]->balancers[0]);
  spec->members.erase(spec->members.begin());
  later->servers[0]->balancers[0] = spec;
  later->servers[0]->locations = {};
  world.adopt(std::move(later));
  world.say(world.members[0].last(), not_found);
  EXPECT_THAT(world.members[1].heard(), StartsWith("GET " + std::string(document) + " HTTP/1.1"));
  world.say(world.members[1].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(world.log_.access_lines, ElementsAre("/a|-|http://m1"));
}

TEST_F(ErrorDocuments, one_that_breaks_off_in_its_body_ends_the_clients_connection) {
  ask();
  world.say(world.members[0].last(), not_found);
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf of");
  world.say(*client, "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  world.members[0].connections.clear();
  world.loop.settle();
  EXPECT_THAT(client->take_all(), HasSubstr("half of"));
  EXPECT_TRUE(client->ended());
  EXPECT_TRUE(world.members[0].connections.empty()) << "nothing behind it is looked at";
  EXPECT_EQ(world.log_.access_lines.size(), 1U);
}

TEST_F(ErrorDocuments, one_that_asks_for_the_clients_name_is_served_to_it) {
  auto config = make_config(1);
  config::Section guarded;
  guarded.pattern = "/document";
  expr::RequireBuilder builder;
  const std::string words[] = {"host", "localhost"};
  ASSERT_TRUE(builder.require(words));
  guarded.settings.require = *builder.finish();
  config->servers[0]->locations.push_back(std::move(guarded));
  world.adopt(std::move(config));
  ask();
  world.say(world.members[0].last(), not_found);
  ASSERT_THAT(world.members[0].heard(), StartsWith("GET /document/"));
  world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_THAT(client->take_all(), Not(HasSubstr("Additionally")));
}

// httpd: the page of the first error names that error again.
TEST_F(ErrorDocuments, a_redirect_is_none) {
  auto config = make_config(1);
  config->servers[0]->routes = {};
  config->servers[0]->redirects.push_back({.path = "/document", .target = "http://other.test"});
  world.adopt(std::move(config));
  world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client->take_all(),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"),
                    HasSubstr("Additionally, a 404 Not Found\n"), Not(HasSubstr("Location"))));
}

// And goes on as it is (nocanon), so that what it holds must not end the line.
TEST_F(ErrorDocuments, a_path_is_worked_out_for_each_request) {
  auto config = make_config(1);
  config::Route route = config->servers[0]->routes[0];
  route.raw_path = true;
  config->servers[0]->routes = {};
  config->servers[0]->routes.push_back(std::move(route));
  config::Section section;
  section.pattern = "/";
  section.settings.error_documents[404] = {
      .kind = config::ErrorDocument::Kind::local_path,
      .text = std::make_shared<const expr::StringExpression>(
          *expr::StringExpression::compile("/doc%{REQUEST_URI}"))};
  config->servers[0]->locations.push_back(std::move(section));
  world.adopt(std::move(config));
  world.say(*client, "GET /a%0D%0Ab HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /a%0D%0Ab HTTP/1.1\r\n"));
  world.say(world.members[0].last(), not_found);
  EXPECT_THAT(world.members[0].heard(), StartsWith("GET /doc/a%0D%0Ab HTTP/1.1\r\n"));
}

// httpd: it is a URL.
TEST_F(ErrorDocuments, what_a_variable_says_counts_as_if_it_stood_in_the_file) {
  const std::array<std::pair<std::string_view, std::string_view>, 6> cases{{
      {"a#b", "/doc/a"},
      {"a#b?c", "/doc/a"},
      {"a?b#c", "/doc/a?b"},
      {"a?b c", "/doc/a?b%20c"},
      {"a%23b", "/doc/a%23b"},
      {"#", "/doc/"},
  }};
  for (const auto& [said, asked] : cases) {
    world.adopt(make_config(1, {.kind = config::ErrorDocument::Kind::local_path,
                                .text = std::make_shared<const expr::StringExpression>(
                                    *expr::StringExpression::compile("/doc/%{HTTP:X-A}"))}));
    world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(said) + "\r\n\r\n");
    EXPECT_THAT(world.members[0].heard(), StartsWith("GET /a HTTP/1.1\r\n"));
    world.say(world.members[0].last(), not_found);
    EXPECT_THAT(world.members[0].heard(), StartsWith("GET " + std::string(asked) + " HTTP/1.1\r\n"))
        << said;
    world.say(world.members[0].last(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_THAT(client->take_all(), StartsWith("HTTP/1.1 404 "));
  }
}

TEST_F(ErrorDocuments, no_fragment_is_asked_for) {
  world.adopt(
      make_config(1, {.kind = config::ErrorDocument::Kind::local_path, .target = "/doc#part?x"}));
  world.say(*client, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  world.say(world.members[0].last(), not_found);
  EXPECT_THAT(world.members[0].heard(), HasSubstr("GET /doc HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
