// Traces of requests and where their spans go.
#include <array>
#include <charconv>

#include "apacheconf/tables.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"

namespace steelyard::apacheconf {

namespace {

using config::TraceExport;
using config::TraceSettings;

constexpr std::size_t networks_max = 256;
constexpr std::size_t headers_max = 16;
constexpr std::size_t service_bytes_max = 255;

struct Parameter {
  std::string_view key, value;
};

// KEY=VALUE, one of those that there are.
std::optional<Parameter> split_parameter(Scope& scope, std::string_view directive,
                                         const std::string& word,
                                         const std::vector<std::string_view>& keys) {
  const std::size_t equals = word.find('=');
  const std::string key = to_lower(std::string_view(word).substr(0, equals));
  const bool is_known = std::find(keys.begin(), keys.end(), key) != keys.end();
  if (is_known && equals != std::string::npos)
    return Parameter{*std::find(keys.begin(), keys.end(), key),
                     std::string_view(word).substr(equals + 1)};
  std::string advice = "Write";
  for (const std::string_view each : keys) advice.append(" ").append(each).append("=");
  if (is_known) {
    advice = "Write " + key + "=VALUE.";
  } else if (const std::string_view near = nearest(key, keys); !near.empty()) {
    advice = "Did you mean " + std::string(near) + "=?";
  }
  scope.complain(std::string(directive) + " has no parameter \"" + word + '"', std::move(advice));
  return std::nullopt;
}

// Whole or with a point: "5", "0.1".
std::optional<double> parse_percent(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!(number >= 0 && number <= 100)) return std::nullopt;
  return number;
}

void set_sample(Scope& scope, TraceSettings& tracing, std::string_view value) {
  const std::optional<double> percent = parse_percent(value);
  if (!percent) {
    scope.complain("SteelyardTrace: sample=" + std::string(value) + " is no share",
                   "Write how many of a hundred new traces are recorded, from 0 to 100: "
                   "sample=5, sample=0.1.");
    return;
  }
  tracing.sampled = *percent / 100;
}

// all, none, or ADDRESS[/BITS] with commas between.
void set_join(Scope& scope, TraceSettings& tracing, std::string_view value) {
  tracing.joins.clear();
  tracing.joins_all = equals_ignoring_case(value, "all");
  if (tracing.joins_all || equals_ignoring_case(value, "none")) return;
  for (const std::string_view word : split(value, ',')) {
    auto network = IpNetwork::parse(word);
    if (!network) {
      scope.complain("SteelyardTrace: join=\"" + std::string(word) + "\": " + network.error(),
                     "Write all, none, or networks with commas between: "
                     "join=10.0.0.0/8,127.0.0.1,fd00::/8.");
      return;
    }
    if (tracing.joins.size() == networks_max) {
      scope.complain("SteelyardTrace: join= takes at most " + std::to_string(networks_max) +
                     " networks");
      return;
    }
    tracing.joins.push_back(*network);
  }
}

// On or Off, then sample=, join=.
void trace(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  TraceSettings tracing;
  tracing.on = equals_ignoring_case(word, "on");
  if (!tracing.on && !equals_ignoring_case(word, "off")) {
    scope.complain("SteelyardTrace must be On or Off",
                   "Write SteelyardTrace On sample=10, for example.");
    return;
  }
  if (!tracing.on && statement.words.size() > 1) {
    scope.complain("SteelyardTrace Off takes no parameters");
    return;
  }
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const auto parameter =
        split_parameter(scope, "SteelyardTrace", statement.words[i], {"sample", "join"});
    if (!parameter) continue;
    if (parameter->key == "sample") {
      set_sample(scope, tracing, parameter->value);
    } else {
      set_join(scope, tracing, parameter->value);
    }
  }
  scope.server.tracing = tracing;
}

bool is_export_url(std::string_view url) {
  const bool is_https = starts_with_ignoring_case(url, "https://");
  if (!is_https && !starts_with_ignoring_case(url, "http://")) return false;
  const std::string_view rest = url.substr(is_https ? 8 : 7);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
  return !authority.empty() && authority.find('@') == std::string_view::npos &&
         url.find_first_of("# \t") == std::string_view::npos &&
         http::first_control(url) == url.size();
}

// "NAME: VALUE"; the blank may be missing.
void add_header(Scope& scope, TraceExport& to, std::string_view value) {
  const std::size_t colon = value.find(':');
  const bool has_name = colon != std::string_view::npos && http::is_token(value.substr(0, colon));
  if (!has_name || http::first_control(value) != value.size()) {
    scope.complain("SteelyardTraceExport: header= is no field",
                   R"(Write it as one word: "header=Authorization: Bearer TOKEN".)");
    return;
  }
  if (to.headers.size() == headers_max) {
    scope.complain("SteelyardTraceExport takes at most " + std::to_string(headers_max) + " fields");
    return;
  }
  const std::string_view text = trim(value.substr(colon + 1));
  to.headers.push_back(std::string(value.substr(0, colon)) + ": " + std::string(text));
}

