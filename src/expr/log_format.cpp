#include "expr/log_format.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <optional>

#include "base/text.hpp"
#include "expr/local_time.hpp"
#include "expr/visitor.hpp"
#include "http/syntax.hpp"

namespace steelyard::expr {
namespace {

using Kind = LogItem::Kind;
using Unit = LogItem::Unit;

void put_text(std::string_view text, EntryText& line) {
  if (text.empty()) {
    line.nothing();
  } else {
    line.outside(text);
  }
}

// A field that is there but empty prints nothing (httpd).
void put_found(std::optional<std::string_view> text, EntryText& line) {
  if (text) {
    line.outside(*text);
  } else {
    line.nothing();
  }
}

// httpd: names compare without case, values lose blanks around them, an empty one counts as none.
void put_cookie(std::string_view cookies, std::string_view name, EntryText& line) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    const std::string_view cookie = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    const std::size_t equals = cookie.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equals_ignoring_case(trim(cookie.substr(0, equals)), name)) continue;
    return put_text(trim(cookie.substr(equals + 1)), line);
  }
  line.nothing();
}

void put_set_cookies(const Facts& facts, EntryText& line) {
  bool is_first = true;
  for (std::size_t i = 0; i < facts.response_header_count(); ++i) {
    if (!equals_ignoring_case(facts.response_header_name(i), "Set-Cookie")) continue;
    if (!is_first) line.ours(", ");
    line.outside(facts.response_header_value(i));
    is_first = false;
  }
  if (is_first) line.nothing();
}

// httpd: several Set-Cookie fields print as one, a Content-Type loses its parameters.
void put_response_header(const Facts& facts, const std::string& name, EntryText& line) {
  if (equals_ignoring_case(name, "Set-Cookie")) return put_set_cookies(facts, line);
  std::optional<std::string_view> value = facts.response_header(name);
  if (value && equals_ignoring_case(name, "Content-Type")) {
    value = http::trim_blanks(value->substr(0, value->find(';')));
  }
  put_found(value, line);
}

void put_calendar(const std::string& format, const std::tm& calendar, EntryText& line) {
  std::array<char, 256> text;
  const std::size_t bytes = std::strftime(text.data(), text.size(), format.c_str(), &calendar);
  line.configured({text.data(), bytes});
}

void put_time(const LogItem& item, const Facts& facts, EntryText& line) {
  using std::chrono::floor;
  const WallTime when = item.at_end ? facts.now() : facts.started();
  const auto second = floor<std::chrono::seconds>(when);
  const std::int64_t micros =
      floor<std::chrono::microseconds>(when).time_since_epoch() / std::chrono::microseconds(1);
  const std::int64_t fraction =
      floor<std::chrono::microseconds>(when - second) / std::chrono::microseconds(1);
  switch (item.unit) {
    case Unit::usual:
      line.ours(common_log_time(second));
      return;
    case Unit::seconds:
      return line.number(second.time_since_epoch().count());
    case Unit::milliseconds:
      return line.number(micros / 1000);
    case Unit::microseconds:
      return line.number(micros);
    case Unit::milliseconds_fraction:
      return line.padded(fraction / 1000, 3);
    case Unit::microseconds_fraction:
      return line.padded(fraction, 6);
    default:
      return put_calendar(item.argument, local_calendar(second), line);
  }
}

void put_duration(const LogItem& item, Duration elapsed, EntryText& line) {
  using std::chrono::duration_cast;
  switch (item.unit) {
    case Unit::seconds:
      return line.number(duration_cast<std::chrono::seconds>(elapsed).count());
    case Unit::milliseconds:
      return line.number(duration_cast<std::chrono::milliseconds>(elapsed).count());
    case Unit::microseconds:
      return line.number(duration_cast<std::chrono::microseconds>(elapsed).count());
    default:
      line.configured(item.argument);
  }
}

void put_port(const LogItem& item, const Facts& facts, EntryText& line) {
  switch (item.unit) {
    case Unit::usual:
      return line.number(facts.number(NumberFact::canonical_port));
    case Unit::local:
      return line.number(facts.number(NumberFact::local_port));
    case Unit::remote:
      return line.number(facts.number(NumberFact::client_port));
    default:
      line.configured(item.argument);
  }
}

void put_process(const LogItem& item, const Facts& facts, EntryText& line) {
  const std::int64_t thread = facts.number(NumberFact::thread_id);
  switch (item.unit) {
    case Unit::usual:
      return line.number(facts.number(NumberFact::process_id));
    case Unit::thread:
      return line.number(thread);
    case Unit::thread_hex:
      return line.hex(static_cast<std::uint64_t>(thread));
    default:
      line.configured(item.argument);
  }
}

void put_client_host(const Facts& facts, EntryText& line) {
  const std::string_view host = facts.text(TextFact::client_host);
  put_text(host.empty() ? facts.text(TextFact::client_ip) : host, line);
}

