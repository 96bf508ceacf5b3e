#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cluster/etcd_words.hpp"
#include "cluster/limits.hpp"

namespace steelyard::cluster {
namespace {

using testing::SizeIs;

// As etcd 3.4.23 says it.
TEST(EtcdAnswer, a_range_has_keys_values_and_revisions) {
  const auto range = answer::range(
      200, R"({"header":{"cluster_id":"10144879847569953045","member_id":"12428976124636271536",)"
           R"("revision":"2","raft_term":"2"},"kvs":[{"key":"L3AvYQ==","create_revision":"2",)"
           R"("mod_revision":"2","version":"1","value":"eA=="}],"more":true,"count":"2"})");
  ASSERT_TRUE(range) << range.error().text;
  EXPECT_EQ(range->revision, 2);
  ASSERT_THAT(range->keys, SizeIs(1));
  EXPECT_EQ(range->keys[0].key, "/p/a");
  EXPECT_EQ(range->keys[0].value, "x");
  EXPECT_EQ(range->keys[0].revision, 2);
  EXPECT_TRUE(range->has_more);
}

TEST(EtcdAnswer, a_lease_that_is_over_has_no_time_left) {
  const auto alive = answer::keep_alive(
      200, R"({"result":{"header":{"revision":"2"},"ID":"1418812171748457225","TTL":"10"}})"
           "\n");
  ASSERT_TRUE(alive);
  EXPECT_EQ(alive->id, 1418812171748457225);
  EXPECT_EQ(alive->lifetime_seconds, 10);
  const auto over = answer::keep_alive(200, R"({"result":{"header":{"revision":"2"},"ID":"123"}})");
  ASSERT_TRUE(over);
  EXPECT_EQ(over->lifetime_seconds, 0);
}

TEST(EtcdAnswer, a_transaction_is_done_or_says_what_is_in_the_way) {
  const auto done =
      answer::transaction(200, R"({"header":{"revision":"3"},"succeeded":true,"responses":[)"
                               R"({"response_put":{"header":{"revision":"3"}}}]})");
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->done);
  EXPECT_EQ(done->revision, 3);
  const auto not_done = answer::transaction(
      200, R"({"header":{"revision":"2"},"responses":[{"response_range":{"header":{"revision":)"
           R"("2"},"kvs":[{"key":"L3AvYQ==","mod_revision":"2","value":"eA=="}],"count":"1"}},)"
           R"({"response_range":{"header":{"revision":"2"}}}]})");
  ASSERT_TRUE(not_done);
  EXPECT_FALSE(not_done->done);
  ASSERT_THAT(not_done->in_the_way, SizeIs(1));
  EXPECT_EQ(not_done->in_the_way[0].key, "/p/a");
}

TEST(EtcdAnswer, a_watch_tells_events_until_the_last_of_their_revisions) {
  const auto created = answer::watch(R"({"result":{"header":{"revision":"3"},"created":true}})");
  ASSERT_TRUE(created);
  EXPECT_TRUE(created->is_created);
  // The head has the store's revision, of which not everything need be told yet.
  const auto line = answer::watch(
      R"({"result":{"header":{"revision":"9"},"events":[{"kv":{"key":"L3AvYQ==","mod_revision":)"
      R"("2","value":"eA=="}},{"type":"DELETE","kv":{"key":"L3AvYQ==","mod_revision":"3"}}]}})");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->revision, 3);
  ASSERT_THAT(line->events, SizeIs(2));
  EXPECT_FALSE(line->events[0].is_gone);
  EXPECT_TRUE(line->events[1].is_gone);
  const auto compacted = answer::watch(
      R"({"result":{"header":{"raft_term":"2"},"canceled":true,"compact_revision":"3"}})");
  ASSERT_TRUE(compacted);
  EXPECT_TRUE(compacted->is_compacted);
  const auto refused = answer::watch(
      R"({"error":{"grpc_code":7,"http_code":403,"message":"etcdserver: permission denied"}})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "permission denied");
}

TEST(EtcdAnswer, a_fault_says_why_and_whether_to_log_in_anew) {
  const auto compacted = answer::fault(
      400, R"({"error":"etcdserver: mvcc: required revision has been compacted","message":)"
           R"("etcdserver: mvcc: required revision has been compacted","code":11})"
           "Grpc-Trailer-Content-Type: application/grpc\n");
  EXPECT_EQ(compacted.code, EtcdFault::out_of_range);
  EXPECT_EQ(compacted.text, "mvcc: required revision has been compacted");
  EXPECT_FALSE(compacted.asks_for_login());
  const auto token = answer::fault(401, R"({"error":"etcdserver: invalid auth token","code":16})");
  EXPECT_TRUE(token.asks_for_login());
  EXPECT_EQ(answer::fault(502, "<html>").text, "status 502");
}

TEST(EtcdAnswer, what_makes_no_sense_is_no_answer) {
  for (const char* body :
       {"", "x", "[]", "{}", R"({"header":{}})", R"({"header":{"revision":"-1"}})",
        R"({"header":{"revision":"99999999999999999999"}})", R"({"header":{"revision":true}})",
        R"({"header":{"revision":"2"},"kvs":{}})", R"({"header":{"revision":"2"},"kvs":[1]})",
        R"({"header":{"revision":"2"},"kvs":[{"key":"!"}]})",
        R"({"header":{"revision":"2"},"kvs":[{"mod_revision":"1"}]})"})
    EXPECT_FALSE(answer::range(200, body)) << body;
  EXPECT_FALSE(answer::login(200, R"({"token":""})"));
  EXPECT_FALSE(answer::login(200, R"({"token":"a\r\nX: y"})"));
  EXPECT_FALSE(answer::grant(200, R"({"TTL":"10"})"));
  EXPECT_FALSE(answer::transaction(200, R"({"header":{"revision":"2"}})"));
  EXPECT_FALSE(answer::watch(R"({"result":{"events":[{"kv":{}}]}})"));
  EXPECT_FALSE(answer::watch("{}"));
  EXPECT_FALSE(answer::range(200, std::string(answer_bytes_max + 1, ' ')));
}

TEST(EtcdQuestion, a_transaction_compares_every_field_it_changes) {
  const FieldKey one{"main", "b", "m", "f"};
  const FieldKey two{"main", "b", "m", "g"};
  const Order order{.id = "1",
                    .fields = {{{one, FieldValue{.value = "x"}}, 7}, {{two, std::nullopt}, 0}}};
  const auto body = nlohmann::json::parse(ask::transaction("/p", order));
  EXPECT_EQ(body["compare"].size(), 2U);
  EXPECT_EQ(body["compare"][0]["mod_revision"], "7");
  EXPECT_EQ(body["compare"][1]["mod_revision"], "0");
  EXPECT_TRUE(body["success"][0].contains("request_put"));
  EXPECT_TRUE(body["success"][1].contains("request_delete_range"));
  EXPECT_EQ(body["failure"].size(), 2U);
}

}  // namespace
}  // namespace steelyard::cluster
