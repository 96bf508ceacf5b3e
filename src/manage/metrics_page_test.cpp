#include "manage/metrics_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "manage/gzip.hpp"
#include "manage/metric_book.hpp"
#include "manage/metric_table.hpp"
#include "manage/open_metrics.hpp"
#include "manage/test_status.hpp"

namespace steelyard::manage {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const std::filesystem::path source_dir = STEELYARD_SOURCE_DIR;

std::string read_whole(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

const proxy::TestWorld::Words queueing{"queue=5/10"};

class Metrics : public ::testing::Test {
 protected:
  std::string page(StatusWorld& world, std::string accept = {}) {
    proxy::DeskQuestion question = world.question();
    if (!accept.empty()) question.fields.emplace_back("Accept", std::move(accept));
    answer_ = MetricsPage(world.sources()).answer(question);
    return answer_.body;
  }
  proxy::DeskAnswer answer_;
};

TEST_F(Metrics, tell_of_changes_that_were_refused) {
  StatusWorld world(2);
  const MetricsPage metrics(world.sources(), nullptr,
                            [] { return RefusedChanges{.invalid = 3, .undo = 1}; });
  const std::string text = metrics.answer(world.question()).body;
  EXPECT_THAT(text, HasSubstr("steelyard_changes_refused_total{cause=\"invalid\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_changes_refused_total{cause=\"undo\"} 1\n"));
  // From the beginning: increase() does not see a row that is born with its first one.
  EXPECT_THAT(text, HasSubstr("steelyard_changes_refused_total{cause=\"not_kept\"} 0\n"));
  EXPECT_THAT(page(world), HasSubstr("steelyard_changes_refused_total{cause=\"undo\"} 0\n"));
}

TEST_F(Metrics, tell_of_hosts_and_members_what_happened) {
  StatusWorld world(2);
  world.exchange();
  world.exchange(7, 404);
  const std::string text = page(world);
  EXPECT_THAT(text, HasSubstr("steelyard_responses_total{server=\"main\",class=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_responses_total{server=\"main\",class=\"4xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_responses_total{server=\"main\",class=\"5xx\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_request_duration_seconds_count{server=\"main\"} 2\n"));
  const std::string first = "{balancer=\"balancer://app\",member=\"http://m1\"";
  EXPECT_THAT(text, HasSubstr("steelyard_member_elected_total" + first + "} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_picks_total" + first + ",reason=\"policy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_responses_total" + first + ",class=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_usable" + first + "} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_connections_idle" + first + "} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_client_connections_accepted_total 2\n"));
  EXPECT_THAT(text,
              HasSubstr("steelyard_balancer_usable_members{balancer=\"balancer://app\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total 1.75\n"));
}

TEST_F(Metrics, tell_of_failures_who_and_why) {
  StatusWorld world(2);
  world.world.kill(1);
  world.exchange();
  const std::string text = page(world);
  EXPECT_THAT(text, HasSubstr("steelyard_member_failures_total{balancer=\"balancer://app\",member="
                              "\"http://m1\",party=\"backend\",cause=\"connect\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_resends_total{balancer=\"balancer://app\",member="
                              "\"http://m2\",proof=\"not_sent\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_flag{balancer=\"balancer://app\",member="
                              "\"http://m1\",flag=\"in_error\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_health_changes_total{balancer=\"balancer://app\","
                              "member=\"http://m1\",cause=\"connect_failed\"} 1\n"));
}

TEST_F(Metrics, tell_of_requests_that_found_nobody) {
  StatusWorld world(1, {}, {"forcerecovery=Off"});
  world.world.kill(1);
  world.exchange();
  world.exchange();
  EXPECT_THAT(page(world), HasSubstr("steelyard_balancer_refusals_total{balancer=\"balancer://app"
                                     "\",cause=\"none_usable\"} 1\n"));
}

TEST_F(Metrics, tell_of_the_line_where_there_is_one) {
  StatusWorld without;
  EXPECT_THAT(page(without), Not(HasSubstr("steelyard_queue_waiting")));
  StatusWorld world(1, {"max=1"}, queueing);
  const auto busy = world.world.connect();
  const auto waits = world.world.connect();
  world.world.say(*busy, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  world.world.say(*waits, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string text = page(world);
  EXPECT_THAT(text, HasSubstr("steelyard_queue_waiting{balancer=\"balancer://app\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_member_connections_waiting{balancer=\"balancer://app\","
                              "member=\"http://m1\"} 0\n"));
}

TEST_F(Metrics, are_text_unless_openmetrics_is_asked_for) {
  StatusWorld world;
  const std::string text = page(world);
  EXPECT_EQ(answer_.status, 200);
  EXPECT_EQ(answer_.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(text, HasSubstr("# TYPE steelyard_responses_total counter\n"));
  EXPECT_THAT(text, Not(HasSubstr("# EOF")));

  const std::string open =
      page(world,
           "application/openmetrics-text;version=1.0.0,"
           "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5");
  EXPECT_EQ(answer_.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_THAT(open,
              AllOf(HasSubstr("# TYPE steelyard_responses counter\n"),
                    HasSubstr("steelyard_responses_total{server=\"main\",class=\"2xx\"} 0\n"),
                    HasSubstr("# UNIT process_cpu_seconds seconds\n"), EndsWith("\n# EOF\n")));
  page(world, "application/openmetrics-text;q=0, text/plain");
  EXPECT_EQ(answer_.content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(Metrics, are_for_reading_only_and_never_stored) {
  StatusWorld world;
  page(world);
  EXPECT_THAT(answer_.fields,
              testing::Contains(std::pair<std::string, std::string>("Cache-Control", "no-store")));
  proxy::DeskQuestion question = world.question();
  for (const auto& [method, status] :
       {std::pair{http::Method::post, 404}, std::pair{http::Method::put, 405},
        std::pair{http::Method::other, 501}}) {
    question.method = method;
    const proxy::DeskAnswer answer = MetricsPage(world.sources()).answer(question);
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, "");
  }
  question.method = http::Method::head;
  EXPECT_EQ(MetricsPage(world.sources()).answer(question).status, 200);
}

TEST_F(Metrics, count_reloads_that_were_taken_and_that_were_not) {
  StatusWorld world;
  world.world.reload(1);
  ++world.world.group.reloads_refused;
  const std::string text = page(world);
  EXPECT_THAT(text, HasSubstr("steelyard_reloads_total{result=\"accepted\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_reloads_total{result=\"refused\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("steelyard_generation 2\n"));
}

TEST_F(Metrics, tell_virtual_hosts_apart_and_direct_backends_from_balancers) {
  StatusWorld world;
  auto config = proxy::TestWorld::make_config(1, {});
  auto host = std::make_unique<config::Server>();
  host->name = "shop.example";
  host->addresses.push_back({.ip = std::nullopt, .port = 443, .host = {}});
  auto backend = std::make_shared<balance::MemberSpec>();
  CHECK(balance::parse_member_url(*backend, "http://direct:81"));
  host->backends.push_back(backend);
  config->servers.push_back(std::move(host));
  world.world.adopt(std::move(config));
  const std::string text = page(world);
  EXPECT_THAT(text, HasSubstr("{server=\"main\",class=\"2xx\"}"));
  EXPECT_THAT(text, HasSubstr("{server=\"shop.example:443\",class=\"2xx\"}"));
  EXPECT_THAT(text, HasSubstr("{balancer=\"direct\",member=\"http://direct:81\"}"));
  EXPECT_THAT(text, Not(HasSubstr("steelyard_balancer_members{balancer=\"direct\"}")));
}

// One line a series: its name with its labels.
std::vector<std::string> series_of(const std::string& text) {
  std::vector<std::string> series;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    series.emplace_back(line.substr(0, line.rfind(' ')));
  }
  return series;
}

TEST_F(Metrics, no_series_comes_twice) {
  StatusWorld world(3, {}, queueing);
  world.world.kill(2);
  for (int i = 0; i < 5; ++i) world.exchange();
  const std::vector<std::string> series = series_of(page(world));
  EXPECT_GT(series.size(), 200U);
  EXPECT_EQ(std::set<std::string>(series.begin(), series.end()).size(), series.size());
}

TEST(MetricBook, makes_bytes_that_are_no_characters_readable) {
  MetricBook book;
  book.add("steelyard_member_busy", 1,
           {"a\xff"
            "b\xc3\xa4\xed\xa0\x80\xe2\x82",
            "x\"\\\ny"});
  const std::string text = OpenMetricsSerializer().Serialize(book.take());
  EXPECT_THAT(text, HasSubstr("{balancer=\"a?b\xc3\xa4?????\",member=\"x\\\"\\\\\\ny\"} 1\n"));
}

TEST_F(Metrics, leave_histograms_out_that_have_no_sample) {
  StatusWorld world(2);
  EXPECT_THAT(page(world), AllOf(HasSubstr("steelyard_request_duration_seconds_bucket{server="),
                                 Not(HasSubstr("_seconds_bucket{balancer="))));
  world.exchange();
  const std::string text = page(world);
  const std::string name =
      "steelyard_member_total_seconds_bucket{balancer=\"balancer://app\",member=";
  // All buckets or none: of a part of them quantiles would be wrong.
  EXPECT_THAT(text, AllOf(HasSubstr(name + "\"http://m1\",le=\"0.000125\"}"),
                          HasSubstr(name + "\"http://m1\",le=\"+Inf\"} 1\n")));
  EXPECT_THAT(text, Not(HasSubstr(name + "\"http://m2\"")));
}

std::string inflated(std::string_view bytes) {
  std::string out(std::size_t{1} << 20, ' ');
  z_stream stream{};
  CHECK(::inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  ::inflateEnd(&stream);
  return out;
}

TEST(Gzip, makes_any_length_into_one_stream) {
  std::string page;
  for (const std::size_t length : {0U, 1U, 65'536U, 400'000U}) {
    while (page.size() < length) page += static_cast<char>((page.size() * 2654435761U) >> 16U);
    EXPECT_EQ(inflated(gzipped(page)), page) << length;
  }
}

TEST_F(Metrics, are_compressed_for_who_asks_for_it) {
  StatusWorld world(2);
  world.exchange();
  const std::string plain = page(world);
  const std::pair<std::string, std::string> coded("Content-Encoding", "gzip");
  proxy::DeskQuestion question = world.question();
  for (const auto& [asked, is_coded] : {std::pair{"gzip", true},
                                        {"deflate, GZIP;q=0.5", true},
                                        {"gzip;q=0.001", true},
                                        {"gzip;q=0", false},
                                        {"gzip; Q=0.000", false},
                                        {"identity", false},
                                        {"", false}}) {
    question.fields = {{"Accept-Encoding", asked}};
    const proxy::DeskAnswer answer = MetricsPage(world.sources()).answer(question);
    EXPECT_EQ(std::ranges::count(answer.fields, coded), is_coded ? 1 : 0) << asked;
    EXPECT_EQ(is_coded ? inflated(answer.body) : answer.body, plain) << asked;
    EXPECT_THAT(answer.fields, testing::Contains(std::pair<std::string, std::string>(
                                   "Vary", "Accept, Accept-Encoding")));
  }
}

TEST(MetricBook, adds_buckets_up_to_the_end) {
  DurationHistogram times;
  times.observe(std::chrono::milliseconds(1));
  times.observe(std::chrono::hours(1));
  MetricBook book;
  book.add("steelyard_request_duration_seconds", times, {"main"});
  const std::string text = OpenMetricsSerializer().Serialize(book.take());
  const std::string bucket = "steelyard_request_duration_seconds_bucket{server=\"main\",le=";
  EXPECT_THAT(text,
              AllOf(HasSubstr(bucket + "\"0.0005\"} 0\n"), HasSubstr(bucket + "\"0.001\"} 1\n"),
                    HasSubstr(bucket + "\"65.536\"} 1\n"), HasSubstr(bucket + "\"+Inf\"} 2\n"),
                    HasSubstr("_sum{server=\"main\"} 3600.001\n")));
}

TEST(MetricTable, names_say_what_they_are) {
  for (const MetricRow& row : metric_table()) {
    EXPECT_EQ(row.name.ends_with("_total"), row.kind == MetricKind::counter) << row.name;
    EXPECT_TRUE(row.name.starts_with("steelyard_") || row.name.starts_with("process_")) << row.name;
    if (row.kind == MetricKind::histogram) EXPECT_TRUE(row.name.ends_with("_seconds")) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
  }
}

TEST(MetricTable, the_document_is_up_to_date) {
  const std::filesystem::path path = source_dir / "docs/metrics.md";
  const std::string wanted = metrics_document();
  if (std::getenv("STEELYARD_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << wanted;
  EXPECT_EQ(read_whole(path), wanted) << "run with STEELYARD_UPDATE_GOLDEN=1";
}

// Names of the table that an expression of the dashboard may use.
std::set<std::string> names_for_queries() {
  std::set<std::string> names;
  for (const MetricRow& row : metric_table()) {
    const std::string name(row.name);
    if (row.kind != MetricKind::histogram) names.insert(name);
    if (row.kind == MetricKind::histogram)
      for (const char* part : {"_bucket", "_count", "_sum"}) names.insert(name + part);
  }
  return names;
}

void find_expressions(const nlohmann::json& value, std::vector<std::string>& found) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) {
      const bool is_query = key == "expr" || key == "query" || key == "definition";
      if (is_query && inner.is_string()) found.push_back(inner.get<std::string>());
      find_expressions(inner, found);
    }
  } else if (value.is_array()) {
    for (const auto& inner : value) find_expressions(inner, found);
  }
}

TEST(Dashboard, asks_for_nothing_but_metrics_that_exist) {
  const auto dashboard =
      nlohmann::json::parse(read_whole(source_dir / "packaging/grafana/steelyard.json"));
  std::vector<std::string> expressions;
  find_expressions(dashboard, expressions);
  ASSERT_GT(expressions.size(), 10U);
  const std::set<std::string> known = names_for_queries();
  const std::regex name("\\b(steelyard|process)_[a-z_]+\\b");
  for (const std::string& text : expressions) {
    const auto begin = std::sregex_iterator(text.begin(), text.end(), name);
    for (auto at = begin; at != std::sregex_iterator(); ++at)
      EXPECT_TRUE(known.contains(at->str())) << at->str() << " in " << text;
  }
}

}  // namespace
}  // namespace steelyard::manage
