#include "manage/live_page.hpp"

#include <gmock/gmock.h>

#include "balance/editable.hpp"
#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "journal/journal.hpp"
#include "manage/page_assets.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using http::Method;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The live page of "app" with two members, changes kept in memory, the nonce "secret".
class LivePageTest : public DeskWorld {
 protected:
  proxy::DeskQuestion question(Method method, std::string query, std::string body = {}) const {
    proxy::DeskQuestion asked;
    asked.responder = config::Responder::balancer_manager;
    asked.generation = generation;
    asked.method = method;
    asked.path = "/balancer-manager";
    asked.query = std::move(query);
    asked.body = std::move(body);
    asked.fields = {{"Referer", "http://lb.test/balancer-manager?live"},
                    {"Origin", "http://lb.test"},
                    {"Content-Type", "application/json"}};
    asked.public_name = "lb.test";
    asked.client = {IpAddress::v4(0x0a000009), 4711};
    return asked;
  }
  proxy::DeskAnswer get(const std::string& part) {
    return page.answer(question(Method::get, part));
  }
  ApiJson told(const std::string& part) {
    const auto answer = get(part);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return ApiJson::parse(answer.body);
  }
  // Of the first member, with the nonce.
  static ApiJson wish(ApiJson more) {
    ApiJson object{
        {"balancer", "balancer://app"}, {"member", "http://m1:8080"}, {"nonce", "secret"}};
    object.update(more);
    return object;
  }
  proxy::DeskAnswer change(const ApiJson& object) {
    return page.answer(question(Method::post, "live=change", object.dump()));
  }
  ApiJson changed(const ApiJson& object) {
    const auto answer = change(object);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return ApiJson::parse(answer.body)["changes"];
  }
  static std::string field(const proxy::DeskAnswer& answer, std::string_view name) {
    for (const auto& [each, value] : answer.fields) {
      if (each == name) return value;
    }
    return {};
  }
  // The data of the last event in a feed's text.
  static ApiJson data_of(const std::string& text) {
    return ApiJson::parse(text.substr(text.rfind("data: ") + 6));
  }

  std::string nonce = "secret";
  std::vector<std::string> notes;
  ChangesBook kept_book{journal::Journal::in_memory(100), log_line};
  Api api{{.loop = loop,
           .book = kept_book,
           .log = [this](const proxy::DeskQuestion& /*question*/,
                         const std::string& text) { notes.push_back(text); },
           .members_changed = [] {},
           .drain_ordered = [] {}}};
  LivePage page{{.loop = loop,
                 .chronicle = chronicle,
                 .book = kept_book,
                 .api = api,
                 .nonce_of = [this](const proxy::Group& /*group*/) { return nonce; }}};
};

TEST_F(LivePageTest, is_asked_for_by_its_own_word_alone) {
  const auto concerns = [this](const std::string& query) {
    return LivePage::concerns(question(Method::get, query));
  };
  EXPECT_TRUE(concerns("live") && concerns("live=feed") && concerns("live&x=1"));
  EXPECT_FALSE(concerns("") || concerns("xml=1") || concerns("lives=1") || concerns("b=live"));
  proxy::DeskQuestion none = question(Method::get, "");
  none.query.reset();
  EXPECT_FALSE(LivePage::concerns(none));
}

TEST_F(LivePageTest, is_a_page_with_nothing_inline_and_nothing_from_elsewhere) {
  const auto answer = get("live");
  EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(field(answer, "Content-Security-Policy"), live_page_policy);
  EXPECT_THAT(std::string(live_page_policy), Not(HasSubstr("unsafe")));
  EXPECT_EQ(field(answer, "X-Frame-Options"), "DENY");
  EXPECT_EQ(field(answer, "Cache-Control"), "no-store");
  EXPECT_THAT(answer.body, Not(testing::ContainsRegex("<script>|<style|style=|onclick|https?://")));
}

