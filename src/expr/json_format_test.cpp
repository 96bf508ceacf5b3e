#include "expr/json_format.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "expr/table_facts.hpp"
#include "expr/timeline.hpp"

namespace steelyard::expr {
namespace {

using std::chrono::microseconds;
using Words = std::vector<std::string>;

struct JsonFormats : testing::Test {
  JsonFormats() {
    facts.texts = {{TextFact::client_ip, "127.0.0.1"},
                   {TextFact::method, "GET"},
                   {TextFact::path, "/ab"},
                   {TextFact::final_path, "/ab"},
                   {TextFact::protocol, "HTTP/1.1"},
                   {TextFact::server_name, "main.test"}};
    facts.numbers = {{NumberFact::status, 200},
                     {NumberFact::body_bytes_sent, 0},
                     {NumberFact::bytes_received, 133},
                     {NumberFact::bytes_sent, 1188},
                     {NumberFact::first_byte_micros, -1}};
    facts.request = {{"Host", "main.test"}, {"User-Agent", "curl"}, {"Empty", ""}};
    facts.begin = WallTime(std::chrono::seconds(1'795'197'487) + microseconds(782'830));
    facts.took = microseconds(2'345'678);
    facts.times = &timeline;
  }
  std::string json(const Words& words) const {
    const auto compiled = JsonFormat::compile(words);
    if (!compiled) return compiled.error().text + " | " + compiled.error().advice;
    std::string text;
    compiled->write(facts, text);
    return text;
  }

  Timeline timeline;
  TableFacts facts;
};

TEST_F(JsonFormats, the_usual_fields_are_those_of_an_access_log_and_more) {
  EXPECT_EQ(json({}),
            R"({"time":"2026-11-20T17:58:07.782830Z","server":"main.test","client":"127.0.0.1",)"
            R"("host":"main.test","method":"GET","path":"/ab","query":"","protocol":"HTTP/1.1",)"
            R"("status":200,"received_bytes":133,"sent_bytes":1188,"body_bytes":0,)"
            R"("duration_us":2345678,"first_byte_us":null,"queue_us":0,"balancer":null,)"
            R"("attempts":[],"ended_by":null,"end_cause":null,"referer":null,)"
            R"("user_agent":"curl","trace_id":null,"span_id":null})");
}

TEST_F(JsonFormats, attempts_are_objects) {
  Attempt attempt;
  attempt.member = "http://m1";
  attempt.reason = "policy";
  attempt.party = "backend";
  attempt.cause = "timed_out";
  attempt.began = attempt.connected_at = Instant(microseconds(1000));
  attempt.sent_at = attempt.began + microseconds(2);
  attempt.ended = attempt.began + microseconds(30);
  attempt.pooled = true;
  timeline.attempts = {attempt, attempt};
  const std::string one =
      R"({"member":"http://m1","route":null,"address":null,"reason":"policy","proof":null,)"
      R"("outcome":"backend:timed_out","member_status":null,"connection":"pooled",)"
      R"("slot_us":null,"connect_us":null,"send_us":2,"wait_us":28,"relay_us":null,)"
      R"("attempt_us":30,"attempt_span_id":null})";
  EXPECT_EQ(json({"attempts"}), R"({"attempts":[)" + one + "," + one + "]}");
}

TEST_F(JsonFormats, a_name_may_have_a_format_of_its_own) {
  EXPECT_EQ(json({"agent=%{User-Agent}i", "x.y-z=<%m %U>", "n=%B", "text=%{missing}i%B"}),
            R"({"agent":"curl","x.y-z":"<GET /ab>","n":0,"text":"-0"})");
  EXPECT_EQ(json({"word=plain", "nothing=%{missing}i", "empty=%{Empty}i", "ms=%{ms}T"}),
            R"({"word":"plain","nothing":null,"empty":"","ms":2345})");
  EXPECT_EQ(json({"member", "attempts=%{attempts}^sy"}), R"({"member":null,"attempts":0})");
}

TEST_F(JsonFormats, whatever_bytes_come_make_one_line_of_json) {
  facts.request = {{"User-Agent", "a\"b\\c\nd\x01\xff\xc3\xa9"}};
  EXPECT_EQ(json({"user_agent", "x=[%{User-Agent}i]"}),
            "{\"user_agent\":\"a\\\"b\\\\c\\nd\\u0001\xef\xbf\xbd\xc3\xa9\","
            "\"x\":\"[a\\\"b\\\\c\\nd\\u0001\xef\xbf\xbd\xc3\xa9]\"}");
  facts.request = {{"User-Agent", "-"}};  // is there, and is a dash
  EXPECT_EQ(json({"user_agent"}), R"({"user_agent":"-"})");
}

TEST_F(JsonFormats, statuses_leave_a_field_without_a_value) {
  EXPECT_EQ(json({"a=%404B", "b=%200B"}), R"({"a":null,"b":0})");
}

TEST_F(JsonFormats, faults_say_what_to_write) {
  EXPECT_EQ(json({"statsu"}),
            "A JSON log has no field called \"statsu\" | did you mean 'status'? Or write "
            "NAME=FORMAT with a format as in LogFormat, such as statsu=%{User-Agent}i.");
  EXPECT_TRUE(json({"tra ce=%h"}).starts_with("\"tra ce=%h\" names no field"));
  EXPECT_TRUE(json({"=%h"}).starts_with("\"=%h\" names no field"));
  EXPECT_TRUE(json({"a=%Z"}).starts_with("Unrecognized LogFormat directive %Z"));
  EXPECT_TRUE(json({"a=%{menber}^sy"}).ends_with("did you mean 'member'?"));
  EXPECT_TRUE(json({"status", "status=%s"}).starts_with("a JSON object has each name once"));
}

TEST_F(JsonFormats, every_name_of_the_table_has_a_value) {
  for (const JsonFieldRow& row : json_fields()) {
    EXPECT_TRUE(json({std::string(row.name)}).starts_with("{\"" + std::string(row.name) + "\":"));
  }
}

TEST_F(JsonFormats, a_format_can_be_written_again) {
  const Words words = {"status", "a=%h", "b=x y"};
  EXPECT_EQ(JsonFormat::compile(words)->describe(), "status a=%h \"b=x y\"");
  EXPECT_FALSE(JsonFormat::compile(words)->asks_timeline());
  EXPECT_TRUE(JsonFormat::compile(Words{"attempts"})->asks_timeline());
  EXPECT_TRUE(JsonFormat::compile(Words{})->asks_timeline());
}

}  // namespace
}  // namespace steelyard::expr
