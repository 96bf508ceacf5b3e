#include "manage/balancer_manager.hpp"

#include <gmock/gmock.h>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using config::LogLevel;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view fixed = "fixed-nonce";

// The manager of a server with "app", which has two members, room for one more and a known nonce.
class Manager : public DeskWorld {
 protected:
  Manager() { renew(); }

  void renew(const std::string& growth = "1", const std::string& nonce = std::string(fixed)) {
    auto config = one_balancer();
    config->modules = {"lbmethod_byrequests_module", "proxy_hcheck_module"};
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    if (growth != "0") CHECK(balance::set_balancer_parameter(*spec, "growth", growth));
    if (!nonce.empty()) CHECK(balance::set_balancer_parameter(*spec, "nonce", nonce));
    config->servers[0]->balancers[0] = std::move(spec);
    adopt(std::move(config));
    manager_.adopt(*generation);
  }

  proxy::DeskQuestion question(http::Method method) const {
    proxy::DeskQuestion question;
    question.responder = config::Responder::balancer_manager;
    question.generation = generation;
    question.method = method;
    question.path = "/balancer-manager";
    question.fields.emplace_back("Referer", "http://lb.test/balancer-manager");
    question.scheme = "http";
    question.public_name = "lb.test";
    question.public_port = 80;
    question.client = {IpAddress::v4(0x7f000001), 4000};
    return question;
  }
  proxy::DeskAnswer get(std::string query) {
    proxy::DeskQuestion asked = question(http::Method::get);
    asked.query = std::move(query);
    return manager_.answer(asked);
  }
  proxy::DeskAnswer post(std::string body) {
    proxy::DeskQuestion asked = question(http::Method::post);
    asked.body = std::move(body);
    return manager_.answer(asked);
  }
  // With the nonce, about the first member.
  proxy::DeskAnswer change(const std::string& what) {
    return post("b=app&w=http://m1:8080&nonce=" + std::string(fixed) + '&' + what);
  }
  std::string letters(std::size_t at = 0) { return std::string(trim(status(at))); }

  std::vector<std::string> told_, changes_;
  int changed_ = 0;
  BalancerManager manager_{{.book = book,
                            .built = "today",
                            .now = [this] { return Moment{loop.now(), loop.wall_now()}; },
                            .log = [this](const config::Server& /*server*/, LogLevel /*level*/,
                                          const std::string& text) { told_.push_back(text); },
                            .on_change =
                                [this](const BalancerManager::ChangeNote& note) {
                                  for (const balance::Change& change : note.changes) {
                                    changes_.push_back(std::string(note.balancer) + ' ' +
                                                       change.member + ' ' + change.field + ": " +
                                                       change.before + " > " + change.after);
                                  }
                                },
                            .members_changed = [this] { ++changed_; }}};
};

TEST_F(Manager, a_form_with_the_nonce_changes_a_member) {
  EXPECT_EQ(change("w_lf=2.5&w_wr=new&w_status_D=1").status, 200);
  EXPECT_EQ(view().spec->load_factor, 250);
  EXPECT_EQ(view().spec->tag, "new");
  EXPECT_EQ(letters(), "Init Dis");
  EXPECT_EQ(changed_, 1);
  EXPECT_THAT(changes_, ElementsAre("balancer://app http://m1:8080 loadfactor: 1.00 > 2.50",
                                    "balancer://app http://m1:8080 route: r1 > new",
                                    "balancer://app http://m1:8080 status:  > D"));
  EXPECT_EQ(change("w_status_D=0").status, 200);
  EXPECT_EQ(letters(), "Init Ok");
}

TEST_F(Manager, nothing_is_changed_without_the_nonce_or_by_get) {
  post("b=app&w=http://m1:8080&w_status_D=1");
  post("b=app&w=http://m1:8080&w_status_D=1&nonce=");
  post("b=app&w=http://m1:8080&w_status_D=1&nonce=fixed-noncf");
  get("b=app&w=http://m1:8080&w_status_D=1&nonce=fixed-nonce");
  EXPECT_EQ(letters(), "Init Ok");
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(changed_, 0);
}

TEST_F(Manager, a_browser_is_offered_the_live_page_and_nobody_else) {
  proxy::DeskQuestion asked = question(http::Method::get);
  EXPECT_THAT(manager_.answer(asked).body, Not(HasSubstr("?live")));
  asked.fields.emplace_back("Accept", "*/*");
  EXPECT_THAT(manager_.answer(asked).body, Not(HasSubstr("?live")));
  asked.fields.back().second = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
  EXPECT_THAT(manager_.answer(asked).body,
              HasSubstr("<p><a href=\"/balancer-manager?live\">Live page</a></p>"));
}

