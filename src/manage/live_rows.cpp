#include "manage/live_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "balance/editable.hpp"
#include "base/text.hpp"

namespace steelyard::manage {

namespace {

using balance::Flag;
using balance::MemberView;

// Three digits are more than an eye can follow, and keep a row the same while little happens.
double rounded(double number) {
  if (number == 0 || !std::isfinite(number)) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::abs(number))) - 2);
  const double steps = std::round(number / unit);
  // Units below 1 are no exact numbers; their inverses are.
  return unit < 1 ? steps / std::round(1 / unit) : steps * unit;
}

ApiJson number_or_null(const std::optional<double>& number) {
  return number ? ApiJson(rounded(*number)) : ApiJson(nullptr);
}

ApiJson errors_object(const Amount& amount) {
  ApiJson object = ApiJson::object();
  for (std::size_t i = 0; i < proxy::cause_count; ++i) {
    if (amount.causes[i] != 0)
      object[proxy::to_text(static_cast<proxy::Cause>(i))] = amount.causes[i];
  }
  if (amount.bad_answers != 0) object["answered_5xx"] = amount.bad_answers;
  if (amount.refused != 0) object["no_member"] = amount.refused;
  return object;
}

void add_amounts(ApiJson& row, const Story& story) {
  const Amount now = story.now();
  const Amount minute = story.minute();
  row["rate"] = rounded(per_second(now.requests, now.span));
  row["sent"] = rounded(per_second(now.sent, now.span));
  row["received"] = rounded(per_second(now.received, now.span));
  row["errors"] = errors_object(minute);
  row["error_count"] = minute.errors();
  row["p50"] = number_or_null(quantile_ms(minute.latency, 0.5));
  row["p99"] = number_or_null(quantile_ms(minute.latency, 0.99));
}

ApiJson check_object(const MemberView& view, const Moment& moment) {
  // What was found out while it was checked stays known, and is no news once nobody checks it.
  if (view.spec->check.method == balance::CheckMethod::none) return nullptr;
  if (!view.checks.last && !view.checks.next_due) return nullptr;
  ApiJson object = ApiJson::object();
  if (view.checks.last) {
    object["passed"] = view.checks.last->verdict == balance::CheckVerdict::passed;
    object["evidence"] = view.checks.last->evidence.text;
    object["at"] = milliseconds_of(moment, view.checks.last->ended);
  }
  if (view.checks.next_due) object["next"] = milliseconds_of(moment, *view.checks.next_due);
  return object;
}

std::uint64_t event_count(const MemberView& view) {
  std::uint64_t count = 0;
  for (const std::uint64_t each : view.member->health_log().totals().changes) count += each;
  return count;
}

ApiJson member_row(const NamedBalancer& balancer, const MemberView& view,
                   const balance::Overlay& overlay, const Chronicle& chronicle,
                   const Moment& moment) {
  const StateWord state = state_of(view);
  ApiJson row{{"kind", "member"},
              {"balancer", balancer.label},
              {"member", view.spec->name},
              {"socket", view.spec->unix_socket_path},
              {"route", view.spec->tag},
              {"state", state.word},
              {"tone", state.tone},
              {"status", trim(balance::display_text(view.status))},
              {"flags", balance::letters_of(view.status.only(balance::operator_flags))},
              {"reason", reason_text(view, overlay.find(view.spec->name))},
              {"until", view.error_ends && *view.error_ends != never
                            ? ApiJson(milliseconds_of(moment, *view.error_ends))
                            : ApiJson(nullptr)},
              {"weight", view.spec->load_factor / double{balance::load_factor_unit}},
              {"lbset", view.spec->lbset},
              {"in_flight", view.busy},
              {"elected", view.elected},
              {"check", check_object(view, moment)},
              {"drain", view.drain && view.drain->state == balance::DrainState::under_way
                            ? ApiJson(order_text(view.drain->order, moment))
                            : ApiJson(nullptr)},
              {"events", event_count(view)}};
  add_amounts(row, chronicle.of(*view.member));
  proxy::MemberCells cells;
  chronicle.group().tallies.add_to(cells, *view.member);
  row["open"] = cells.open.value();
  row["idle"] = cells.idle.value();
  const auto gate = chronicle.group().gates.find(*view.member);
  row["waiting"] = gate != nullptr ? gate->waiting() : 0;
  row["pool_max"] = view.spec->pool.connections_max.value_or(0);
  return row;
}

std::string stickiness(const balance::StickySpec& sticky) {
  if (!sticky.enabled()) return {};
  if (sticky.url_name == sticky.cookie_name) return sticky.cookie_name;
  return sticky.cookie_name + '|' + sticky.url_name;
}