TEST_F(LivePageTest, has_files_whose_names_change_with_what_they_hold) {
  const std::string shell = get("live").body;
  ASSERT_GE(page_assets().size(), 4);
  for (const PageAsset& asset : page_assets().subspan(1)) {
    const std::string part = "live=" + std::string(asset.name);
    EXPECT_THAT(shell, HasSubstr('?' + part + '"'));
    const auto answer = get(part);
    EXPECT_EQ(answer.body, asset.bytes);
    EXPECT_EQ(answer.content_type, asset.type);
    EXPECT_THAT(field(answer, "Cache-Control"), HasSubstr("immutable"));
    EXPECT_THAT(field(answer, "Cache-Control"), HasSubstr("private"));
  }
  EXPECT_EQ(get("live=app-000000000000.js").status, 404);
  EXPECT_EQ(page.answer(question(Method::put, "live")).status, 405);
  EXPECT_EQ(page.answer(question(Method::post, "live=feed")).status, 405);
}

// A row of the feed, of the first member.
TEST_F(LivePageTest, tells_of_a_health_check_as_long_as_there_is_one) {
  const auto check = [this] {
    for (const ApiJson& row : data_of(get("live=feed").body)["rows"]) {
      if (row.value("member", "") == "http://m1:8080") return row.at("check");
    }
    return ApiJson("no such row");
  };
  balance::HealthLog& log = view().member->health_log();
  changed(wish({{"fields", {{"hcmethod", "TCP"}}}}));
  log.note_check({.ended = loop.now(), .evidence = {}});
  log.set_next_check(loop.now() + seconds(2));
  EXPECT_EQ(check()["passed"], true);
  EXPECT_TRUE(check().contains("next"));
  changed(wish({{"fields", {{"hcmethod", ""}}}}));
  EXPECT_TRUE(check().is_null()) << check();
}

TEST_F(LivePageTest, tells_all_at_first_and_then_what_is_different) {
  const auto answer = get("live=feed");
  EXPECT_EQ(answer.content_type, "text/event-stream");
  EXPECT_THAT(answer.body, StartsWith("retry: 1000\nevent: all\ndata: {"));
  const ApiJson all = data_of(answer.body);
  EXPECT_EQ(all["server"], "lb.test");
  EXPECT_EQ(all["nonces"]["balancer://app"], "secret");
  ASSERT_EQ(all["rows"].size(), 3);
  EXPECT_EQ(all["rows"][1]["member"], "http://m1:8080");
  loop.advance(seconds(1));
  std::string text = answer.feed->take().text;
  EXPECT_THAT(text, StartsWith("event: some\ndata: {"));
  EXPECT_EQ(data_of(text)["rows"], ApiJson::array());
  const balance::Decision request = visit("a.r2");
  loop.advance(seconds(1));
  text = answer.feed->take().text;
  EXPECT_EQ(data_of(text)["rows"].back()["id"], all["rows"][2]["id"]);
  EXPECT_EQ(data_of(text)["rows"].back()["in_flight"], 1);
  EXPECT_FALSE(data_of(text)["rows"].back().contains("member"));
  page.end_feeds();
  EXPECT_TRUE(answer.feed->take().ended);
}

TEST_F(LivePageTest, who_comes_later_is_told_what_the_others_know) {
  const auto first = get("live=feed");
  const balance::Decision request = visit("a.r1");
  const auto second = get("live=feed");
  EXPECT_EQ(data_of(second.body)["rows"][1]["in_flight"], 0);
  loop.advance(seconds(1));
  const std::string news = first.feed->take().text;
  EXPECT_EQ(second.feed->take().text, news);
  EXPECT_THAT(news, HasSubstr("\"in_flight\":1"));
}

TEST_F(LivePageTest, only_so_many_listen_and_who_left_makes_room) {
  std::vector<std::shared_ptr<proxy::Feed>> feeds;
  for (std::size_t i = 0; i < LiveFeed::listeners_max; ++i) {
    feeds.push_back(get("live=feed").feed);
    ASSERT_NE(feeds.back(), nullptr);
  }
  EXPECT_EQ(get("live=feed").status, 503);
  feeds.front()->close();
  EXPECT_NE(get("live=feed").feed, nullptr);
}

TEST_F(LivePageTest, who_was_gone_before_it_listened_makes_room) {
  for (std::size_t i = 0; i < 2 * LiveFeed::listeners_max; ++i)
    EXPECT_NE(get("live=feed").feed, nullptr) << i;  // nobody holds it
}

