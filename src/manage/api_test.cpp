#include "manage/api.hpp"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "balance/drains.hpp"
#include "manage/test_desk.hpp"

namespace steelyard::manage {
namespace {

using http::Method;
using nlohmann::json;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using Fields = std::vector<std::pair<std::string, std::string>>;

class ApiTest : public DeskWorld {
 protected:
  static constexpr std::string_view m1 = "balancer=app&member=http://m1:8080";

  ApiTest() {
    auto config = one_balancer();
    auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
    spec->growth = 5;
    config->servers[0]->balancers[0] = std::move(spec);
    adopt(std::move(config));
  }

  proxy::DeskQuestion question(Method method, const std::string& resource,
                               std::string_view query = "", const std::string& body = "") {
    proxy::DeskQuestion question;
    question.responder = config::Responder::api;
    question.generation = generation;
    question.method = method;
    question.path = "/admin/v1" + (resource.empty() ? "" : '/' + resource);
    question.query = std::string(query);
    question.body = body;
    question.fields = {{"Content-Type", "application/json"}};
    question.public_name = "lb.test";
    question.client = {IpAddress::v4(0x0a000009), 4711};
    return question;
  }
  json read(const std::string& resource, std::string_view query = "") {
    return told(question(Method::get, resource, query), 200);
  }
  json told(const proxy::DeskQuestion& asked, int status) {
    last = api.answer(asked);
    EXPECT_EQ(last.status, status) << last.body;
    EXPECT_EQ(last.content_type, status < 400 ? "application/json" : "application/problem+json");
    return json::parse(last.body);
  }
  std::string tag() const {
    for (const auto& [name, value] : last.fields) {
      if (name == "ETag") return value;
    }
    return {};
  }
  std::string allowed() const {
    for (const auto& [name, value] : last.fields) {
      if (name == "Allow") return value;
    }
    return {};
  }

