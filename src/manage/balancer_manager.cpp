#include "manage/balancer_manager.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "config/target.hpp"
#include "manage/manager_page.hpp"

namespace steelyard::manage {

namespace {

using balance::ChangeFault;
using balance::MemberView;
using config::LogLevel;

const config::Server& server_of(const proxy::DeskQuestion& question) {
  return *question.generation->config().servers[question.server];
}

const std::vector<proxy::Group>& balancers_of(const proxy::DeskQuestion& question) {
  return question.generation->groups_of(server_of(question)).balancers;
}

bool is_served(http::Method method) {
  return method == http::Method::get || method == http::Method::head ||
         method == http::Method::post;
}

// Whatever is shown is of this moment and holds what changes it.
void guard(proxy::DeskAnswer& answer) {
  const auto add = [&](std::string_view name, std::string_view value) {
    answer.fields.emplace_back(name, value);
  };
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "same-origin");
  add("Content-Security-Policy", manager_page_policy);
}

// Browsers name HTML among what they take; curl, scrapers and libraries take anything. Those are
// told nothing that httpd would not tell.
bool is_of_browser(const proxy::DeskQuestion& question) {
  const std::string* const accepted = question.field("Accept");
  return accepted != nullptr && accepted->contains("text/html");
}

}  // namespace

void BalancerManager::adopt(const proxy::Generation& generation) {
  names_ = name_balancers(generation);
  nonces_.forget_the_gone();
}

proxy::DeskAnswer BalancerManager::answer(const proxy::DeskQuestion& question) {
  if (!is_served(question.method)) return {.status = 405};
  const ManagerForm form = read_form(question);
  const Selected selected = select(form, question);
  if (selected.group != nullptr && may_change(form, *selected.group)) {
    switch (change(form, selected, question)) {
      case Outcome::done:
        break;
      case Outcome::refused:
        return {.status = 400};
      case Outcome::not_kept:
        return {.status = 503, .content_type = "text/plain; charset=utf-8", .body = why_not_kept()};
    }
  }
  const ManagerView view = view_of(question, selected);
  const bool as_xml = form.find("xml") != nullptr;
  proxy::DeskAnswer answer{
      .status = 200,
      .content_type = std::string(as_xml ? manager_xml_type : manager_page_type),
      .body = as_xml ? manager_xml(view) : manager_page(view),
      .fields = {}};
  guard(answer);
  return answer;
}

std::string BalancerManager::why_not_kept() const {
  std::string text = "Nothing was changed.\n";
  for (const std::string& trouble : parts_.book.troubles()) text += trouble + ".\n";
  return text;
}

ManagerForm BalancerManager::read_form(const proxy::DeskQuestion& question) {
  ManagerForm form = ManagerForm::read(question);
  if (form.empty()) return form;
  const std::string foreign = foreign_source(question);
  if (foreign.empty()) return form;
  log(question, LogLevel::error,
      fmt::format("the parameters of a request to the balancer-manager of {} are ignored: {}",
                  question.public_name, foreign));
  return {};
}

BalancerManager::Selected BalancerManager::select(const ManagerForm& form,
                                                  const proxy::DeskQuestion& question) {
  Selected selected;
  const std::string* const name = form.find("b");
  if (name == nullptr) return selected;
  const std::string wanted = "balancer://" + to_lower(*name);
  for (const proxy::Group& group : balancers_of(question)) {
    if (group.state->name() == wanted) selected.group = &group;
  }
  const std::string* const url = form.find("w");
  if (selected.group == nullptr || url == nullptr) return selected;
  const auto members = selected.group->state->members();
  if (const MemberView* const found = find_covering(members, *url)) selected.member = *found;
  return selected;
}

bool BalancerManager::may_change(const ManagerForm& form, const proxy::Group& group) {
  const std::string nonce = nonce_of(group);
  const std::string* const told = form.find("nonce");
  return !nonce.empty() && told != nullptr && is_same_secret(*told, nonce);
}

std::string BalancerManager::nonce_of(const proxy::Group& group) {
  if (group.spec->nonce) return *group.spec->nonce;
  return nonces_.of(group.state);
}

BalancerManager::Outcome BalancerManager::change(const ManagerForm& form, const Selected& selected,
                                                 const proxy::DeskQuestion& question) {
  const auto spec = selected.group->state->spec();
  const FormOrders orders =
      read_orders(form, {.config = question.generation->config(),
                         .server = server_of(question),
                         .balancer = *spec,
                         .member = selected.member ? &*selected.member : nullptr});
  if (const Outcome outcome = set_fields(orders, selected, question); outcome != Outcome::done)
    return outcome;
  if (orders.begins_credits) balance::Edits(*selected.group->state).begin_credits();
  set_health(orders, selected, question);
  return orders.added ? add(*orders.added, *selected.group, question) : Outcome::done;
}

