#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "base/text.hpp"
#include "expr/log_format.hpp"

namespace steelyard::expr {
namespace {

using Kind = LogItem::Kind;
using Unit = LogItem::Unit;

struct Directive {
  std::string_view letters;
  Kind kind;
  bool original = false;  // means the request before an ErrorDocument took over, unless told
};

// httpd: LogFormat's directives. Longer names first, `^` begins those of three letters.
constexpr Directive directives[] = {
    {"^ti", Kind::request_trailer},
    {"^to", Kind::response_trailer},
    {"^FB", Kind::first_byte},
    {"^sy", Kind::timeline},
    {"h", Kind::client_host},
    {"a", Kind::client_ip},
    {"A", Kind::local_ip},
    {"B", Kind::body_bytes},
    {"b", Kind::body_bytes_or_dash},
    {"C", Kind::cookie},
    {"D", Kind::duration, true},
    {"T", Kind::duration, true},
    {"e", Kind::environment},
    {"f", Kind::filename},
    {"H", Kind::protocol},
    {"m", Kind::method},
    {"U", Kind::path, true},
    {"q", Kind::query},
    {"i", Kind::request_header},
    {"o", Kind::response_header},
    {"I", Kind::bytes_received},
    {"O", Kind::bytes_sent},
    {"S", Kind::bytes_both},
    {"k", Kind::keepalive_count},
    {"l", Kind::absent},
    {"u", Kind::user},
    {"L", Kind::log_id, true},
    {"n", Kind::note},
    {"p", Kind::port},
    {"P", Kind::process},
    {"r", Kind::request_line, true},
    {"R", Kind::handler, true},
    {"s", Kind::status, true},
    {"t", Kind::time},
    {"v", Kind::server_name},
    {"V", Kind::canonical_name},
    {"X", Kind::connection_end},
    {"x", Kind::tls},
    {"c", Kind::tls},  // older names, see settle_tls()
};

const Directive* find_directive(std::string_view text) {
  const auto* const known = std::ranges::find_if(
      directives, [text](const Directive& row) { return text.starts_with(row.letters); });
  return known == std::end(directives) ? nullptr : known;
}

struct UnitName {
  std::string_view name;
  Unit unit;
};

Unit unit_named(std::string_view name, std::span<const UnitName> names, Unit otherwise) {
  const auto known = std::ranges::find(names, name, &UnitName::name);
  return known == names.end() ? otherwise : known->unit;
}

// The prefix "begin" or "end", alone or with a colon, says which moment is meant.
bool take_moment(std::string& argument, std::string_view prefix) {
  if (!argument.starts_with(prefix)) return false;
  if (argument.size() == prefix.size()) {
    argument.clear();
  } else if (argument[prefix.size()] == ':') {
    argument.erase(0, prefix.size() + 1);
  } else {
    return false;
  }
  return true;
}

void settle_time(LogItem& item) {
  static constexpr UnitName names[] = {
      {"", Unit::usual},
      {"sec", Unit::seconds},
      {"msec", Unit::milliseconds},
      {"usec", Unit::microseconds},
      {"msec_frac", Unit::milliseconds_fraction},
      {"usec_frac", Unit::microseconds_fraction},
  };
  if (!take_moment(item.argument, "begin")) item.at_end = take_moment(item.argument, "end");
  item.unit = unit_named(item.argument, names, Unit::calendar);
}

void settle_duration(LogItem& item, std::string_view letters) {
  static constexpr UnitName names[] = {
      {"", Unit::seconds},
      {"s", Unit::seconds},
      {"ms", Unit::milliseconds},
      {"us", Unit::microseconds},
  };
  item.unit =
      letters == "D" ? Unit::microseconds : unit_named(to_lower(item.argument), names, Unit::text);
}

void settle_port(LogItem& item) {
  static constexpr UnitName names[] = {
      {"", Unit::usual},
      {"canonical", Unit::usual},
      {"local", Unit::local},
      {"remote", Unit::remote},
  };
  item.unit = unit_named(to_lower(item.argument), names, Unit::text);
}

void settle_process(LogItem& item) {
  static constexpr UnitName names[] = {
      {"", Unit::usual},
      {"pid", Unit::usual},
      {"tid", Unit::thread},
      {"hextid", Unit::thread_hex},
  };
  item.unit = unit_named(to_lower(item.argument), names, Unit::text);
}

// httpd: %{...}c has few names of its own.
void settle_tls(LogItem& item) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"version", "SSL_PROTOCOL"},      {"cipher", "SSL_CIPHER"},
      {"subjectdn", "SSL_CLIENT_S_DN"}, {"clientcert", "SSL_CLIENT_S_DN"},
      {"issuerdn", "SSL_CLIENT_I_DN"},  {"cacert", "SSL_CLIENT_I_DN"},
  };
  const auto* const known = std::ranges::find(
      names, item.argument, &std::pair<std::string_view, std::string_view>::first);
  item.argument = known == std::end(names) ? std::string() : std::string(known->second);
}

