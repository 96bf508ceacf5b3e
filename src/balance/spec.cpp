#include "balance/spec.hpp"

namespace steelyard::balance {

namespace {

constexpr int ring_bound_percent_default = 125;

}  // namespace

std::string_view meaning_name(NameMeaning meaning) {
  switch (meaning) {
    case NameMeaning::one_member:
      return "one";
    case NameMeaning::addresses:
      return "each";
    case NameMeaning::services:
      return "srv";
  }
  return {};
}

std::string text_of(const RepeatSpec& repeat) {
  std::string text;
  const auto add = [&](std::string_view word) {
    if (!text.empty()) text += ',';
    text += word;
  };
  if (repeat.after_error) add("error");
  if (repeat.after_timeout) add("timeout");
  for (const int status : repeat.statuses) add(std::to_string(status));
  return text.empty() ? "Off" : text;
}

bool MemberSpec::has_watched_name() const {
  if (!unix_socket_path.empty() || host.empty() || address) return false;
  if (address_ttl == std::chrono::seconds(0) && meaning == NameMeaning::one_member) return false;
  return !IpAddress::parse(host);
}

int BalancerSpec::effective_maxattempts() const {
  const auto others = static_cast<int>(members.size()) - 1;
  return maxattempts.value_or(others > 0 ? others : 0);
}

std::optional<QueueSpec> BalancerSpec::effective_queue() const {
  if (!queue || queue->requests_max == 0 || !traits_of(effective_policy()).by_plan) return {};
  return queue;
}

std::string_view BalancerSpec::effective_hash_key() const {
  constexpr std::string_view client = "%{REMOTE_ADDR}";
  return hash_key ? std::string_view(*hash_key) : client;
}

bool BalancerSpec::gives_trials() const {
  return ejection.wants_trials() && traits_of(effective_policy()).by_plan;
}

bool BalancerSpec::ejects() const { return ejection.is_sparing() || gives_trials(); }

int BalancerSpec::effective_hash_bound() const {
  const PolicyTraits& traits = traits_of(effective_policy());
  if (!traits.by_key()) return 0;
  return hash_bound.value_or(traits.lookup == Lookup::ring ? ring_bound_percent_default : 0);
}

}  // namespace steelyard::balance