// Seconds, or with ms.
void set_timeout(Scope& scope, TraceExport& to, std::string_view value) {
  const auto time = balance::parse_duration(value, std::chrono::seconds(1));
  if (!time || *time < TraceExport::timeout_min || *time > TraceExport::timeout_max) {
    scope.complain("SteelyardTraceExport: timeout= is no time from 10ms to 60s",
                   "Write seconds, or with ms: timeout=5, timeout=500ms.");
    return;
  }
  to.timeout = *time;
}

void set_callers(Scope& scope, TraceExport& to, std::string_view value) {
  const auto count = parse_unsigned(value);
  if (!count || *count > TraceExport::caller_limit_max) {
    scope.complain("SteelyardTraceExport: callers=" + std::string(value) +
                       " is not a number from 0 to " +
                       std::to_string(TraceExport::caller_limit_max),
                   "It is how many requests a second are recorded because their clients say so.");
    return;
  }
  to.caller_limit = static_cast<std::uint32_t>(*count);
}

void set_service(Scope& scope, TraceExport& to, std::string_view value) {
  if (value.empty() || value.size() > service_bytes_max) {
    scope.complain("SteelyardTraceExport: service= is a name of 1 to 255 bytes");
    return;
  }
  to.service = value;
}

void set_ca_file(Scope& scope, TraceExport& to, std::string_view value) {
  to.ca_file = scope.reading.resolve_path(value);
  if (value.empty() || !scope.reading.file_exists || !scope.reading.file_exists(to.ca_file)) {
    scope.complain("SteelyardTraceExport: cafile=" + std::string(value) + " does not exist",
                   "Name a file of certificates in PEM, or leave it out for the system's.");
  }
}

// URL, then service=, header=, timeout=, callers=, cafile=; or Off.
void trace_export(Scope& scope, const Statement& statement) {
  const std::string& url = statement.words[0];
  if (equals_ignoring_case(url, "off")) {
    if (statement.words.size() > 1) scope.complain("SteelyardTraceExport Off takes no parameters");
    scope.config.trace_export.reset();
    return;
  }
  if (!is_export_url(url)) {
    scope.complain("SteelyardTraceExport \"" + url + "\" is no URL that spans can be sent to",
                   "Write http:// or https:// with the collector's host, and its path as a rule: "
                   "http://collector:4318/v1/traces. A password belongs into header=.");
    return;
  }
  TraceExport to;
  to.url = url;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const auto parameter = split_parameter(scope, "SteelyardTraceExport", statement.words[i],
                                           {"service", "header", "timeout", "callers", "cafile"});
    if (!parameter) continue;
    const auto [key, value] = *parameter;
    if (key == "service") set_service(scope, to, value);
    if (key == "header") add_header(scope, to, value);
    if (key == "timeout") set_timeout(scope, to, value);
    if (key == "callers") set_callers(scope, to, value);
    if (key == "cafile") set_ca_file(scope, to, value);
  }
  scope.config.trace_export = std::move(to);
}

constexpr auto directives = std::to_array<Directive>({
    {.name = "SteelyardTrace",
     .contexts = in_servers,
     .arguments = Arguments::one_or_more,
     .handler = trace,
     .merge = "the virtual host's counts, else the main server's",
     .help = "whether requests have a place in a trace (W3C Trace Context): On or Off, then "
             "sample=PERCENT of new traces and join=all|none|NETWORK,...",
     .module = "steelyard_module"},
    {.name = "SteelyardTraceExport",
     .contexts = in_main,
     .arguments = Arguments::one_or_more,
     .handler = trace_export,
     .merge = "one for the whole; the last one counts",
     .help = "where spans of sampled requests are sent to (OTLP/HTTP, JSON): URL or Off, then "
             "service=NAME, header=NAME:VALUE, timeout=TIME, callers=N, cafile=PATH",
     .module = "steelyard_module"},
});

}  // namespace

std::span<const Directive> trace_directives() { return directives; }

// An export without a trace sends nothing, which nobody wants.
void finish_traces(Reading& reading) {
  config::Config& config = *reading.config;
  bool has_trace = false;
  for (const auto& server : config.servers) has_trace = has_trace || server->tracing.on;
  if (config.trace_export && !has_trace) {
    reading.warn_at({}, "SteelyardTraceExport has nothing to send, as no SteelyardTrace is On",
                    "Write SteelyardTrace On, for the whole server or in a <VirtualHost>.");
  }
  for (const auto& server : config.servers) {
    const auto asks = [](const config::AccessLog& log) {
      return std::visit([](const auto& format) { return format.asks_timeline(); }, log.format);
    };
    server->keeps_timelines = server->tracing.on || std::ranges::any_of(server->access_logs, asks);
  }
}

}  // namespace steelyard::apacheconf