// httpd: a name without a letter shows as two quotes.
void put_user(const Facts& facts, EntryText& line) {
  const Visitor* const visitor = facts.visitor();
  if (visitor == nullptr || !visitor->user) {
    line.nothing();
  } else if (visitor->user->empty()) {
    line.configured("\"\"");
  } else {
    line.outside(*visitor->user);
  }
}

void put_status(bool original, const Facts& facts, EntryText& line) {
  const std::int64_t status =
      facts.number(original ? NumberFact::original_status : NumberFact::status);
  if (status <= 0) {
    line.nothing();
  } else {
    line.number(status);
  }
}

void put_connection_end(ConnectionEnd end, EntryText& line) {
  switch (end) {
    case ConnectionEnd::aborted:
      line.ours("X");
      return;
    case ConnectionEnd::kept:
      line.ours("+");
      return;
    case ConnectionEnd::closed:
      line.ours("-");
      return;
  }
}

void put_body_bytes(std::int64_t bytes, EntryText& line) {
  if (bytes == 0) {
    line.nothing();
  } else {
    line.number(bytes);
  }
}

bool is_wanted(const LogItem& item, std::int64_t status) {
  const bool is_listed = std::ranges::find(item.statuses, status) != item.statuses.end();
  return is_listed != item.unless;
}

// A table, one row a kind; longer than functions are otherwise.
void put_item(const LogItem& item, const Facts& facts, EntryText& line) {
  const auto text = [&](TextFact which) { put_text(facts.text(which), line); };
  const auto number = [&](NumberFact which) { line.number(facts.number(which)); };
  switch (item.kind) {
    case Kind::literal:
      line.configured(item.argument);
      return;
    case Kind::client_host:
      return put_client_host(facts, line);
    case Kind::client_ip:
      return text(TextFact::client_ip);
    case Kind::peer_ip:
      return text(TextFact::peer_ip);
    case Kind::local_ip:
      return text(TextFact::local_ip);
    case Kind::body_bytes:
      return number(NumberFact::body_bytes_sent);
    case Kind::body_bytes_or_dash:
      return put_body_bytes(facts.number(NumberFact::body_bytes_sent), line);
    case Kind::cookie:
      return put_cookie(facts.request_header("Cookie").value_or(""), item.argument, line);
    case Kind::duration:
      return put_duration(item, facts.elapsed(), line);
    case Kind::environment:
      return put_found(facts.variable(item.argument), line);
    case Kind::filename:
      return text(TextFact::filename);
    case Kind::protocol:
      return text(TextFact::protocol);
    case Kind::method:
      return text(TextFact::method);
    case Kind::path:
      return text(item.original ? TextFact::path : TextFact::final_path);
    case Kind::query:
      return line.outside(facts.text(TextFact::marked_query));
    case Kind::request_header:
      return put_found(facts.request_header(item.argument), line);
    case Kind::response_header:
      return put_response_header(facts, item.argument, line);
    case Kind::request_trailer:
      return put_found(facts.request_trailer(item.argument), line);
    case Kind::response_trailer:
      return put_found(facts.response_trailer(item.argument), line);
    case Kind::bytes_received:
      return number(NumberFact::bytes_received);
    case Kind::bytes_sent:
      return number(NumberFact::bytes_sent);
    case Kind::bytes_both:
      return line.number(facts.number(NumberFact::bytes_received) +
                         facts.number(NumberFact::bytes_sent));
    case Kind::first_byte: {
      const std::int64_t micros = facts.number(NumberFact::first_byte_micros);
      if (micros < 0) return put_text({}, line);
      return line.number(micros);
    }
    case Kind::keepalive_count:
      return number(NumberFact::keepalive_count);
    case Kind::absent:
      line.nothing();
      return;
    case Kind::user:
      return put_user(facts, line);
    case Kind::tls:
      return put_text(facts.tls_variable(item.argument).value_or(""), line);
    case Kind::log_id:
      return text(TextFact::log_id);
    case Kind::connection_log_id:
      return text(TextFact::connection_log_id);
    case Kind::note:
      return put_found(facts.note(item.argument), line);
    case Kind::port:
      return put_port(item, facts, line);
    case Kind::process:
      return put_process(item, facts, line);
    case Kind::request_line:
      return text(TextFact::request_line);
    case Kind::handler:
      return text(TextFact::handler);
    case Kind::status:
      return put_status(item.original, facts, line);
    case Kind::time:
      return put_time(item, facts, line);
    case Kind::server_name:
      return text(TextFact::server_name);
    case Kind::canonical_name:
      return text(TextFact::canonical_name);
    case Kind::connection_end:
      return put_connection_end(facts.connection_end(), line);
    case Kind::timeline:
      return put_timeline(item.timeline, facts, line);
  }
}

}  // namespace

void LogFormat::write(const Facts& facts, std::string& line) const {
  EntryText text(line, Escapes::log);
  write(facts, text);
}

void LogFormat::write(const Facts& facts, EntryText& line) const {
  for (const LogItem& item : items_) {
    if (!item.statuses.empty() && !is_wanted(item, facts.number(NumberFact::status))) {
      line.nothing();
    } else {
      put_item(item, facts, line);
    }
  }
}

}  // namespace steelyard::expr
