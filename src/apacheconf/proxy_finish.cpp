// What only the whole configuration can tell about proxying: what virtual hosts inherit, which
// balancers and backends exist in the end, and where each route leads.

#include <algorithm>
#include <map>
#include <set>

#include "apacheconf/aliases.hpp"
#include "apacheconf/proxy_draft.hpp"
#include "apacheconf/proxy_parameters.hpp"
#include "apacheconf/tables.hpp"
#include "balance/expansion.hpp"
#include "config/target.hpp"

namespace steelyard::apacheconf {

namespace {

using balance::BalancerSpec;
using config::Server;

template <class T>
void prepend(const std::vector<T>& outer, std::vector<T>& own) {
  own.insert(own.begin(), outer.begin(), outer.end());
}

template <class T>
void inherit(const std::optional<T>& outer, std::optional<T>& own) {
  if (!own) own = outer;
}

// The virtual host named a balancer of the main server: it gets that one's members and what it says
// itself counts. httpd: all but the policy is inherited.
BalancerSpec merge_balancer(const BalancerSpec& outer, const BalancerSpec& own) {
  BalancerSpec merged = own;
  merged.members = outer.members;
  if (!own.sticky_written) {
    merged.sticky.cookie_name = outer.sticky.cookie_name;
    merged.sticky.url_name = outer.sticky.url_name;
  }
  if (!own.separator_written) merged.sticky.separator = outer.sticky.separator;
  if (!own.cut_written) merged.sticky.cut_at_semicolon = outer.sticky.cut_at_semicolon;
  inherit(outer.nofailover, merged.nofailover);
  inherit(outer.timeout, merged.timeout);
  inherit(outer.maxattempts, merged.maxattempts);
  inherit(outer.fail_on_timeout, merged.fail_on_timeout);
  inherit(outer.force_recovery, merged.force_recovery);
  inherit(outer.nonce, merged.nonce);
  inherit(outer.growth, merged.growth);
  inherit(outer.hash_key, merged.hash_key);
  inherit(outer.hash_bound, merged.hash_bound);
  inherit(outer.slow_start, merged.slow_start);
  inherit(outer.reentry, merged.reentry);
  inherit(outer.queue, merged.queue);
  inherit(outer.repeat, merged.repeat);
  inherit(outer.ejection.fail_limit, merged.ejection.fail_limit);
  inherit(outer.ejection.slow_limit, merged.ejection.slow_limit);
  inherit(outer.ejection.longest, merged.ejection.longest);
  inherit(outer.ejection.percent_max, merged.ejection.percent_max);
  inherit(outer.ejection.trial, merged.ejection.trial);
  inherit(outer.ejection.active_min, merged.ejection.active_min);
  merged.fail_on_status.insert(merged.fail_on_status.end(), outer.fail_on_status.begin(),
                               outer.fail_on_status.end());
  return merged;
}

void warn_of_lost_members(Reading& reading, const BalancerDraft& own) {
  for (std::size_t i = 0; i < own.member_places.size(); ++i) {
    reading.warn_at(own.member_places[i],
                    "Member " + own.spec.members[i].name + " is not used: " + own.spec.name +
                        " is a balancer of the main server, whose members count",
                    "Give the virtual host's balancer a name of its own, or write BalancerInherit "
                    "Off and ProxyPassInherit Off.");
  }
}

void note_inheritance(Server& server, const ServerDraft& own, const ServerDraft& outer) {
  server.inherits_balancers =
      own.inherits_balancers.value_or(outer.inherits_balancers.value_or(true));
  server.inherits_routes = own.inherits_routes.value_or(outer.inherits_routes.value_or(true));
}

const BalancerDraft* find_named(const ServerDraft& server, const std::string& name) {
  for (const auto& draft : server.balancers) {
    if (draft->spec.name == name) return draft.get();
  }
  return nullptr;
}

// httpd's list: what is only inherited, then what the server names itself, be it merged with what
// it inherits. Here inherited balancers keep their places, so that routes can be shared.
void note_order(Server& server, const ServerDraft& own) {
  std::map<std::string_view, std::uint32_t> places;
  for (const auto& spec : server.balancers)
    places.emplace(spec->name, static_cast<std::uint32_t>(places.size()));
  std::set<std::string_view> named;
  for (const auto& draft : own.balancers) named.insert(draft->spec.name);
  for (const auto& spec : server.balancers) {
    if (!named.contains(spec->name)) server.balancer_order.push_back(places[spec->name]);
  }
  for (const auto& draft : own.balancers) server.balancer_order.push_back(places[draft->spec.name]);
  if (std::ranges::is_sorted(server.balancer_order)) server.balancer_order.clear();
}

// `outer` is the main server when its balancers are inherited.
void set_balancers(Reading& reading, Server& server, const ServerDraft& own, const Server* outer) {
  std::set<std::string> merged_names;
  if (outer != nullptr) {
    for (const auto& inherited : outer->balancers) {
      server.balancers.push_back(inherited);
      const BalancerDraft* const draft = find_named(own, inherited->name);
      if (draft == nullptr) continue;
      warn_of_lost_members(reading, *draft);
      server.balancers.back() =
          std::make_shared<const BalancerSpec>(merge_balancer(*inherited, draft->spec));
      merged_names.insert(inherited->name);
    }
  }
  for (const auto& draft : own.balancers) {
    if (merged_names.contains(draft->spec.name)) continue;
    server.balancers.push_back(std::make_shared<const BalancerSpec>(draft->spec));
  }
  if (!merged_names.empty()) note_order(server, own);
}

void set_backends(Server& server, const ServerDraft& own, const Server* outer) {
  if (outer != nullptr) server.backends = outer->backends;
  for (const BackendDraft& backend : own.backends) {
    server.backends.push_back(std::make_shared<const balance::MemberSpec>(backend.spec));
  }
}

void inherit_lists(const Server& main_server, Server& server) {
  server.routes.prepend(main_server.routes);
  server.locations.prepend(main_server.locations);
  server.proxies.prepend(main_server.proxies);
  prepend(main_server.env_rules, server.env_rules);
  prepend(main_server.early_rules, server.early_rules);
  if (!server.deflate) server.deflate = main_server.deflate;
  server.redirects.insert(server.redirects.end(), main_server.redirects.begin(),
                          main_server.redirects.end());
  server.defaults = config::merge(main_server.defaults, server.defaults);
}

void warn_of_idle_ejection(Reading& reading, const BalancerDraft& balancer) {
  const balance::EjectionSpec& rules = balancer.spec.ejection;
  constexpr std::string_view advice =
      "Add failcount=N/TIME, as in failcount=5/30s, or ejectslow=FACTOR/TIME.";
  const balance::PolicyTraits& policy = traits_of(balancer.spec.effective_policy());
  if (rules.longest && !balancer.spec.ejects()) {
    reading.warn_at(balancer.place,
                    "ejectmax of " + balancer.spec.name +
                        " has no effect without failcount, ejectslow or trial",
                    std::string(advice));
  }
  if (rules.percent_max && !rules.is_sparing()) {
    reading.warn_at(
        balancer.place,
        "maxejected of " + balancer.spec.name + " has no effect without failcount or ejectslow",
        std::string(advice));
  }
  if ((rules.trial.value_or(false) || rules.active_min) && !policy.by_plan) {
    reading.warn_at(balancer.place,
                    "trial and minactive of " + balancer.spec.name +
                        " have no effect with lbmethod=" + std::string(policy.name),
                    "That policy asks neither for sets nor for standbys; leave them out.");
  }
}

// Parameters that only some policies look at.
void warn_of_idle_parameters(Reading& reading, const ServerDraft& draft) {
  for (const auto& balancer : draft.balancers) {
    const BalancerSpec& spec = balancer->spec;
    const balance::PolicyTraits& policy = traits_of(spec.effective_policy());
    if ((spec.hash_key || spec.hash_bound) && !policy.by_key()) {
      reading.warn_at(balancer->place,
                      "hashkey and hashbound of " + spec.name +
                          " have no effect with lbmethod=" + std::string(policy.name),
                      "Add lbmethod=hash or lbmethod=maglev.");
    }
    if (spec.reentry && !policy.has_position) {
      reading.warn_at(
          balancer->place,
          "reentry of " + spec.name + " has no effect with lbmethod=" + std::string(policy.name),
          "It is for byrequests, bytraffic and bybusyness; leave it out.");
    }
    if (spec.queue && !policy.by_plan) {
      reading.warn_at(
          balancer->place,
          "queue of " + spec.name + " has no effect with lbmethod=" + std::string(policy.name),
          "Nothing would tell those who wait that a heartbeat came; leave it out.");
    }
    if (spec.effective_queue() && spec.timeout) {
      reading.warn_at(balancer->place, "timeout of " + spec.name + " has no effect with queue=",
                      "queue=N/TIME says how long a request waits for a member.");
    }
    const bool ramps = spec.slow_start || std::ranges::any_of(spec.members, [](const auto& member) {
                         return member.slow_start.has_value();
                       });
    if (ramps && !policy.by_plan) {
      reading.warn_at(
          balancer->place,
          "slowstart of " + spec.name + " has no effect with lbmethod=" + std::string(policy.name),
          "A server that has nothing to do yet counts a quarter of its idle workers anyway.");
    }
    warn_of_idle_ejection(reading, *balancer);
  }
}

// httpd refuses to start without it.
void check_policies(Reading& reading, const ServerDraft& draft) {
  if (!reading.has_module("proxy_balancer_module")) return;
  for (const auto& balancer : draft.balancers) {
    const balance::Policy policy = balancer->spec.effective_policy();
    if (is_loaded(reading, policy)) continue;
    reading.complain_at(balancer->place,
                        "Cannot find LB Method: " + std::string(balance::policy_name(policy)) +
                            " for " + balancer->spec.name,
                        "Add the line: " + load_line_of(policy));
  }
}

// What resolve= asks of the rest of a member, in words; empty: nothing is missing.
std::string fault_of_meaning(const balance::MemberSpec& member, bool is_balanced) {
  if (member.meaning == balance::NameMeaning::one_member) return {};
  if (!is_balanced) return "only members of balancers may stand for many";
  if (!member.unix_socket_path.empty()) return "a socket has no name to look up";
  if (IpAddress::parse(member.host)) return "an address is no name to look up";
  if (!member.tag.empty() && !balance::is_tag_pattern(member.tag))
    return "members that share a route= cannot be told apart by sessions";
  return {};
}

void check_meanings(Reading& reading, const ServerDraft& draft) {
  const auto complain = [&reading](const config::Place& place, const balance::MemberSpec& member,
                                   const std::string& fault) {
    if (fault.empty()) return;
    reading.complain_at(place,
                        "resolve=" + std::string(balance::meaning_name(member.meaning)) + " of " +
                            member.name + ": " + fault,
                        "It needs a BalancerMember with a host name, and no route= or one with %a "
                        "(address), %h (first label of the host) or %p (port).");
  };
  for (const auto& balancer : draft.balancers) {
    for (std::size_t i = 0; i < balancer->spec.members.size(); ++i) {
      const balance::MemberSpec& member = balancer->spec.members[i];
      complain(i < balancer->member_places.size() ? balancer->member_places[i] : balancer->place,
               member, fault_of_meaning(member, true));
    }
  }
  for (const BackendDraft& backend : draft.backends) {
    complain(backend.place, backend.spec, fault_of_meaning(backend.spec, false));
  }
}

void warn_of_modules(Reading& reading, const ServerDraft& draft) {
  if (!draft.balancers.empty() && !reading.has_module("proxy_balancer_module")) {
    reading.warn_at(draft.balancers.front()->place,
                    "Balancers work here, but httpd needs mod_proxy_balancer for them",
                    "Add the line: LoadModule proxy_balancer_module "
                    "modules/mod_proxy_balancer.so");
  }
  const auto over_http = std::ranges::find_if(draft.backends, [](const BackendDraft& backend) {
    return backend.spec.scheme.starts_with("http");
  });
  if (over_http != draft.backends.end() && !reading.has_module("proxy_http_module")) {
    reading.warn_at(over_http->place, "http:// works here, but httpd needs mod_proxy_http for it",
                    "Add the line: LoadModule proxy_http_module modules/mod_proxy_http.so");
  }
}

// httpd: not inherited by virtual hosts.
void set_persistence(Reading& reading, Server& server, const ServerDraft& draft) {
  server.persists_changes = draft.persists.has_value();
  const std::optional<std::string>& folder = reading.config->journal_folder;
  if (server.persists_changes && folder && folder->empty()) {
    reading.complain_at(*draft.persists, "BalancerPersist On needs a journal",
                        "SteelyardJournal says Off: leave that line out, or name a directory.");
  }
}

}  // namespace

void finish_proxy(Reading& reading) {
  ProxyDrafts& drafts = reading.part<ProxyDrafts>();
  Server& main_server = *reading.config->servers.front();
  const ServerDraft& main_draft = drafts.servers[&main_server];
  for (const std::unique_ptr<Server>& server : reading.config->servers) {
    const bool is_main = server.get() == &main_server;
    const ServerDraft& draft = drafts.servers[server.get()];
    if (!is_main) inherit_lists(main_server, *server);
    note_inheritance(*server, draft, main_draft);
    const bool inherits = !is_main && (server->inherits_balancers || server->inherits_routes);
    const Server* outer = inherits ? &main_server : nullptr;
    set_balancers(reading, *server, draft, outer);
    set_backends(*server, draft, outer);
    set_persistence(reading, *server, draft);
    config::resolve_targets(*server);
    check_policies(reading, draft);
    warn_of_idle_parameters(reading, draft);
    check_meanings(reading, draft);
    warn_of_modules(reading, draft);
  }
  // Last, as virtual hosts have taken what the main server said.
  main_server.defaults = config::merge({}, main_server.defaults);
  warn_of_unserved_documents(reading);
  warn_of_unserved_paths(reading);
}

}  // namespace steelyard::apacheconf
