#include "config/route.hpp"

#include <gtest/gtest.h>

#include <tuple>

#include "config/config.hpp"
#include "config/path_prefix.hpp"
#include "config/servlet_path.hpp"

namespace steelyard::config {
namespace {

using Kind = RouteMatch::Kind;

Route prefix(std::string path, std::string target) {
  Route route;
  route.path = std::move(path);
  route.excludes = target == "!";
  route.target = std::move(target);
  return route;
}

Route pattern(std::string_view regex, std::string target) {
  Route route = prefix({}, std::move(target));
  route.regex = *Regex::compile(regex);
  return route;
}

class Routes : public testing::Test {
 protected:
  // The URL that a path leads to; "-" when no route matches, "!" when one excludes it.
  std::string to(std::string_view path, std::string_view raw = {}) {
    last_ = find_route(server_, settings_, {path, raw.empty() ? path : raw, environment_}, arena_);
    return text_of(last_);
  }
  std::string to_encoded(std::string_view raw) {
    last_ = find_encoded_route(server_, settings_, {{}, raw, nullptr}, arena_);
    return text_of(last_);
  }
  static std::string text_of(const RouteMatch& match) {
    if (match.kind == Kind::none) return "-";
    return match.kind == Kind::excluded ? "!" : std::string(match.url);
  }