NamedBalancer BalancerManager::named(const proxy::Group& group) const {
  const auto found = std::ranges::find(names_, group.state, &NamedBalancer::state);
  if (found != names_.end()) return *found;
  return {.label = group.state->name(), .scope = {}, .state = group.state};  // a reload took it
}

ChangesBook::Changed BalancerManager::order(const balance::ChangeOrder& order,
                                            const proxy::Group& group,
                                            const proxy::DeskQuestion& question) {
  auto changes = parts_.book.change(named(group), order, author_of(question, {}), parts_.now());
  if (!changes || changes->empty()) return changes;
  parts_.on_change({.question = question, .balancer = named(group).label, .changes = *changes});
  parts_.members_changed();
  return changes;
}

BalancerManager::Outcome BalancerManager::set_fields(const FormOrders& orders,
                                                     const Selected& selected,
                                                     const proxy::DeskQuestion& question) {
  if (orders.fields.empty()) return Outcome::done;
  balance::ChangeOrder wishes;
  wishes.fields = orders.fields;
  const auto changes = order(wishes, *selected.group, question);
  if (changes) return Outcome::done;
  const balance::ChangeFault& fault = changes.error();
  log(question, LogLevel::error,
      fmt::format("nothing of {} is changed: {}", selected.group->state->name(), fault.text));
  // Else a reload came between what was looked at and what was changed.
  return fault.kind == balance::ChangeFault::Kind::refused ? Outcome::not_kept : Outcome::done;
}

// What is found out about a member is no wish of anybody's, so it is in no overlay.
void BalancerManager::set_health(const FormOrders& orders, const Selected& selected,
                                 const proxy::DeskQuestion& question) {
  if (orders.set.bits() == 0 && orders.clear.bits() == 0) return;
  if (!selected.group->state->change_status(selected.member->member, orders.set, orders.clear,
                                            parts_.now().now)) {
    return;
  }
  const balance::Status after = selected.member->status.with(orders.set).without(orders.clear);
  parts_.book.note_finding(named(*selected.group), *selected.member, after, author_of(question, {}),
                           parts_.now());
  const bool is_set = orders.set.bits() != 0;
  log(question, LogLevel::notice,
      fmt::format("{} in {}: {} (by the balancer-manager, {})", selected.member->spec->name,
                  selected.group->state->name(),
                  is_set ? "counts as failed by its health check" : "counts as healthy",
                  question.client.text()));
  parts_.members_changed();
}

BalancerManager::Outcome BalancerManager::add(const std::string& url, const proxy::Group& group,
                                              const proxy::DeskQuestion& question) {
  const auto refuse = [&](std::string_view why) {
    log(question, LogLevel::error,
        fmt::format("member {} is not added to {}: {}", quoted(url), group.state->name(), why));
    return Outcome::refused;
  };
  const auto member = balance::added_member(url);
  if (!member) return refuse(member.error());
  const auto members = group.state->members();
  if (const MemberView* const known = find_covering(members, member->name))
    return refuse("its requests belong to the member " + known->spec->name);
  balance::ChangeOrder wishes;
  wishes.added = {url};
  wishes.added_max = balance::growth_of(*group.spec);
  const auto changes = order(wishes, group, question);
  if (changes) return Outcome::done;
  const Outcome refused = refuse(changes.error().text);
  return changes.error().kind == balance::ChangeFault::Kind::refused ? Outcome::not_kept : refused;
}

void BalancerManager::log(const proxy::DeskQuestion& question, LogLevel level,
                          const std::string& text) {
  parts_.log(server_of(question), level, text);
}

ManagerView BalancerManager::view_of(const proxy::DeskQuestion& question,
                                     const Selected& selected) {
  const Moment moment = parts_.now();
  const config::Server& server = server_of(question);
  ManagerView view{.question = question,
                   .server = server,
                   .banner = question.generation->banner(),
                   .built = parts_.built,
                   .now = moment.now,
                   .wall = moment.wall,
                   .balancers = {},
                   .offers_live_page = is_of_browser(question),
                   .troubles = parts_.book.troubles()};
  const auto& groups = balancers_of(question);
  for (std::size_t place = 0; place < groups.size(); ++place) {
    const std::size_t i = server.balancer_order.empty() ? place : server.balancer_order[place];
    view.balancers.push_back(view_balancer(server, i, groups[i]));
    BalancerView& balancer = view.balancers.back();
    balancer.nonce = nonce_of(groups[i]);
    if (selected.group != &groups[i]) continue;
    view.balancer = place;
    for (std::size_t at = 0; selected.member && at < balancer.members.size(); ++at) {
      if (balancer.members[at].member.get() == selected.member->member.get()) view.member = at;
    }
  }
  return view;
}

}  // namespace steelyard::manage
