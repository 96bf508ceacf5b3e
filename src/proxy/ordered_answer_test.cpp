#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/test_world.hpp"

// Answers that a directive orders: Redirect and RewriteRule [R=] with a status that is no redirect.

namespace steelyard::proxy {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Words = std::vector<std::string>;

// Nothing is proxied: "Redirect 200 /health", "Header set X-Set s", "Header always set X-Always a".
std::unique_ptr<config::Config> make_config() {
  auto config = TestWorld::make_config(1, {});
  config::Server& server = *config->servers[0];
  server.routes = {};
  server.redirects.push_back({.path = "/health", .status = 200});
  server.redirects.push_back({.path = "/never", .status = 405});
  server.defaults.response_normal.push_back(
      *expr::HeaderRule::parse_response(Words{"set", "X-Set", "s"}));
  server.defaults.response_always.push_back(
      *expr::HeaderRule::parse_response(Words{"always", "set", "X-Always", "a"}));
  return config;
}

void name_document(config::Config& config, config::ErrorDocument::Kind kind, std::string target) {
  config.servers[0]->defaults.error_documents[200] = {.kind = kind, .target = std::move(target)};
}

struct OrderedAnswers : testing::Test {
  OrderedAnswers() : config(make_config()) {}
  std::string ask(std::string_view request) {
    if (config) world.adopt(std::move(config));
    const auto client = world.connect();
    world.say(*client, std::string(request) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client->take_all();
  }

  TestWorld world;
  std::unique_ptr<config::Config> config;
};

// httpd: as of an error, with what `Header always` adds and nothing else.
TEST_F(OrderedAnswers, a_200_is_a_page) {
  for (const std::string method : {"GET", "OPTIONS", "POST", "TRACE"}) {
    EXPECT_THAT(ask(method + " /health"),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nX-Always: a\r\n"),
                      HasSubstr("<title>200 OK</title>"), HasSubstr("charset=iso-8859-1\r\n"),
                      Not(HasSubstr("X-Set")), Not(HasSubstr("Allow"))))
        << method;
  }
  EXPECT_THAT(ask("HEAD /health"), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                         Not(HasSubstr("Content-Length")), EndsWith("\r\n\r\n")));
}

TEST_F(OrderedAnswers, a_200_has_the_text_of_its_document) {
  name_document(*config, config::ErrorDocument::Kind::text, "well");
  EXPECT_THAT(ask("GET /health"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nContent-Length: 4\r\n"),
                    EndsWith("\r\n\r\nwell")));
}

TEST_F(OrderedAnswers, a_200_that_was_served_has_no_document) {
  for (const auto kind :
       {config::ErrorDocument::Kind::text, config::ErrorDocument::Kind::local_path,
        config::ErrorDocument::Kind::url}) {
    config = make_config();
    name_document(*config, kind, "/else");
    EXPECT_THAT(ask("OPTIONS /none"),
                AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("\r\nX-Set: s\r\n"),
                      HasSubstr("\r\nAllow: GET,HEAD,OPTIONS,POST,TRACE\r\n"),
                      EndsWith("Content-Length: 0\r\n\r\n")));
  }
}

// httpd: the handler that would know was not asked. TRACE is the server's.
TEST_F(OrderedAnswers, a_405_knows_no_methods) {
  EXPECT_THAT(ask("GET /never"), HasSubstr("\r\nAllow: TRACE\r\n"));
  config = make_config();
  config->servers[0]->trace = config::TraceMode::off;
  EXPECT_THAT(ask("GET /never"), HasSubstr("\r\nAllow: \r\n"));
}

// httpd: neither was an error, so the second one speaks for itself.
TEST_F(OrderedAnswers, a_document_of_a_200_that_fails_names_its_own_error) {
  name_document(*config, config::ErrorDocument::Kind::local_path, "/none");
  EXPECT_THAT(ask("GET /health"),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), Not(HasSubstr("Additionally"))));
}

TEST_F(OrderedAnswers, a_page_names_no_charset_where_a_variable_says_so) {
  EXPECT_THAT(ask("GET /none"), HasSubstr("\r\nContent-Type: text/html; charset=iso-8859-1\r\n"));
  config = make_config();
  config->servers[0]->defaults.env.emplace_back("suppress-error-charset", "1");
  EXPECT_THAT(ask("GET /none"), HasSubstr("\r\nContent-Type: text/html\r\n"));
}

}  // namespace
}  // namespace steelyard::proxy
