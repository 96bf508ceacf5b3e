#include "balance/latency_window.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <limits>

namespace steelyard::balance {

namespace {

using std::chrono::microseconds;

constexpr unsigned doubling_bits = 4;  // 16 places a doubling
constexpr std::size_t doubling = std::size_t{1} << doubling_bits;
// Less than that is no difference that a client would notice.
constexpr std::chrono::milliseconds noticeable{1};

struct Span {
  double from, width;  // microseconds
};

Span span_of(std::size_t place) {
  if (place < doubling) return {static_cast<double>(place), 1};
  const std::size_t shift = place / doubling - 1;
  const std::size_t from = (place % doubling + doubling) << shift;
  return {static_cast<double>(from), static_cast<double>(std::size_t{1} << shift)};
}

Duration middle_of(std::vector<Duration> times) {
  std::ranges::sort(times);
  const std::size_t half = times.size() / 2;
  return times.size() % 2 != 0 ? times[half] : (times[half - 1] + times[half]) / 2;
}

std::string milliseconds_text(Duration time) {
  const double value = std::chrono::duration<double, std::milli>(time).count();
  std::array<char, 32> text{};
  const int length =
      std::snprintf(text.data(), text.size(), value < 10 ? "%.1f ms" : "%.0f ms", value);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

std::size_t LatencyWindow::place_of(Duration took) {
  constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t whole = std::chrono::duration_cast<microseconds>(took).count();
  const auto time = static_cast<std::uint64_t>(std::clamp<std::int64_t>(whole, 0, longest));
  if (time < doubling) return time;
  const auto shift = static_cast<unsigned>(std::bit_width(time)) - doubling_bits - 1;
  return shift * doubling + (time >> shift);
}

void LatencyWindow::observe(Duration took) {
  counts_[place_of(took)].fetch_add(1, std::memory_order_relaxed);
}

// Within the place of the median, answers are taken to lie evenly.
MedianTime LatencyWindow::take() {
  std::array<std::uint32_t, places> counts;
  MedianTime result;
  for (std::size_t place = 0; place < places; ++place) {
    std::atomic<std::uint32_t>& cell = counts_[place];
    counts[place] = cell.load(std::memory_order_relaxed);
    if (counts[place] != 0) counts[place] = cell.exchange(0, std::memory_order_relaxed);
    result.answers += counts[place];
  }
  const double half = static_cast<double>(result.answers) / 2;
  double below = 0;
  for (std::size_t place = 0; place < places; ++place) {
    const double here = counts[place];
    if (here == 0 || below + here < half) {
      below += here;
      continue;
    }
    const Span span = span_of(place);
    const std::chrono::duration<double, std::micro> median(span.from +
                                                           span.width * (half - below) / here);
    result.median = std::chrono::duration_cast<Duration>(median);
    break;
  }
  return result;
}

std::string Outlier::text() const {
  return "median " + milliseconds_text(median) + ", group " + milliseconds_text(group);
}

std::vector<Outlier> find_outliers(std::span<const MedianTime> members, const SlowLimit& limit) {
  std::vector<Duration> medians;
  for (const MedianTime& member : members) {
    if (member.answers >= measured_answers_min) medians.push_back(member.median);
  }
  std::vector<Outlier> found;
  if (medians.size() < measured_members_min) return found;
  const Duration group = middle_of(std::move(medians));
  for (std::size_t i = 0; i < members.size(); ++i) {
    const MedianTime& member = members[i];
    if (member.answers < measured_answers_min || member.median < group + noticeable) continue;
    // As real numbers: ten days times the largest factor are too many nanoseconds.
    const auto most = static_cast<double>(group.count()) * limit.factor_hundredths;
    if (static_cast<double>(member.median.count()) * 100 <= most) continue;
    found.push_back({.which = i, .median = member.median, .group = group});
  }
  std::ranges::sort(found, std::ranges::greater{}, &Outlier::median);
  return found;
}

}  // namespace steelyard::balance
