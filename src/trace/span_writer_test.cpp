#include "trace/span_writer.hpp"

#include <gtest/gtest.h>

namespace steelyard::trace {
namespace {

using std::chrono::nanoseconds;

SpanHead head() {
  SpanHead head;
  head.trace = {0x4bf92f3577b34da6, 0xa3ce929d0e0e4736};
  head.id = 0x00f067aa0ba902b7;
  head.name = "GET";
  head.kind = SpanKind::server;
  head.began = WallTime(nanoseconds(1'795'197'487'782'830'123));
  head.ended = head.began + nanoseconds(5);
  return head;
}

TEST(SpanWriter, a_span_has_the_names_and_types_of_otlp) {
  std::string out;
  SpanWriter writer(out);
  writer.begin(head());
  writer.text("url.path", "/a\"b");
  writer.number("http.response.status_code", 200);
  writer.end();
  EXPECT_EQ(out, R"({"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7",)"
                 R"("flags":257,"name":"GET","kind":2,"startTimeUnixNano":"1795197487782830123",)"
                 R"("endTimeUnixNano":"1795197487782830128","attributes":[)"
                 R"({"key":"url.path","value":{"stringValue":"/a\"b"}},)"
                 R"({"key":"http.response.status_code","value":{"intValue":"200"}}]})");
}

TEST(SpanWriter, a_parent_is_named_and_said_to_be_remote) {
  std::string out;
  SpanWriter writer(out);
  SpanHead child = head();
  child.parent = 1;
  child.parent_is_remote = true;
  writer.begin(child);
  writer.end();
  EXPECT_NE(out.find(R"("parentSpanId":"0000000000000001","flags":769)"), std::string::npos) << out;
}

TEST(SpanWriter, a_failure_is_a_status) {
  std::string out;
  SpanWriter writer(out);
  writer.begin(head());
  writer.failed("timed_out");
  writer.end();
  writer.begin(head());
  writer.failed({});
  writer.end();
  EXPECT_NE(out.find(R"("attributes":[],"status":{"code":2,"message":"timed_out"}},{)"),
            std::string::npos)
      << out;
  EXPECT_TRUE(out.ends_with(R"("attributes":[],"status":{"code":2}})")) << out;
  EXPECT_EQ(writer.count(), 2u);
}

TEST(SpanWriter, the_envelope_says_who_made_the_spans) {
  EXPECT_EQ(envelope_front({{"service.name", "lb \"1\""}, {"host.name", "h"}}, "1.2") +
                std::string(envelope_back),
            R"({"resourceSpans":[{"resource":{"attributes":[)"
            R"({"key":"service.name","value":{"stringValue":"lb \"1\""}},)"
            R"({"key":"host.name","value":{"stringValue":"h"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"steelyard","version":"1.2"},"spans":[]}]}]})");
}

}  // namespace
}  // namespace steelyard::trace
