#include "balance/spec.hpp"

#include <array>
#include <utility>

namespace steelyard::balance {

namespace {

constexpr std::array policy_names{
    std::pair{Policy::by_requests, std::string_view{"byrequests"}},
    std::pair{Policy::by_traffic, std::string_view{"bytraffic"}},
    std::pair{Policy::by_busyness, std::string_view{"bybusyness"}},
};

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

bool MemberSpec::has_watched_name() const {
  if (!unix_socket_path.empty() || host.empty() || address) return false;
  if (address_ttl == std::chrono::seconds(0) && meaning == NameMeaning::one_member) return false;
  return !IpAddress::parse(host);
}

std::string_view policy_name(Policy policy) {
  for (const auto& [known, name] : policy_names) {
    if (known == policy) return name;
  }
  return {};
}

std::optional<Policy> policy_named(std::string_view name) {
  for (const auto& [policy, known] : policy_names) {
    if (known == name) return policy;
  }
  return std::nullopt;
}

int BalancerSpec::effective_maxattempts() const {
  const auto others = static_cast<int>(members.size()) - 1;
  return maxattempts.value_or(others > 0 ? others : 0);
}

}  // namespace steelyard::balance
