#include "http/hop_by_hop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/token_list.hpp"

namespace steelyard::http {
namespace {

using Rows = std::vector<std::pair<const char*, const char*>>;

FieldList list_of(const Rows& rows) {
  FieldList fields;
  for (const auto& [name, value] : rows) fields.add(name, value);
  return fields;
}

std::string names(const FieldList& fields) {
  std::string text;
  for (const Field& field : fields) text += std::string(field.name) + " ";
  return text;
}

std::string joined(std::string_view text, std::string_view separators = ",") {
  std::string all;
  for (const std::string_view token : tokens(text, separators)) all += std::string(token) + "|";
  return all;
}

TEST(Tokens, are_trimmed_and_never_empty) {
  EXPECT_EQ(joined("a, b\t,c"), "a|b|c|");
  EXPECT_EQ(joined(",,, ,"), "");
  EXPECT_EQ(joined(""), "");
  EXPECT_EQ(joined(", a,"), "a|");
  EXPECT_EQ(joined("a;b,c", ",;"), "a|b|c|");
}

TEST(Tokens, a_quoted_separator_does_not_count) {
  EXPECT_EQ(joined(R"(a="b,c", d)"), R"(a="b,c"|d|)");
  EXPECT_EQ(joined(R"("a\",b",c)"), R"("a\",b"|c|)");
  EXPECT_EQ(joined(R"("a,b)"), R"("a,b|)");
  EXPECT_EQ(joined("\"a\\"), "\"a\\|");
}

TEST(Tokens, are_found_in_any_case) {
  EXPECT_TRUE(has_token("Upgrade, HTTP2-Settings", "upgrade"));
  EXPECT_FALSE(has_token("xupgrade", "upgrade"));
  EXPECT_FALSE(has_token("", "upgrade"));
}

TEST(ReadConnection, sets_the_options_it_names) {
  const auto read = [](std::string_view value) {
    ConnectionOptions options;
    read_connection(value, options);
    return std::string(options.close ? "c" : "") + (options.keep_alive ? "k" : "") +
           (options.upgrade ? "u" : "");
  };
  EXPECT_EQ(read("Close"), "c");
  EXPECT_EQ(read("keep-alive"), "k");
  EXPECT_EQ(read("Keep-Alive, Upgrade"), "ku");
  EXPECT_EQ(read("x;close"), "c");
  EXPECT_EQ(read("closed"), "");
}

TEST(RequestHopByHop, takes_out_what_ends_here) {
  FieldList fields = list_of({{"Host", "x"},
                              {"Transfer-Encoding", "chunked"},
                              {"Content-Length", "5"},
                              {"Proxy-Connection", "a"},
                              {"Connection", "keep-alive, X-Hop; x-other"},
                              {"Keep-Alive", "5"},
                              {"Upgrade", "h2c"},
                              {"HTTP2-Settings", "AAMAAABk"},
                              {"Trailer", "A"},
                              {"TE", "trailers"},
                              {"X-Hop", "1"},
                              {"X-OTHER", "2"},
                              {"X-Stays", "3"},
                              {"Expect", "100-continue"},
                              {"Proxy-Authorization", "b"}});
  remove_request_hop_by_hop(fields);
  EXPECT_EQ(names(fields), "Host X-Stays Expect Proxy-Authorization ");
}

TEST(RequestHopByHop, every_connection_row_names_fields) {
  FieldList fields = list_of({{"A", "1"},
                              {"Connection", "B, connection, a"},
                              {"B", "2"},
                              {"connection", "c"},
                              {"C", "3"},
                              {"Connection", "D"},
                              {"D", "4"},
                              {"E", "5"}});
  remove_request_hop_by_hop(fields);
  EXPECT_EQ(names(fields), "E ");
}

TEST(RequestHopByHop, what_the_proxy_says_is_added_afterwards) {
  FieldList fields = list_of(
      {{"Connection", "close, X-Forwarded-For, Host"}, {"X-Forwarded-For", "1"}, {"Host", "x"}});
  remove_request_hop_by_hop(fields);
  fields.set("X-Forwarded-For", "127.0.0.1");
  EXPECT_EQ(names(fields), "X-Forwarded-For ");
}

TEST(RequestHopByHop, an_odd_list_does_no_harm) {
  FieldList fields = list_of({{"Connection", ",,,,"}, {"A", "1"}});
  remove_request_hop_by_hop(fields);
  EXPECT_EQ(names(fields), "A ");
  fields = list_of({{"A", "1"}});
  remove_request_hop_by_hop(fields);
  EXPECT_EQ(names(fields), "A ");
}

TEST(ResponseHopByHop, takes_out_what_ends_here) {
  FieldList fields = list_of({{"Server", "x"},
                              {"Connection", "close, X-Hop"},
                              {"Proxy-Connection", "a"},
                              {"Keep-Alive", "5"},
                              {"Proxy-Authenticate", "Basic"},
                              {"TE", "t"},
                              {"Trailer", "A"},
                              {"Upgrade", "x"},
                              {"Transfer-Encoding", "chunked"},
                              {"X-Hop", "1"},
                              {"Content-Length", "5"},
                              {"Set-Cookie", "a"},
                              {"WWW-Authenticate", "Basic"}});
  remove_response_hop_by_hop(fields);
  EXPECT_EQ(names(fields), "Server Content-Length Set-Cookie WWW-Authenticate ");
}

TEST(ResponseHopByHop, a_coding_that_frames_nothing_may_stay_where_it_was) {
  FieldList fields =
      list_of({{"A", "1"}, {"Transfer-Encoding", "chunked"}, {"Connection", "close"}, {"B", "2"}});
  remove_response_hop_by_hop(fields, TransferCoding::kept);
  EXPECT_EQ(names(fields), "A Transfer-Encoding B ");
}

}  // namespace
}  // namespace steelyard::http
