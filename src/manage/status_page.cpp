#include "manage/status_page.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"
#include "manage/status_view.hpp"

namespace steelyard::manage {

namespace {

StatusView look(const ServerSources& sources, const proxy::DeskQuestion& question) {
  proxy::ShardGroup& group = sources.group;
  StatusView view{.question = question,
                  .server = *question.generation->config().servers[question.server],
                  .usage = sources.usage(),
                  .built = sources.built,
                  .now = sources.wall_now()};
  proxy::ShardCells cells;
  group.add_to(cells);
  view.accesses = cells.exchanges.value();
  view.body_kibibytes = cells.body_sent_bytes.value() / 1024;
  view.duration_milliseconds = cells.exchange_nanoseconds.value() / 1'000'000;
  view.uptime =
      std::max(std::chrono::duration_cast<std::chrono::seconds>(view.now - view.usage.started),
               std::chrono::seconds(0));
  // Read one after the other while they change.
  view.limit = group.client_connections_max;
  view.connections = std::min<std::uint64_t>(group.client_connections.load(), view.limit);
  view.busy = std::min(group.busy_connections(), view.connections);
  return view;
}

// httpd finds the word anywhere in the query.
std::optional<std::int64_t> refresh_seconds(std::string_view query) {
  constexpr std::string_view word = "refresh";
  constexpr std::int64_t usual = 10;
  const std::size_t at = query.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = query.substr(at + word.size());
  const std::int64_t wanted = rest.starts_with('=') ? parse_lax(rest.substr(1)) : 0;
  return wanted > 0 ? wanted : usual;
}

}  // namespace

proxy::DeskAnswer StatusPage::answer(const proxy::DeskQuestion& question) const {
  if (question.method != http::Method::get && question.method != http::Method::head)
    return refuse_method(question.method);
  const std::string query = question.query.value_or("");
  const bool for_programs = query.find("auto") != std::string::npos;
  const StatusView view = look(sources_, question);
  proxy::DeskAnswer answer{.status = 200};
  answer.content_type =
      for_programs ? "text/plain; charset=ISO-8859-1" : "text/html; charset=ISO-8859-1";
  answer.body = for_programs ? status_lines(view) : status_html(view);
  answer.fields = {{"Cache-Control", "no-store"},
                   {"X-Content-Type-Options", "nosniff"},
                   {"X-Frame-Options", "DENY"},
                   {"Referrer-Policy", "same-origin"},
                   {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}};
  if (const auto seconds = refresh_seconds(query))
    answer.fields.emplace_back("Refresh", fmt::to_string(*seconds));
  return answer;
}

}  // namespace steelyard::manage
