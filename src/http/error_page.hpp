// The pages that httpd generates for an error, byte for byte, since monitors look for their words.
//
// Every text from outside is escaped here; callers pass it raw. Threads: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace steelyard::http {

inline constexpr std::string_view error_page_type = "text/html; charset=iso-8859-1";

enum class Signature : std::uint8_t { off, on, email };  // ServerSignature

// What the signature line and the 500 page say about the server.
struct PageServer {
  Signature signature = Signature::off;
  std::string_view banner;  // ServerTokens' text
  std::string_view name;    // ServerName
  std::uint16_t port = 0;
  std::string_view admin;  // ServerAdmin; empty means httpd's "[no address given]"
};

struct ErrorPage {
  int status = 500;
  // Heading and title when not the standard ones: "Proxy Error", or a backend's reason phrase.
  std::string_view reason;
  // Why, for pages of the proxy ("Error reading from remote server"): generic sentence, then this.
  std::string_view proxy_error;
  // 400 for a field: what is wrong with it, and the field itself.
  std::string_view field_fault;
  std::string_view field;
  std::string_view method;         // 405 and 501 name it
  std::string_view path;           // decoded path: 405 names it
  std::string_view location;       // 3xx
  std::string_view expect;         // 417: the Expect value as received
  int failed_document_status = 0;  // the status that an ErrorDocument gave when it failed; 0: none
};

// Appends the page's HTML.
void write_error_page(const ErrorPage& page, const PageServer& server, std::string& out);

}  // namespace steelyard::http
