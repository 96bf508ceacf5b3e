#include "server/span_queue.hpp"

#include <gtest/gtest.h>

#include <string>

#include "server/collector_client.hpp"
#include "server/rate_limit.hpp"

namespace steelyard::server {
namespace {

using Partial = SpanQueue::Partial;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SpanQueue, spans_of_several_exchanges_share_a_batch) {
  trace::ExportCounts counts;
  SpanQueue queue(counts);
  EXPECT_FALSE(queue.add("{1},{2}", 2));
  EXPECT_FALSE(queue.add("{3}", 1));
  EXPECT_EQ(queue.spans(), 3u);
  EXPECT_FALSE(queue.take(Partial::leave));
  const auto batch = queue.take(Partial::take);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->json, "{1},{2},{3}");
  EXPECT_EQ(batch->spans, 3u);
  EXPECT_EQ(queue.spans(), 0u);
  EXPECT_FALSE(queue.take(Partial::take));
}

TEST(SpanQueue, a_batch_is_closed_when_it_is_full) {
  trace::ExportCounts counts;
  SpanQueue queue(counts);
  EXPECT_FALSE(queue.add("{a}", SpanQueue::batch_spans - 1));
  EXPECT_TRUE(queue.add("{b}", 2));
  EXPECT_FALSE(queue.add("{c}", 1));
  EXPECT_EQ(queue.take(Partial::leave)->spans, SpanQueue::batch_spans + 1);
  EXPECT_FALSE(queue.take(Partial::leave));
  EXPECT_EQ(queue.take(Partial::take)->json, "{c}");
}

TEST(SpanQueue, what_there_is_no_room_for_is_counted) {
  trace::ExportCounts counts;
  SpanQueue queue(counts);
  queue.add("{a}", SpanQueue::spans_max);
  queue.add("{b},{c}", 2);
  EXPECT_EQ(counts.queue_full, 2u);
  queue.take(Partial::take);
  queue.add("{b},{c}", 2);
  EXPECT_EQ(counts.queue_full, 2u);
  queue.add(std::string(SpanQueue::bytes_max, 'x'), 3);
  EXPECT_EQ(counts.queue_full, 5u);
  EXPECT_EQ(queue.spans(), 2u);
}

TEST(RateLimit, admits_as_many_at_once_as_fall_into_a_second) {
  RateLimit limit;
  const Instant start{seconds(1000)};
  EXPECT_FALSE(limit.admits(start));
  limit.set(10);
  const auto admitted = [&limit](Instant when) {
    int count = 0;
    while (limit.admits(when)) ++count;
    return count;
  };
  EXPECT_EQ(admitted(start), 10);
  EXPECT_EQ(admitted(start + milliseconds(99)), 0);
  EXPECT_EQ(admitted(start + milliseconds(100)), 1);
  EXPECT_EQ(admitted(start + milliseconds(500)), 4);
  EXPECT_EQ(admitted(start + seconds(60)), 10);  // silence earns no more than that
  limit.set(0);
  EXPECT_EQ(admitted(start + seconds(120)), 0);
}

TEST(CollectorAnswers, say_how_many_spans_were_rejected) {
  EXPECT_EQ(rejected_spans("{}"), 0u);
  EXPECT_EQ(rejected_spans(""), 0u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess":{"rejectedSpans":"7","errorMessage":"x"}})"), 7u);
  EXPECT_EQ(rejected_spans(R"({"partialSuccess": { "rejectedSpans" : 12 }})"), 12u);
  EXPECT_EQ(rejected_spans(R"({"rejectedSpans":)"), 0u);
  EXPECT_EQ(rejected_spans(R"({"rejectedSpans":-1})"), 0u);
}

}  // namespace
}  // namespace steelyard::server
