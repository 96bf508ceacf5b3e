#include "http/error_page.hpp"

#include <algorithm>
#include <array>

#include "http/html.hpp"
#include "http/status.hpp"

namespace steelyard::http {

namespace {

struct Paragraph {
  int status;
  std::string_view text;  // %m method, %l location, %a administrator, %n note or proxy error
};

// httpd's words and line ends, seen on 2.4.71. A table, sorted by code.
constexpr auto paragraphs = std::to_array<Paragraph>({
    {300, ""},
    {301, "<p>The document has moved <a href=\"%l\">here</a>.</p>\n"},
    {302, "<p>The document has moved <a href=\"%l\">here</a>.</p>\n"},
    {303, "<p>The answer to your request is located <a href=\"%l\">here</a>.</p>\n"},
    {305,
     "<p>This resource is only accessible through the proxy\n<br />\nYou will need to configure "
     "your client to use that proxy.</p>\n"},
    {307, "<p>The document has moved <a href=\"%l\">here</a>.</p>\n"},
    {308, "<p>The document has moved <a href=\"%l\">here</a>.</p>\n"},
    {400, "<p>Your browser sent a request that this server could not understand.<br />\n%n</p>\n"},
    {401,
     "<p>This server could not verify that you\nare authorized to access the document\n"
     "requested.  Either you supplied the wrong\ncredentials (e.g., bad password), or your\n"
     "browser doesn't understand how to supply\nthe credentials required.</p>\n"},
    {403, "<p>You don't have permission to access this resource.%n</p>\n"},
    {404, "<p>The requested URL was not found on this server.</p>\n"},
    {405, "<p>The requested method %m is not allowed for this URL.</p>\n"},
    {406,
     "<p>An appropriate representation of the requested resource could not be found on this "
     "server.</p>\n"},
    {407,
     "<p>This server could not verify that you\nare authorized to access the document\n"
     "requested.  Either you supplied the wrong\ncredentials (e.g., bad password), or your\n"
     "browser doesn't understand how to supply\nthe credentials required.</p>\n"},
    {408, "<p>Server timeout waiting for the HTTP request from the client.</p>\n"},
    {410,
     "<p>The requested resource is no longer available on this server and there is no forwarding "
     "address.\nPlease remove all references to this resource.</p>\n"},
    {411, "<p>A request of the requested method %m requires a valid Content-length.<br />\n</p>\n"},
    {412, "<p>The precondition on the request for this URL evaluated to false.</p>\n"},
    {413,
     "The requested resource does not allow request data with %m requests, or the amount of data "
     "provided in\nthe request exceeds the capacity limit.\n"},
    {414,
     "<p>The requested URL's length exceeds the capacity\nlimit for this server.<br />\n</p>\n"},
    {415,
     "<p>The supplied request data is not in a format\nacceptable for processing by this "
     "resource.</p>\n"},
    {416,
     "<p>None of the range-specifier values in the Range\nrequest-header field overlap the current "
     "extent\nof the selected resource.</p>\n"},
    {421,
     "<p>The client needs a new connection for this\nrequest as the requested host name does not "
     "match\nthe Server Name Indication (SNI) in use for this\nconnection.</p>\n"},
    {422,
     "<p>The server understands the media type of the\nrequest entity, but was unable to process "
     "the\ncontained instructions.</p>\n"},
    {423,
     "<p>The requested resource is currently locked.\nThe lock must be released or proper "
     "identification\ngiven before the method can be applied.</p>\n"},
    {424,
     "<p>The method could not be performed on the resource\nbecause the requested action depended "
     "on another\naction and that other action failed.</p>\n"},
    {426,
     "<p>The requested resource can only be retrieved\nusing SSL.  The server is willing to "
     "upgrade "
     "the current\nconnection to SSL, but your client doesn't support it.\nEither upgrade your "
     "client, or try requesting the page\nusing https://\n"},
    {428, "<p>The request is required to be conditional.</p>\n"},
    {429, "<p>The user has sent too many requests\nin a given amount of time.</p>\n"},
    {431,
     "<p>The server refused this request because\nthe request header fields are too large.</p>\n"},
    {451, "<p>Access to this URL has been denied for legal reasons.<br />\n</p>\n"},
    {501, "<p>%m not supported for current URL.<br />\n</p>\n"},
    {502,
     "<p>The proxy server received an invalid\r\nresponse from an upstream server.<br "
     "/>\r\n%n</p>\n"},
    {503,
     "<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or "
     "capacity\nproblems. Please try again later.</p>\n"},
    {504,
     "<p>The gateway did not receive a timely response\nfrom the upstream server or "
     "application.</p>\n"},
    {506,
     "<p>A variant for the requested resource\n<pre>\n\n</pre>\nis itself a negotiable resource. "
     "This indicates a configuration error.</p>\n"},
    {507,
     "<p>The method could not be performed on the resource\nbecause the server is unable to store "
     "the\nrepresentation needed to successfully complete the\nrequest.  There is insufficient "
     "free "
     "space left in\nyour storage allocation.</p>\n"},
    {508, "<p>The server terminated an operation because\nit encountered an infinite loop.</p>\n"},
    {510,
     "<p>A mandatory extension policy in the request is not\naccepted by the server for this "
     "resource.</p>\n"},
    {511, "<p>The client needs to authenticate to gain\nnetwork access.</p>\n"},
});
static_assert(std::ranges::is_sorted(paragraphs, {}, &Paragraph::status));

// For 500 and every code without words of its own.
constexpr std::string_view general_paragraph =
    "<p>The server encountered an internal error or\nmisconfiguration and was unable to complete\n"
    "your request.</p>\n<p>Please contact the server administrator at \n %a to inform them of the "
    "time this error occurred,\n and the actions you performed just before this error.</p>\n"
    "<p>More information about this error may be available\nin the server error log.</p>\n";
// A failure of the proxy takes the whole room of a 500.
constexpr std::string_view failed_proxy_paragraph = "%n<p />\n";

std::string_view paragraph_of(const ErrorPage& page) noexcept {
  if (page.status == 500 && !page.proxy_error.empty()) return failed_proxy_paragraph;
  const auto* row = std::ranges::lower_bound(paragraphs, page.status, {}, &Paragraph::status);
  const bool known = row != paragraphs.end() && row->status == page.status;
  return known ? row->text : general_paragraph;
}

std::string_view administrator(const PageServer& server) noexcept {
  return server.admin.empty() ? std::string_view("[no address given]") : server.admin;
}

void write_note(const ErrorPage& page, std::string& out) {
  if (page.proxy_error.empty()) {
    html_escape(out, page.note);
    out += page.html_note;
    return;
  }
  out += "The proxy server could not handle the request<p>Reason: <strong>";
  html_escape(out, page.proxy_error);
  out += "</strong></p>";
}

void write_paragraph(const ErrorPage& page, const PageServer& server, std::string& out) {
  std::string_view text = paragraph_of(page);
  while (true) {
    const std::size_t mark = text.find('%');
    out += text.substr(0, mark);
    if (mark == std::string_view::npos) return;
    switch (text[mark + 1]) {
      case 'm':
        html_escape(out, page.method);
        break;
      case 'l':
        html_escape(out, page.location);
        break;
      case 'a':
        html_escape(out, administrator(server));
        break;
      default:
        write_note(page, out);
    }
    text.remove_prefix(mark + 2);
  }
}

void write_expectation(const ErrorPage& page, std::string& out) {
  if (page.expect.empty()) {
    out +=
        "<p>No expectation was seen, the Expect request-header \nfield was not presented by the "
        "client.\n";
  } else {
    out +=
        "<p>The expectation given in the Expect request-header\nfield could not be met by this "
        "server.\nThe client sent<pre>\n    Expect: ";
    html_escape(out, page.expect);
    out += "\n</pre>\n";
  }
  out += "</p><p>Only the 100-continue expectation is supported.</p>\n";
}

void write_title(int status, std::string_view reason, std::string& out) {
  out += std::to_string(status);
  out += ' ';
  html_escape(out, reason);
}

}  // namespace

void write_signature(const PageServer& server, std::string& out) {
  if (server.signature == Signature::off) return;
  out += "<address>";
  html_escape(out, server.banner);
  out += " Server at ";
  if (server.signature == Signature::email) {
    out += "<a href=\"mailto:";
    html_escape(out, administrator(server));
    out += "\">";
  }
  html_escape(out, server.name);
  if (server.signature == Signature::email) out += "</a>";
  out += " Port ";
  out += std::to_string(server.port);
  out += "</address>\n";
}

std::string_view page_reason(const ErrorPage& page) noexcept {
  if (!page.reason.empty()) return page.reason;
  if (!page.proxy_error.empty()) return "Proxy Error";
  const std::string_view phrase = reason_phrase(page.status);
  return phrase.empty() ? reason_phrase(500) : phrase;
}

void write_error_page(const ErrorPage& page, const PageServer& server, std::string& out) {
  out +=
      "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" "
      "\"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n<title>";
  write_title(page.status, page_reason(page), out);
  out += "</title>\n</head><body>\n<h1>";
  html_escape(out, page_reason(page));
  out += "</h1>\n";
  if (page.status == 417) {
    write_expectation(page, out);
  } else {
    write_paragraph(page, server, out);
  }
  if (page.failed_document_status != 0) {
    out += "<p>Additionally, a ";
    write_title(page.failed_document_status, reason_phrase(page.failed_document_status), out);
    out +=
        "\nerror was encountered while trying to use an ErrorDocument to handle the request.</p>\n";
  }
  if (server.signature != Signature::off) out += "<hr>\n";
  write_signature(server, out);
  out += "</body></html>\n";
}

}  // namespace steelyard::http