  std::vector<std::string> notes;
  int members_changed = 0;
  int drains_ordered = 0;
  proxy::DeskAnswer last;
  Api api{{.loop = loop,
           .book = book,
           .log = [this](const proxy::DeskQuestion& /*question*/,
                         const std::string& text) { notes.push_back(text); },
           .members_changed = [this] { ++members_changed; },
           .drain_ordered = [this] { ++drains_ordered; }}};
};

TEST_F(ApiTest, says_what_it_has) {
  const json root = read("");
  EXPECT_EQ(root["generation"], 2);
  EXPECT_THAT(root["resources"],
              ElementsAre("openapi.json", "balancers", "balancer", "members", "member", "drain",
                          "events", "live", "cluster", "changes", "undo", "export"));
}

TEST_F(ApiTest, who_listens_is_told_once_a_second) {
  last = api.answer(question(Method::get, "live"));
  EXPECT_EQ(last.content_type, "text/event-stream");
  const auto feed = last.feed;
  ASSERT_NE(feed, nullptr);
  const std::string first = feed->take().text;
  EXPECT_THAT(first, testing::StartsWith("event: members\ndata: {\"at\":"));
  EXPECT_THAT(first, testing::EndsWith("}\n\n"));
  loop.advance(milliseconds(500));
  EXPECT_EQ(feed->take().text, "");
  told(question(Method::patch, "member", m1, R"({"status": "D"})"), 200);
  loop.advance(milliseconds(600));
  const std::string second = feed->take().text;
  const json event = json::parse(second.substr(second.find('{')));
  EXPECT_EQ(event["members"][0]["status"], "Init Dis");
  api.end_feeds();
  EXPECT_TRUE(feed->take().ended);
}

TEST_F(ApiTest, listeners_cost_no_count_of_sessions_each_second) {
  visit("a.r1").lease.end();
  last = api.answer(question(Method::get, "live"));
  const auto feed = last.feed;
  const auto count = [&] {
    const std::string text = feed->take().text;
    const json event = json::parse(text.substr(text.rfind("data: ") + 6));
    return event["members"][0]["sessions"]["5m"]["count"].get<int>();
  };
  EXPECT_EQ(count(), 1);
  visit("b.r1").lease.end();
  loop.advance(milliseconds(1100));
  EXPECT_EQ(count(), 1);
  loop.advance(Live::counting_interval);
  EXPECT_EQ(count(), 2);
}

TEST_F(ApiTest, only_so_many_listen_and_who_left_makes_room) {
  std::vector<std::shared_ptr<proxy::Feed>> feeds;
  for (std::size_t i = 0; i < Live::listeners_max; ++i) {
    feeds.push_back(api.answer(question(Method::get, "live")).feed);
    ASSERT_NE(feeds.back(), nullptr);
  }
  told(question(Method::get, "live"), 503);
  feeds.front()->close();
  EXPECT_NE(api.answer(question(Method::get, "live")).feed, nullptr);
}

TEST_F(ApiTest, a_balancer_is_told_with_its_settings) {
  const json list = read("balancers");
  ASSERT_THAT(list["balancers"], SizeIs(1));
  const json balancer = read("balancer", "balancer=app");
  EXPECT_EQ(balancer, list["balancers"][0]);
  EXPECT_EQ(balancer["balancer"], "balancer://app");
  EXPECT_EQ(balancer["settings"]["stickysession"], "sid");
  EXPECT_EQ(balancer["settings"]["lbmethod"], "byrequests");
  EXPECT_EQ(balancer["members"], 2);
  EXPECT_EQ(balancer["etag"], tag());
}

TEST_F(ApiTest, a_virtual_host_sees_its_own_balancers) {
  auto config = one_balancer();
  add_host(*config, "shop.example", 443, sticky_spec("shop", 1));
  adopt(std::move(config));
  EXPECT_EQ(read("balancers")["balancers"][0]["balancer"], "balancer://app");
  auto asked = question(Method::get, "balancers");
  asked.server = 1;
  const json list = told(asked, 200);
  ASSERT_THAT(list["balancers"], SizeIs(1));
  EXPECT_EQ(list["balancers"][0]["balancer"], "balancer://shop");
  asked = question(Method::get, "members", "balancer=app");
  asked.server = 1;
  EXPECT_EQ(told(asked, 404)["choices"], json::array({"balancer://shop"}));
}

TEST_F(ApiTest, a_member_is_told_with_what_it_does) {
  const auto exchange = visit("x.r1");
  const json member = read("member", m1);
  EXPECT_EQ(member["member"], "http://m1:8080");
  EXPECT_EQ(member["settings"]["route"], "r1");
  EXPECT_EQ(member["settings"]["loadfactor"], "1.00");
  EXPECT_EQ(member["membership"], "configured");
  EXPECT_EQ(member["status"], "Init Ok");
  EXPECT_EQ(member["busy"], 1);
  EXPECT_EQ(member["elected"], 1);
  EXPECT_EQ(member["sessions"]["60m"]["count"], 1);
  EXPECT_EQ(member["drain"], nullptr);
  EXPECT_EQ(read("members", "balancer=app")["members"][0], member);
}

TEST_F(ApiTest, a_member_is_changed_and_told_as_it_is_then) {
  const json member = told(
      question(Method::patch, "member", m1, R"({"loadfactor": 2.5, "lbset": "3", "status": "D"})"),
      200);
  EXPECT_EQ(member["settings"]["loadfactor"], "2.50");
  EXPECT_EQ(member["changed"]["loadfactor"]["configured"], "1.00");
  EXPECT_EQ(member["status"], "Init Dis");
  EXPECT_EQ(view().spec->lbset, 3);
  EXPECT_THAT(notes, testing::Contains("http://m1:8080 in balancer://app: lbset from \"0\" to "
                                       "\"3\" (by 10.0.0.9)"));
  EXPECT_THAT(notes, SizeIs(3));
  EXPECT_EQ(members_changed, 0);
}

TEST_F(ApiTest, null_takes_a_change_back_to_the_default) {
  told(question(Method::patch, "member", m1, R"({"route": null})"), 200);
  EXPECT_EQ(view().spec->tag, "");
  told(question(Method::patch, "balancer", "balancer=app", R"({"nofailover": true})"), 200);
  EXPECT_EQ(balancer().spec()->nofailover, true);
}

TEST_F(ApiTest, the_same_change_twice_is_one_change) {
  const auto asked = question(Method::patch, "member", m1, R"({"lbset": 3})");
  told(asked, 200);
  const std::string first = last.body;
  told(asked, 200);
  EXPECT_EQ(last.body, first);
  EXPECT_THAT(notes, SizeIs(1));
}

TEST_F(ApiTest, a_bad_wish_changes_nothing_and_names_itself) {
  const json problem =
      told(question(Method::patch, "member", m1, R"({"lbset": 3, "loadfactor": "heavy"})"), 422);
  EXPECT_EQ(problem["title"], "Unprocessable Entity");
  EXPECT_EQ(problem["field"], "loadfactor");
  EXPECT_EQ(problem["member"], "http://m1:8080");
  EXPECT_EQ(view().spec->lbset, 0);
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_THAT(told(question(Method::patch, "member", m1, R"({"max": 3})"), 422)["choices"],
              testing::Contains("lbset"));
  told(question(Method::patch, "member", m1, R"({"lbset": [3]})"), 422);
  told(question(Method::patch, "member", m1, R"({"hcexpr": "nowhere"})"), 422);
  told(question(Method::patch, "member", m1, "[]"), 400);
  told(question(Method::patch, "member", m1, "{"), 400);
}

TEST_F(ApiTest, a_change_can_be_made_to_depend_on_what_was_seen) {
  read("member", m1);
  auto asked = question(Method::patch, "member", m1, R"({"lbset": 3})");
  asked.fields.emplace_back("If-Match", tag());
  told(asked, 200);
  EXPECT_THAT(std::string(told(asked, 412)["detail"]), HasSubstr(tag()));
  EXPECT_EQ(book.refused().precondition, 1U);
  // What happens to requests is no change.
  read("member", m1);
  asked.fields.back().second = "\"other\", " + tag();
  const auto exchange = visit("x.r1");
  told(asked, 200);
}

TEST_F(ApiTest, members_are_added_and_taken_away) {
  constexpr std::string_view m3 = "balancer=app&member=http://m3:8080";
  const json member = told(question(Method::put, "member", m3, R"({"route": "r3"})"), 201);
  EXPECT_EQ(member["membership"], "added");
  EXPECT_EQ(member["settings"]["status"], "D");
  EXPECT_EQ(member["settings"]["route"], "r3");
  EXPECT_EQ(members_changed, 1);
  told(question(Method::put, "member", m3, R"({"route": "other"})"), 200);
  EXPECT_EQ(balancer().members().at(2).spec->tag, "r3");
  auto asked = question(Method::put, "member", m3);
  asked.fields.emplace_back("If-None-Match", "*");
  told(asked, 412);
  asked = question(Method::patch, "member", m3, R"({"route": "other"})");
  asked.fields.emplace_back("If-None-Match", "*");
  told(asked, 412);
  EXPECT_EQ(balancer().members().at(2).spec->tag, "r3");
  told(question(Method::delete_, "member", m3), 200);
  told(question(Method::delete_, "member", m3), 404);
  told(question(Method::delete_, "member", m1), 200);
  EXPECT_EQ(read("members", "balancer=app")["removed"], json::array({"http://m1:8080"}));
  EXPECT_EQ(told(question(Method::put, "member", m1), 201)["membership"], "configured");
  EXPECT_EQ(members_changed, 4);
}

TEST_F(ApiTest, a_member_is_known_by_its_name_however_it_is_written) {
  constexpr std::string_view written = "balancer=app&member=HTTP://M3:80";
  EXPECT_EQ(told(question(Method::put, "member", written), 201)["member"], "http://m3");
  told(question(Method::put, "member", written), 200);
  EXPECT_THAT(balancer().members(), SizeIs(3));
}

TEST_F(ApiTest, a_name_that_is_no_text_is_drained_like_any_other) {
  auto config = one_balancer();
  auto spec = std::make_shared<balance::BalancerSpec>(*config->servers[0]->balancers[0]);
  spec->members[0].name = "http://m1/caf\xe9";
  config->servers[0]->balancers[0] = std::move(spec);
  adopt(std::move(config));
  told(question(Method::put, "drain", "balancer=app&member=http://m1/caf%e9", "{}"), 200);
  EXPECT_EQ(status(), "Init Drn Ok");
}

TEST_F(ApiTest, a_status_is_what_was_said_last_whichever_way_it_was_set) {
  told(question(Method::put, "drain", m1, R"({"kick": true, "reason": "new disks"})"), 200);
  EXPECT_EQ(told(question(Method::patch, "member", m1, R"({"status": ""})"), 200)["status"],
            "Init Ok");
  told(question(Method::patch, "member", m1, R"({"status": "D"})"), 200);
  ask(R"({"command":"set","balancer":"app","member":"r1","status":"-D"})");
  EXPECT_EQ(told(question(Method::patch, "member", m1, R"({"status": "D"})"), 200)["status"],
            "Init Dis");
}

TEST_F(ApiTest, every_change_may_depend_on_what_was_seen) {
  for (const auto& [method, resource] :
       {std::pair(Method::put, "member"), std::pair(Method::put, "drain"),
        std::pair(Method::delete_, "drain"), std::pair(Method::delete_, "member")}) {
    auto asked = question(method, resource, m1);
    asked.fields.emplace_back("If-Match", "\"other\"");
    told(asked, 412);
  }
  auto asked = question(Method::put, "member", "balancer=app&member=http://m9");
  asked.fields.emplace_back("If-Match", "*");
  told(asked, 412);
  EXPECT_EQ(status(), "Init Ok");
  EXPECT_THAT(balancer().members(), SizeIs(2));
}

TEST_F(ApiTest, pages_at_an_address_in_brackets_may_change_things) {
  auto asked = question(Method::patch, "member", m1, R"({"lbset": 3})");
  asked.public_name = "::1";
  asked.fields.emplace_back("Origin", "http://[::1]:8080");
  told(asked, 200);
  asked.fields.back().second = "http://[::2]:8080";
  told(asked, 403);
}

TEST_F(ApiTest, of_a_large_balancer_listeners_hear_too) {
  adopt(one_balancer(4000));
  const auto feed = api.answer(question(Method::get, "live")).feed;
  ASSERT_NE(feed, nullptr);
  EXPECT_GT(feed->take().text.size(), proxy::Feed::waiting_bytes_max);
  EXPECT_TRUE(feed->is_heard());
}

TEST_F(ApiTest, no_more_members_than_growth_allows) {
  for (int i = 3; i < 8; ++i) {
    told(question(Method::put, "member", "balancer=app&member=http://m" + std::to_string(i)), 201);
  }
  told(question(Method::put, "member", "balancer=app&member=http://m9"), 409);
  told(question(Method::put, "member", "balancer=app&member=nonsense"), 422);
}

TEST_F(ApiTest, drains_are_ordered_looked_at_and_taken_back) {
  told(question(Method::get, "drain", m1), 404);
  const json drain =
      told(question(Method::put, "drain", m1, R"({"deadline": "10min", "sessions": 0})"), 200);
  EXPECT_EQ(drain["state"], "under_way");
  EXPECT_EQ(drains_ordered, 1);
  EXPECT_EQ(read("drain", m1), drain);
  EXPECT_EQ(told(question(Method::delete_, "drain", m1), 200)["status"], "Init Ok");
  told(question(Method::delete_, "drain", m1), 200);
  EXPECT_THAT(notes, SizeIs(2));
  told(question(Method::put, "drain", m1, R"({"sessions": -1})"), 422);
  told(question(Method::put, "drain", m1, R"({"command": "set"})"), 422);
  told(question(Method::put, "drain", m1, R"({"untill": 3})"), 422);
}

TEST_F(ApiTest, events_are_told_in_order) {
  told(question(Method::patch, "member", m1, R"({"status": "D"})"), 200);
  told(question(Method::patch, "member", m1, R"({"status": ""})"), 200);
  const json events = read("events", m1)["events"];
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0]["after"], "Init Dis");
  EXPECT_EQ(events[1]["after"], "Init Ok");
}

