// What a connection to a client obeys: time, keep-alive, the size of requests.
#include <array>
#include <limits>

#include "apacheconf/tables.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using std::chrono::seconds;

constexpr std::int64_t seconds_max = 10LL * 366 * 24 * 3600;  // keeps every sum of durations safe

Duration whole_seconds(std::int64_t count) {
  return seconds(std::clamp<std::int64_t>(count, 0, seconds_max));
}

void timeout(Scope& scope, const Statement& statement) {
  scope.server.client.timeout = whole_seconds(parse_lax(statement.words[0]));
  if (scope.server.client.timeout > seconds(0)) return;
  // Whoever is not ready within the turn of a loop would lose: chance.
  scope.server.client.timeout = config::ClientSettings().timeout;
  scope.warn("Timeout " + statement.words[0] +
                 " leaves no time to anybody; the default of 60 seconds is taken",
             "Write the seconds that a silent client or member may take: Timeout 60.");
}

void keep_alive(Scope& scope, const Statement& statement) {
  scope.server.client.keep_alive = is_on(statement);
}

void keep_alive_timeout(Scope& scope, const Statement& statement) {
  const auto wait = balance::parse_duration(statement.words[0], seconds(1));
  if (!wait || *wait < seconds(0)) {
    scope.complain("KeepAliveTimeout has wrong format",
                   "Write a number of seconds, or one with ms, s, mi or h: 5, 500ms.");
    return;
  }
  scope.server.client.keep_alive_timeout = std::min<Duration>(*wait, seconds(seconds_max));
}

void max_keep_alive_requests(Scope& scope, const Statement& statement) {
  const std::int64_t count = parse_lax(statement.words[0]);
  scope.server.client.keep_alive_requests_max = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(count, 0, std::numeric_limits<std::uint32_t>::max()));
}

// httpd reads these laxly and refuses only what is below zero.
std::optional<std::size_t> lax_size(Scope& scope, const Statement& statement,
                                    std::string_view complaint) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const std::int64_t size = parse_lax(statement.words[0]);
  if (size >= 0) return static_cast<std::size_t>(std::min(size, most));
  scope.complain(std::string(complaint));
  return std::nullopt;
}

void limit_request_line(Scope& scope, const Statement& statement) {
  const auto size =
      lax_size(scope, statement,
               "LimitRequestLine \"" + statement.words[0] + "\" must be a non-negative integer");
  if (size) scope.server.client.limits.line_bytes_max = *size;
}

void limit_request_field_size(Scope& scope, const Statement& statement) {
  const auto size = lax_size(
      scope, statement,
      "LimitRequestFieldsize \"" + statement.words[0] + "\" must be a non-negative integer");
  if (size) scope.server.client.limits.field_bytes_max = *size;
}

void limit_request_fields(Scope& scope, const Statement& statement) {
  const auto count = lax_size(scope, statement,
                              "LimitRequestFields \"" + statement.words[0] +
                                  "\" must be a non-negative integer (0 = no limit)");
  if (count) scope.server.client.limits.fields_max = *count;
}

void limit_request_body(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  const bool has_digits = !word.empty() && std::all_of(word.begin(), word.end(), is_digit);
  const std::optional<std::uint64_t> size = parse_unsigned(word);
  if (!has_digits) {
    scope.complain("LimitRequestBody requires a non-negative integer.",
                   "Write a number of bytes; 0 means no limit.");
  } else if (!size || *size > std::numeric_limits<std::int64_t>::max()) {
    scope.complain("LimitRequestBody argument is not parsable.");
  } else {
    scope.settings().body_bytes_max = *size;
  }
}

std::expected<std::uint32_t, std::string> numerical(std::string_view text) {
  const std::optional<std::uint64_t> number = parse_unsigned(text);
  if (!number || *number > seconds_max) {
    return std::unexpected("Value '" + std::string(text) + "' not numerical");
  }
  return static_cast<std::uint32_t>(*number);
}

