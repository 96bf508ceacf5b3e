#include "balance/session.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace steelyard::balance {
namespace {

StickySpec sticky(std::string_view name = "sid") {
  StickySpec spec;
  spec.cookie_name = spec.url_name = name;
  return spec;
}

StickySpec cutting() {
  StickySpec spec = sticky();
  spec.cut_at_semicolon = true;
  return spec;
}

// Sessions are views into the specification too, so it stands still.
const StickySpec& plain() {
  static const StickySpec spec = sticky();
  return spec;
}

Session in_url(std::string_view path, std::string_view query = "",
               const StickySpec& spec = plain()) {
  return find_session(spec, {.url_path = path, .query = query, .cookies = ""});
}

Session in_cookie(std::string_view cookies, const StickySpec& spec = plain()) {
  return find_session(spec, {.url_path = "/", .query = "", .cookies = cookies});
}

TEST(SessionInUrl, q1_the_name_matches_inside_a_longer_one) {
  EXPECT_EQ(in_url("/", "xsid=a.r2").tag, "r2");
}

TEST(SessionInUrl, q2_the_url_beats_the_cookie) {
  const StickySpec spec = sticky();
  const Session session =
      find_session(spec, {.url_path = "/", .query = "sid=a.r2", .cookies = "sid=a.r1"});
  EXPECT_EQ(session.tag, "r2");
  EXPECT_EQ(session.source, SessionSource::url);
}

TEST(SessionInUrl, the_cookie_is_not_consulted_when_the_url_value_has_no_tag) {
  const StickySpec spec = sticky();
  const Session session =
      find_session(spec, {.url_path = "/", .query = "sid=plain", .cookies = "sid=a.r1"});
  EXPECT_FALSE(session.found);
  EXPECT_EQ(session.value, "plain");
}

TEST(SessionInUrl, q3_a_path_parameter_beats_the_query) {
  EXPECT_EQ(in_url("/x;sid=a.r1", "sid=a.r2").tag, "r1");
}

TEST(SessionInUrl, q4_a_semicolon_does_not_end_the_value_by_default) {
  EXPECT_EQ(in_url("/x;sid=a.r2;v=1").tag, "r2;v=1");
}

TEST(SessionInUrl, q5_a_semicolon_ends_the_value_with_scolonpathdelim) {
  EXPECT_EQ(in_url("/x;sid=a.r2;v=1", "", cutting()).tag, "r2");
}

TEST(SessionInUrl, q6_a_slash_never_ends_the_value) {
  EXPECT_EQ(in_url("/x;sid=a.r2/y", "", cutting()).tag, "r2/y");
}

TEST(SessionInUrl, q72_an_empty_value_swallows_the_next_parameter) {
  const Session session = in_url("/", "sid=&foo=.r2");
  EXPECT_EQ(session.value, "foo=.r2");
  EXPECT_EQ(session.tag, "r2");
}

TEST(SessionInUrl, a_value_that_would_start_the_query_is_taken_from_there) {
  EXPECT_EQ(in_url("/x;sid=", "a.r1&b").value, "a.r1");
  EXPECT_EQ(in_url("/x;sid=&", "&a.r1&b").value, "a.r1");
}

TEST(SessionInUrl, q75_nothing_is_decoded_and_case_matters) {
  EXPECT_FALSE(in_url("/", "s%69d=a.r2").found);
  EXPECT_FALSE(in_url("/", "sid=a%2er2").found);
  EXPECT_FALSE(in_url("/", "SID=a.r2").found);
}

// Observed with httpd 2.4: after a name that is not assigned, one more byte is skipped.
TEST(SessionInUrl, a_name_without_equals_hides_one_that_follows_directly) {
  EXPECT_FALSE(in_url("/c", "sidsid=a.r2").found);
  EXPECT_EQ(in_url("/c", "sidxsid=a.r2").tag, "r2");
  EXPECT_EQ(in_url("/c", "sid&sid=a.r2").tag, "r2");
}

TEST(SessionInUrl, a_name_with_nothing_behind_is_no_session) {
  for (const char* query : {"sid=", "sid=&&", "sid", "x=sid"}) {
    EXPECT_EQ(in_url("/c", query).source, SessionSource::none) << query;
  }
  EXPECT_EQ(in_url("/sid", "x").source, SessionSource::none);
}

TEST(SessionInUrl, only_delimiters_behind_the_name_leave_the_cookie_to_decide) {
  const StickySpec spec = cutting();
  const Session session =
      find_session(spec, {.url_path = "/s", .query = "sid=;&?", .cookies = "sid=a.r1"});
  EXPECT_EQ(session.source, SessionSource::cookie);
  EXPECT_EQ(session.tag, "r1");
}

TEST(SessionInUrl, a_leading_semicolon_belongs_to_the_value_unless_it_delimits) {
  EXPECT_EQ(in_url("/c", "sid=;a.r1").value, ";a.r1");
  EXPECT_EQ(in_url("/c", "sid=;a.r1", cutting()).value, "a.r1");
}

TEST(SessionTag, q7_begins_after_the_first_separator) {
  EXPECT_EQ(in_cookie("sid=a.b.r2").tag, "b.r2");
}

TEST(SessionTag, no_separator_means_no_session) {
  const Session session = in_cookie("sid=nodot");
  EXPECT_FALSE(session.found);
  EXPECT_EQ(session.value, "nodot");
  EXPECT_EQ(session.name, "sid");
}

TEST(SessionTag, an_empty_tag_is_found) {
  const Session session = in_cookie("sid=abc.");
  EXPECT_TRUE(session.found);
  EXPECT_EQ(session.tag, "");
}

TEST(SessionTag, q78_without_separator_the_whole_value_is_the_tag) {
  StickySpec spec = sticky();
  spec.separator.reset();
  EXPECT_EQ(in_cookie("sid=r2", spec).tag, "r2");
  EXPECT_TRUE(in_cookie("sid=;", spec).found);
  EXPECT_FALSE(in_cookie("sid=", spec).found);
}

TEST(SessionTag, another_separator) {
  StickySpec spec = sticky();
  spec.separator = '~';
  EXPECT_EQ(in_cookie("sid=a.b~r2", spec).tag, "r2");
}

TEST(SessionInCookie, q8_quotes_belong_to_the_value) {
  EXPECT_EQ(in_cookie("sid=\"a.r2\"").tag, "r2\"");
}

TEST(SessionInCookie, q9_the_first_of_the_name_decides) {
  const Session session = in_cookie("sid=zzz; sid=a.r2");
  EXPECT_FALSE(session.found);
  EXPECT_EQ(session.value, "zzz");
  EXPECT_EQ(in_cookie("sid=;x; sid=a.r2").value, "");
}

TEST(SessionInCookie, q10_the_name_begins_at_a_boundary) {
  EXPECT_FALSE(in_cookie("xsid=a.r2").found);
  EXPECT_FALSE(in_cookie("x=sid=a.r1").found);
  EXPECT_EQ(in_cookie("x= sid=a.r1").tag, "r1");
  EXPECT_EQ(in_cookie("x=1,sid=a.r1").tag, "r1");
  EXPECT_EQ(in_cookie("sidsid=a.r1; sid=b.r2").tag, "r2");
}

TEST(SessionInCookie, q73_joined_header_lines_are_one_text) {
  EXPECT_EQ(in_cookie("a=1, sid=x.r2").tag, "r2");
  EXPECT_EQ(in_cookie("sid=x.r2, a=1").tag, "r2");
}

TEST(SessionInCookie, q74_blanks_around_the_equals_sign) {
  const Session session = in_cookie("sid  = a.r2");
  EXPECT_EQ(session.value, " a.r2");
  EXPECT_EQ(session.tag, "r2");
}

// Observed with httpd 2.4: behind an unassigned name the search goes on two bytes later.
TEST(SessionInCookie, an_unassigned_name_hides_one_that_follows_too_closely) {
  EXPECT_FALSE(in_cookie("sid;sid=a.r2").found);
  EXPECT_FALSE(in_cookie("sid sid=a.r2").found);
  EXPECT_EQ(in_cookie("sid; sid=a.r2").tag, "r2");
  EXPECT_EQ(in_cookie("sidx sid=a.r2").tag, "r2");
  EXPECT_FALSE(in_cookie("sid").found);
  EXPECT_FALSE(in_cookie("sid   ").found);
}

TEST(SessionInCookie, a_blank_inside_the_value_stays) {
  EXPECT_EQ(in_cookie("sid=a. r1").tag, " r1");
}

TEST(SessionNames, q77_cookie_and_url_name_differ) {
  StickySpec spec;
  spec.cookie_name = "CK";
  spec.url_name = "par";
  EXPECT_EQ(in_url("/", "par=a.r2", spec).name, "par");
  EXPECT_FALSE(in_url("/", "CK=a.r2", spec).found);
  EXPECT_EQ(in_cookie("CK=a.r2", spec).name, "CK");
  EXPECT_FALSE(in_cookie("par=a.r2", spec).found);
}

TEST(SessionNames, without_a_cookie_name_stickiness_is_off) {
  StickySpec spec;
  spec.url_name = "sid";
  EXPECT_FALSE(in_url("/", "sid=a.r2", spec).found);
}

// Observed with httpd 2.4 (stickysession=ck|): the first '=' of the URL assigns the empty name.
TEST(SessionNames, an_empty_url_name_matches_at_any_equals_sign) {
  StickySpec spec;
  spec.cookie_name = "ck";
  const Session session = in_url("/e/x=a.r1", "", spec);
  EXPECT_TRUE(session.found);
  EXPECT_EQ(session.tag, "r1");
  EXPECT_EQ(in_url("/e/x", "=a.r1", spec).tag, "r1");
}

// The same search over one joined text, as httpd does it, byte by byte.
Session naive_in_url(const StickySpec& spec, const std::string& text) {
  const std::string delimiters = spec.cut_at_semicolon ? ";?&" : "?&";
  const std::string& name = spec.url_name;
  for (std::size_t at = 0; at + name.size() < text.size(); ++at) {
    if (text.compare(at, name.size(), name) != 0) continue;
    at += name.size();
    if (text[at] != '=') continue;  // the loop's own step skips one more byte
    std::size_t begin = at + 1;
    while (begin < text.size() && delimiters.contains(text[begin])) ++begin;
    std::size_t end = begin;
    while (end < text.size() && !delimiters.contains(text[end])) ++end;
    Session session;
    session.value = std::string_view(text).substr(begin, end - begin);
    session.source = begin == end ? SessionSource::none : SessionSource::url;
    return session;
  }
  return {};
}

TEST(SessionInUrl, agrees_with_a_search_over_the_joined_text) {
  constexpr std::string_view alphabet = "ab=;&.";
  std::uint64_t random = 20240517;
  for (int round = 0; round < 200'000; ++round) {
    const auto next = [&random](std::uint64_t below) {
      random = random * 6364136223846793005U + 1442695040888963407U;
      return (random >> 33) % below;
    };
    std::string path = "/";
    std::string query;
    for (std::uint64_t i = next(9); i > 0; --i) path += alphabet[next(alphabet.size())];
    for (std::uint64_t i = next(9); i > 0; --i) query += alphabet[next(alphabet.size())];
    StickySpec spec = sticky(next(2) == 0 ? "a" : "ab");
    spec.cut_at_semicolon = next(2) == 0;
    const std::string joined = query.empty() ? path : path + '?' + query;
    const Session expected = naive_in_url(spec, joined);
    const Session session = in_url(path, query, spec);
    ASSERT_EQ(session.source, expected.source) << joined;
    ASSERT_EQ(session.value, expected.value) << joined;
  }
}

}  // namespace
}  // namespace steelyard::balance