TEST_F(Manager, a_balancer_without_a_nonce_cannot_be_changed) {
  renew("1", "None");
  post("b=app&w=http://m1:8080&w_status_D=1&nonce=");
  post("b=app&w=http://m1:8080&w_status_D=1&nonce=None");
  EXPECT_EQ(letters(), "Init Ok");
  EXPECT_THAT(get("b=app").body, HasSubstr("name='nonce' id='nonce' value=''"));
}

TEST_F(Manager, a_foreign_referer_costs_all_parameters_and_is_told) {
  proxy::DeskQuestion asked = question(http::Method::post);
  asked.fields[0].second = "http://evil.example/";
  asked.body = "b=app&w=http://m1:8080&w_status_D=1&nonce=fixed-nonce&xml=1";
  const proxy::DeskAnswer answer = manager_.answer(asked);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, AllOf(StartsWith("<!DOCTYPE"), Not(HasSubstr("<form"))));
  EXPECT_EQ(letters(), "Init Ok");
  EXPECT_THAT(told_, ElementsAre(HasSubstr("its Referer is \"http://evil.example/\"")));
}

TEST_F(Manager, random_nonces_differ_and_are_kept_over_a_reload) {
  renew("1", "");
  auto config = one_balancer();
  config->servers[0]->balancers.push_back(sticky_spec("other", 1));
  adopt(std::move(config));
  manager_.adopt(*generation);
  const auto nonce_of = [this](const std::string& balancer) {
    const std::string page = get("b=" + balancer).body;
    const std::string_view before = "id='nonce' value='";
    return page.substr(page.find(before) + before.size(), 36);
  };
  const std::string nonce = nonce_of("app");
  EXPECT_THAT(nonce, testing::MatchesRegex(
                         "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_NE(nonce_of("other"), nonce);
  renew("1", "");
  EXPECT_EQ(nonce_of("app"), nonce);
}

TEST_F(Manager, a_member_is_added_disabled_while_there_is_room) {
  const std::string adds = "b=app&nonce=fixed-nonce&b_wyes=1&b_nwrkr=";
  EXPECT_THAT(get("").body, HasSubstr("<td>3 [2 Used]</td>"));
  const proxy::DeskAnswer answer = post(adds + "http://m3:8080");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("<td>3 [3 Used]</td>"), Not(HasSubstr("b_nwrkr"))));
  EXPECT_EQ(letters(2), "Init Dis");
  EXPECT_EQ(changed_, 1);
  post("b=app&w=http://m3:8080&nonce=fixed-nonce&w_status_D=0");
  EXPECT_EQ(letters(2), "Init Ok");
  EXPECT_EQ(post(adds + "http://m4:8080").status, 400);
  EXPECT_THAT(told_.back(), HasSubstr("the balancer may have 1 added members"));
}

TEST_F(Manager, what_cannot_be_a_member_is_400) {
  const std::string adds = "b=app&nonce=fixed-nonce&b_wyes=1&b_nwrkr=";
  for (const char* url : {"nonsense", "http://m1:8080/app", "gopher://m3", "unix:/s|http://m3"})
    EXPECT_EQ(post(adds + url).status, 400) << url;
  EXPECT_EQ(view(1).spec->name, "http://m2:8080");
  EXPECT_EQ(balancer().members().size(), 2U);
  EXPECT_EQ(changed_, 0);
  renew("0");
  EXPECT_EQ(post(adds + "http://m3").status, 400);
}

TEST_F(Manager, what_else_a_refused_form_asked_for_is_done) {
  EXPECT_EQ(change("w_lf=3&b_wyes=1&b_nwrkr=nonsense").status, 400);
  EXPECT_EQ(view().spec->load_factor, 300);
}

TEST_F(Manager, a_failed_check_is_set_and_cleared_as_such) {
  change("w_status_C=1");
  EXPECT_EQ(letters(), "Init HcFl");
  EXPECT_THAT(told_, ElementsAre(HasSubstr("counts as failed by its health check")));
  change("w_status_C=0");
  EXPECT_EQ(letters(), "Init Ok");
}

TEST_F(Manager, a_new_factor_makes_the_factors_the_credits_of_all) {
  change("w_lf=3");
  EXPECT_EQ(view(0).credit, 300);
  EXPECT_EQ(view(1).credit, 100);
}

