#include "manage/status_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "manage/status_view.hpp"
#include "manage/test_status.hpp"

namespace steelyard::manage {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Field = std::pair<std::string, std::string>;

proxy::DeskAnswer ask(StatusWorld& world, std::string query = {}) {
  return StatusPage(world.sources()).answer(world.question(std::move(query)));
}

std::string names_of(const std::string& lines) {
  std::string names;
  for (const std::string_view line : split(lines, '\n'))
    names += std::string(line.substr(0, line.find(':'))) + '\n';
  return names;
}

void show_balancers(StatusWorld& world, const std::string& route = {}) {
  auto config = proxy::TestWorld::make_config(
      1, route.empty() ? proxy::TestWorld::Words{} : proxy::TestWorld::Words{"route=" + route},
      {"stickysession=sid"});
  config->servers[0]->proxy.shows_status = true;
  world.world.adopt(std::move(config));
}

TEST(StatusLines, have_the_names_and_the_order_of_httpds) {
  StatusWorld world;
  world.exchange();
  const proxy::DeskAnswer answer = ask(world, "auto");
  EXPECT_EQ(answer.content_type, "text/plain; charset=ISO-8859-1");
  EXPECT_EQ(names_of(answer.body),
            "lb.test\nServerVersion\nServerMPM\nServer Built\nCurrentTime\nRestartTime\n"
            "ParentServerConfigGeneration\nParentServerMPMGeneration\nServerUptimeSeconds\n"
            "ServerUptime\nLoad1\nLoad5\nLoad15\nTotal Accesses\nTotal kBytes\nTotal Duration\n"
            "CPUUser\nCPUSystem\nCPUChildrenUser\nCPUChildrenSystem\nCPULoad\nUptime\nReqPerSec\n"
            "BytesPerSec\nBytesPerReq\nDurationPerReq\nBusyWorkers\nGracefulWorkers\nIdleWorkers\n"
            "Processes\nStopping\nConnsTotal\nConnsAsyncWaitIO\nConnsAsyncWriting\n"
            "ConnsAsyncKeepAlive\nConnsAsyncClosing\nScoreboard\n\n");
}

TEST(StatusLines, count_what_happened_and_tell_rates) {
  StatusWorld world;
  world.exchange(3000);
  world.exchange(1096);
  const std::string text = ask(world, "auto").body;
  EXPECT_THAT(text, AllOf(HasSubstr("\nTotal Accesses: 2\n"), HasSubstr("\nTotal kBytes: 4\n"),
                          HasSubstr("\nReqPerSec: .02\n"), HasSubstr("\nBytesPerSec: 40.96\n"),
                          HasSubstr("\nBytesPerReq: 2048\n"), HasSubstr("\nCPUUser: 1.5\n"),
                          HasSubstr("\nCPUSystem: .25\n"), HasSubstr("\nCPULoad: 1.75\n"),
                          HasSubstr("\nServerUptime: 1 minute 40 seconds\n"),
                          HasSubstr("\nLoad15: 2.25\n")));
}

TEST(StatusLines, of_a_server_that_has_just_begun_divide_by_nothing) {
  StatusWorld world;
  world.uptime = std::chrono::seconds(0);
  const std::string text = ask(world, "auto").body;
  EXPECT_THAT(text, AllOf(HasSubstr("\nServerUptime:\n"), HasSubstr("\nUptime: 0\nBusyWorkers")));
}

TEST(StatusLines, a_worker_is_a_client_connection_that_there_is_room_for) {
  StatusWorld world;
  const auto idle = world.world.connect();
  const auto busy = world.world.connect();
  world.world.say(*busy, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string text = ask(world, "auto").body;
  EXPECT_THAT(text, AllOf(HasSubstr("\nBusyWorkers: 1\n"), HasSubstr("\nIdleWorkers: 98\n"),
                          HasSubstr("\nConnsTotal: 2\n"), HasSubstr("\nConnsAsyncKeepAlive: 1\n"),
                          HasSubstr("\nScoreboard: WK" + std::string(98, '_') + "\n")));
  world.world.group.client_connections_max = 1'000'000;
  EXPECT_THAT(ask(world, "auto").body,
              HasSubstr("\nScoreboard: WK" + std::string(510, '_') + "\n"));
}

TEST(StatusLines, show_balancers_where_proxystatus_says_so) {
  StatusWorld world;
  EXPECT_THAT(ask(world, "auto").body, Not(HasSubstr("ProxyBalancer")));
  show_balancers(world);
  world.exchange(5000);
  EXPECT_THAT(ask(world, "auto").body, HasSubstr("ProxyBalancer[0]Name: balancer://app\n"
                                                 "ProxyBalancer[0]Worker[0]Name: http://m1\n"
                                                 "ProxyBalancer[0]Worker[0]Status: Init Ok \n"
                                                 "ProxyBalancer[0]Worker[0]Elected: 1\n"
                                                 "ProxyBalancer[0]Worker[0]Busy: 0\n"
                                                 "ProxyBalancer[0]Worker[0]Sent: 0K\n"
                                                 "ProxyBalancer[0]Worker[0]Rcvd: 4K\n"));
}

TEST(StatusHtml, tells_the_same_to_people) {
  StatusWorld world;
  world.exchange(3000);
  const proxy::DeskAnswer answer = ask(world);
  EXPECT_EQ(answer.content_type, "text/html; charset=ISO-8859-1");
  EXPECT_THAT(
      answer.body,
      AllOf(HasSubstr("<h1>Server Status for lb.test (via 127.0.0.1)</h1>"),
            HasSubstr("<dt>Total accesses: 1 - Total Traffic: 2 kB - Total Duration: 0</dt>"),
            HasSubstr("<dt>Server uptime:  1 minute 40 seconds</dt>"), HasSubstr("<td>4711</td>"),
            HasSubstr("100 idle workers")));
}

TEST(StatusHtml, has_a_table_for_each_balancer) {
  StatusWorld world;
  show_balancers(world, "r1");
  EXPECT_THAT(ask(world).body,
              AllOf(HasSubstr("<h1>Proxy LoadBalancer Status for balancer://app</h1>"),
                    HasSubstr("<tr><td>sid</td><td>0</td><td>byrequests</td></tr>"),
                    HasSubstr("<td>http</td><td>m1</td><td>Init Ok </td><td>r1</td><td></td>"
                              "<td>1.00</td><td>0</td><td>0</td><td>0</td><td>  0 </td>"
                              "<td>  0 </td>")));
}

TEST(StatusHtml, nothing_from_outside_becomes_markup) {
  StatusWorld world;
  show_balancers(world, "<b>&\"'");
  proxy::DeskQuestion question = world.question();
  question.public_name = "<script>";
  const std::string page = StatusPage(world.sources()).answer(question).body;
  EXPECT_THAT(page, AllOf(HasSubstr("Status for &lt;script&gt; (via"),
                          HasSubstr("<td>&lt;b&gt;&amp;&quot;&#39;</td>"),
                          Not(HasSubstr("<script>")), Not(HasSubstr("<td><b>"))));
}

TEST(StatusPage, refreshes_as_often_as_asked) {
  StatusWorld world;
  EXPECT_THAT(ask(world, "refresh=7").fields, Contains(Field("Refresh", "7")));
  EXPECT_THAT(ask(world, "auto&refresh=3").fields, Contains(Field("Refresh", "3")));
  for (const char* query : {"refresh", "refresh=0", "refresh=-3", "refresh=x", "refresh5"})
    EXPECT_THAT(ask(world, query).fields, Contains(Field("Refresh", "10"))) << query;
  for (const auto& [name, value] : ask(world, "auto").fields) EXPECT_NE(name, "Refresh") << value;
}

TEST(StatusPage, is_not_stored_and_not_framed) {
  StatusWorld world;
  const auto fields = ask(world).fields;
  EXPECT_THAT(fields, Contains(Field("Cache-Control", "no-store")));
  EXPECT_THAT(fields, Contains(Field("X-Frame-Options", "DENY")));
  EXPECT_THAT(fields, Contains(Field("X-Content-Type-Options", "nosniff")));
}

TEST(StatusPage, is_for_reading_only) {
  StatusWorld world;
  proxy::DeskQuestion question = world.question();
  question.method = http::Method::post;
  EXPECT_EQ(StatusPage(world.sources()).answer(question).status, 404);
  question.method = http::Method::delete_;
  EXPECT_EQ(StatusPage(world.sources()).answer(question).status, 405);
}

TEST(StatusView, numbers_and_times_are_written_as_httpd_does) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.0166667), ".0166667");
  EXPECT_EQ(short_number(1.5), "1.5");
  EXPECT_EQ(short_number(123456.7), "123457");
  EXPECT_EQ(uptime_text(std::chrono::seconds(0)), "");
  EXPECT_EQ(uptime_text(std::chrono::seconds(1)), " 1 second");
  EXPECT_EQ(uptime_text(std::chrono::hours(49) + std::chrono::seconds(61)),
            " 2 days 1 hour 1 minute 1 second");
}

}  // namespace
}  // namespace steelyard::manage
