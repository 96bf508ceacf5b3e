#include "trace/context.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "trace/id_source.hpp"

namespace steelyard::trace {
namespace {

constexpr std::string_view usual = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr Context usual_context{{0x4bf92f3577b34da6, 0xa3ce929d0e0e4736}, 0x00f067aa0ba902b7, true};

std::string with(std::size_t at, std::string_view text) {
  return std::string(usual).replace(at, text.size(), text);
}

TEST(Traceparent, says_trace_parent_and_whether_it_is_sampled) {
  EXPECT_EQ(read_traceparent(usual), usual_context);
  EXPECT_FALSE(read_traceparent(with(53, "00"))->sampled);
  EXPECT_TRUE(read_traceparent(with(53, "ff"))->sampled);  // other flags mean nothing here
  EXPECT_FALSE(read_traceparent(with(53, "fe"))->sampled);
}

// After the cases of the recommendation's own validation service, written anew.
TEST(Traceparent, what_is_none_begins_a_new_trace) {
  const std::string refused[] = {
      "",
      "00",
      std::string(usual.substr(0, 54)),
      std::string(usual) + "-",                                    // version 00 ends there
      std::string(usual) + "-extra",                               //
      std::string(usual) + "." + std::string(usual.substr(0, 2)),  //
      with(0, "ff"),                                               // no version at all
      with(0, "0"),                                                // still 00 ...
      with(0, "0x"),                                               // ... and no digit
      with(0, ".0"),
      with(0, "0G"),
      with(3, "4BF9"),                              // capitals
      with(3, "00000000000000000000000000000000"),  // no trace
      with(3, ".bf92f3577b34da6a3ce929d0e0e4736"),
      with(36, "0000000000000000"),  // no parent
      with(36, "00F067AA0BA902B7"),
      with(36, ".0f067aa0ba902b7"),
      with(53, ".0"),
      with(53, "0."),
      with(53, "0A"),
      with(2, "_"),
      with(35, " "),
      with(52, "x"),
      "00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7-01---",  // dashes elsewhere
      std::string(usual) + "," + std::string(usual),                // two fields in one
      std::string(usual) + " ",
  };
  for (const std::string& value : refused) {
    if (value == usual) continue;
    EXPECT_EQ(read_traceparent(value), std::nullopt) << value;
  }
}

TEST(Traceparent, a_later_version_is_read_as_far_as_it_is_known) {
  EXPECT_EQ(read_traceparent(with(0, "01")), usual_context);
  EXPECT_EQ(read_traceparent(with(0, "cc")), usual_context);
  EXPECT_EQ(read_traceparent(with(0, "cc") + "-what-the-future-will-be-like"), usual_context);
  EXPECT_EQ(read_traceparent(with(0, "cc") + "-"), usual_context);
  EXPECT_EQ(read_traceparent(with(0, "cc") + ".what"), std::nullopt);
}

TEST(Traceparent, what_is_written_can_be_read) {
  EXPECT_EQ(view_of(write_traceparent(usual_context)), usual);
  EXPECT_EQ(view_of(write_traceparent({{0, 1}, 1, false})),
            "00-00000000000000000000000000000001-0000000000000001-00");
}

TEST(Tracestate, lists_of_keys_and_values_are_passed_on) {
  std::string most = "a0=1";
  for (int i = 1; i < 32; ++i) most += ",a" + std::to_string(i) + "=1";
  const std::string passed[] = {
      "a=1",
      "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
      "foo=1 , \t bar=2",
      " foo=1\t",
      "foo=1,,bar=2",
      "",
      "fw529a3039@dt=FfLhSX9oBtsYVpOI2Qy5EJr2gYYyF6BHIXLWHK9D",
      "0tenant@vendor=1",
      "a_-*/0=1",
      "a=" + std::string(256, '~'),
      std::string(256, 'z') + "=1",
      "a= 1",  // a blank in front belongs to the value
      "a=b c",
      most,
  };
  for (const std::string& value : passed) EXPECT_TRUE(is_tracestate(value)) << value;
}

TEST(Tracestate, what_is_no_such_list_is_not) {
  std::string many = "a0=1";
  for (int i = 1; i < 33; ++i) many += ",a" + std::to_string(i) + "=1";
  const std::string refused[] = {
      "foo",
      "foo=",
      "foo= ",
      "=1",
      "foo =1",
      "FOO=1",
      "foo.bar=1",
      "_foo=1",
      "@vendor=1",
      "foo=bar=baz",
      "foo=1,foo=2",
      "foo=1,foo=1",
      std::string(257, 'z') + "=1",
      "a=" + std::string(257, '~'),
      "a=\x7f",
      "a=\xc3\xa9",
      "a=b\tc",
      many,
      std::string(33, ','),
  };
  for (const std::string& value : refused) EXPECT_FALSE(is_tracestate(value)) << value;
}

TEST(Ids, are_never_zero_and_do_not_come_back) {
  IdSource ids({1, 2, 3, 4});
  std::set<std::string> seen;
  for (int i = 0; i < 20000; ++i) {
    const TraceId trace = ids.next_trace();
    const SpanId span = ids.next_span();
    EXPECT_NE(trace.high, 0u);
    EXPECT_NE(span, 0u);
    seen.emplace(view_of(text_of(trace)));
    seen.emplace(view_of(text_of(span)));
  }
  EXPECT_EQ(seen.size(), 40000u);
}

TEST(Ids, of_other_seeds_are_others) {
  EXPECT_NE(IdSource({1, 2, 3, 4}).next_trace(), IdSource({1, 2, 3, 5}).next_trace());
  IdSource of_nothing({0, 0, 0, 0});
  EXPECT_NE(of_nothing.next_trace(), of_nothing.next_trace());
}

// The first numbers that the authors' description gives for this state.
TEST(Ids, come_from_the_generator_that_is_named) {
  IdSource ids({1, 2, 3, 4});
  EXPECT_EQ(ids.next(), 41943041u);
  EXPECT_EQ(ids.next(), 58720359u);
  EXPECT_EQ(ids.next(), 3588806011781223u);
}

}  // namespace
}  // namespace steelyard::trace