TEST_F(ApiTest, an_event_has_its_evidence) {
  const auto exchange = visit("x.r1");
  balancer().force_error(
      exchange.lease, loop.now(), balance::HealthCause::answer_status,
      {.status = 503, .text = "said so", .latency = std::chrono::microseconds(1250)});
  const json event = read("events", m1)["events"].at(0);
  EXPECT_EQ(event["cause"], "answered a status of failonstatus");
  EXPECT_EQ(event["evidence"], "said so");
  EXPECT_EQ(event["answer_status"], 503);
  EXPECT_EQ(event["latency_us"], 1250);
}

TEST_F(ApiTest, what_is_not_there_is_said_so) {
  told(question(Method::get, "nothing"), 404);
  told(question(Method::get, "balancer", "balancer=none"), 404);
  EXPECT_THAT(std::string(told(question(Method::get, "member", "balancer=app"), 400)["detail"]),
              HasSubstr("member is missing"));
  told(question(Method::get, "balancers", "x=1"), 400);
  told(question(Method::get, "balancer", "balancer=app&balancer=app"), 400);
  told(question(Method::get, "balancer", "balancer=%4"), 400);
  told(question(Method::post, "member", m1), 405);
  EXPECT_EQ(allowed(), "HEAD, GET, PUT, PATCH, DELETE");
  auto asked = question(Method::get, "");
  asked.path = "/admin/v2";
  told(asked, 404);
}

