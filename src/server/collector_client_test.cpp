#include "server/collector_client.hpp"

#include <gtest/gtest.h>

namespace steelyard::server {
namespace {

using Kind = CollectorAnswer::Kind;

TEST(CollectorAnswers, a_success_is_one_in_whatever_form) {
  const struct {
    long status;
    std::string_view media_type, body;
  } cases[] = {
      {200, "application/json", "{}"},
      {200, "application/json", R"({"partialSuccess":{}})"},
      {200, "", ""},
      {202, "", " \r\n"},
      {204, "text/plain", ""},
      {200, "text/plain; charset=utf-8", "ok"},
      {200, "application/json", "null"},
      {200, "application/x-protobuf", "\x0a\x02\x08\x01"},
  };
  for (const auto& each : cases) {
    const auto answer = judge_answer(each.status, each.media_type, each.body);
    EXPECT_EQ(answer.kind, Kind::taken) << each.body;
    EXPECT_EQ(answer.rejected, 0U);
    EXPECT_EQ(answer.status, each.status);
  }
}

TEST(CollectorAnswers, a_page_is_none) {
  for (const std::string_view media_type :
       {"text/html", "Text/HTML ; charset=utf-8", "application/xhtml+xml"}) {
    EXPECT_EQ(judge_answer(200, media_type, "log in").kind, Kind::refused) << media_type;
    EXPECT_EQ(judge_answer(200, media_type, "").kind, Kind::taken) << media_type;
  }
  const auto untold = judge_answer(202, "", "\n<!DOCTYPE html>");
  EXPECT_EQ(untold.kind, Kind::refused);
  EXPECT_EQ(untold.text, "it answers 202 with what is no OTLP: \"<!DOCTYPE html>\"");
}

TEST(CollectorAnswers, other_statuses_are_tried_again_or_not) {
  for (const long status : {429L, 502L, 503L, 504L})
    EXPECT_EQ(judge_answer(status, "text/html", "<p>").kind, Kind::again);
  for (const long status : {302L, 400L, 404L, 500L})
    EXPECT_EQ(judge_answer(status, "application/json", "{}").kind, Kind::refused);
}

TEST(CollectorAnswers, spans_that_it_rejects_are_counted) {
  const auto answer =
      judge_answer(200, "application/json", R"({"partialSuccess":{"rejectedSpans":"3"}})");
  EXPECT_EQ(answer.kind, Kind::taken);
  EXPECT_EQ(answer.rejected, 3U);
}

}  // namespace
}  // namespace steelyard::server
