#include "manage/rates.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace steelyard::manage {

namespace {

using balance::Flag;
using balance::MemberView;

// Since when it counts anew, if it went back.
std::uint64_t grown(std::uint64_t before, std::uint64_t now) {
  return now >= before ? now - before : now;
}

template <std::size_t Size>
void add_all(std::array<std::uint32_t, Size>& sum, const std::array<std::uint32_t, Size>& more) {
  for (std::size_t i = 0; i < Size; ++i) sum[i] += more[i];
}

template <std::size_t Size>
std::array<std::uint32_t, Size> differences(const std::array<std::uint32_t, Size>& before,
                                            const std::array<std::uint32_t, Size>& now) {
  std::array<std::uint32_t, Size> result{};
  for (std::size_t i = 0; i < Size; ++i) result[i] = now[i] - before[i];
  return result;
}

double bound_ms(std::size_t place) {
  return std::chrono::duration<double, std::milli>(DurationHistogram::bound(place)).count();
}

bool is_usable(const MemberView& view) {
  return view.status.usable() && !view.status.has(Flag::draining);
}

// Who of one lbset takes part, by indexes into the members.
std::vector<std::size_t> participants(std::span<const MemberView> members, int lbset,
                                      std::optional<int> active_min) {
  std::vector<std::size_t> active, spares, standbys;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const MemberView& view = members[i];
    if (view.spec->lbset != lbset) continue;
    const bool is_spare = view.status.has(Flag::spare);
    const bool is_standby = !is_spare && view.status.has(Flag::standby);
    if (!is_usable(view)) {
      if (!is_spare && !is_standby) ++missing;
      continue;
    }
    (is_spare ? spares : is_standby ? standbys : active).push_back(i);
  }
  spares.resize(std::min(spares.size(), missing));
  active.insert(active.end(), spares.begin(), spares.end());
  const std::size_t wanted = static_cast<std::size_t>(std::max(active_min.value_or(0), 0));
  std::size_t called = active.empty() ? standbys.size() : 0;
  if (wanted != 0) called = wanted - std::min(wanted, active.size());
  standbys.resize(std::min(standbys.size(), called));
  active.insert(active.end(), standbys.begin(), standbys.end());
  return active;
}

}  // namespace

Counts Counts::of(const MemberView& view, const proxy::MemberCells& cells) {
  const auto small = [](std::uint64_t count) { return static_cast<std::uint32_t>(count); };
  Counts counts{.requests = view.elected,
                .sent = static_cast<std::uint64_t>(view.transferred_bytes),
                .received = static_cast<std::uint64_t>(view.read_bytes),
                .bad_answers = small(cells.responses[5].value())};
  for (std::size_t i = 0; i < proxy::cause_count; ++i) {
    const auto cause = static_cast<proxy::Cause>(i);
    counts.causes[i] = small(cells.failures.of(proxy::Party::none, cause) +
                             cells.failures.of(proxy::Party::backend, cause));
  }
  for (std::size_t i = 0; i < latency_places; ++i)
    counts.latency[i] = small(cells.first_byte.count(i));
  return counts;
}

Amount Amount::since(const Counts& before, const Counts& now, Duration span) {
  Amount amount;
  amount.span = span;
  amount.requests = grown(before.requests, now.requests);
  amount.sent = grown(before.sent, now.sent);
  amount.received = grown(before.received, now.received);
  amount.bad_answers = now.bad_answers - before.bad_answers;
  amount.causes = differences(before.causes, now.causes);
  amount.latency = differences(before.latency, now.latency);
  return amount;
}

void Amount::add_counts(const Amount& other) {
  requests += other.requests;
  sent += other.sent;
  received += other.received;
  bad_answers += other.bad_answers;
  refused += other.refused;
  add_all(causes, other.causes);
  add_all(latency, other.latency);
}

void Amount::add_later(const Amount& other) {
  span += other.span;
  add_counts(other);
}

void Amount::add_beside(const Amount& other) {
  span = std::max(span, other.span);
  add_counts(other);
}

std::uint64_t Amount::errors() const {
  return std::accumulate(causes.begin(), causes.end(), std::uint64_t{bad_answers} + refused);
}

bool Amount::is_empty() const {
  return requests == 0 && sent == 0 && received == 0 && errors() == 0 &&
         std::ranges::all_of(latency, [](std::uint32_t count) { return count == 0; });
}

double per_second(std::uint64_t count, Duration span) {
  if (span <= Duration(0)) return 0;
  return static_cast<double>(count) / std::chrono::duration<double>(span).count();
}

std::optional<double> quantile_ms(const std::array<std::uint32_t, latency_places>& counts,
                                  double q) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (total == 0) return std::nullopt;
  const double rank = std::clamp(q, 0.0, 1.0) * total;
  double below = 0;
  for (std::size_t place = 0; place < DurationHistogram::bound_count; ++place) {
    const double here = counts[place];
    if (here > 0 && below + here >= rank) {
      const double begin = place == 0 ? 0 : bound_ms(place - 1);
      return begin + (bound_ms(place) - begin) * std::max(0.0, rank - below) / here;
    }
    below += here;
  }
  return bound_ms(DurationHistogram::bound_count - 1);
}

std::vector<double> expected_shares(std::span<const MemberView> members,
                                    std::optional<int> active_min) {
  std::vector<double> shares(members.size(), 0);
  std::vector<int> sets;
  sets.reserve(members.size());
  for (const MemberView& view : members) sets.push_back(view.spec->lbset);
  std::ranges::sort(sets);
  sets.erase(std::ranges::unique(sets).begin(), sets.end());
  for (const int set : sets) {
    const auto chosen = participants(members, set, active_min);
    if (chosen.empty()) continue;
    double sum = 0;
    for (const std::size_t i : chosen) sum += members[i].spec->load_factor;
    for (const std::size_t i : chosen) shares[i] = sum > 0 ? members[i].spec->load_factor / sum : 0;
    break;
  }
  return shares;
}

}  // namespace steelyard::manage