void settle(LogItem& item, std::string_view letters) {
  const bool of_connection = item.argument == "c";
  switch (item.kind) {
    case Kind::time:
      settle_time(item);
      break;
    case Kind::duration:
      settle_duration(item, letters);
      break;
    case Kind::port:
      settle_port(item);
      break;
    case Kind::process:
      settle_process(item);
      break;
    case Kind::tls:
      if (letters == "c") settle_tls(item);
      break;
    case Kind::client_host:
    case Kind::client_ip:
      if (of_connection) item.kind = Kind::peer_ip;
      break;
    case Kind::log_id:
      if (of_connection) item.kind = Kind::connection_log_id;
      break;
    default:
      break;
  }
}

// Reads one format from its beginning to its end.
class FormatReader {
 public:
  explicit FormatReader(std::string_view format) : rest_(format) {}

  std::expected<std::vector<LogItem>, Complaint> read() {
    while (!rest_.empty()) {
      if (rest_.front() != '%') {
        take_literal();
      } else if (rest_.starts_with("%%")) {
        add_text('%');
        rest_.remove_prefix(2);
      } else {
        rest_.remove_prefix(1);
        if (std::optional<Complaint> complaint = take_item()) return std::unexpected(*complaint);
      }
    }
    return std::move(items_);
  }

 private:
  void add_text(char c) {
    if (items_.empty() || items_.back().kind != Kind::literal) items_.emplace_back();
    items_.back().argument += c;
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void take_literal() {
    const char c = take();
    if (c != '\\' || rest_.empty()) return add_text(c);
    const char escaped = take();
    switch (escaped) {
      case '\\':
        return add_text('\\');
      case 'n':
        return add_text('\n');
      case 'r':
        return add_text('\r');
      case 't':
        return add_text('\t');
      default:
        add_text('\\');
        add_text(escaped);
    }
  }

  void take_status(LogItem& item) {
    constexpr int beyond_any_status = 100'000;
    int status = 0;
    while (!rest_.empty() && is_digit(rest_.front())) {
      status = std::min(status * 10 + (take() - '0'), beyond_any_status);
    }
    item.statuses.push_back(status);
  }

  bool take_argument(LogItem& item) {
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) return false;
    item.argument = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }

  // What may stand between '%' and the letters, in any order.
  std::optional<Complaint> take_item() {
    LogItem item;
    std::optional<bool> original;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (is_digit(c)) {
        take_status(item);
      } else if (c == '{') {
        if (!take_argument(item)) break;
      } else if (c == '!' || c == '<' || c == '>' || c == ',') {
        if (c == '!') item.unless = true;
        if (c == '<' || c == '>') original = c == '<';
        rest_.remove_prefix(1);
      } else {
        return finish(std::move(item), original);
      }
    }
    return Complaint{"Ran off end of LogFormat parsing args to some directive",
                     "write %% for a percent sign, or the directive's letter behind it"};
  }

  std::optional<Complaint> finish(LogItem item, std::optional<bool> original) {
    const Directive* directive = find_directive(rest_);
    if (directive == nullptr) {
      return Complaint{"Unrecognized LogFormat directive %" + std::string(1, rest_.front()),
                       "write %% for a percent sign"};
    }
    if (directive->kind == Kind::timeline) {
      const auto choice = parse_timeline_choice(item.argument);
      if (!choice) return choice.error();
      item.timeline = *choice;
    }
    item.kind = directive->kind;
    item.original = original.value_or(directive->original);
    settle(item, directive->letters);
    items_.push_back(std::move(item));
    rest_.remove_prefix(directive->letters.size());
    return std::nullopt;
  }

  std::string_view rest_;
  std::vector<LogItem> items_;
};

}  // namespace

std::expected<LogFormat, Complaint> LogFormat::compile(std::string_view format) {
  std::expected<std::vector<LogItem>, Complaint> items = FormatReader(format).read();
  if (!items) return std::unexpected(std::move(items.error()));
  LogFormat compiled;
  compiled.text_ = format;
  compiled.items_ = std::move(*items);
  return compiled;
}

bool LogFormat::names_tls() const {
  return std::ranges::find(items_, Kind::tls, &LogItem::kind) != items_.end();
}

bool LogFormat::asks_timeline() const {
  return std::ranges::any_of(items_, [](const LogItem& item) {
    return item.kind == Kind::timeline && row_of(item.timeline.field).needs_timeline;
  });
}

}  // namespace steelyard::expr
