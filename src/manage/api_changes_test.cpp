// The API's changes, undo and export.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "journal/journal.hpp"
#include "manage/api.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using http::Method;
using nlohmann::json;
using testing::HasSubstr;
using testing::SizeIs;

class ApiChanges : public DeskWorld {
 protected:
  static constexpr std::string_view m1 = "balancer=app&member=http://m1:8080";

  proxy::DeskAnswer ask(Method method, const std::string& resource, std::string_view query = "",
                        const std::string& body = "") {
    proxy::DeskQuestion question;
    question.generation = generation;
    question.method = method;
    question.path = "/admin/v1/" + resource;
    question.query = std::string(query);
    question.body = body;
    question.fields = {{"Content-Type", "application/json"}, {"X-Reason", "a test"}};
    question.public_name = "lb.test";
    question.client = {IpAddress::v4(0x0a000009), 4711};
    return api.answer(question);
  }
  json told(const proxy::DeskAnswer& answer, int status) {
    EXPECT_EQ(answer.status, status) << answer.body;
    return json::parse(answer.body);
  }
  void set(const std::string& body) { told(ask(Method::patch, "member", m1, body), 200); }
  json changes(std::string_view query = "") {
    return told(ask(Method::get, "changes", query), 200)["changes"];
  }

  std::vector<std::string> notes;
  int changed = 0;
  ChangesBook kept{journal::Journal::in_memory(100), log_line};
  Api api{{.loop = loop,
           .book = kept,
           .log = [this](const proxy::DeskQuestion& /*question*/,
                         const std::string& text) { notes.push_back(text); },
           .members_changed = [this] { ++changed; },
           .drain_ordered = [] {}}};
};

TEST_F(ApiChanges, are_listed_the_latest_first) {
  EXPECT_THAT(changes(), SizeIs(0));
  set(R"({"lbset": 1})");
  set(R"({"loadfactor": 3})");
  const json list = changes();
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0]["field"], "loadfactor");
  EXPECT_EQ(list[0]["before"], "1.00");
  EXPECT_EQ(list[0]["after"], "3.00");
  EXPECT_EQ(list[0]["from"], "10.0.0.9");
  EXPECT_EQ(list[0]["reason"], "a test");
  EXPECT_EQ(list[0]["id"], 2);
  EXPECT_THAT(changes("balancer=app"), SizeIs(2));
  EXPECT_EQ(changes("before=2")[0]["id"], 1);
  told(ask(Method::get, "changes", "balancer=other"), 404);
  told(ask(Method::get, "changes", "before=x"), 400);
  told(ask(Method::get, "changes", "member=m1"), 400);
}

TEST_F(ApiChanges, are_taken_back_by_their_number) {
  set(R"({"lbset": 1, "hcinterval": "5"})");
  const json undone = told(ask(Method::post, "undo", "id=1"), 200)["changed"];
  EXPECT_EQ(undone[0]["field"], "lbset");
  EXPECT_EQ(view().spec->lbset, 0);
  EXPECT_THAT(notes.back(), HasSubstr("change 1"));
  EXPECT_EQ(changed, 1);
  told(ask(Method::post, "undo", "id=2"), 200);
  EXPECT_EQ(changed, 2);  // checks have to be looked after anew
  EXPECT_EQ(changes()[0]["undoes"], 2);
  told(ask(Method::post, "undo", "id=77"), 409);
  told(ask(Method::post, "undo", "id=one"), 400);
  told(ask(Method::post, "undo"), 400);
  told(ask(Method::get, "undo", "id=1"), 405);
}

TEST_F(ApiChanges, are_taken_back_once_however_often_it_is_asked_for) {
  set(R"({"lbset": 1})");
  EXPECT_THAT(told(ask(Method::post, "undo", "id=1"), 200)["changed"], SizeIs(1));
  for (const std::string query : {"id=1", "id=1&force=1"})
    EXPECT_THAT(told(ask(Method::post, "undo", query), 200)["changed"], SizeIs(0));
  EXPECT_THAT(changes(), SizeIs(2));
  told(ask(Method::put, "member", "balancer=app&member=http://m9:1"), 201);
  const std::string added = "id=" + std::to_string(changes().back()["id"].get<int>() + 2);
  told(ask(Method::post, "undo", added), 200);
  EXPECT_THAT(told(ask(Method::post, "undo", added), 200)["changed"], SizeIs(0));
  // Somebody else came behind the undo.
  set(R"({"lbset": 3})");
  told(ask(Method::post, "undo", "id=1"), 409);
}

