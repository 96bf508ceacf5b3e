#include "config/path_settings.hpp"

#include <gtest/gtest.h>

#include "base/arena.hpp"
#include "config/encoded_slashes.hpp"
#include "config/settings_cache.hpp"
#include "expr/table_facts.hpp"

namespace steelyard::config {
namespace {

Section section(Section::Kind kind, std::string pattern) {
  Section result;
  result.kind = kind;
  if (kind == Section::Kind::regex) result.regex = *Regex::compile(pattern);
  result.pattern = std::move(pattern);
  return result;
}

TEST(Sections, a_location_covers_whole_components) {
  const Section a = section(Section::Kind::prefix, "/a");
  EXPECT_TRUE(a.covers_path("/a"));
  EXPECT_TRUE(a.covers_path("/a/x"));
  EXPECT_FALSE(a.covers_path("/ab"));
  EXPECT_FALSE(section(Section::Kind::prefix, "/a/").covers_path("/a"));
  EXPECT_TRUE(section(Section::Kind::prefix, "/").covers_path("/x"));
}

TEST(Sections, wildcards_of_a_location_do_not_cross_slashes) {
  const Section glob = section(Section::Kind::glob, "/a/*.do");
  EXPECT_TRUE(glob.covers_path("/a/x.do"));
  EXPECT_FALSE(glob.covers_path("/a/b/x.do"));
}

TEST(Sections, a_proxy_section_compares_text) {
  const Section h = section(Section::Kind::prefix, "http://h");
  EXPECT_TRUE(h.covers_url("http://h/x"));
  EXPECT_TRUE(h.covers_url("http://host/x"));
  EXPECT_FALSE(h.covers_url("http://H/x"));
  EXPECT_TRUE(section(Section::Kind::glob, "*").covers_url("balancer://c/a/b"));
  EXPECT_TRUE(section(Section::Kind::regex, "h/x$").covers_url("http://h/x"));
}

TEST(MergedSettings, the_inner_scalar_counts_and_unset_ones_stay) {
  PathSettings outer, inner;
  outer.preserve_host = true;
  outer.add_headers = false;
  inner.preserve_host = false;
  const PathSettings merged = merge(outer, inner);
  EXPECT_EQ(merged.preserve_host, false);
  EXPECT_EQ(merged.add_headers, false);
  EXPECT_FALSE(merged.continue_100);
}

TEST(MergedSettings, q134_header_rules_add_up_outer_ones_first) {
  PathSettings outer, inner;
  const auto rule = [](std::string name) {
    const std::string words[] = {"set", std::move(name), "1"};
    return *expr::HeaderRule::parse_request(words);
  };
  outer.request_rules.push_back(rule("A"));
  inner.request_rules.push_back(rule("B"));
  const PathSettings merged = merge(outer, inner);
  ASSERT_EQ(merged.request_rules.size(), 2);
  EXPECT_EQ(merged.request_rules[0].name(), "A");
  EXPECT_EQ(merged.request_rules[1].name(), "B");
}

TEST(MergedSettings, unset_env_takes_back_what_an_outer_level_set) {
  PathSettings outer, inner;
  outer.env = {{"FOO", "1"}, {"Bar", "2"}, {"GONE", std::nullopt}};
  inner.env = {{"foo", std::nullopt}, {"BAR", "3"}, {"NEW", "4"}};
  const auto merged = merge(outer, inner).env;
  ASSERT_EQ(merged.size(), 2);
  EXPECT_EQ(merged[0], (std::pair<std::string, std::optional<std::string>>("BAR", "3")));
  EXPECT_EQ(merged[1].first, "NEW");
}

// Seen on httpd 2.4.71: "On 404" outside and "On" inside intercept only 404.
TEST(MergedSettings, the_statuses_of_error_overrides_add_up) {
  PathSettings outer, inner;
  outer.error_override = ErrorOverride{true, {404}};
  inner.error_override = ErrorOverride{true, {}};
  EXPECT_EQ(merge(outer, inner).error_override->statuses, std::vector<int>{404});
  inner.error_override = ErrorOverride{false, {}};
  EXPECT_FALSE(merge(outer, inner).error_override->on);
}

TEST(MergedSettings, error_documents_merge_status_by_status) {
  PathSettings outer, inner;
  outer.error_documents[404].target = "/outer";
  outer.error_documents[503].target = "/outer";
  inner.error_documents[404].target = "/inner";
  const PathSettings merged = merge(outer, inner);
  EXPECT_EQ(merged.error_documents.at(404).target, "/inner");
  EXPECT_EQ(merged.error_documents.at(503).target, "/outer");
}

TEST(MergedSettings, the_innermost_redirect_of_a_whole_section_replaces_outer_ones) {
  PathSettings outer, inner;
  outer.redirects = {{.target = "http://outer/"}, {.path = "/p", .target = "http://outer/p"}};
  inner.redirects = {{.target = "http://inner/"}};
  const PathSettings merged = merge(outer, inner);
  ASSERT_EQ(merged.redirects.size(), 2);
  EXPECT_EQ(merged.redirects[0].target, "http://inner/");
  EXPECT_EQ(merged.redirects[1].target, "http://outer/p");
}

TEST(LogLevels, of_an_inner_section_change_those_around_it) {
  PathSettings outer, module, general;
  outer.log_levels = LogLevels{LogLevel::error, {{"proxy", LogLevel::info}}, true};
  module.log_levels = LogLevels{LogLevel::warn, {{"proxy", LogLevel::debug}}, false};
  general.log_levels = LogLevels{LogLevel::crit, {}, true};
  EXPECT_EQ(merge(outer, module).log_levels->of("proxy"), LogLevel::debug);
  EXPECT_EQ(merge(outer, module).log_levels->of("core"), LogLevel::error);
  EXPECT_EQ(merge(outer, general).log_levels->of("proxy"), LogLevel::crit);
}

TEST(LogLevels, a_module_may_have_its_own) {
  const LogLevels levels{LogLevel::warn, {{"proxy", LogLevel::debug}}};
  EXPECT_EQ(levels.of("proxy"), LogLevel::debug);
  EXPECT_EQ(levels.of("core"), LogLevel::warn);
}

class CachedSettings : public testing::Test {
 protected:
  CachedSettings() {
    server_.defaults.preserve_host = false;
    server_.locations.push_back(section(Section::Kind::prefix, "/a"));
    server_.locations.own(0).settings.preserve_host = true;
    server_.proxies.push_back(section(Section::Kind::prefix, "balancer://c"));
    server_.proxies.own(0).settings.preserve_host = false;
    server_.proxies.own(0).settings.add_headers = false;
  }
  Server server_;
  SettingsCache cache_;
};

TEST_F(CachedSettings, nothing_matches_and_nothing_is_made) {
  EXPECT_EQ(cache_.for_path(server_, "/x").get(), &server_.defaults);
  EXPECT_EQ(cache_.size(), 0);
}

TEST_F(CachedSettings, a_location_counts_over_a_proxy_section) {
  const SettingsRef settings = cache_.for_url(server_, "/a/x", "balancer://c/a/x");
  EXPECT_EQ(settings->preserve_host, true);
  EXPECT_EQ(settings->add_headers, false);
  EXPECT_FALSE(cache_.for_path(server_, "/a/x")->add_headers);
}

// Seen on httpd 2.4.71.
TEST_F(CachedSettings, without_merge_slashes_only_regex_sections_see_them) {
  server_.merge_slashes = false;
  server_.locations.push_back(section(Section::Kind::regex, "^/a/x"));
  server_.locations.own(1).settings.add_headers = true;
  EXPECT_EQ(cache_.for_path(server_, "//a//x")->preserve_host, true);
  EXPECT_FALSE(cache_.for_path(server_, "/a//x")->add_headers);
  EXPECT_EQ(cache_.for_path(server_, "/a/x")->add_headers, true);
}

// Seen on httpd 2.4.71.
TEST_F(CachedSettings, a_proxy_section_resets_encoded_slashes_with_a_line_of_the_core_alone) {
  const auto resets = [&](const SettingsRef& settings) {
    return sections_reset_encoded_slashes(server_, *settings);
  };
  EXPECT_FALSE(resets(cache_.for_url(server_, "/x", "http://h")));
  EXPECT_FALSE(resets(cache_.for_url(server_, "/x", "balancer://c")));
  EXPECT_TRUE(resets(cache_.for_url(server_, "/a", "balancer://c")));
  EXPECT_TRUE(resets(cache_.for_path(server_, "/a")));
  server_.proxies.push_back(section(Section::Kind::prefix, "balancer://c/core"));
  server_.proxies.own(1).settings.error_documents[404] = {};
  EXPECT_TRUE(resets(cache_.for_url(server_, "/x", "balancer://c/core")));
}

TEST_F(CachedSettings, one_set_of_sections_is_merged_once) {
  const SettingsRef first = cache_.for_path(server_, "/a/1");
  EXPECT_EQ(cache_.for_path(server_, "/a/2"), first);
  EXPECT_EQ(cache_.size(), 1);
}

TEST_F(CachedSettings, results_outlive_what_a_full_cache_forgets) {
  SettingsCache small(1);
  const SettingsRef first = small.for_path(server_, "/a");
  const SettingsRef second = small.for_url(server_, "/a", "balancer://c");
  EXPECT_EQ(small.size(), 1);
  EXPECT_EQ(first->preserve_host, true);
  EXPECT_EQ(second->add_headers, false);
}

struct DecidedSettings : CachedSettings {
  using Branch = Conditional::Branch;