  Arena arena_;
  Server server_;
  PathSettings settings_;
  RouteMatch last_;
  const expr::Environment* environment_ = nullptr;
};

TEST(PathPrefix, ends_where_a_component_ends) {
  EXPECT_EQ(prefix_length("/a", "/a"), 2);
  EXPECT_EQ(prefix_length("/a", "/a/x"), 2);
  EXPECT_EQ(prefix_length("/a", "/ab"), std::nullopt);
  EXPECT_EQ(prefix_length("/a/", "/a"), std::nullopt);
  EXPECT_EQ(prefix_length("/a/", "/a/x"), 3);
  EXPECT_EQ(prefix_length("/A", "/a"), std::nullopt);
  EXPECT_EQ(prefix_length("/", "/x"), 1);
}

TEST(PathPrefix, a_run_of_slashes_covers_any_run) {
  EXPECT_EQ(prefix_length("/a//b", "/a/b"), 4);
  EXPECT_EQ(prefix_length("/a/b", "//a///b/c"), 7);
  EXPECT_EQ(prefix_length("/a/", "/a//x"), 4);
}

TEST_F(Routes, q42_the_first_match_wins_not_the_longest) {
  server_.routes = {prefix("/a", "http://b1"), prefix("/a/deep", "http://b2")};
  EXPECT_EQ(to("/a/deep"), "http://b1/deep");
}

TEST_F(Routes, q43_a_prefix_ends_at_a_slash) {
  server_.routes = {prefix("/a", "http://b1"), prefix("/b/", "http://b1/")};
  EXPECT_EQ(to("/a"), "http://b1");
  EXPECT_EQ(to("/a/x"), "http://b1/x");
  EXPECT_EQ(to("/ab"), "-");
  EXPECT_EQ(to("/b"), "-");
  EXPECT_EQ(to("/b/"), "http://b1/");
}

TEST_F(Routes, q44_target_and_rest_are_glued_as_text) {
  server_.routes = {prefix("/x/", "http://b1"), prefix("/x", "http://b1/")};
  EXPECT_EQ(to("/x/foo"), "http://b1foo");
  server_.routes = {prefix("/x", "http://b1/")};
  EXPECT_EQ(to("/x/foo"), "http://b1//foo");
}

TEST_F(Routes, q45_a_route_in_a_location_beats_the_servers_list) {
  server_.routes = {prefix("/", "http://b1/")};
  Route inner = prefix({}, "http://b2");
  inner.location = "/a";
  settings_.route = std::make_shared<Route>(inner);
  EXPECT_EQ(to("/a"), "http://b2");
  EXPECT_EQ(to("/a/x"), "http://b2/x");
}

TEST_F(Routes, q127_an_exclusion_in_a_location_ends_the_search) {
  server_.routes = {prefix("/", "http://b1/")};
  Route inner = prefix({}, "!");
  inner.location = "/a/b";
  settings_.route = std::make_shared<Route>(inner);
  EXPECT_EQ(to("/a/b"), "!");
}

TEST_F(Routes, q64_an_exclusion_counts_only_in_front) {
  server_.routes = {prefix("/", "http://b1/"), prefix("/x", "!")};
  EXPECT_EQ(to("/x"), "http://b1/x");
  server_.routes = {prefix("/x", "!"), prefix("/", "http://b1/")};
  EXPECT_EQ(to("/x"), "!");
  EXPECT_EQ(to("/y"), "http://b1/y");
}

TEST_F(Routes, q94_a_regex_target_without_reference_takes_the_whole_path) {
  server_.routes = {pattern("^/a", "http://b1/t")};
  EXPECT_EQ(to("/a/foo"), "http://b1/t/a/foo");
}

TEST_F(Routes, a_regex_target_with_reference_takes_nothing_more) {
  server_.routes = {pattern("^/a/(.*)\\.do$", "http://b1/$1?x=\\$1")};
  EXPECT_EQ(to("/a/foo.do"), "http://b1/foo?x=$1");
  EXPECT_EQ(to("/a/foo"), "-");
}

TEST_F(Routes, q52_nocanon_sends_the_raw_path) {
  server_.routes = {prefix("/a", "http://b1")};
  server_.routes.own(0).raw_path = true;
  EXPECT_EQ(to("/a/A~[.", "/a/%41%7e%5b%2e"), "http://b1/%41%7e%5b%2e");
  EXPECT_TRUE(last_.canonical);
  EXPECT_FALSE(last_.raw_path_refused);
}

TEST_F(Routes, nocanon_gives_way_when_the_raw_path_matches_otherwise) {
  server_.routes = {prefix("/a", "http://b1")};
  server_.routes.own(0).raw_path = true;
  EXPECT_EQ(to("/a/x", "/%61/x"), "http://b1/x");
  EXPECT_FALSE(last_.canonical);
  EXPECT_TRUE(last_.raw_path_refused);
}

TEST_F(Routes, nocanon_compares_the_raw_path_with_its_query) {
  for (const auto& [prefix, path, canonical] :
       {std::tuple("/a", "/a", false), std::tuple("/a", "/a/b", true),
        std::tuple("/a/", "/a/", true)}) {
    Route route;
    route.path = prefix;
    route.target = "http://h/x";
    route.raw_path = true;
    Arena arena;
    const RouteMatch match =
        match_route(route, {.path = path, .raw_path = path, .query = "?q"}, arena);
    EXPECT_EQ(match.canonical, canonical) << prefix << ' ' << path;
    EXPECT_EQ(match.raw_path_refused, !canonical);
  }
}

TEST_F(Routes, nocanon_with_a_regex_substitutes_raw_groups) {
  server_.routes = {pattern("^/a/(.*)$", "http://b1/$1")};
  server_.routes.own(0).raw_path = true;
  EXPECT_EQ(to("/a/x y", "/a/x%20y"), "http://b1/x%20y");
  EXPECT_TRUE(last_.canonical);
}

TEST_F(Routes, interpolation_replaces_variables_in_both_texts) {
  expr::Environment environment;
  environment.set("APP", "shop");
  environment_ = &environment;
  server_.routes = {prefix("/${APP}", "http://${APP}.b1/${NONE}x")};
  EXPECT_EQ(to("/shop/1"), "-");
  server_.routes.own(0).interpolate = true;
  EXPECT_EQ(to("/shop/1"), "http://shop.b1/x/1");
}

TEST_F(Routes, a_path_without_leading_slash_matches_nothing) {
  server_.routes = {pattern(".*", "http://b1")};
  EXPECT_EQ(to("*"), "-");
}

TEST_F(Routes, encoded_routes_are_asked_only_before_decoding) {
  server_.routes = {prefix("/enc", "http://b1/e"), prefix("/", "http://b1/p/")};
  server_.routes.own(0).mapping = PathMapping::encoded;
  EXPECT_EQ(to("/enc/x"), "http://b1/p/enc/x");
  EXPECT_EQ(to_encoded("/enc/a%2fb%20c%41"), "http://b1/e/a%2fb%20cA");
  EXPECT_TRUE(last_.canonical);
  EXPECT_EQ(last_.path, "/enc/a%2fb%20cA");
  EXPECT_EQ(to_encoded("/enc/../q"), "-");
  EXPECT_EQ(to_encoded("/plain"), "-");
}

// Each line was seen on httpd 2.4.71.
TEST_F(Routes, q146_servlet_mapping_compares_segments_without_parameters) {
  server_.routes = {prefix("/srv", "http://b/srv"), prefix("/sl/", "http://b/SL/"),
                    prefix("/one/two", "http://b/12")};
  for (std::size_t i = 0; i < server_.routes.size(); ++i) {
    server_.routes.own(i).mapping = PathMapping::servlet;
  }
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/srv", "http://b/srv"},
      {"/srv;v=1", "http://b/srv"},
      {"/srv/", "http://b/srv/"},
      {"/srv;v=1/", "http://b/srv/"},
      {"/srv/c", "http://b/srv/c"},
      {"/srv;v=1/c", "http://b/srv;v=1/c"},
      {"/srv;v=1/a;b=2/../c;d=3", "http://b/srv;v=1/c;d=3"},
      {"/srv/a/..;x/c", "http://b/srv/c"},
      {"/srv/a/.;x/c", "http://b/srv/a/.;x/c"},
      {"/srv/;x/c", "http://b/srv/;x/c"},
      {"/srv/a/..;x", "http://b/srv"},
      {"/x;q/../srv;p/z", "http://b/srv;p/z"},
      {"/q/..;a/srv;b/z/", "http://b/srv;b/z/"},
      {"/srvx", "-"},
      {"/srv/..;x=1/c", "-"},
      {"/srv/..;/..;/c", "-"},
      {"/sl", "-"},
      {"/sl/", "http://b/SL/"},
      {"/sl;x/a", "http://b/SL/a"},
      {"/sl;x/", "http://b/SL/"},
      {"/one;a/two;b/c;d", "http://b/12;b/c;d"},
      {"/one;a/two", "http://b/12"},
      {"/one;a/two;b", "http://b/12"},
      {"/one/two/", "http://b/12/"},
  };
  for (const auto& [path, url] : cases) EXPECT_EQ(to_encoded(path), url) << path;
}

TEST_F(Routes, after_servlet_mapping_the_path_has_no_parameters) {
  server_.routes = {prefix("/srv", "http://b/srv")};
  server_.routes.own(0).mapping = PathMapping::servlet;
  EXPECT_EQ(to_encoded("/srv;v=1/a;b=2/x/..;q/c;d=3"), "http://b/srv;v=1/a;b=2/x/..;q/c;d=3");
  EXPECT_EQ(last_.path, "/srv/a/c");
}

TEST_F(Routes, servlet_exclusions_exclude) {
  server_.routes = {prefix("/srv", "!")};
  server_.routes.own(0).mapping = PathMapping::servlet;
  EXPECT_EQ(to_encoded("/srv;v/x"), "!");
}

}  // namespace
}  // namespace steelyard::config
