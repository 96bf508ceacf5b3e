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
  std::string_view banner = {};  // ServerTokens' text
  std::string_view name = {};    // ServerName
  std::uint16_t port = 0;
  std::string_view admin = {};  // ServerAdmin; empty means httpd's "[no address given]"
};

struct ErrorPage {
  int status = 500;
  // Heading and title when not the standard ones: a backend's reason phrase.
  std::string_view reason = {};
  // Why, for failures of the proxy ("Error reading from remote server"). The heading is then
  // "Proxy Error"; 400, 403, 500 and 502 show the text, others have no room for it (httpd).
  std::string_view proxy_error = {};
  // A sentence for the 400 page, as one of those below.
  std::string_view note = {};
  std::string_view html_note = {};  // the same for 400 and 403, of our own words and not escaped
  std::string_view method = {};     // 405, 411, 413 and 501 name it
  std::string_view location = {};   // 301, 302, 303, 307 and 308 link it
  std::string_view expect = {};     // 417 shows what was expected
  int failed_document_status = 0;   // what an ErrorDocument itself ended with; 0: none was tried
};
inline constexpr std::string_view note_field_too_long =
    "Size of a request header field exceeds server limit.";
inline constexpr std::string_view note_too_many_fields =
    "The number of request header fields exceeds this server's limit.";

// The words of the page's title, which are those of the status line too.
[[nodiscard]] std::string_view page_reason(const ErrorPage& page) noexcept;
// The line about the server; nothing under Signature::off.
void write_signature(const PageServer& server, std::string& out);
// Appends the page's HTML.
void write_error_page(const ErrorPage& page, const PageServer& server, std::string& out);

}  // namespace steelyard::http
