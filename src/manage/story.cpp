#include "manage/story.hpp"

#include <algorithm>

namespace steelyard::manage {

void Story::add(const Amount& amount) {
  step_.add_later(amount);
  looks_.push_back(amount);
  Duration length{0};
  for (const Amount& look : looks_) length += look.span;
  while (looks_.size() > 1 && length - looks_.front().span >= now_length) {
    length -= looks_.front().span;
    looks_.pop_front();
  }
}

void Story::end_step(std::uint32_t in_flight) {
  const auto milliseconds = [this](double q) {
    return static_cast<float>(quantile_ms(step_.latency, q).value_or(-1));
  };
  const Step step{.requests = static_cast<float>(per_second(step_.requests, step_.span)),
                  .errors = static_cast<float>(per_second(step_.errors(), step_.span)),
                  .p50_ms = milliseconds(0.5),
                  .p99_ms = milliseconds(0.99),
                  .in_flight = in_flight};
  if (ring_.size() < steps_max) {
    ring_.push_back(step);
  } else {
    ring_[next_] = step;
    next_ = (next_ + 1) % steps_max;
  }
  minute_.push_back(step_);
  if (minute_.size() > minute_steps) minute_.pop_front();
  step_ = {};
}

void Story::begin_with_empty(std::size_t steps) {
  ring_.assign(std::min(steps, steps_max), Step{});
  next_ = 0;
}

Amount Story::now() const {
  Amount sum;
  for (const Amount& look : looks_) sum.add_later(look);
  return sum;
}

Amount Story::minute() const {
  Amount sum = step_;
  for (const Amount& step : minute_) sum.add_later(step);
  return sum;
}

std::vector<Story::Step> Story::steps() const {
  std::vector<Step> steps(ring_.begin() + static_cast<std::ptrdiff_t>(next_), ring_.end());
  steps.insert(steps.end(), ring_.begin(), ring_.begin() + static_cast<std::ptrdiff_t>(next_));
  return steps;
}

}  // namespace steelyard::manage
