// Table: the parameters of a balancer, each with the code that reads it.

#include <algorithm>
#include <array>
#include <utility>

#include "balance/numbers.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

namespace {

using Result = std::expected<void, std::string>;

constexpr std::size_t sticky_name_length_max = 63;  // httpd cuts longer names without a word
constexpr std::size_t nonce_length_max = 36;
constexpr int failing_status_min = 100;
constexpr int failing_status_max = 599;
constexpr int growth_max = 100;
constexpr int hash_bound_percent_min = 100;  // less cannot hold for all members at once
constexpr int hash_bound_percent_max = 10'000;
constexpr int queue_requests_max = 100'000;
constexpr std::chrono::milliseconds queue_time_min{1};
constexpr std::chrono::hours queue_time_max{1};
constexpr int failures_max = 1000;
constexpr int active_min_max = 1000;
constexpr int slow_factor_hundredths_min = 150;
constexpr int slow_factor_hundredths_max = 100 * 100;
constexpr std::chrono::hours day{24};

std::unexpected<std::string> complaint(std::string_view text) {
  return std::unexpected(std::string(text));
}

Result store_switch(std::optional<bool>& field, std::string_view value, std::string_view complain) {
  const auto on = parse_switch(value);
  if (!on) return complaint(complain);
  field = on;
  return {};
}

Result set_policy(BalancerSpec& spec, std::string_view value) {
  const auto policy = policy_named(value);
  if (!policy) return complaint("unknown lbmethod");
  spec.policy = policy;
  return {};
}

Result set_sticky(BalancerSpec& spec, std::string_view value) {
  const std::size_t bar = value.find('|');
  const std::string_view cookie = value.substr(0, bar);
  const std::string_view url = bar == std::string_view::npos ? value : value.substr(bar + 1);
  spec.sticky.cookie_name = cookie.substr(0, sticky_name_length_max);
  spec.sticky.url_name = url.substr(0, sticky_name_length_max);
  spec.sticky_written = true;
  return {};
}

Result set_separator(BalancerSpec& spec, std::string_view value) {
  if (equals_ignoring_case(value, "off")) {
    spec.sticky.separator.reset();
  } else if (value.size() == 1) {
    spec.sticky.separator = value.front();
  } else {
    return complaint("stickysessionsep must be a single character or Off");
  }
  spec.separator_written = true;
  return {};
}

Result set_cut_at_semicolon(BalancerSpec& spec, std::string_view value) {
  const auto on = parse_switch(value);
  if (!on) return complaint("scolonpathdelim must be On|Off");
  spec.sticky.cut_at_semicolon = *on;
  spec.cut_written = true;
  return {};
}

Result set_nofailover(BalancerSpec& spec, std::string_view value) {
  return store_switch(spec.nofailover, value, "failover must be On|Off");
}

Result set_timeout(BalancerSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 1) return complaint("timeout must be at least one second");
  spec.timeout = std::chrono::seconds(number);
  return {};
}

Result set_maxattempts(BalancerSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 0) return complaint("maximum number of attempts must be a positive number");
  spec.maxattempts = number;
  return {};
}