// A page of another site can make a browser send requests, with credentials.
TEST_F(ApiTest, nothing_is_changed_for_a_page_of_another_site) {
  const auto with = [&](const char* name, const char* value) {
    auto asked = question(Method::patch, "member", m1, R"({"lbset": 3})");
    asked.fields.emplace_back(name, value);
    return asked;
  };
  told(with("Sec-Fetch-Site", "cross-site"), 403);
  told(with("Sec-Fetch-Site", "same-site"), 403);
  told(with("Origin", "https://evil.example"), 403);
  told(with("Origin", "null"), 403);
  auto form = question(Method::patch, "member", m1, R"({"lbset": 3})");
  form.fields = {{"Content-Type", "text/plain"}};
  told(form, 415);
  form.fields.clear();
  told(form, 415);
  auto empty = question(Method::post, "undo", {}, "");
  empty.fields = {{"Content-Type", "application/x-www-form-urlencoded"}};
  told(empty, 415);
  auto cut = question(Method::patch, "member", m1, R"({"lbset": 3})");
  cut.body_is_cut = true;
  told(cut, 413);
  EXPECT_EQ(view().spec->lbset, 0);
  told(with("Origin", "https://LB.test:8443"), 200);
  told(with("Sec-Fetch-Site", "same-origin"), 200);
}