// "20", "20-40,MinRate=500", "20,MinRate=500"
std::expected<config::ReadTimeout, std::string> parse_read_timeout(std::string_view text) {
  config::ReadTimeout timeout;
  const std::size_t comma = text.find(',');
  std::string_view range = text.substr(0, comma);
  if (comma != std::string_view::npos) {
    const std::string_view option = text.substr(comma);
    if (!starts_with_ignoring_case(option, ",minrate=")) {
      return std::unexpected("Cannot parse '" + std::string(option) + "'");
    }
    const auto rate = numerical(option.substr(9));
    if (!rate) return std::unexpected(rate.error());
    if (*rate == 0) return std::unexpected("Minimum data rate must be larger than 0");
    timeout.bytes_per_second = *rate;
  }
  const std::size_t dash = range.find('-');
  const auto first = numerical(range.substr(0, dash));
  if (dash != std::string_view::npos && timeout.bytes_per_second == 0) {
    return std::unexpected("Must set MinRate option if using timeout range");
  }
  if (!first) return std::unexpected(first.error());
  timeout.first = whole_seconds(*first);
  if (dash != std::string_view::npos) {
    const auto most = numerical(range.substr(dash + 1));
    if (!most) return std::unexpected(most.error());
    if (*most <= *first) {
      return std::unexpected("Maximum timeout must be larger than initial timeout");
    }
    timeout.most = whole_seconds(*most);
  }
  return timeout;
}

void set_read_timeout(Scope& scope, const std::string& word, std::string_view key,
                      std::string_view value) {
  const auto parsed = parse_read_timeout(value);
  const bool is_header = equals_ignoring_case(key, "header");
  const bool is_known =
      is_header || equals_ignoring_case(key, "body") || equals_ignoring_case(key, "handshake");
  if (!is_known || !parsed) {
    const std::string why = is_known ? parsed.error() : "Unknown RequestReadTimeout parameter";
    scope.complain("RequestReadTimeout: " + word + ": " + why,
                   "For example: RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500");
    return;
  }
  if (is_header) {
    scope.server.client.read_header = *parsed;
  } else if (equals_ignoring_case(key, "body")) {
    scope.server.client.read_body = *parsed;
  } else {
    scope.server.tls.handshake_time = parsed->first;
  }
}

void request_read_timeout(Scope& scope, const Statement& statement) {
  for (const std::string& word : statement.words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      scope.complain(
          "Invalid RequestReadTimeout parameter. Parameter must be in the form 'key=value'");
      continue;
    }
    const std::string_view view = word;
    set_read_timeout(scope, word, view.substr(0, equals), view.substr(equals + 1));
  }
}

constexpr std::string_view vhost_wins = "the virtual host's counts, else the main server's";

constexpr auto directives = std::to_array<Directive>({
    {.name = "Timeout",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = timeout,
     .merge = vhost_wins,
     .help = "Timeout duration (sec)",
     .module = "core_module"},
    {.name = "KeepAlive",
     .contexts = in_servers,
     .arguments = Arguments::flag,
     .handler = keep_alive,
     .merge = vhost_wins,
     .help = "whether a client's connection serves several requests",
     .module = "core_module"},
    {.name = "KeepAliveTimeout",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = keep_alive_timeout,
     .merge = vhost_wins,
     .help = "Keep-Alive timeout duration (sec)",
     .module = "core_module"},
    {.name = "MaxKeepAliveRequests",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = max_keep_alive_requests,
     .merge = vhost_wins,
     .help = "Maximum number of Keep-Alive requests per connection, or 0 for infinite",
     .module = "core_module"},
    {.name = "LimitRequestLine",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = limit_request_line,
     .merge = vhost_wins,
     .help = "Limit on maximum size of an HTTP request line",
     .module = "core_module"},
    {.name = "LimitRequestFieldSize",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = limit_request_field_size,
     .merge = vhost_wins,
     .help = "Limit on maximum size of an HTTP request header field",
     .module = "core_module"},
    {.name = "LimitRequestFields",
     .contexts = in_servers,
     .arguments = Arguments::one,
     .handler = limit_request_fields,
     .merge = vhost_wins,
     .help = "Limit (0 = unlimited) on max number of header fields in a request message",
     .module = "core_module"},
    {.name = "LimitRequestBody",
     .arguments = Arguments::one,
     .handler = limit_request_body,
     .merge = "the innermost one counts",
     .help = "Limit (in bytes) on maximum size of request message body",
     .module = "core_module"},
    {.name = "RequestReadTimeout",
     .contexts = in_servers,
     .handler = request_read_timeout,
     .merge = "each of handshake=, header= and body= by itself: the virtual host's, else the main "
              "server's",
     .help = "how long a handshake, a request's head and its body may take: "
             "key=first[-most][,MinRate=bytes]",
     .module = "reqtimeout_module"},
});

}  // namespace

std::span<const Directive> client_directives() { return directives; }

}  // namespace steelyard::apacheconf
