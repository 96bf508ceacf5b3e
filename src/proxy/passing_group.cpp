#include "proxy/passing_group.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace steelyard::proxy {

std::unique_ptr<Group> make_passing_group(balance::MemberSpec member) {
  auto spec = std::make_shared<balance::BalancerSpec>();
  member.name = member.scheme + "://" + member.host + ":" + std::to_string(member.port);
  member.status = balance::Status(balance::Flag::ignore_errors);
  member.disable_reuse = true;
  spec->name = member.name;
  spec->maxattempts = 0;
  spec->members.push_back(std::move(member));
  auto group = std::make_unique<Group>();
  group->state = std::make_shared<balance::Balancer>(spec);
  group->spec = std::move(spec);
  group->direct = true;
  return group;
}

bool is_blocked(const Exchange& x, std::string_view host) {
  return std::ranges::any_of(x.server->proxy.blocked_hosts, [&](const std::string& word) {
    return word == "*" || find_ignoring_case(host, word) != std::string_view::npos;
  });
}

}  // namespace steelyard::proxy
