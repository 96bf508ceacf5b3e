#include "manage/manager_changes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "balance/editable.hpp"
#include "balance/numbers.hpp"
#include "balance/parameters.hpp"

namespace steelyard::manage {

namespace {

using balance::BalancerSpec;
using balance::CheckMethod;
using balance::Flag;
using balance::MemberSpec;
using balance::Status;

constexpr std::size_t tag_length_max = 63;
constexpr std::size_t uri_length_max = 63;
constexpr std::size_t sticky_length_max = 62;
constexpr std::size_t expression_length_max = 15;
constexpr int timeout_seconds_max = 7200;
constexpr int attempts_max = 99;
constexpr std::string_view no_stickiness = "-";

// Such bytes would reach logs, headers and configuration files.
bool has_controls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

// Collects what a form says about one member or balancer, on a copy of it.
template <class Spec>
class Draft {
 public:
  Draft(const ManagerForm& form, const Spec& before, std::string member, FormOrders& orders)
      : form_(form), now_(before), member_(std::move(member)), orders_(orders) {}

  const Spec& now() const { return now_; }

  // What a parameter of the form says, unless that cannot be.
  const std::string* said(std::string_view name) const {
    const std::string* const value = form_.find(name);
    return value != nullptr && !has_controls(*value) ? value : nullptr;
  }

  // False: that cannot be.
  bool set(std::string_view field, std::string_view text) {
    const std::string before = text_of(now_, field);
    if (!set_text(now_, field, text)) return false;
    std::string after = text_of(now_, field);
    if (after != before) orders_.fields.push_back({member_, std::string(field), std::move(after)});
    return true;
  }
  void set_if_said(std::string_view field, std::string_view name) {
    if (const std::string* const value = said(name); value && !value->empty()) set(field, *value);
  }
  // What is empty or too long is taken away.
  void set_or_clear(std::string_view field, std::string_view name, std::size_t length_max) {
    const std::string* const value = said(name);
    if (value != nullptr) set(field, value->size() <= length_max ? *value : std::string());
  }
  std::optional<int> number(std::string_view name, int least, int most) const {
    const std::string* const value = said(name);
    if (value == nullptr) return std::nullopt;
    const int number = balance::leading_integer(*value);
    return number >= least && number <= most ? std::optional(number) : std::nullopt;
  }

