#include "manage/metric_table.hpp"

#include <fmt/format.h>

#include <array>

#include "balance/health.hpp"
#include "manage/metric_words.hpp"
#include "proxy/counters.hpp"

namespace steelyard::manage {

namespace {

using enum MetricKind;

constexpr std::string_view of_server = "server";
constexpr std::string_view of_balancer = "balancer";
constexpr std::string_view of_member = "balancer member";

// One row a metric, in the order of the page.
constexpr auto rows = std::to_array<MetricRow>({
    {"steelyard_build_info", gauge, "version", "1; the label tells the version that runs"},
    {"process_cpu_seconds_total", counter, "", "Processor time of the process, user and system"},
    {"process_resident_memory_bytes", gauge, "", "Memory of the process that is resident"},
    {"process_virtual_memory_bytes", gauge, "", "Address space of the process"},
    {"process_open_fds", gauge, "", "File descriptors that are open"},
    {"process_max_fds", gauge, "", "File descriptors that may be open"},
    {"process_start_time_seconds", gauge, "", "When the process began, in Unix time"},
    {"steelyard_generation", gauge, "",
     "Number of the configuration in force; 1 is that of the start"},
    {"steelyard_generation_start_time_seconds", gauge, "",
     "When the configuration in force was accepted, in Unix time"},
    {"steelyard_reloads_total", counter, "result",
     "Reloads by result: accepted, or refused, which leaves the old configuration in force"},

    {"steelyard_changes_refused_total", counter, "cause",
     "Changes of operators that were refused, by what stood in the way"},

    {"steelyard_cluster_connected", gauge, "",
     "1 if the etcd of SteelyardCluster answers, 0 if this instance serves on with what it knows"},
    {"steelyard_cluster_revision_lag", gauge, "",
     "How far the last change in etcd is ahead of what this instance knows, in revisions"},
    {"steelyard_cluster_instances", gauge, "", "Instances of the cluster that are there, by etcd"},
    {"steelyard_cluster_unshared_orders", gauge, "",
     "Orders of operators of this instance that the others do not know yet"},
    {"steelyard_cluster_superseded_orders_total", counter, "",
     "Orders of operators of this instance that lost against somebody else's"},
    {"steelyard_cluster_ignored_fields", gauge, "",
     "Changes of others that count for nothing here, as the configuration is another"},

    {"steelyard_client_connections", gauge, "", "Client connections that are open"},
    {"steelyard_client_connections_busy", gauge, "", "Client connections with a request under way"},
    {"steelyard_client_connections_limit", gauge, "",
     "Client connections that may be open; more wait in the kernel's queue"},
    {"steelyard_client_connections_accepted_total", counter, "",
     "Client connections that were accepted"},

    {"steelyard_responses_total", counter, "server class",
     "Requests that are over, by virtual host and class of the status; none: the connection ended "
     "without an answer"},
    {"steelyard_request_duration_seconds", histogram, of_server,
     "From a request's first byte to its answer's last, as the client sees it"},
    {"steelyard_received_bytes_total", counter, of_server,
     "Bytes of requests from clients, heads included"},
    {"steelyard_sent_bytes_total", counter, of_server,
     "Bytes of answers to clients, heads included"},
    {"steelyard_failures_total", counter, "server party cause",
     "Requests that a failure ended, by who failed (client, backend, proxy) and how"},

    {"steelyard_trace_spans_exported_total", counter, "",
     "Spans that the collector took (SteelyardTraceExport)"},
    {"steelyard_trace_spans_dropped_total", counter, "cause",
     "Spans that were dropped: the collector did not keep up, refused them, or was not there when "
     "the server stopped"},

    {"steelyard_balancer_members", gauge, of_balancer, "Members of the balancer"},
    {"steelyard_balancer_usable_members", gauge, of_balancer, "Members that may take requests now"},
    {"steelyard_balancer_refusals_total", counter, "balancer cause",
     "Requests that the balancer had no member for"},
    {"steelyard_queue_waiting", gauge, of_balancer, "Requests that wait for a member (queue=) now"},
    {"steelyard_queue_longest", gauge, of_balancer, "The most requests that ever waited at a time"},
    {"steelyard_queue_served_total", counter, of_balancer,
     "Requests that waited and went on to a member"},
    {"steelyard_queue_timed_out_total", counter, of_balancer,
     "Requests whose time in the line was over"},
    {"steelyard_queue_turned_away_total", counter, of_balancer,
     "Requests that found the line full"},

    {"steelyard_member_info", gauge, "balancer member route", "1; the label tells the route"},
    {"steelyard_member_usable", gauge, of_member, "1 if the member may take requests now"},
    {"steelyard_member_flag", gauge, "balancer member flag",
     "1 for each flag of the member's status that is set, 0 for the others"},
    {"steelyard_member_load_factor", gauge, of_member, "The member's loadfactor"},
    {"steelyard_member_lbset", gauge, of_member, "The member's lbset"},
    {"steelyard_member_elected_total", counter, of_member,
     "How often the balancer chose the member (the manager's Elected)"},
    {"steelyard_member_busy", gauge, of_member, "Requests that the member has now"},
    {"steelyard_member_sent_bytes_total", counter, of_member,
     "Bytes sent to the member (the manager's To)"},
    {"steelyard_member_received_bytes_total", counter, of_member,
     "Bytes received from the member (the manager's From)"},
    {"steelyard_member_picks_total", counter, "balancer member reason",
     "Attempts at the member that are over, by why it was chosen"},
    {"steelyard_member_responses_total", counter, "balancer member class",
     "Answers of the member by class of the status"},
    {"steelyard_member_failures_total", counter, "balancer member party cause",
     "Attempts at the member that failed, by who failed (client, backend, proxy) and how"},
    {"steelyard_member_resends_total", counter, "balancer member proof",
     "Requests sent to the member after an earlier attempt failed, by why that was safe"},
    {"steelyard_member_connect_seconds", histogram, of_member,
     "Until a new connection to the member stood; its count is that of connections made"},
    {"steelyard_member_first_byte_seconds", histogram, of_member,
     "From the last byte of a request to the head of the member's answer"},
    {"steelyard_member_total_seconds", histogram, of_member,
     "From the choice of the member to the last byte of its answer, of answers that came whole; "
     "of a tunnel, until it is set up"},
    {"steelyard_member_connections_open", gauge, of_member,
     "Open connections to the member, idle ones included"},
    {"steelyard_member_connections_idle", gauge, of_member,
     "Connections to the member that wait for a request"},
    {"steelyard_member_connections_waiting", gauge, of_member,
     "Requests that wait for a connection to the member (max=)"},
    {"steelyard_member_connections_reused_total", counter, of_member,
     "How often a connection to the member served a further request"},
    {"steelyard_member_health_changes_total", counter, "balancer member cause",
     "Changes of the member's status, by what brought them about"},
    {"steelyard_member_health_checks_total", counter, "balancer member result",
     "Health checks of the member that passed and failed"},
});

std::string_view word_of(MetricKind kind) {
  switch (kind) {
    case counter:
      return "counter";
    case gauge:
      return "gauge";
    case histogram:
      return "histogram";
  }
  return {};
}

std::string code_words(std::string_view words) {
  std::string out;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", words.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

template <class Enum>
std::string all_words(std::size_t count, std::size_t first, std::string_view (*word)(Enum)) {
  std::string words;
  for (std::size_t i = first; i < count; ++i)
    words += (words.empty() ? "" : " ") + std::string(word(static_cast<Enum>(i)));
  return code_words(words);
}

std::string flag_words() {
  std::string words;
  for (const FlagLabel& each : flag_labels)
    words += (words.empty() ? "" : " ") + std::string(each.label);
  return code_words(words);
}

std::string label_rows() {
  using balance::HealthCause;
  using balance::Outcome;
  using balance::Reason;
  std::string out = "| label | of | values |\n|---|---|---|\n";
  const auto row = [&out](std::string_view label, std::string_view of, const std::string& values) {
    out += fmt::format("| `{}` | {} | {} |\n", label, of, values);
  };
  row("server", "virtual hosts", "`main`, or name and port of the virtual host");
  row("balancer", "balancers",
      "the balancer's URL, behind the virtual host's name and a `/` where several have one of that "
      "name; `direct` for what ProxyPass leads to without a balancer");
  row("member", "members", "the member's URL");
  row("class", "responses", "`1xx` to `5xx`, `none`");
  row("party", "failures", all_words<proxy::Party>(proxy::party_count, 0, proxy::to_text));
  row("cause", "failures", all_words<proxy::Cause>(proxy::cause_count, 1, proxy::to_text));
  row("cause", "refusals",
      all_words<Outcome>(balance::outcome_count, 1, label_of) +
          ", `queue_full`, `queue_timed_out`");
  row("cause", "changes that were refused",
      "`invalid` (what it says), `precondition` (`If-Match` of the API), `undo` (nothing to take "
      "back, or it was changed since), `not_kept` (not in the journal, or not for the cluster)");
  row("cause", "spans", "`queue_full`, `refused`, `undelivered`");
  row("cause", "health changes", all_words<HealthCause>(balance::health_cause_count, 0, label_of));
  row("reason", "picks", all_words<Reason>(balance::reason_count, 1, label_of));
  row("proof", "resends",
      all_words<proxy::ResendProof>(proxy::resend_proof_count, 0, proxy::to_text));
  row("flag", "status flags", flag_words());
  return out;
}

}  // namespace

std::span<const MetricRow> metric_table() { return rows; }

std::string metrics_document() {
  std::string out =
      "# Metrics\n\n"
      "Made from the table in `src/manage/metric_table.cpp`. Served where the configuration "
      "says\n\n"
      "```apache\n"
      "<Location \"/metrics\">\n"
      "    SetHandler steelyard-metrics\n"
      "    Require ip 10.0.0.0/8\n"
      "</Location>\n"
      "```\n\n"
      "as OpenMetrics 1.0.0 to who asks for `application/openmetrics-text`, else in the older text "
      "format (0.0.4). Counters start from zero with the process; those of a member or a virtual "
      "host survive reloads as long as the configuration names it. Rows whose label has a fixed "
      "list of values appear once they are not zero, but for `class`, `result` and `flag`; a "
      "member's histogram appears with its first sample, all of its buckets at once.\n\n"
      "A member is 25 rows, 2.5 KB, from the beginning, and up to 69 more, 8 KB, with its "
      "histograms: 1,000 members are 2.7 MB a scrape while idle, 11 MB once all have answered. It "
      "goes as gzip, a twentieth of that or less, to who asks for it, as Prometheus does by "
      "itself. To keep less, drop rows where they are stored:\n\n"
      "```yaml\n"
      "metric_relabel_configs:\n"
      "  - source_labels: [__name__]\n"
      "    regex: steelyard_member_(connect|first_byte|total)_seconds_bucket\n"
      "    action: drop\n"
      "```\n\n"
      "Without these buckets the dashboard lacks the members' latencies, and nothing else.\n\n"
      "`packaging/grafana/steelyard.json` is a dashboard of them.\n\n"
      "| metric | type | labels | what |\n|---|---|---|---|\n";
  for (const MetricRow& row : rows) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.name, word_of(row.kind),
                       code_words(row.labels), row.help);
  }
  out += fmt::format(
      "\nBuckets of histograms end at 0.125 ms and its doublings up to {} s.\n\n"
      "## Labels\n\n",
      std::chrono::duration<double>(DurationHistogram::bound(DurationHistogram::bound_count - 1))
          .count());
  return out + label_rows();
}

}  // namespace steelyard::manage