TEST_F(ApiChanges, that_were_overtaken_are_taken_back_by_force_alone) {
  set(R"({"lbset": 1})");
  set(R"({"lbset": 2})");
  told(ask(Method::post, "undo", "id=1"), 409);
  told(ask(Method::post, "undo", "id=1&force=yes"), 400);
  EXPECT_EQ(view().spec->lbset, 2);
  told(ask(Method::post, "undo", "id=1&force=1"), 200);
  EXPECT_EQ(view().spec->lbset, 0);
}

TEST_F(ApiChanges, are_exported_as_configuration) {
  auto answer = ask(Method::get, "export");
  EXPECT_EQ(answer.body, "# nothing is changed\n");
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  set(R"({"loadfactor": 3})");
  answer = ask(Method::get, "export", "balancer=app");
  EXPECT_THAT(answer.body, HasSubstr("BalancerMember http://m1:8080"));
  EXPECT_THAT(answer.body, HasSubstr("loadfactor=3"));
}

TEST_F(ApiChanges, are_exported_as_they_were) {
  set(R"({"loadfactor": 3})");
  loop.advance(std::chrono::seconds(5));
  const std::string between = Moment::text_of(loop.wall_now());
  loop.advance(std::chrono::seconds(5));
  set(R"({"loadfactor": 4})");
  EXPECT_EQ(ask(Method::get, "export", "at=0").body, "# nothing was changed\n");
  EXPECT_THAT(ask(Method::get, "export", "at=1").body, HasSubstr("loadfactor=3"));
  EXPECT_THAT(ask(Method::get, "export", "at=2").body, HasSubstr("loadfactor=4"));
  EXPECT_THAT(ask(Method::get, "export", "at=" + between).body, HasSubstr("loadfactor=3"));
  const std::string last = changes()[0]["at"];  // cut to its second
  EXPECT_THAT(ask(Method::get, "export", "at=" + last).body, HasSubstr("loadfactor=4"));
  EXPECT_THAT(ask(Method::get, "export").body, HasSubstr("loadfactor=4"));
  for (const std::string wrong : {"x", "-1", "2026-02-30T00:00:00Z", "2026-11-29T24:00:00Z",
                                  "2026-11-29 14:03:10Z", "2026-11-29T14:03:10"}) {
    told(ask(Method::get, "export", "at=" + wrong), 400);
  }
  const std::string soon = Moment::text_of(loop.wall_now() + std::chrono::seconds(1));
  EXPECT_EQ(told(ask(Method::get, "export", "at=" + soon), 400)["detail"],
            soon + " has not come yet: it is " + Moment::text_of(loop.wall_now()));
  EXPECT_EQ(told(ask(Method::get, "export", "at=3"), 400)["detail"],
            "there is no change 3 yet; the last one is 2");
}

TEST_F(ApiChanges, what_was_found_out_of_a_member_is_said_and_kept_in_the_history) {
  const auto status = [this] { return DeskWorld::status(); };
  set(R"({"health": "+C", "lbset": 2})");
  EXPECT_EQ(status(), "Init HcFl");
  EXPECT_EQ(view().spec->lbset, 2);
  EXPECT_EQ(changes()[0]["field"], "health");
  EXPECT_EQ(changes()[0]["before"], "Init Ok");
  EXPECT_EQ(changes()[0]["after"], "Init HcFl");
  EXPECT_EQ(changes()[0]["reason"], "a test");
  set(R"({"health": "+C"})");
  EXPECT_THAT(changes(), SizeIs(2));
  balancer().change_status(view().member, balance::Flag::in_error, {}, loop.now());
  set(R"({"health": "-E-C"})");
  EXPECT_EQ(status(), "Init Ok");
  for (const std::string wrong : {"+E", "+D", "-S", "E", "", "-X"})
    told(ask(Method::patch, "member", m1, R"({"health": ")" + wrong + R"("})"), 422);
  told(ask(Method::post, "undo", "id=1"), 200);
  told(ask(Method::post, "undo", "id=2"), 409);
}

TEST_F(ApiChanges, of_another_virtual_host_are_its_own_affair) {
  auto config = one_balancer();
  add_host(*config, "shop.test", 80, sticky_spec("shop", 1));
  adopt(std::move(config));
  set(R"({"lbset": 1})");
  proxy::DeskQuestion question;
  question.generation = generation;
  question.server = 1;
  question.path = "/admin/v1/changes";
  EXPECT_THAT(told(api.answer(question), 200)["changes"], SizeIs(0));
  question.path = "/admin/v1/undo";
  question.method = Method::post;
  question.query = "id=1";
  question.fields = {{"Content-Type", "application/json"}};
  told(api.answer(question), 409);
  EXPECT_EQ(view().spec->lbset, 1);
}

}  // namespace
}  // namespace steelyard::manage
