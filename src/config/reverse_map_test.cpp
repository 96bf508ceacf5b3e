#include "config/reverse_map.hpp"

#include <gtest/gtest.h>

namespace steelyard::config {
namespace {

class ReverseMaps : public testing::Test {
 protected:
  std::string map(std::string_view value) {
    const ReverseContext context{server_, settings_, "http://lb.test:8080", environment_};
    return std::string(map_response_url(context, value, arena_));
  }
  void add(std::string external, std::string internal) {
    settings_.reverse_urls.push_back({std::move(internal), std::move(external), false});
  }

  Arena arena_;
  Server server_;
  PathSettings settings_;
  const expr::Environment* environment_ = nullptr;
};

TEST_F(ReverseMaps, what_fits_nothing_stays) {
  EXPECT_EQ(map("http://b1/z"), "http://b1/z");
  add("/b", "http://b2");
  EXPECT_EQ(map("http://b1/z"), "http://b1/z");
}

TEST_F(ReverseMaps, q138_the_entry_decides_not_the_request) {
  add("/b", "http://b1");
  EXPECT_EQ(map("http://b1/z"), "http://lb.test:8080/b/z");
}

TEST_F(ReverseMaps, the_first_entry_that_fits_wins_and_case_is_ignored) {
  add("/one", "http://b1/");
  add("/two", "http://b1/z");
  EXPECT_EQ(map("HTTP://B1/z"), "http://lb.test:8080/onez");
}

TEST_F(ReverseMaps, a_public_url_is_taken_as_it_is) {
  add("https://shop.example/", "http://b1/");
  EXPECT_EQ(map("http://b1/x"), "https://shop.example/x");
}

TEST_F(ReverseMaps, a_path_compares_with_the_path_only) {
  add("/pub", "/int");
  EXPECT_EQ(map("http://anyone:99/int/x"), "http://lb.test:8080/pub/x");
  EXPECT_EQ(map("/int/x"), "http://lb.test:8080/pub/x");
  EXPECT_EQ(map("http://anyone"), "http://anyone");
}

TEST_F(ReverseMaps, a_balancer_stands_for_each_of_its_members) {
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = "balancer://c";
  spec->members.resize(2);
  spec->members[0].name = "http://m1:81";
  spec->members[1].name = "http://m2/app/";
  server_.balancers.push_back(spec);
  add("/c", "balancer://c");
  EXPECT_EQ(map("http://m1:81/x"), "http://lb.test:8080/c/x");
  EXPECT_EQ(map("http://m2/app/x"), "http://lb.test:8080/cx");
  settings_.reverse_urls.clear();
  add("/bash", "balancer://c/bar");
  EXPECT_EQ(map("http://m2/app/bar/that"), "http://lb.test:8080/bash/that");
  EXPECT_EQ(map("http://m1:81/BAR/that"), "http://m1:81/BAR/that");
  settings_.reverse_urls.clear();
  add("/", "balancer://c/");
  EXPECT_EQ(map("http://m1:81/x"), "http://lb.test:8080/x");
}

TEST_F(ReverseMaps, interpolated_entries_follow_the_environment) {
  expr::Environment environment;
  environment.set("H", "b7");
  environment_ = &environment;
  settings_.reverse_urls.push_back({"http://${H}", "/p", true});
  EXPECT_EQ(map("http://b7/x"), "http://lb.test:8080/p/x");
}

TEST_F(ReverseMaps, q111_a_cookie_path_is_replaced_whole) {
  settings_.reverse_cookie_paths.push_back({"/b", "/a", false});
  const ReverseContext context{server_, settings_, "http://lb.test", nullptr};
  EXPECT_EQ(map_set_cookie(context, "k=v; path=/b/q", arena_), "k=v; path=/a");
  settings_.reverse_cookie_paths.clear();
  EXPECT_EQ(map_set_cookie(context, "k=v; path=/b/q", arena_), "k=v; path=/b/q");
}

}  // namespace
}  // namespace steelyard::config