ApiJson balancer_row(const NamedBalancer& balancer, const std::vector<MemberView>& members,
                     const Chronicle& chronicle) {
  const auto spec = balancer.state->spec();
  const auto queue = balancer.state->queue();
  const auto busy = [](int sum, const MemberView& view) { return sum + view.busy; };
  ApiJson row{{"kind", "balancer"},
              {"balancer", balancer.label},
              {"name", balancer.state->name()},
              {"policy", balance::policy_name(spec->effective_policy())},
              {"sticky", stickiness(spec->sticky)},
              {"members", members.size()},
              {"usable", std::ranges::count_if(
                             members, [](const MemberView& v) { return v.status.usable(); })},
              {"in_flight", std::accumulate(members.begin(), members.end(), 0, busy)},
              {"queue", balancer.state->line().counters().waiting},
              {"queue_max", queue ? ApiJson(queue->requests_max) : ApiJson(nullptr)}};
  add_amounts(row, chronicle.of(*balancer.state));
  return row;
}

}  // namespace

StateWord state_of(const MemberView& view) {
  const balance::Status status = view.status;
  if (status.has(Flag::stopped)) {
    const bool by_drain = view.drain && view.drain->state == balance::DrainState::drained;
    return {by_drain ? "drained" : "stopped", "off"};
  }
  if (status.has(Flag::disabled)) return {"disabled", "off"};
  if (status.has(Flag::nameless)) return {"no address", "bad"};
  if (status.has(Flag::health_failed)) return {"check failed", "bad"};
  if (view.on_trial) return {"on trial", "warn"};
  if (status.has(Flag::in_error)) return {"in error", "bad"};
  if (!status.usable()) return {"not ready", "off"};
  if (status.has(Flag::draining)) return {"draining", "warn"};
  if (status.has(Flag::standby)) return {"standby", "off"};
  if (status.has(Flag::spare)) return {"spare", "off"};
  return {"in service", "good"};
}

std::int64_t milliseconds_of(const Moment& moment, Instant when) {
  using std::chrono::milliseconds;
  const auto wall = moment.wall + std::chrono::duration_cast<WallTime::duration>(when - moment.now);
  const auto since = std::chrono::duration_cast<milliseconds>(wall.time_since_epoch()).count();
  // The two clocks are not read at the same instant.
  return (since + 50) / 100 * 100;
}

std::vector<LiveRow> live_rows(const std::vector<NamedBalancer>& balancers,
                               const Chronicle& chronicle, const Moment& moment) {
  std::vector<LiveRow> rows;
  for (const NamedBalancer& balancer : balancers) {
    const std::vector<MemberView> members = balancer.state->members();
    const balance::Overlay overlay = balance::Edits(*balancer.state).overlay();
    rows.push_back({balancer.label, balancer_row(balancer, members, chronicle)});
    const auto all = static_cast<double>(chronicle.of(*balancer.state).now().requests);
    const auto expected = expected_shares(members, balancer.state->spec()->ejection.active_min);
    for (std::size_t i = 0; i < members.size(); ++i) {
      ApiJson row = member_row(balancer, members[i], overlay, chronicle, moment);
      const auto mine = static_cast<double>(chronicle.of(*members[i].member).now().requests);
      row["share"] = all > 0 ? ApiJson(rounded(mine / all)) : ApiJson(nullptr);
      row["expected"] = rounded(expected[i]);
      rows.push_back({balancer.label + '\n' + members[i].spec->name, std::move(row)});
    }
  }
  return rows;
}

ApiJson LiveBook::turn_to(std::vector<LiveRow> rows) {
  ++turn_;
  ApiJson changed = ApiJson::array(), gone = ApiJson::array();
  for (LiveRow& row : rows) {
    const auto [found, is_new] = told_.try_emplace(row.key);
    Told& told = found->second;
    told.turn = turn_;
    if (is_new) told.id = next_id_++;
    ApiJson news{{"id", told.id}};
    for (const auto& [name, value] : row.fields.items()) {
      const auto before = told.fields.find(name);
      if (before == told.fields.end() || *before != value) news[name] = value;
    }
    if (news.size() > 1) changed.push_back(std::move(news));
    told.fields = std::move(row.fields);
  }
  for (const auto& [key, told] : told_) {
    if (told.turn != turn_) gone.push_back(told.id);
  }
  std::erase_if(told_, [this](const auto& each) { return each.second.turn != turn_; });
  return {{"rows", std::move(changed)}, {"gone", std::move(gone)}};
}

ApiJson LiveBook::all() const {
  std::vector<const Told*> order;
  order.reserve(told_.size());
  for (const auto& [key, told] : told_) order.push_back(&told);
  std::ranges::sort(order, {}, &Told::id);
  ApiJson rows = ApiJson::array();
  for (const Told* const told : order) {
    ApiJson row{{"id", told->id}};
    row.update(told->fields);
    rows.push_back(std::move(row));
  }
  return {{"rows", std::move(rows)}, {"gone", ApiJson::array()}};
}

}  // namespace steelyard::manage