Result set_fail_on_status(BalancerSpec& spec, std::string_view value) {
  std::vector<int> statuses;
  for (std::size_t at = 0; (at = value.find_first_not_of(", ", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(value.find_first_of(", ", at), value.size());
    const int status = leading_integer(value.substr(at, end - at));
    if (status < failing_status_min || status > failing_status_max) {
      return complaint("failonstatus must be one or more HTTP response codes");
    }
    statuses.push_back(status);
    at = end;
  }
  spec.fail_on_status = std::move(statuses);
  return {};
}

Result set_fail_on_timeout(BalancerSpec& spec, std::string_view value) {
  return store_switch(spec.fail_on_timeout, value, "failontimeout must be On|Off");
}

Result set_force_recovery(BalancerSpec& spec, std::string_view value) {
  return store_switch(spec.force_recovery, value, "forcerecovery must be On|Off");
}

Result set_nonce(BalancerSpec& spec, std::string_view value) {
  if (equals_ignoring_case(value, "none")) {
    spec.nonce = "";
    return {};
  }
  if (value.size() > nonce_length_max) return complaint("Provided nonce is too large");
  spec.nonce = value;
  return {};
}

Result set_growth(BalancerSpec& spec, std::string_view value) {
  const int number = leading_integer(value);
  if (number < 1 || number > growth_max) return complaint("growth must be between 1 and 100");
  spec.growth = number;
  return {};
}

Result set_hash_key(BalancerSpec& spec, std::string_view value) {
  if (value.empty()) return complaint("hashkey must be an expression such as %{REMOTE_ADDR}");
  spec.hash_key = value;
  return {};
}

Result set_hash_bound(BalancerSpec& spec, std::string_view value) {
  if (equals_ignoring_case(value, "off")) {
    spec.hash_bound = 0;
    return {};
  }
  const auto percent = parse_strictly(value);
  if (!percent || *percent < hash_bound_percent_min || *percent > hash_bound_percent_max) {
    return complaint("hashbound must be between 100 and 10000 per cent or Off");
  }
  spec.hash_bound = percent;
  return {};
}

Result set_slow_start(BalancerSpec& spec, std::string_view value) {
  return store_slow_start(spec.slow_start, value);
}

Result set_reentry(BalancerSpec& spec, std::string_view value) {
  if (equals_ignoring_case(value, "keep")) {
    spec.reentry = Reentry::keep;
  } else if (equals_ignoring_case(value, "current")) {
    spec.reentry = Reentry::current;
  } else {
    return complaint("reentry must be keep|current");
  }
  return {};
}

// N/TIME, or Off.
Result set_queue(BalancerSpec& spec, std::string_view value) {
  if (equals_ignoring_case(value, "off")) {
    spec.queue = QueueSpec{};
    return {};
  }
  const std::size_t slash = std::min(value.find('/'), value.size());
  const std::string_view time = value.substr(std::min(slash + 1, value.size()));
  const auto requests = parse_strictly(value.substr(0, slash));
  const auto wait = parse_duration(time, std::chrono::seconds(1));
  if (!requests || *requests < 1 || *requests > queue_requests_max || time.empty() || !wait ||
      *wait < queue_time_min || *wait > queue_time_max) {
    return complaint("queue must be N/TIME with 1 to 100000 requests and 1ms to 1h, or Off");
  }
  spec.queue = QueueSpec{.requests_max = *requests, .time_max = *wait};
  return {};
}

// Words and statuses, or Off.
Result set_repeat(BalancerSpec& spec, std::string_view value) {
  RepeatSpec repeat;
  if (equals_ignoring_case(value, "off")) {
    spec.repeat = std::move(repeat);
    return {};
  }
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    const std::string_view word = value.substr(at, end - at);
    const auto status = parse_strictly(word);
    if (equals_ignoring_case(word, "error")) {
      repeat.after_error = true;
    } else if (equals_ignoring_case(word, "timeout")) {
      repeat.after_timeout = true;
    } else if (status && *status >= repeated_status_min && *status <= repeated_status_max) {
      if (!repeat.has(*status)) repeat.statuses.push_back(*status);
    } else {
      return complaint(
          "repeaton must be Off or a list of error, timeout and statuses from 400 to 599, as in "
          "error,timeout,503");
    }
    at = end + 1;
  }
  spec.repeat = std::move(repeat);
  return {};
}

std::optional<std::chrono::milliseconds> time_up_to(std::string_view text,
                                                    std::chrono::milliseconds longest) {
  const auto time = parse_duration(text, std::chrono::seconds(1));
  if (!time || text.empty() || *time < std::chrono::seconds(1) || *time > longest) return {};
  return *time;
}

// What stands before and behind the first slash.
std::pair<std::string_view, std::string_view> split_rate(std::string_view value) {
  const std::size_t slash = std::min(value.find('/'), value.size());
  return {value.substr(0, slash), value.substr(std::min(slash + 1, value.size()))};
}

Result set_fail_count(BalancerSpec& spec, std::string_view value) {
  const auto [count, time] = split_rate(value);
  const auto failures = parse_strictly(count);
  const auto within = time_up_to(time, day);
  if (!failures || *failures < 1 || *failures > failures_max || !within) {
    return complaint(
        "failcount must be 1 to 1000 failures within a time of 1s to 24h, as in 5/30s");
  }
  spec.ejection.fail_limit = FailLimit{.failures = *failures, .within = *within};
  return {};
}

Result set_eject_slow(BalancerSpec& spec, std::string_view value) {
  const auto [text, time] = split_rate(value);
  const auto window = time_up_to(time, std::chrono::hours(1));
  const auto hundredths = parse_hundredths(text);
  if (!hundredths || *hundredths < slow_factor_hundredths_min ||
      *hundredths > slow_factor_hundredths_max || !window) {
    return complaint(
        "ejectslow must be a factor of 1.5 to 100 and a time of 1s to 1h, as in 3/30s");
  }
  spec.ejection.slow_limit = SlowLimit{.factor_hundredths = *hundredths, .window = *window};
  return {};
}

Result set_eject_max(BalancerSpec& spec, std::string_view value) {
  const auto longest = time_up_to(value, day);
  if (!longest) return complaint("ejectmax must be a time of 1s to 24h, as in 300, 90s or 10min");
  spec.ejection.longest = longest;
  return {};
}

Result set_max_ejected(BalancerSpec& spec, std::string_view value) {
  const auto percent = parse_strictly(value.substr(0, value.size() - value.ends_with('%')));
  if (!percent || *percent > 100) {
    return complaint("maxejected must be between 0 and 100 per cent, as in 30 or 30%");
  }
  spec.ejection.percent_max = percent;
  return {};
}

Result set_min_active(BalancerSpec& spec, std::string_view value) {
  const auto number = parse_strictly(value);
  if (!number || *number < 1 || *number > active_min_max) {
    return complaint("minactive must be between 1 and 1000");
  }
  spec.ejection.active_min = number;
  return {};
}

Result set_trial(BalancerSpec& spec, std::string_view value) {
  return store_switch(spec.ejection.trial, value, "trial must be On|Off");
}

struct Setter {
  std::string_view key;
  Result (*set)(BalancerSpec&, std::string_view);
};

constexpr std::array setters{
    Setter{"ejectmax", set_eject_max},
    Setter{"ejectslow", set_eject_slow},
    Setter{"failcount", set_fail_count},
    Setter{"failonstatus", set_fail_on_status},
    Setter{"failontimeout", set_fail_on_timeout},
    Setter{"forcerecovery", set_force_recovery},
    Setter{"growth", set_growth},
    Setter{"hashbound", set_hash_bound},
    Setter{"hashkey", set_hash_key},
    Setter{"lbmethod", set_policy},
    Setter{"maxattempts", set_maxattempts},
    Setter{"maxejected", set_max_ejected},
    Setter{"minactive", set_min_active},
    Setter{"nofailover", set_nofailover},
    Setter{"nonce", set_nonce},
    Setter{"queue", set_queue},
    Setter{"reentry", set_reentry},
    Setter{"repeaton", set_repeat},
    Setter{"scolonpathdelim", set_cut_at_semicolon},
    Setter{"slowstart", set_slow_start},
    Setter{"stickysession", set_sticky},
    Setter{"stickysessionsep", set_separator},
    Setter{"timeout", set_timeout},
    Setter{"trial", set_trial},
};

constexpr auto keys = [] {
  std::array<std::string_view, setters.size()> all;
  std::ranges::transform(setters, all.begin(), &Setter::key);
  return all;
}();

}  // namespace

Result set_balancer_parameter(BalancerSpec& spec, std::string_view key, std::string_view value) {
  for (const Setter& setter : setters) {
    if (equals_ignoring_case(setter.key, key)) return setter.set(spec, value);
  }
  return complaint(unknown_balancer_parameter);
}

std::span<const std::string_view> balancer_parameter_keys() { return keys; }

}  // namespace steelyard::balance
