#include "manage/metrics_collector.hpp"

#include <array>

#include "manage/metric_book.hpp"
#include "manage/metric_words.hpp"

namespace steelyard::manage {

namespace {

using balance::MemberView;
using balance::Outcome;
using proxy::FailureCounts;

constexpr std::array<std::string_view, proxy::status_class_count> class_labels{
    "none", "1xx", "2xx", "3xx", "4xx", "5xx"};

double unix_seconds(WallTime when) {
  return std::chrono::duration<double>(when.time_since_epoch()).count();
}

double number(auto value) { return static_cast<double>(value); }

// Counts of an enum's values, those that are not zero; `add(value, label)`.
template <class Enum, std::size_t Size>
void each_counted(const std::array<Counter, Size>& counts, std::string_view (*label)(Enum),
                  const auto& add) {
  for (std::size_t i = 0; i < Size; ++i) {
    if (counts[i].value() != 0) add(number(counts[i].value()), label(static_cast<Enum>(i)));
  }
}

// `add(value, party, cause)`.
void each_failure(const FailureCounts& failures, const auto& add) {
  for (std::size_t party = 0; party < proxy::party_count; ++party) {
    each_counted<proxy::Cause>(
        failures.counts[party], proxy::to_text, [&](double value, std::string_view cause) {
          add(value, proxy::to_text(static_cast<proxy::Party>(party)), cause);
        });
  }
}

void collect_refusals(MetricBook& book, const NamedBalancer& balancer) {
  constexpr std::string_view name = "steelyard_balancer_refusals_total";
  for (std::size_t i = 1; i < balance::outcome_count; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const std::uint64_t count = balancer.state->refusals().of(outcome);
    if (count != 0) book.add(name, number(count), {balancer.label, label_of(outcome)});
  }
  const balance::LineCounters line = balancer.state->line().counters();
  if (line.turned_away != 0)
    book.add(name, number(line.turned_away), {balancer.label, "queue_full"});
  if (line.timed_out != 0)
    book.add(name, number(line.timed_out), {balancer.label, "queue_timed_out"});
}

void collect_line(MetricBook& book, const NamedBalancer& balancer) {
  if (!balancer.state->queue()) return;
  const balance::LineCounters line = balancer.state->line().counters();
  book.add("steelyard_queue_waiting", number(line.waiting), {balancer.label});
  book.add("steelyard_queue_longest", number(line.longest), {balancer.label});
  book.add("steelyard_queue_served_total", number(line.served), {balancer.label});
  book.add("steelyard_queue_timed_out_total", number(line.timed_out), {balancer.label});
  book.add("steelyard_queue_turned_away_total", number(line.turned_away), {balancer.label});
}

void collect_state(MetricBook& book, std::string_view balancer, const MemberView& view) {
  const std::string_view member = view.spec->name;
  book.add("steelyard_member_info", 1, {balancer, member, view.spec->tag});
  book.add("steelyard_member_usable", view.status.usable() ? 1 : 0, {balancer, member});
  for (const FlagLabel& each : flag_labels) {
    book.add("steelyard_member_flag", view.status.has(each.flag) ? 1 : 0,
             {balancer, member, each.label});
  }
  book.add("steelyard_member_load_factor",
           view.spec->load_factor / double{balance::load_factor_unit}, {balancer, member});
  book.add("steelyard_member_lbset", view.spec->lbset, {balancer, member});
  book.add("steelyard_member_elected_total", number(view.elected), {balancer, member});
  book.add("steelyard_member_busy", view.busy, {balancer, member});
  book.add("steelyard_member_sent_bytes_total", number(view.transferred_bytes), {balancer, member});
  book.add("steelyard_member_received_bytes_total", number(view.read_bytes), {balancer, member});
}

void collect_health(MetricBook& book, std::string_view balancer, const MemberView& view) {
  const std::string_view member = view.spec->name;
  const balance::HealthTotals totals = view.member->health_log().totals();
  for (std::size_t i = 0; i < balance::health_cause_count; ++i) {
    const auto cause = static_cast<balance::HealthCause>(i);
    if (totals.of(cause) == 0) continue;
    book.add("steelyard_member_health_changes_total", number(totals.of(cause)),
             {balancer, member, label_of(cause)});
  }
  if (totals.checks_passed + totals.checks_failed == 0) return;
  constexpr std::string_view name = "steelyard_member_health_checks_total";
  book.add(name, number(totals.checks_passed), {balancer, member, "passed"});
  book.add(name, number(totals.checks_failed), {balancer, member, "failed"});
}

// Of members that never answered all buckets are left out: with 1,000 of them that is most of a
// page. All or none, as quantiles of a part would be wrong.
void add_if_any(MetricBook& book, std::string_view name, const DurationHistogram& times,
                MetricBook::Values values) {
  for (std::size_t place = 0; place <= DurationHistogram::bound_count; ++place) {
    if (times.count(place) != 0) return book.add(name, times, values);
  }
}

void collect_cluster(MetricBook& book, const ClusterView& view) {
  book.add("steelyard_cluster_connected", view.is_connected ? 1 : 0);
  book.add("steelyard_cluster_revision_lag",
           static_cast<double>(std::max<std::int64_t>(view.latest - view.revision, 0)));
  book.add("steelyard_cluster_instances", number(view.instances.size()));
  book.add("steelyard_cluster_unshared_orders", number(view.unshared.size()));
  book.add("steelyard_cluster_superseded_orders_total", number(view.superseded_count));
  book.add("steelyard_cluster_ignored_fields",
           number(view.left_out.size() + view.senseless.size()));
}

}  // namespace

std::vector<prometheus::MetricFamily> MetricsCollector::Collect() const {
  MetricBook book;
  collect_process(book);
  if (sources_.cluster) collect_cluster(book, *sources_.cluster);
  collect_clients(book);
  collect_servers(book);
  collect_spans(book);
  for (const NamedBalancer& balancer : name_balancers(sources_.generation)) {
    collect_refusals(book, balancer);
    collect_line(book, balancer);
    collect_members(book, balancer);
    collect_size(book, balancer);
  }
  for (const NamedBalancer& direct : name_direct_backends(sources_.generation))
    collect_members(book, direct);
  return book.take();
}

void MetricsCollector::collect_process(MetricBook& book) const {
  const ProcessUsage& usage = sources_.usage;
  book.add("steelyard_build_info", 1, {STEELYARD_VERSION});
  book.add("process_cpu_seconds_total", usage.user_seconds + usage.system_seconds);
  book.add("process_resident_memory_bytes", number(usage.resident_bytes));
  book.add("process_virtual_memory_bytes", number(usage.virtual_bytes));
  book.add("process_open_fds", number(usage.open_descriptors));
  book.add("process_max_fds", number(usage.descriptors_max));
  book.add("process_start_time_seconds", unix_seconds(usage.started));
  const std::uint64_t generation = sources_.generation.number();
  book.add("steelyard_generation", number(generation));
  book.add("steelyard_generation_start_time_seconds", unix_seconds(sources_.generation_since));
  book.add("steelyard_reloads_total", number(generation - 1), {"accepted"});
  book.add("steelyard_reloads_total", number(sources_.group.reloads_refused.load()), {"refused"});
  const RefusedChanges& changes = sources_.refused;
  const auto refused = [&book](std::uint64_t count, std::string_view cause) {
    if (count != 0) book.add("steelyard_changes_refused_total", number(count), {cause});
  };
  refused(changes.invalid, "invalid");
  refused(changes.precondition, "precondition");
  refused(changes.undo, "undo");
  refused(changes.not_kept, "not_kept");
}

void MetricsCollector::collect_clients(MetricBook& book) const {
  proxy::ShardGroup& group = sources_.group;
  proxy::ShardCells cells;
  group.add_to(cells);
  book.add("steelyard_client_connections", number(group.client_connections.load()));
  book.add("steelyard_client_connections_busy", number(group.busy_connections()));
  book.add("steelyard_client_connections_limit", number(group.client_connections_max));
  book.add("steelyard_client_connections_accepted_total", number(cells.accepted.value()));
}

// Of a server that exports.
void MetricsCollector::collect_spans(MetricBook& book) const {
  if (!sources_.generation.config().trace_export) return;
  const trace::ExportCounts& spans = sources_.group.span_counts;
  book.add("steelyard_trace_spans_exported_total", number(spans.exported.load()));
  const auto add = [&book](std::uint64_t count, std::string_view cause) {
    if (count != 0) book.add("steelyard_trace_spans_dropped_total", number(count), {cause});
  };
  add(spans.queue_full, "queue_full");
  add(spans.refused, "refused");
  add(spans.undelivered, "undelivered");
}

void MetricsCollector::collect_servers(MetricBook& book) const {
  const std::vector<std::string> names = name_servers(sources_.generation);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view server = names[i];
    proxy::ServerCells cells;
    sources_.generation.groups()[i].tally->add_to(cells);
    for (std::size_t kind = 0; kind < class_labels.size(); ++kind) {
      book.add("steelyard_responses_total", number(cells.responses[kind].value()),
               {server, class_labels[kind]});
    }
    book.add("steelyard_request_duration_seconds", cells.duration, {server});
    book.add("steelyard_received_bytes_total", number(cells.received_bytes.value()), {server});
    book.add("steelyard_sent_bytes_total", number(cells.sent_bytes.value()), {server});
    each_failure(cells.failures, [&](double value, std::string_view party, std::string_view cause) {
      book.add("steelyard_failures_total", value, {server, party, cause});
    });
  }
}

