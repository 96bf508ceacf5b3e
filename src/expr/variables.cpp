#include "expr/variables.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "expr/local_time.hpp"
#include "expr/visitor.hpp"

namespace steelyard::expr {
namespace {

using Read = std::string_view (*)(Evaluation&);

template <TextFact which>
std::string_view text(Evaluation& evaluation) {
  return evaluation.facts.text(which);
}

template <NumberFact which>
std::string_view number(Evaluation& evaluation) {
  constexpr std::size_t room_bytes = 20;
  char* const room = evaluation.arena.take(room_bytes);
  const auto end = std::to_chars(room, room + room_bytes, evaluation.facts.number(which));
  const auto written = static_cast<std::size_t>(end.ptr - room);
  evaluation.arena.give_back(room_bytes, written);
  return {room, written};
}

template <const char* name>
std::string_view request_field(Evaluation& evaluation) {
  evaluation.note_request_field(name);
  return evaluation.facts.request_header(name).value_or("");
}

constexpr char accept[] = "Accept";
constexpr char cookie[] = "Cookie";
constexpr char forwarded[] = "Forwarded";
constexpr char host[] = "Host";
constexpr char proxy_connection[] = "Proxy-Connection";
constexpr char referer[] = "Referer";
constexpr char user_agent[] = "User-Agent";

std::string_view switched(bool on) { return on ? "on" : "off"; }

// Nobody is identified here: users, authentication, sub-requests and files have no values.
std::string_view nothing(Evaluation& /*evaluation*/) { return {}; }

std::string_view remote_host(Evaluation& evaluation) {
  const std::string_view name = evaluation.facts.text(TextFact::client_host);
  return name.empty() ? evaluation.facts.text(TextFact::client_ip) : name;
}

std::string_view content_type(Evaluation& evaluation) {
  return evaluation.facts.response_header("Content-Type").value_or("");
}

struct TimePart {
  int std::tm::* part;
  int digits;
  int offset;
};
constexpr TimePart year{&std::tm::tm_year, 4, 1900};
constexpr TimePart month{&std::tm::tm_mon, 2, 1};
constexpr TimePart day{&std::tm::tm_mday, 2, 0};
constexpr TimePart hour{&std::tm::tm_hour, 2, 0};
constexpr TimePart minute{&std::tm::tm_min, 2, 0};
constexpr TimePart second{&std::tm::tm_sec, 2, 0};
constexpr TimePart weekday{&std::tm::tm_wday, 1, 0};

const std::tm& calendar_now(const Facts& facts) {
  return local_calendar(std::chrono::floor<std::chrono::seconds>(facts.now()));
}

char* put(char* out, const std::tm& calendar, const TimePart& wanted) {
  int rest = calendar.*wanted.part + wanted.offset;
  for (int i = wanted.digits - 1; i >= 0; --i, rest /= 10) {
    out[i] = static_cast<char>('0' + rest % 10);
  }
  return out + wanted.digits;
}

template <const TimePart& wanted>
std::string_view time_part(Evaluation& evaluation) {
  char* const room = evaluation.arena.take(wanted.digits);
  put(room, calendar_now(evaluation.facts), wanted);
  return {room, static_cast<std::size_t>(wanted.digits)};
}

std::string_view time_stamp(Evaluation& evaluation) {
  constexpr std::size_t bytes = 14;
  const std::tm& now = calendar_now(evaluation.facts);
  char* const room = evaluation.arena.take(bytes);
  char* out = room;
  for (const TimePart* wanted : {&year, &month, &day, &hour, &minute, &second}) {
    out = put(out, now, *wanted);
  }
  return {room, bytes};
}

// httpd's value where there is no file.
std::string_view time_of_no_file(Evaluation& /*evaluation*/) { return "19700101000000"; }

std::string_view user(Evaluation& evaluation) {
  const Visitor* const visitor = evaluation.facts.visitor();
  return visitor == nullptr ? std::string_view() : visitor->user.value_or("");
}

std::string_view auth_type(Evaluation& evaluation) {
  const Visitor* const visitor = evaluation.facts.visitor();
  return visitor == nullptr ? std::string_view() : visitor->auth_type;
}

constexpr Variable variables[] = {
    {"HTTP_ACCEPT", request_field<accept>},
    {"HTTP_COOKIE", request_field<cookie>},
    {"HTTP_FORWARDED", request_field<forwarded>},
    {"HTTP_HOST", request_field<host>},
    {"HTTP_PROXY_CONNECTION", request_field<proxy_connection>},
    {"HTTP_REFERER", request_field<referer>},
    {"HTTP_USER_AGENT", request_field<user_agent>},
    {"REQUEST_METHOD", text<TextFact::method>},
    {"REQUEST_SCHEME", text<TextFact::scheme>},
    {"REQUEST_URI", text<TextFact::path>},
    {"DOCUMENT_URI", text<TextFact::path>},
    {"REQUEST_FILENAME", text<TextFact::filename>},
    {"SCRIPT_FILENAME", text<TextFact::filename>},
    {"LAST_MODIFIED", time_of_no_file},
    {"SCRIPT_USER", nothing},
    {"SCRIPT_GROUP", nothing},
    {"PATH_INFO", nothing},
    {"QUERY_STRING", text<TextFact::query>},
    {"IS_SUBREQ", [](Evaluation&) -> std::string_view { return "false"; }},
    {"THE_REQUEST", text<TextFact::request_line>},
    {"REMOTE_ADDR", text<TextFact::client_ip>},
    {"REMOTE_PORT", number<NumberFact::peer_port>},
    {"REMOTE_HOST", remote_host},
    {"REMOTE_USER", user},
    {"REMOTE_IDENT", nothing},
    {"AUTH_TYPE", auth_type},
    {"SERVER_NAME", text<TextFact::canonical_name>},
    {"SERVER_PORT", number<NumberFact::canonical_port>},
    {"SERVER_ADMIN", text<TextFact::server_admin>},
    {"SERVER_PROTOCOL", text<TextFact::protocol>},
    {"SERVER_SOFTWARE", text<TextFact::server_software>},
    {"API_VERSION", [](Evaluation&) -> std::string_view { return "20120211"; }},
    {"DOCUMENT_ROOT", text<TextFact::document_root>},
    {"CONTEXT_DOCUMENT_ROOT", text<TextFact::document_root>},
    {"CONTEXT_PREFIX", nothing},
    {"CONTENT_TYPE", content_type},
    {"HANDLER", text<TextFact::handler>},
    {"REQUEST_LOG_ID", text<TextFact::log_id>},
    {"REQUEST_STATUS", number<NumberFact::request_status>},
    {"CONN_LOG_ID", text<TextFact::connection_log_id>},
    {"HC_BODY", text<TextFact::health_body>},
    {"CONN_REMOTE_ADDR", text<TextFact::peer_ip>},
    {"HTTPS",
     [](Evaluation& evaluation) {
       // The connection's, whatever ServerName says and to whichever server (httpd).
       return switched(evaluation.facts.tls_variable("HTTPS").value_or("") == "on");
     }},
    {"HTTP2",
     [](Evaluation& evaluation) {
       return switched(evaluation.facts.text(TextFact::protocol).starts_with("HTTP/2"));
     }},
    {"IPV6",
     [](Evaluation& evaluation) { return switched(evaluation.facts.local_address().is_v6()); }},
    {"TIME_YEAR", time_part<year>},
    {"TIME_MON", time_part<month>},
    {"TIME_DAY", time_part<day>},
    {"TIME_HOUR", time_part<hour>},
    {"TIME_MIN", time_part<minute>},
    {"TIME_SEC", time_part<second>},
    {"TIME_WDAY", time_part<weekday>},
    {"TIME", time_stamp},
};

// mod_ssl's variables: empty where a connection has no TLS.
constexpr Variable of_tls{"SSL_*", nullptr, [](Evaluation& evaluation, std::string_view name) {
                            return evaluation.facts.tls_variable(name).value_or("");
                          }};

}  // namespace

const Variable* find_variable(std::string_view name) {
  const auto* const known = std::ranges::find_if(
      variables, [name](const Variable& row) { return equals_ignoring_case(row.name, name); });
  if (known != std::end(variables)) return known;
  return starts_with_ignoring_case(name, "SSL_") ? &of_tls : nullptr;
}

std::string_view variable_like(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Variable& row : variables) names.push_back(row.name);
  return nearest(to_upper(name), names);
}

}  // namespace steelyard::expr