TEST_F(LivePageTest, a_late_question_under_an_old_configuration_does_not_decide_what_others_see) {
  auto late = question(Method::get, "live=feed");
  adopt(one_balancer(3));
  page.end_feeds();
  const auto old = page.answer(late);
  const auto fresh = get("live=feed");
  EXPECT_EQ(data_of(fresh.body)["rows"].size(), 4U);  // one is the balancer's
  EXPECT_TRUE(old.feed->take().ended);
  EXPECT_FALSE(fresh.feed->take().ended);
}

TEST_F(LivePageTest, a_change_is_made_told_and_taken_back) {
  const auto feed = get("live=feed").feed;
  ApiJson made = changed(wish({{"fields", {{"loadfactor", "2.5"}, {"lbset", "1"}}}}));
  ASSERT_EQ(made.size(), 2);
  EXPECT_EQ(view().spec->load_factor, 250);
  EXPECT_THAT(feed->take().text, HasSubstr("\"weight\":2.5"));  // at once
  ApiJson undone;
  for (const ApiJson& each : made) {
    undone = changed(wish({{"undo", each["id"]}}));
    EXPECT_EQ(undone[0]["undoes"], each["id"]);
  }
  EXPECT_EQ(view().spec->load_factor, 100);
  EXPECT_EQ(view().spec->lbset, 0);
  EXPECT_EQ(changed(wish({{"fields", {{"lbset", "0"}}}})), ApiJson::array());  // it was so already
}

TEST_F(LivePageTest, a_switch_leaves_alone_what_others_changed_meanwhile) {
  ask(R"({"command":"set","balancer":"app","member":"r1","status":"+D"})");
  changed(wish({{"switch", "+H"}}));
  EXPECT_EQ(balance::text_of(*view().spec, "status"), "DH");
  changed(wish({{"switch", "-D"}}));
  EXPECT_EQ(balance::text_of(*view().spec, "status"), "H");
  EXPECT_EQ(change(wish({{"switch", "+Q"}})).status, 422);
  EXPECT_EQ(change(wish({{"switch", ""}})).status, 422);
}

TEST_F(LivePageTest, a_drain_is_an_order_and_undrain_or_undo_end_it) {
  ApiJson made = changed(wish({{"drain", ApiJson::object()}}));
  EXPECT_EQ(made[0]["after"], "N");
  EXPECT_EQ(status(), "Init Drn Ok");
  changed(wish({{"undrain", true}}));
  EXPECT_EQ(status(), "Init Ok");
  made = changed(wish({{"drain", ApiJson::object()}}));
  changed(wish({{"undo", made[0]["id"]}}));
  EXPECT_EQ(status(), "Init Ok");
}

TEST_F(LivePageTest, an_undo_that_came_too_late_is_refused) {
  const ApiJson made = changed(wish({{"fields", {{"loadfactor", "2"}}}}));
  changed(wish({{"fields", {{"loadfactor", "3"}}}}));
  const auto answer = change(wish({{"undo", made[0]["id"]}}));
  EXPECT_EQ(answer.status, 409);
  EXPECT_THAT(answer.body, HasSubstr("changed again since"));
  EXPECT_EQ(view().spec->load_factor, 300);
}

TEST_F(LivePageTest, nothing_is_changed_without_the_nonce_or_from_elsewhere) {
  const ApiJson drain{{"drain", ApiJson::object()}};
  EXPECT_EQ(change(wish({{"drain", ApiJson::object()}, {"nonce", "guess"}})).status, 403);
  proxy::DeskQuestion asked = question(Method::post, "live=change", wish(drain).dump());
  for (const auto& [name, value] :
       {std::pair("Origin", "http://evil.example"), std::pair("Referer", "http://evil.example/"),
        std::pair("Sec-Fetch-Site", "cross-site"), std::pair("Sec-Fetch-Site", "same-site")}) {
    proxy::DeskQuestion foreign = asked;
    foreign.fields.insert(foreign.fields.begin(), {name, value});
    EXPECT_EQ(page.answer(foreign).status, 403) << name << ' ' << value;
  }
  proxy::DeskQuestion form = asked;
  form.fields[2].second = "text/plain";
  EXPECT_EQ(page.answer(form).status, 415);
  EXPECT_EQ(get("live=change").status, 404);
  nonce.clear();
  EXPECT_THAT(change(wish({{"drain", ApiJson::object()}, {"nonce", ""}})).body,
              HasSubstr("read-only"));
  EXPECT_EQ(status(), "Init Ok");
  EXPECT_THAT(notes, ElementsAre());
}

