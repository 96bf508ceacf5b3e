// The status page for people, in the shape of httpd's.
#include "manage/status_view.hpp"

namespace steelyard::manage {

namespace {

// "2 kB", "1.5 MB"
std::string kibibytes_text(std::uint64_t kibibytes) {
  const auto size = static_cast<double>(kibibytes);
  if (kibibytes < 1024) return fmt::format("{} kB", kibibytes);
  if (kibibytes < 1024 * 1024) return fmt::format("{:.1f} MB", size / 1024);
  return fmt::format("{:.1f} GB", size / (1024 * 1024));
}

// "1024 B", "17.5 kB"
std::string bytes_text(double bytes) {
  constexpr double unit = 1024;
  if (bytes < 5 * unit) return fmt::format("{} B", static_cast<std::uint64_t>(bytes));
  if (bytes < unit * unit / 2) return fmt::format("{:.1f} kB", bytes / unit);
  if (bytes < unit * unit * unit / 2) return fmt::format("{:.1f} MB", bytes / (unit * unit));
  return fmt::format("{:.1f} GB", bytes / (unit * unit * unit));
}

void append_head(Markup& out, const StatusView& view) {
  out.tags(
         "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" "
         "\"http://www.w3.org/TR/html4/strict.dtd\">\n"
         "<html><head>\n<title>Server Status</title>\n</head><body>\n<h1>Server Status for ")
      .text(view.question.public_name)
      .tags(" (via ")
      .text(view.question.local.ip.text())
      .tags(")</h1>\n\n<dl><dt>Server Version: ")
      .text(proxy::program_banner)
      .tags(" (Unix)</dt>\n<dt>Server MPM: event</dt>\n<dt>Server Built: ")
      .text(view.built)
      .tags("\n</dt></dl><hr /><dl>\n");
}

void append_times(Markup& out, const StatusView& view) {
  const std::uint64_t generation = view.question.generation->number();
  const auto& loads = view.usage.load_averages;
  out.tags("<dt>Current Time: ").text(page_time(view.now)).tags("</dt>\n<dt>Restart Time: ");
  out.text(page_time(view.usage.started)).tags("</dt>\n<dt>Parent Server Config. Generation: ");
  out.number(generation).tags("</dt>\n<dt>Parent Server MPM Generation: ");
  out.number(generation - 1).tags("</dt>\n<dt>Server uptime: ").text(uptime_text(view.uptime));
  out.tags("</dt>\n<dt>Server load: ")
      .text(fmt::format("{:.2f} {:.2f} {:.2f}", loads[0], loads[1], loads[2]))
      .tags("</dt>\n");
}

void append_rates(Markup& out, const StatusView& view) {
  const auto accesses = static_cast<double>(view.accesses);
  const auto uptime = static_cast<double>(view.uptime.count());
  const double bytes = static_cast<double>(view.body_kibibytes) * 1024;
  out.tags("<dt>");
  if (uptime > 0) {
    out.text(fmt::format("{} requests/sec - {}/second", fmt::format("{:.3g}", accesses / uptime),
                         bytes_text(bytes / uptime)));
  }
  if (uptime > 0 && accesses > 0) out.tags(" - ");
  if (accesses > 0) {
    out.text(fmt::format("{}/request - {} ms/request", bytes_text(bytes / accesses),
                         short_number(static_cast<double>(view.duration_milliseconds) / accesses)));
  }
  out.tags("</dt>\n");
}

void append_totals(Markup& out, const StatusView& view) {
  const ProcessUsage& usage = view.usage;
  out.tags("<dt>Total accesses: ").number(view.accesses);
  out.tags(" - Total Traffic: ").text(kibibytes_text(view.body_kibibytes));
  out.tags(" - Total Duration: ").number(view.duration_milliseconds).tags("</dt>\n");
  out.tags("<dt>CPU Usage: u").text(short_number(usage.user_seconds));
  out.tags(" s").text(short_number(usage.system_seconds));
  out.tags(" cu").text(short_number(usage.children_user_seconds));
  out.tags(" cs").text(short_number(usage.children_system_seconds));
  if (view.uptime.count() > 0) {
    const double load = view.processor_seconds() / static_cast<double>(view.uptime.count());
    out.tags(" - ").text(fmt::format("{:.3g}", load * 100)).tags("% CPU load");
  }
  out.tags("</dt>\n");
  append_rates(out, view);
  out.tags("<dt>").number(view.busy);
  out.tags(" requests currently being processed, 0 workers gracefully restarting, ");
  out.number(view.idle()).tags(" idle workers</dt>\n</dl>\n\n");
}

void append_counts(Markup& out, const StatusView& view) {
  out.tags("<td>").number(view.busy).tags("</td><td>0</td><td>").number(view.idle());
  out.tags("</td><td>0</td><td>0</td><td>").number(view.kept()).tags("</td><td>0</td></tr>\n");
}

void append_process(Markup& out, const StatusView& view) {
  out.tags(
      "<table rules=\"all\" cellpadding=\"1%\">\n"
      "<tr><th rowspan=\"2\">Slot</th><th rowspan=\"2\">PID</th><th rowspan=\"2\">Stopping</th>"
      "<th colspan=\"2\">Connections</th>\n"
      "<th colspan=\"3\">Threads</th><th colspan=\"4\">Async connections</th></tr>\n"
      "<tr><th>total</th><th>accepting</th><th>busy</th><th>graceful</th><th>idle</th>"
      "<th>wait-io</th><th>writing</th><th>keep-alive</th><th>closing</th></tr>\n"
      "<tr><td>0</td><td>");
  out.number(view.usage.process_id).tags("</td><td>no</td><td>").number(view.connections);
  out.tags("</td><td>");
  if (view.idle() > 0) {
    out.tags("yes");
  } else {
    out.tags("no");
  }
  out.tags("</td>");
  append_counts(out, view);
  out.tags("<tr><td>Sum</td><td>1</td><td>0</td><td>").number(view.connections);
  out.tags("</td><td>&nbsp;</td>");
  append_counts(out, view);
  out.tags("</table>\n");
}

void append_scoreboard(Markup& out, const StatusView& view) {
  constexpr std::size_t columns = 64;
  const std::string board = scoreboard(view);
  out.tags("<pre>");
  for (std::size_t at = 0; at < board.size(); at += columns) {
    if (at != 0) out.tags("\n");
    out.text(std::string_view(board).substr(at, columns));
  }
  out.tags(
      "</pre>\n<p>Scoreboard Key (one a client connection that there is room for):<br />\n"
      "\"<b><code>_</code></b>\" Waiting for Connection,\n"
      "\"<b><code>W</code></b>\" A request is under way,\n"
      "\"<b><code>K</code></b>\" Keepalive: waits for the next request<br />\n</p>\n");
}

}  // namespace

std::string status_html(const StatusView& view) {
  Markup out;
  append_head(out, view);
  append_times(out, view);
  append_totals(out, view);
  append_process(out, view);
  append_scoreboard(out, view);
  if (view.server.proxy.shows_status) append_balancer_tables(out, view);
  out.tags("</body></html>\n");
  return out.take();
}

}  // namespace steelyard::manage