TEST_F(ApiTest, what_is_said_twice_in_a_body_is_refused) {
  const json problem =
      told(question(Method::patch, "member", m1, R"({"lbset": 1, "retry": "5", "lbset": 2})"), 400);
  EXPECT_EQ(problem["detail"], "\"lbset\" is there twice");
  EXPECT_EQ(view().spec->lbset, 0);
  told(question(Method::put, "drain", m1, R"({"kick": true, "ki\u0063k": false})"), 400);
  // Elsewhere the name is another one.
  told(question(Method::patch, "member", m1, R"({"lbset": {"lbset": 1}})"), 422);
}

TEST_F(ApiTest, the_word_of_the_managers_form_for_no_stickiness_is_no_cookie) {
  const auto set = [this](const std::string& value, int status) {
    return told(
        question(Method::patch, "balancer", "balancer=app", R"({"stickysession": )" + value + "}"),
        status);
  };
  EXPECT_THAT(std::string(set(R"("-")", 422)["detail"]),
              HasSubstr("an empty value takes stickiness away"));
  EXPECT_TRUE(balancer().spec()->sticky.enabled());
  set("null", 200);
  EXPECT_FALSE(balancer().spec()->sticky.enabled());
  set(R"("sid")", 200);
  set(R"("")", 200);
  EXPECT_FALSE(balancer().spec()->sticky.enabled());
}

// The tag is of what can be changed, the body of what requests do, too.
TEST_F(ApiTest, who_knows_the_tag_is_told_everything_all_the_same) {
  read("member", m1);
  proxy::DeskQuestion asked = question(Method::get, "member", m1);
  asked.fields.emplace_back("If-None-Match", tag());
  visit("x.r1").lease.end();
  EXPECT_EQ(told(asked, 200)["member"], "http://m1:8080");
}