TEST_F(LivePageTest, a_change_that_cannot_be_is_refused_with_the_reason) {
  const auto refused = [this](const ApiJson& object) {
    const auto answer = change(object);
    EXPECT_EQ(answer.content_type, "application/problem+json");
    return answer.status;
  };
  EXPECT_EQ(refused(wish({{"fields", {{"loadfactor", "much"}}}})), 422);
  EXPECT_EQ(refused(wish({{"fields", {{"colour", "red"}}}})), 422);
  EXPECT_EQ(refused(wish({{"dance", true}})), 422);
  EXPECT_EQ(refused(wish({{"drain", {{"kick", 7}}}})), 422);
  EXPECT_EQ(refused(wish({{"switch", "+D"}, {"reason", "new disk"}})), 422);
  EXPECT_EQ(refused(wish({{"switch", "+D"}, {"fields", {{"lbset", "3"}}}})), 422);
  EXPECT_EQ(refused(wish(ApiJson::object())), 422);
  EXPECT_EQ(status(), "Init Ok");
  EXPECT_EQ(refused(wish({{"undo", 99}})), 409);
  EXPECT_EQ(refused(wish({{"member", "http://m9:1"}, {"undrain", true}})), 404);
  EXPECT_EQ(refused(wish({{"balancer", "none"}, {"undrain", true}})), 404);
  EXPECT_EQ(refused(ApiJson::array()), 400);
  EXPECT_EQ(page.answer(question(Method::post, "live=change", "{")).status, 400);
  proxy::DeskQuestion cut = question(Method::post, "live=change", wish({{"undrain", true}}).dump());
  cut.body_is_cut = true;
  EXPECT_EQ(page.answer(cut).status, 413);
}

TEST_F(LivePageTest, the_last_hour_is_told_in_steps) {
  visit("a.r1");
  loop.advance(seconds(25));
  ApiJson hour = told("live=hour&balancer=balancer%3A%2F%2Fapp");
  EXPECT_EQ(hour["step"], 10);
  EXPECT_EQ(hour["steps"], 360);
  EXPECT_EQ(hour["requests"].size(), 2);
  EXPECT_FLOAT_EQ(hour["requests"][0].get<float>(), 0.1F);
  EXPECT_TRUE(hour["p50"][0].is_null());
  hour = told("live=hour&balancer=app&member=http%3A%2F%2Fm2%3A8080");
  EXPECT_EQ(hour["requests"].size(), 0);
  EXPECT_EQ(get("live=hour&balancer=other").status, 404);
  EXPECT_EQ(get("live=hour&balancer=app&member=m9").status, 404);
}

TEST_F(LivePageTest, what_happened_is_told_of_health_and_of_operators) {
  const auto exchange = visit("a.r2");
  balancer().connect_failed(
      exchange.lease, loop.now(),
      {.text = "connection refused", .latency = std::chrono::microseconds(1250)});
  loop.advance(seconds(2));
  changed(wish({{"fields", {{"lbset", "3"}}}}));
  const ApiJson events = told("live=events");
  ASSERT_EQ(events["changes"].size(), 1);
  EXPECT_EQ(events["changes"][0]["field"], "lbset");
  EXPECT_EQ(events["changes"][0]["balancer"], "balancer://app");
  EXPECT_EQ(events["changes"][0]["from"], "10.0.0.9");
  ASSERT_EQ(events["health"].size(), 1);
  EXPECT_EQ(events["health"][0]["member"], "http://m2:8080");
  EXPECT_EQ(events["health"][0]["after"], "Init Err");
  EXPECT_EQ(events["health"][0]["evidence"], "connection refused");
  EXPECT_EQ(events["health"][0]["latency_us"], 1250);
  EXPECT_EQ(events["fault"], "");
}

}  // namespace
}  // namespace steelyard::manage