 private:
  const ManagerForm& form_;
  Spec now_;
  const std::string member_;
  FormOrders& orders_;
};

struct Switch {
  std::string_view parameter;
  Flag flag;
};
constexpr auto switches = std::to_array<Switch>({{"w_status_I", Flag::ignore_errors},
                                                 {"w_status_N", Flag::draining},
                                                 {"w_status_D", Flag::disabled},
                                                 {"w_status_H", Flag::standby},
                                                 {"w_status_R", Flag::spare},
                                                 {"w_status_S", Flag::stopped},
                                                 {"w_status_C", Flag::health_failed}});

void read_status(Draft<MemberSpec>& draft, Status now, FormOrders& orders) {
  Status wish = now.only(balance::operator_flags);
  for (const auto& [parameter, flag] : switches) {
    const std::string* const value = draft.said(parameter);
    if (value == nullptr) continue;
    const bool is_set = balance::leading_integer(*value) != 0;
    if (!balance::operator_flags.has(flag)) {
      if (is_set != now.has(flag)) (is_set ? orders.set : orders.clear) = flag;
      continue;
    }
    wish = is_set ? wish.with(flag) : wish.without(flag);
  }
  if (wish != now.only(balance::operator_flags)) draft.set("status", letters_of(wish));
}

// httpd: here a name is told by its case, too.
bool is_expression(const config::Server& server, std::string_view name) {
  return name.size() <= expression_length_max &&
         std::any_of(server.health_conditions.begin(), server.health_conditions.end(),
                     [name](const auto& known) { return known.name == name; });
}

void read_checks(Draft<MemberSpec>& draft, const FormSubject& subject) {
  if (const std::string* const text = draft.said("w_hi")) {
    const auto interval = balance::parse_duration(*text, std::chrono::milliseconds(1));
    if (interval) draft.set("hcinterval", std::to_string(interval->count()) + "ms");
  }
  const int any = std::numeric_limits<int>::max();
  if (const auto passes = draft.number("w_hp", 1, any))
    draft.set("hcpasses", std::to_string(*passes));
  if (const auto fails = draft.number("w_hf", 1, any)) draft.set("hcfails", std::to_string(*fails));
  const std::string* const asked = draft.said("w_hm");
  const bool pings = asked != nullptr && equals_ignoring_case(*asked, "CPING");
  if (!pings || has_pings(subject.config)) draft.set_if_said("hcmethod", "w_hm");
  draft.set_or_clear("hcuri", "w_hu", uri_length_max);
  if (const std::string* const name = draft.said("w_he")) {
    draft.set("hcexpr", is_expression(subject.server, *name) ? *name : std::string());
  }
  const CheckMethod method = draft.now().check.method;
  if (method == CheckMethod::none || method == CheckMethod::tcp || method == CheckMethod::cping)
    draft.set("hcexpr", "");
}

void read_member(const ManagerForm& form, const FormSubject& subject, FormOrders& orders) {
  Draft<MemberSpec> draft(form, *subject.member->spec, subject.member->spec->name, orders);
  const std::string* const said = draft.said("w_lf");
  if (const auto factor = said != nullptr ? balance::parse_load_factor(*said) : std::nullopt)
    orders.begins_credits = draft.set("loadfactor", balance::load_factor_text(*factor));
  // httpd: who is alone has a factor of 1.
  if (orders.begins_credits && subject.balancer.members.size() == 1)
    draft.set("loadfactor", "1.00");
  draft.set_or_clear("route", "w_wr", tag_length_max);
  draft.set_or_clear("redirect", "w_rr", tag_length_max);
  read_status(draft, subject.member->status, orders);
  if (const auto lbset = draft.number("w_ls", 0, balance::lbset_max))
    draft.set("lbset", std::to_string(*lbset));
  if (has_checks(subject.config)) read_checks(draft, subject);
}

void read_policy(Draft<BalancerSpec>& draft, const FormSubject& subject) {
  const std::string* const name = draft.said("b_lbm");
  const auto loaded = loaded_policies(subject.config);
  if (name != nullptr && std::ranges::find(loaded, *name) != loaded.end())
    draft.set("lbmethod", *name);
}

void read_stickiness(Draft<BalancerSpec>& draft) {
  const std::string* const names = draft.said("b_ss");
  if (names == nullptr || names->empty() || names->size() > sticky_length_max) return;
  draft.set("stickysession", *names == no_stickiness ? std::string() : *names);
}

// What holds anyway is no change: a browser sends all fields of a form.
void read_balancer(const ManagerForm& form, const FormSubject& subject, FormOrders& orders) {
  Draft<BalancerSpec> draft(form, subject.balancer, {}, orders);
  read_policy(draft, subject);
  if (const auto timeout = draft.number("b_tmo", 0, timeout_seconds_max))
    draft.set("timeout", *timeout == 0 ? std::string() : std::to_string(*timeout));
  if (const auto attempts = draft.number("b_max", 0, attempts_max)) {
    if (*attempts != subject.balancer.effective_maxattempts())
      draft.set("maxattempts", std::to_string(*attempts));
  }
  if (const std::string* const forces = draft.said("b_sforce")) {
    const bool is_on = balance::leading_integer(*forces) != 0;
    if (is_on != subject.balancer.nofailover.value_or(false))
      draft.set("nofailover", is_on ? "On" : "Off");
  }
  read_stickiness(draft);
  const std::string* const adds = draft.said("b_wyes");
  const std::string* const url = draft.said("b_nwrkr");
  if (adds != nullptr && *adds == "1" && url != nullptr) orders.added = *url;
}

}  // namespace

FormOrders read_orders(const ManagerForm& form, const FormSubject& subject) {
  FormOrders orders;
  if (subject.member != nullptr) read_member(form, subject, orders);
  read_balancer(form, subject, orders);
  return orders;
}

std::vector<std::string_view> loaded_policies(const config::Config& config) {
  std::vector<std::string_view> names;
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    const std::string module = "lbmethod_" + std::string(policy.name) + "_module";
    if (policy.origin == balance::PolicyOrigin::extension ||
        std::ranges::find(config.modules, module) != config.modules.end()) {
      names.push_back(policy.name);
    }
  }
  return names;
}

bool has_pings(const config::Config& config) {
  return std::ranges::find(config.modules, "proxy_ajp_module") != config.modules.end();
}

bool has_checks(const config::Config& config) {
  return std::ranges::find(config.modules, "proxy_hcheck_module") != config.modules.end();
}

}  // namespace steelyard::manage
