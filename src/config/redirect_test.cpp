#include "config/redirect.hpp"

#include <gtest/gtest.h>

namespace steelyard::config {
namespace {

class Redirects : public testing::Test {
 protected:
  // "302 http://..." or "-".
  std::string answer(std::string_view path, std::optional<std::string_view> query = {}) {
    RedirectRequest request;
    request.path = path;
    request.query = query.value_or("");
    request.has_query = query.has_value();
    request.origin = origin_;
    const auto found = find_redirect(redirects_, request, arena_);
    if (!found) return "-";
    return std::to_string(found->status) + ' ' + std::string(found->location);
  }

  Arena arena_;
  std::string_view origin_ = "http://lb.test";
  std::vector<Redirect> redirects_;
};

TEST_F(Redirects, the_rest_of_the_path_and_the_query_follow) {
  redirects_ = {{.path = "/a", .target = "http://other/x", .status = 301}};
  EXPECT_EQ(answer("/a/b c", "q=1"), "301 http://other/x/b%20c?q=1");
  EXPECT_EQ(answer("/ab"), "-");
  EXPECT_EQ(answer("/a/[\xc3\xa9"), "301 http://other/x/%5b%c3%a9");
}

TEST_F(Redirects, a_target_with_a_query_keeps_its_own) {
  redirects_ = {{.path = "/a", .target = "http://other/?x=1"}};
  EXPECT_EQ(answer("/a", "q=1"), "302 http://other/?x=1");
}

TEST_F(Redirects, a_path_target_is_made_absolute) {
  redirects_ = {{.path = "/a", .target = "/b"}};
  EXPECT_EQ(answer("/a/c"), "302 http://lb.test/b/c");
}

TEST_F(Redirects, a_path_target_stays_one_without_an_origin) {
  redirects_ = {{.path = "/a", .target = "/b"}};
  origin_ = {};
  EXPECT_EQ(answer("/a/c", "q=1"), "302 /b/c?q=1");
}

TEST_F(Redirects, a_regex_inserts_groups_and_leaves_the_query_unescaped) {
  Redirect redirect;
  redirect.regex = *Regex::compile("^/a/(.*)$");
  redirect.target = "http://other/$1?from=[$1]";
  redirects_ = {redirect};
  EXPECT_EQ(answer("/a/x y"), "302 http://other/x%20y?from=[x y]");
}

TEST_F(Redirects, a_status_outside_3xx_has_no_location) {
  redirects_ = {{.path = "/gone", .status = 410}};
  EXPECT_EQ(answer("/gone/x", "q"), "410 ");
}

TEST_F(Redirects, one_for_the_whole_section_is_asked_first) {
  redirects_ = {{.path = "/a", .target = "http://path/"}, {.target = "http://section/"}};
  EXPECT_EQ(answer("/a"), "302 http://section/");
}

TEST(ErrorDocuments, the_standard_page_is_no_document) {
  PathSettings settings;
  settings.error_documents[404];
  settings.error_documents[503] = {.kind = ErrorDocument::Kind::local_path, .target = "/sorry"};
  EXPECT_EQ(find_error_document(settings, 404), nullptr);
  EXPECT_EQ(find_error_document(settings, 500), nullptr);
  ASSERT_NE(find_error_document(settings, 503), nullptr);
  EXPECT_EQ(find_error_document(settings, 503)->target, "/sorry");
}

TEST(ErrorDocuments, a_status_that_httpd_does_not_know_has_that_of_500) {
  PathSettings settings;
  settings.error_documents[500] = {.kind = ErrorDocument::Kind::local_path, .target = "/broken"};
  ASSERT_NE(find_error_document(settings, 418), nullptr);
  EXPECT_EQ(find_error_document(settings, 599)->target, "/broken");
  EXPECT_EQ(find_error_document(settings, 404), nullptr);
}

}  // namespace
}  // namespace steelyard::config
