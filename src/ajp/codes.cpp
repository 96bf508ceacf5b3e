#include "ajp/codes.hpp"

#include <array>

#include "base/text.hpp"

namespace steelyard::ajp {

namespace {

// A table: the place of a name is its number, from 1 on. Empty: httpd never sends that number.
constexpr std::array<std::string_view, 27> methods{"OPTIONS",
                                                   "GET",
                                                   "HEAD",
                                                   "POST",
                                                   "PUT",
                                                   "DELETE",
                                                   "TRACE",
                                                   "PROPFIND",
                                                   "PROPPATCH",
                                                   "MKCOL",
                                                   "COPY",
                                                   "MOVE",
                                                   "LOCK",
                                                   "UNLOCK",
                                                   "",
                                                   "REPORT",
                                                   "VERSION-CONTROL",
                                                   "CHECKIN",
                                                   "CHECKOUT",
                                                   "UNCHECKOUT",
                                                   "",
                                                   "MKWORKSPACE",
                                                   "UPDATE",
                                                   "LABEL",
                                                   "MERGE",
                                                   "BASELINE-CONTROL",
                                                   "MKACTIVITY"};

constexpr std::array<std::string_view, 14> request_fields{
    "Accept",     "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization",
    "Connection", "Content-Type",   "Content-Length",  "Cookie",          "Cookie2",
    "Host",       "Pragma",         "Referer",         "User-Agent"};

constexpr std::array<std::string_view, 11> response_fields{
    "Content-Type", "Content-Language", "Content-Length", "Date",   "Last-Modified",   "Location",
    "Set-Cookie",   "Set-Cookie2",      "Servlet-Engine", "Status", "WWW-Authenticate"};

constexpr std::uint16_t field_codes = 0xa000;

}  // namespace

std::uint8_t method_code(std::string_view method) noexcept {
  for (std::size_t i = 0; i < methods.size(); ++i)
    if (!methods[i].empty() && methods[i] == method) return static_cast<std::uint8_t>(i + 1);
  return stored_method;
}

std::uint16_t request_field_code(std::string_view name) noexcept {
  for (std::size_t i = 0; i < request_fields.size(); ++i)
    if (equals_ignoring_case(request_fields[i], name))
      return static_cast<std::uint16_t>(field_codes + i + 1);
  return 0;
}

std::string_view response_field_name(std::uint16_t code) noexcept {
  const unsigned place = static_cast<unsigned>(code & 0xff);
  if (!is_field_code(code) || place == 0 || place > response_fields.size()) return {};
  return response_fields[place - 1];
}

}  // namespace steelyard::ajp
