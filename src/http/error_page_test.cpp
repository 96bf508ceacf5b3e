#include "http/error_page.hpp"

#include <gtest/gtest.h>

#include <string>

namespace steelyard::http {
namespace {

constexpr std::string_view page_begin =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" "
    "\"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n<title>";

std::string page(const ErrorPage& what, const PageServer& server = {}) {
  std::string out;
  write_error_page(what, server, out);
  EXPECT_TRUE(out.starts_with(page_begin));
  EXPECT_TRUE(out.ends_with("</body></html>\n"));
  return out;
}

std::string whole(std::string_view title, std::string_view heading, std::string_view body) {
  return std::string(page_begin) + std::string(title) + "</title>\n</head><body>\n<h1>" +
         std::string(heading) + "</h1>\n" + std::string(body) + "</body></html>\n";
}

// Pages as httpd 2.4.71 sends them.
TEST(ErrorPage, is_that_of_httpd) {
  EXPECT_EQ(page({.status = 404}),
            whole("404 Not Found", "Not Found",
                  "<p>The requested URL was not found on this server.</p>\n"));
  EXPECT_EQ(page({.status = 400}),
            whole("400 Bad Request", "Bad Request",
                  "<p>Your browser sent a request that this server could not understand.<br />\n"
                  "</p>\n"));
  EXPECT_EQ(page({.status = 403}),
            whole("403 Forbidden", "Forbidden",
                  "<p>You don't have permission to access this resource.</p>\n"));
  EXPECT_EQ(page({.status = 413, .method = "POST"}),
            whole("413 Request Entity Too Large", "Request Entity Too Large",
                  "The requested resource does not allow request data with POST requests, or the "
                  "amount of data provided in\nthe request exceeds the capacity limit.\n"));
  EXPECT_EQ(page({.status = 502}),
            whole("502 Bad Gateway", "Bad Gateway",
                  "<p>The proxy server received an invalid\r\nresponse from an upstream server."
                  "<br />\r\n</p>\n"));
  EXPECT_EQ(page({.status = 503}),
            whole("503 Service Unavailable", "Service Unavailable",
                  "<p>The server is temporarily unable to service your\nrequest due to maintenance "
                  "downtime or capacity\nproblems. Please try again later.</p>\n"));
  EXPECT_EQ(page({.status = 301, .location = "http://x/a?b<c"}),
            whole("301 Moved Permanently", "Moved Permanently",
                  "<p>The document has moved <a href=\"http://x/a?b&lt;c\">here</a>.</p>\n"));
}

TEST(ErrorPage, notes_stand_in_their_place) {
  EXPECT_EQ(page({.status = 400, .note = note_field_too_long}),
            whole("400 Bad Request", "Bad Request",
                  "<p>Your browser sent a request that this server could not understand.<br />\n"
                  "Size of a request header field exceeds server limit.</p>\n"));
  EXPECT_NE(page({.status = 400, .note = note_too_many_fields})
                .find("number of request header fields exceeds this server's limit.</p>\n"),
            std::string::npos);
}

TEST(ErrorPage, a_failure_of_the_proxy_tells_its_reason) {
  constexpr std::string_view reason = "Error reading from remote server";
  const std::string told =
      "The proxy server could not handle the request<p>Reason: <strong>Error reading from remote "
      "server</strong></p>";
  EXPECT_EQ(page({.status = 502, .proxy_error = reason}),
            whole("502 Proxy Error", "Proxy Error",
                  "<p>The proxy server received an invalid\r\nresponse from an upstream server."
                  "<br />\r\n" +
                      told + "</p>\n"));
  EXPECT_EQ(page({.status = 500, .proxy_error = reason}),
            whole("500 Proxy Error", "Proxy Error", told + "<p />\n"));
  EXPECT_EQ(page({.status = 403, .proxy_error = reason}),
            whole("403 Proxy Error", "Proxy Error",
                  "<p>You don't have permission to access this resource." + told + "</p>\n"));
  EXPECT_EQ(page({.status = 503, .proxy_error = reason}),
            whole("503 Proxy Error", "Proxy Error",
                  "<p>The server is temporarily unable to service your\nrequest due to maintenance "
                  "downtime or capacity\nproblems. Please try again later.</p>\n"));
}

TEST(ErrorPage, a_code_without_words_gets_the_general_ones) {
  const std::string general =
      "<p>The server encountered an internal error or\nmisconfiguration and was unable to "
      "complete\nyour request.</p>\n<p>Please contact the server administrator at \n ad&lt;min@x "
      "to "
      "inform them of the time this error occurred,\n and the actions you performed just before "
      "this error.</p>\n<p>More information about this error may be available\nin the server error "
      "log.</p>\n";
  EXPECT_EQ(page({.status = 409}, {.admin = "ad<min@x"}),
            whole("409 Conflict", "Conflict", general));
  EXPECT_EQ(page({.status = 500}, {.admin = "ad<min@x"}),
            whole("500 Internal Server Error", "Internal Server Error", general));
  EXPECT_NE(page({.status = 500}).find("[no address given]"), std::string::npos);
}

TEST(ErrorPage, an_expectation_is_shown) {
  EXPECT_EQ(page({.status = 417, .expect = "<y>"}),
            whole("417 Expectation Failed", "Expectation Failed",
                  "<p>The expectation given in the Expect request-header\nfield could not be met "
                  "by this server.\nThe client sent<pre>\n    Expect: &lt;y&gt;\n</pre>\n"
                  "</p><p>Only the 100-continue expectation is supported.</p>\n"));
  EXPECT_EQ(page({.status = 417}),
            whole("417 Expectation Failed", "Expectation Failed",
                  "<p>No expectation was seen, the Expect request-header \nfield was not presented "
                  "by the client.\n</p><p>Only the 100-continue expectation is supported.</p>\n"));
}

TEST(ErrorPage, a_failed_error_document_is_told_before_the_signature) {
  const PageServer server{.signature = Signature::on,
                          .banner = "Apache/2.4.71 (Debian)",
                          .name = "x",
                          .port = 80,
                          .admin = ""};
  EXPECT_EQ(page({.status = 403, .failed_document_status = 404}, server),
            whole("403 Forbidden", "Forbidden",
                  "<p>You don't have permission to access this resource.</p>\n<p>Additionally, a "
                  "404 Not Found\nerror was encountered while trying to use an ErrorDocument to "
                  "handle the request.</p>\n<hr>\n<address>Apache/2.4.71 (Debian) Server at x Port "
                  "80</address>\n"));
}

TEST(ErrorPage, the_signature_may_carry_an_address) {
  const PageServer server{.signature = Signature::email,
                          .banner = "Apache",
                          .name = "x",
                          .port = 99,
                          .admin = "ad<min@x"};
  EXPECT_NE(page({.status = 404}, server)
                .find("<hr>\n<address>Apache Server at <a href=\"mailto:ad&lt;min@x\">x</a> Port "
                      "99</address>\n</body>"),
            std::string::npos);
}

TEST(ErrorPage, no_text_from_outside_becomes_markup) {
  const std::string_view script = "<script>\"&";
  const PageServer server{
      .signature = Signature::email, .banner = script, .name = script, .port = 1, .admin = script};
  for (int status = 300; status < 600; ++status) {
    ErrorPage what{.status = status,
                   .reason = script,
                   .note = script,
                   .method = script,
                   .location = script,
                   .expect = script};
    EXPECT_EQ(page(what, server).find("<script"), std::string::npos) << status;
    what.proxy_error = script;
    EXPECT_EQ(page(what, server).find("<script"), std::string::npos) << status;
  }
}

TEST(ErrorPage, the_title_is_the_reason_of_the_status_line) {
  EXPECT_EQ(page_reason({.status = 404}), "Not Found");
  EXPECT_EQ(page_reason({.status = 404, .reason = "X"}), "X");
  EXPECT_EQ(page_reason({.status = 502, .proxy_error = "why"}), "Proxy Error");
  EXPECT_EQ(page_reason({.status = 599}), "Internal Server Error");
}

}  // namespace
}  // namespace steelyard::http