void MetricsCollector::collect_members(MetricBook& book, const NamedBalancer& balancer) const {
  for (const MemberView& view : balancer.state->members()) {
    collect_state(book, balancer.label, view);
    collect_health(book, balancer.label, view);
    collect_attempts(book, balancer, view);
  }
}

void MetricsCollector::collect_size(MetricBook& book, const NamedBalancer& balancer) const {
  const std::vector<MemberView> members = balancer.state->members();
  const auto usable =
      std::ranges::count_if(members, [](const MemberView& view) { return view.status.usable(); });
  book.add("steelyard_balancer_members", number(members.size()), {balancer.label});
  book.add("steelyard_balancer_usable_members", static_cast<double>(usable), {balancer.label});
}

void MetricsCollector::collect_attempts(MetricBook& book, const NamedBalancer& named,
                                        const MemberView& view) const {
  const std::string_view balancer = named.label;
  const std::string_view member = view.spec->name;
  proxy::MemberCells cells;
  sources_.group.tallies.add_to(cells, *view.member);
  each_counted<balance::Reason>(cells.picks, label_of, [&](double value, std::string_view reason) {
    book.add("steelyard_member_picks_total", value, {balancer, member, reason});
  });
  for (std::size_t kind = 1; kind < class_labels.size(); ++kind) {
    book.add("steelyard_member_responses_total", number(cells.responses[kind].value()),
             {balancer, member, class_labels[kind]});
  }
  each_failure(cells.failures, [&](double value, std::string_view party, std::string_view cause) {
    book.add("steelyard_member_failures_total", value, {balancer, member, party, cause});
  });
  each_counted<proxy::ResendProof>(
      cells.resends, proxy::to_text, [&](double value, std::string_view proof) {
        book.add("steelyard_member_resends_total", value, {balancer, member, proof});
      });
  add_if_any(book, "steelyard_member_connect_seconds", cells.connect, {balancer, member});
  add_if_any(book, "steelyard_member_first_byte_seconds", cells.first_byte, {balancer, member});
  add_if_any(book, "steelyard_member_total_seconds", cells.total, {balancer, member});
  book.add("steelyard_member_connections_open", number(cells.open.value()), {balancer, member});
  book.add("steelyard_member_connections_idle", number(cells.idle.value()), {balancer, member});
  book.add("steelyard_member_connections_reused_total", number(cells.reuses.value()),
           {balancer, member});
  if (const auto gate = sources_.group.gates.find(*view.member)) {
    book.add("steelyard_member_connections_waiting", number(gate->waiting()), {balancer, member});
  }
}

}  // namespace steelyard::manage
