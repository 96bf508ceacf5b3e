#include "manage/naming.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "balance/shown_url.hpp"
#include "base/text.hpp"

namespace steelyard::manage {

namespace {

constexpr std::string_view scheme = "balancer://";
// As many choices as a screen has lines.
constexpr std::size_t choices_max = 20;

std::string scope_of(const config::Server& server) {
  if (server.index == 0) return "main";
  for (const config::HostAddress& address : server.addresses) {
    if (address.port) return server.name + ':' + std::to_string(*address.port);
  }
  return server.name;
}

struct Wanted {
  std::string scope;  // empty: any
  std::string name;
};

Wanted read_wanted(std::string_view text) {
  Wanted wanted;
  if (const std::size_t at = text.find(scheme); at != std::string_view::npos) {
    wanted.name = to_lower(text.substr(at));
    if (at > 1) wanted.scope = text.substr(0, at - 1);
    return wanted;
  }
  const std::size_t slash = text.rfind('/');
  const bool has_scope = slash != std::string_view::npos;
  if (has_scope) wanted.scope = text.substr(0, slash);
  wanted.name = std::string(scheme) + to_lower(has_scope ? text.substr(slash + 1) : text);
  return wanted;
}

template <class List, class Text>
ControlFault not_one(std::string text, const List& list, Text text_of) {
  ControlFault fault{.kind = ControlFault::Kind::unknown, .text = std::move(text)};
  for (const auto& one : list) {
    if (fault.choices.size() == choices_max) break;
    fault.choices.push_back(text_of(one));
  }
  return fault;
}

// `word`: what they are called; empty: by their names.
std::vector<NamedBalancer> name_groups(const proxy::Generation& generation,
                                       std::vector<proxy::Group> proxy::ServerGroups::* groups,
                                       std::string_view word) {
  std::vector<NamedBalancer> all;
  std::set<const balance::Balancer*> seen;
  std::map<std::string, int> of_name;
  const std::vector<std::string> scopes = name_servers(generation);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    for (const proxy::Group& group : generation.groups()[i].*groups) {
      if (!seen.insert(group.state.get()).second) continue;
      ++of_name[group.state->name()];
      all.push_back({.label = {},
                     .scope = scopes[i],
                     .server = static_cast<std::uint32_t>(i),
                     .state = group.state});
    }
  }
  for (NamedBalancer& named : all) {
    const std::string& name = named.state->name();
    const std::string called = word.empty() ? name : std::string(word);
    named.label = of_name[name] == 1 ? called : named.scope + '/' + called;
  }
  return all;
}

}  // namespace

std::vector<std::string> name_servers(const proxy::Generation& generation) {
  std::vector<std::string> names;
  std::map<std::string, int> of_scope;
  for (const auto& server : generation.config().servers) {
    std::string scope = scope_of(*server);
    if (const int number = ++of_scope[to_lower(scope)]; number > 1)
      scope += '#' + std::to_string(number);
    names.push_back(std::move(scope));
  }
  return names;
}

std::vector<NamedBalancer> name_balancers(const proxy::Generation& generation) {
  return name_groups(generation, &proxy::ServerGroups::balancers, "");
}

std::vector<NamedBalancer> name_direct_backends(const proxy::Generation& generation) {
  return name_groups(generation, &proxy::ServerGroups::backends, "direct");
}

std::vector<NamedBalancer> name_balancers(const proxy::Generation& generation,
                                          std::uint32_t server) {
  std::vector<NamedBalancer> all = name_balancers(generation);
  const auto& own = generation.groups_of(*generation.config().servers[server]).balancers;
  std::erase_if(all, [&](const NamedBalancer& balancer) {
    return std::ranges::find(own, balancer.state, &proxy::Group::state) == own.end();
  });
  return all;
}

std::set<const balance::Balancer*> persistent_balancers(const proxy::Generation& generation) {
  std::set<const balance::Balancer*> seen, persistent;
  for (const auto& server : generation.config().servers) {
    for (const proxy::Group& group : generation.groups_of(*server).balancers) {
      const bool is_its_own = seen.insert(group.state.get()).second;
      if (is_its_own && server->persists_changes) persistent.insert(group.state.get());
    }
  }
  return persistent;
}

std::expected<NamedBalancer, ControlFault> find_balancer(
    const std::vector<NamedBalancer>& balancers, std::string_view wanted) {
  const Wanted asked = read_wanted(wanted);
  std::vector<NamedBalancer> found;
  for (const NamedBalancer& balancer : balancers) {
    const bool in_scope = asked.scope.empty() || equals_ignoring_case(asked.scope, balancer.scope);
    if (in_scope && balancer.state->name() == asked.name) found.push_back(balancer);
  }
  if (found.size() == 1) return std::move(found.front());
  const auto label = [](const NamedBalancer& one) { return one.label; };
  if (found.empty())
    return std::unexpected(not_one("no balancer " + quoted(wanted), balancers, label));
  return std::unexpected(
      not_one(quoted(wanted) + " is the name of several balancers", found, label));
}

std::expected<balance::MemberView, ControlFault> find_member(const NamedBalancer& balancer,
                                                             std::string_view written) {
  const std::string wanted = balance::without_password(written);
  std::vector<balance::MemberView> all = balancer.state->members();
  std::vector<balance::MemberView> found;
  for (const balance::MemberView& view : all) {
    if (view.spec->name == wanted) return view;
    if (view.member->address() == wanted || view.spec->tag == wanted) found.push_back(view);
  }
  if (found.size() == 1) return std::move(found.front());
  const auto name = [](const balance::MemberView& one) { return one.spec->name; };
  if (found.empty()) {
    return std::unexpected(
        not_one("no member " + quoted(wanted) + " in " + balancer.label, all, name));
  }
  return std::unexpected(
      not_one(quoted(wanted) + " means several members of " + balancer.label, found, name));
}

}  // namespace steelyard::manage