TEST_F(ApiTest, names_are_data) {
  const json problem = told(question(Method::get, "balancer", "balancer=%22%0d%0aX:%20y"), 404);
  EXPECT_THAT(std::string(problem["detail"]), HasSubstr("X: y"));
  EXPECT_THAT(last.body, testing::Not(HasSubstr("\r\n")));
}

// Every reference of the document leads somewhere, and every method is one that answers.
TEST_F(ApiTest, the_document_tells_what_is_there) {
  const json document = json::parse(Api::document("/admin"));
  EXPECT_EQ(document["openapi"], "3.0.3");
  EXPECT_EQ(read("openapi.json"), document);
  std::set<std::string> names;
  int operations = 0;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      ++operations;
      EXPECT_FALSE(std::string(operation["summary"]).empty()) << path << method;
      names.insert(operation["operationId"]);
      if (!operation.contains("requestBody")) continue;
      const std::string reference =
          operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
      EXPECT_TRUE(document.contains(json::json_pointer(reference.substr(1)))) << reference;
    }
  }
  EXPECT_EQ(operations, 19);
  EXPECT_THAT(names, SizeIs(19));
  EXPECT_TRUE(document["components"]["schemas"]["MemberFields"]["properties"].contains("lbset"));
}

// What a client makes of the document is what this server answers, wherever the API lies.
TEST_F(ApiTest, the_urls_of_the_document_lead_to_its_operations) {
  const std::map<std::string, Method> methods{{"get", Method::get},
                                              {"put", Method::put},
                                              {"post", Method::post},
                                              {"patch", Method::patch},
                                              {"delete", Method::delete_}};
  for (const std::string place : {"", "/admin", "/a b/\xc3\xbc"}) {
    proxy::DeskQuestion asked = question(Method::get, "openapi.json");
    asked.path = place + "/v1/openapi.json";
    const json document = told(asked, 200);
    const std::string server = document["servers"][0]["url"];
    EXPECT_THAT(server, testing::StartsWith("/"));
    for (const auto& [path, operations] : document["paths"].items()) {
      for (const auto& [method, operation] : operations.items()) {
        proxy::DeskQuestion call = question(methods.at(method), "");
        call.path = *decoded_parameter((server == "/" ? "" : server) + path);
        EXPECT_EQ(call.path, place + path);
        const proxy::DeskAnswer answer = api.answer(call);
        EXPECT_NE(answer.status, 405) << path << method;
        EXPECT_THAT(answer.body, testing::Not(HasSubstr("has no resource"))) << path << method;
      }
    }
  }
}

TEST_F(ApiTest, the_document_describes_what_is_no_json_and_the_fields_of_requests) {
  const json paths = json::parse(Api::document("/admin"))["paths"];
  const auto types = [&paths](const std::string& path) {
    std::vector<std::string> found;
    for (const auto& [type, schema] : paths[path]["get"]["responses"]["2XX"]["content"].items())
      found.push_back(type);
    return found;
  };
  EXPECT_THAT(types("/v1/export"), ElementsAre("text/plain"));
  EXPECT_THAT(types("/v1/live"), ElementsAre("text/event-stream"));
  EXPECT_THAT(types("/v1/member"), ElementsAre("application/json"));
  const auto fields = [&paths](const std::string& path, const std::string& method) {
    std::vector<std::string> found;
    for (const json& parameter : paths[path][method]["parameters"])
      if (parameter["in"] == "header") found.push_back(parameter["name"]);
    return found;
  };
  EXPECT_THAT(fields("/v1/member", "get"), IsEmpty());
  EXPECT_THAT(fields("/v1/member", "put"), ElementsAre("X-Reason", "If-Match", "If-None-Match"));
  EXPECT_THAT(fields("/v1/member", "patch"), ElementsAre("X-Reason", "If-Match"));
  EXPECT_THAT(fields("/v1/undo", "post"), ElementsAre("X-Reason"));
  // Where the document says there is an ETag, there is one.
  for (const auto& [path, query] : {std::pair{"member", m1}, {"balancer", "balancer=app"}}) {
    const bool is_said =
        paths["/v1/" + std::string(path)]["get"]["responses"]["2XX"].contains("headers");
    EXPECT_TRUE(is_said);
    read(path, query);
    EXPECT_FALSE(tag().empty());
  }
}

}  // namespace
}  // namespace steelyard::manage