  // Appends `name` to the response field X where it holds.
  static std::shared_ptr<Conditional> conditional(Branch branch, std::string_view condition,
                                                  const std::string& name) {
    auto made = std::make_shared<Conditional>();
    made->branch = branch;
    if (branch != Branch::otherwise) made->condition = expr::Condition::compile(condition).value();
    const std::vector<std::string> words{"append", name, "x"};
    made->settings.response_normal.push_back(expr::HeaderRule::parse_response(words).value());
    return made;
  }
  std::string decided() {
    std::string names;
    last = cache_.decide(server_, cache_.for_path(server_, "/x"), facts, arena, remarks);
    for (const auto& rule : last->response_normal) names += rule.name();
    return names;
  }

  std::vector<std::shared_ptr<const Conditional>>& outer = server_.defaults.conditionals;
  expr::TableFacts facts;
  Arena arena;
  SettingsRef last;
  expr::Remarks remarks;
};

TEST_F(DecidedSettings, without_conditions_are_those_of_the_sections) {
  EXPECT_EQ(decided(), "");
  EXPECT_EQ(last.get(), &server_.defaults);
}

TEST_F(DecidedSettings, reset_encoded_slashes_where_a_condition_holds) {
  outer = {conditional(Branch::first, "reqenv('A') == '1'", "a")};
  EXPECT_EQ(decided(), "");
  EXPECT_FALSE(sections_reset_encoded_slashes(server_, *last));
  facts.variables = {{"A", "1"}};
  EXPECT_EQ(decided(), "a");
  EXPECT_TRUE(sections_reset_encoded_slashes(server_, *last));
}

TEST_F(DecidedSettings, the_first_of_a_chain_that_holds_counts) {
  outer = {conditional(Branch::first, "reqenv('A') == '1'", "a"),
           conditional(Branch::further, "reqenv('B') == '1'", "b"),
           conditional(Branch::further, "reqenv('C') == '1'", "c"),
           conditional(Branch::otherwise, "", "d"), conditional(Branch::first, "true", "e")};
  EXPECT_EQ(decided(), "de");
  facts.variables = {{"B", "1"}, {"C", "1"}};
  EXPECT_EQ(decided(), "be");
  facts.variables = {{"A", "1"}, {"B", "1"}};
  EXPECT_EQ(decided(), "ae");
}

// Seen on httpd 2.4.71.
TEST_F(DecidedSettings, inner_sections_count_over_all_outer_ones) {
  auto one = conditional(Branch::first, "true", "1");
  auto deep = conditional(Branch::first, "true", "2");
  deep->settings.conditionals = {conditional(Branch::first, "true", "3")};
  one->settings.conditionals = {deep, conditional(Branch::first, "false", "-"),
                                conditional(Branch::otherwise, "", "b")};
  auto other = conditional(Branch::first, "true", "c");
  other->settings.conditionals = {conditional(Branch::first, "true", "d")};
  outer = {one, other};
  EXPECT_EQ(decided(), "1c2bd3");
}

TEST_F(DecidedSettings, one_set_of_sections_is_merged_once) {
  outer = {conditional(Branch::first, "reqenv('A') == '1'", "a"),
           conditional(Branch::first, "true", "b")};
  decided();
  const SettingsRef first = last;
  decided();
  EXPECT_EQ(last, first);
  EXPECT_EQ(cache_.size(), 1);
  facts.variables = {{"A", "1"}};
  EXPECT_EQ(decided(), "ab");
  EXPECT_EQ(cache_.size(), 2);
}

TEST_F(DecidedSettings, levels_of_the_server_stay_around_those_of_a_section) {
  server_.log_levels.general = LogLevel::info;
  auto one = conditional(Branch::first, "true", "1");
  one->settings.log_levels.emplace();
  one->settings.log_levels->modules.emplace_back("proxy", LogLevel::debug);
  outer = {one};
  decided();
  EXPECT_EQ(last->log_levels->of("core"), LogLevel::info);
  EXPECT_EQ(last->log_levels->of("proxy"), LogLevel::debug);
}

TEST_F(CachedSettings, servers_do_not_share_entries) {
  Server other;
  other.locations.push_back(section(Section::Kind::prefix, "/a"));
  EXPECT_EQ(cache_.for_path(server_, "/a")->preserve_host, true);
  EXPECT_FALSE(cache_.for_path(other, "/a")->preserve_host);
}

TEST_F(CachedSettings, q46_the_last_location_with_a_route_wins) {
  auto special = std::make_shared<Route>();
  auto general = std::make_shared<Route>();
  server_.locations = {section(Section::Kind::prefix, "/a/b"),
                       section(Section::Kind::prefix, "/a")};
  server_.locations.own(0).settings.route = special;
  server_.locations.own(1).settings.route = general;
  EXPECT_EQ(cache_.for_path(server_, "/a/b")->route, general);
}

}  // namespace
}  // namespace steelyard::config
