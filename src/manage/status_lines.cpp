// The status page for programs (?auto), with the names and the order of httpd's lines.
#include "manage/status_view.hpp"

namespace steelyard::manage {

namespace {

class Lines {
 public:
  void line(std::string_view name, std::string_view value) {
    out_ += fmt::format("{}: {}\n", name, value);
  }
  void count(std::string_view name, std::uint64_t value) { line(name, fmt::to_string(value)); }
  void number(std::string_view name, double value) { line(name, short_number(value)); }
  std::string& text() { return out_; }

 private:
  std::string out_;
};

void append_process(Lines& out, const StatusView& view) {
  const ProcessUsage& usage = view.usage;
  const std::uint64_t generation = view.question.generation->number();
  out.text() += view.question.public_name + '\n';
  out.line("ServerVersion", fmt::format("{} (Unix)", proxy::program_banner));
  out.line("ServerMPM", "event");
  out.line("Server Built", view.built);
  out.line("CurrentTime", page_time(view.now));
  out.line("RestartTime", page_time(usage.started));
  out.count("ParentServerConfigGeneration", generation);
  out.count("ParentServerMPMGeneration", generation - 1);
  out.count("ServerUptimeSeconds", static_cast<std::uint64_t>(view.uptime.count()));
  out.text() += "ServerUptime:" + uptime_text(view.uptime) + '\n';
  out.line("Load1", fmt::format("{:.2f}", usage.load_averages[0]));
  out.line("Load5", fmt::format("{:.2f}", usage.load_averages[1]));
  out.line("Load15", fmt::format("{:.2f}", usage.load_averages[2]));
}

void append_accesses(Lines& out, const StatusView& view) {
  const ProcessUsage& usage = view.usage;
  const auto uptime = static_cast<double>(view.uptime.count());
  const auto accesses = static_cast<double>(view.accesses);
  const double bytes = static_cast<double>(view.body_kibibytes) * 1024;
  out.count("Total Accesses", view.accesses);
  out.count("Total kBytes", view.body_kibibytes);
  out.count("Total Duration", view.duration_milliseconds);
  out.number("CPUUser", usage.user_seconds);
  out.number("CPUSystem", usage.system_seconds);
  out.number("CPUChildrenUser", usage.children_user_seconds);
  out.number("CPUChildrenSystem", usage.children_system_seconds);
  if (uptime > 0) out.number("CPULoad", view.processor_seconds() / uptime * 100);
  out.count("Uptime", static_cast<std::uint64_t>(view.uptime.count()));
  if (uptime > 0) {
    out.number("ReqPerSec", accesses / uptime);
    out.number("BytesPerSec", bytes / uptime);
  }
  if (accesses > 0) {
    out.number("BytesPerReq", bytes / accesses);
    out.number("DurationPerReq", static_cast<double>(view.duration_milliseconds) / accesses);
  }
}

void append_workers(Lines& out, const StatusView& view) {
  out.count("BusyWorkers", view.busy);
  out.count("GracefulWorkers", 0);
  out.count("IdleWorkers", view.idle());
  out.count("Processes", 1);
  out.count("Stopping", 0);
  out.count("ConnsTotal", view.connections);
  out.count("ConnsAsyncWaitIO", 0);
  out.count("ConnsAsyncWriting", 0);
  out.count("ConnsAsyncKeepAlive", view.kept());
  out.count("ConnsAsyncClosing", 0);
  out.line("Scoreboard", scoreboard(view));
}

}  // namespace

std::string status_lines(const StatusView& view) {
  Lines out;
  append_process(out, view);
  append_accesses(out, view);
  append_workers(out, view);
  if (view.server.proxy.shows_status) append_balancer_lines(out.text(), view);
  return std::move(out.text());
}

}  // namespace steelyard::manage