TEST_F(Manager, a_factor_that_held_already_begins_credits_too) {
  change("w_lf=1");
  EXPECT_EQ(view(0).credit, 100);
  EXPECT_EQ(view(1).credit, 100);
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(Manager, balancers_stand_in_the_order_of_httpds_list) {
  auto config = one_balancer();
  config->servers[0]->balancers.push_back(sticky_spec("other", 1));
  config->servers[0]->balancer_order = {1, 0};
  adopt(std::move(config));
  const std::string page = get("b=app").body;
  EXPECT_LT(page.find(">balancer://other<"), page.find(">balancer://app<"));
  EXPECT_THAT(page, HasSubstr("Edit balancer settings for balancer://app<"));
}

TEST_F(Manager, shows_the_form_of_what_is_selected_even_without_a_nonce) {
  EXPECT_THAT(get("").body, Not(HasSubstr("<form")));
  EXPECT_THAT(get("b=none&w=http://m1:8080").body, Not(HasSubstr("<form")));
  EXPECT_THAT(get("b=APP").body, HasSubstr("Edit balancer settings for balancer://app</h3>"));
  EXPECT_THAT(get("b=app&w=http://m1:8080/deeper").body,
              HasSubstr("Edit worker settings for http://m1:8080</h3>"));
  EXPECT_THAT(get("b=app&w=http://m1:80").body, HasSubstr("Edit balancer settings"));
}

TEST_F(Manager, escapes_what_came_from_outside) {
  change("w_wr=%253Cscript%253E'\"%2526");
  const std::string page = get("b=app&w=http://m1:8080").body;
  EXPECT_THAT(page, HasSubstr("<td>&lt;script&gt;&#39;&quot;&amp;</td>"));
  EXPECT_THAT(page, HasSubstr("value=\"&lt;script&gt;&#39;&quot;&amp;\""));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(get("xml=1").body,
              HasSubstr("<httpd:route>&lt;script&gt;&#39;&quot;&amp;</httpd:route>"));
}

TEST_F(Manager, a_path_of_slashes_is_no_link_to_another_host) {
  proxy::DeskQuestion asked = question(http::Method::get);
  asked.path = "//evil.example/balancer-manager";
  const std::string page = manager_.answer(asked).body;
  EXPECT_THAT(page, HasSubstr("<a href=\"/evil.example/balancer-manager?b=app"));
  EXPECT_THAT(page, Not(HasSubstr("href=\"//")));
}

TEST_F(Manager, a_form_leads_to_where_its_page_is) {
  struct {
    std::string_view scheme;
    std::uint16_t port;
    std::string_view address;
  } const cases[] = {{"http", 80, "http://lb.test/"},
                     {"http", 443, "http://lb.test:443/"},
                     {"https", 443, "https://lb.test/"},
                     {"https", 80, "https://lb.test:80/"}};
  for (const auto& [scheme, port, address] : cases) {
    proxy::DeskQuestion asked = question(http::Method::get);
    asked.scheme = scheme;
    asked.public_port = port;
    asked.query = "b=app&w=http://m1:8080&nonce=" + std::string(fixed);
    EXPECT_THAT(manager_.answer(asked).body,
                HasSubstr("action=\"" + std::string(address) + "balancer-manager\""));
  }
}

TEST_F(Manager, tells_browsers_to_be_careful_with_it) {
  const proxy::DeskAnswer answer = get("");
  EXPECT_EQ(answer.content_type, "text/html; charset=ISO-8859-1");
  const auto field = [&](std::string_view name) {
    for (const auto& [each, value] : answer.fields) {
      if (each == name) return value;
    }
    return std::string("(none)");
  };
  EXPECT_EQ(field("Cache-Control"), "no-store");
  EXPECT_EQ(field("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(field("X-Frame-Options"), "DENY");
  EXPECT_EQ(field("Referrer-Policy"), "same-origin");
  EXPECT_THAT(field("Content-Security-Policy"),
              AllOf(HasSubstr("default-src 'none'"), HasSubstr("form-action 'self'"),
                    HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("script-src"))));
}

TEST_F(Manager, says_sizes_in_four_characters) {
  EXPECT_EQ(human_size(0), "  0 ");
  EXPECT_EQ(human_size(972), "972 ");
  EXPECT_EQ(human_size(973), "1.0K");
  EXPECT_EQ(human_size(1280), "1.3K");
  EXPECT_EQ(human_size(1024 * 15), " 15K");
  EXPECT_EQ(human_size(1024 * 1024 * 6 / 5), "1.2M");
  EXPECT_EQ(human_size(1024 * 972), "972K");
  EXPECT_EQ(human_size(1024 * 973), "1.0M");
}

}  // namespace
}  // namespace steelyard::manage
