#include "manage/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "balance/editable.hpp"
#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/path.hpp"
#include "manage/api_call.hpp"
#include "manage/api_document.hpp"
#include "manage/api_facts.hpp"
#include "manage/api_objects.hpp"
#include "manage/cluster_answer.hpp"
#include "manage/control_request.hpp"

namespace steelyard::manage {

namespace {

using http::Method;
using Kind = balance::ChangeFault::Kind;

Problem problem_of(const balance::ChangeFault& fault) {
  const int status = fault.kind == Kind::no_such_member                          ? 404
                     : fault.kind == Kind::exists || fault.kind == Kind::no_room ? 409
                     : fault.kind == Kind::refused                               ? 503
                                                                                 : 422;
  Problem problem{
      .status = status, .detail = fault.text, .member = fault.member, .field = fault.field};
  if (fault.kind != Kind::no_such_field) return problem;
  const auto fields = fault.member.empty() ? balance::editable_balancer_fields()
                                           : balance::editable_member_fields();
  problem.choices.assign(fields.begin(), fields.end());
  return problem;
}

Problem problem_of(const OperationFault& fault) {
  return {.status = fault.kind == OperationFault::Kind::gone ? 409 : 503, .detail = fault.text};
}

// As the configuration would say it; null is what holds when it says nothing.
std::optional<std::string> value_text(const ApiJson& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "On" : "Off";
  if (value.is_number()) return value.dump();
  if (value.is_null()) return std::string();
  return std::nullopt;
}

std::expected<std::vector<balance::ChangeOrder::Field>, Problem> read_wishes(
    const std::string& body, const std::string& member) {
  const auto object = read_json_object(body);
  if (!object) return std::unexpected(object.error());
  std::vector<balance::ChangeOrder::Field> wishes;
  for (const auto& [field, value] : object->items()) {
    const auto text = value_text(value);
    if (!text) return refuse_call(422, field + " must be a text, a number, true, false or null");
    wishes.push_back({member, field, *text});
  }
  return wishes;
}

// "health": "-E", "+C", "-E-C": what was found out of a member. No field of a configuration.
std::expected<StatusWish, Problem> take_finding(std::vector<balance::ChangeOrder::Field>& wishes) {
  const auto found =
      std::ranges::find(wishes, journal::finding_field, &balance::ChangeOrder::Field::field);
  if (found == wishes.end()) return StatusWish{};
  const std::string text = found->value;
  const std::string member = found->member;
  wishes.erase(found);
  const auto wish = parse_status_wish(text);
  const bool is_finding = wish && wish->set.only(balance::operator_flags) == balance::Status{} &&
                          wish->clear.only(balance::operator_flags) == balance::Status{};
  if (is_finding) return *wish;
  return std::unexpected(Problem{.status = 422,
                                 .detail = "health is -E, -C or +C: an error or failed checks are "
                                           "forgotten, or the checks count as failed",
                                 .member = member,
                                 .field = std::string(journal::finding_field)});
}

bool has_tag(std::string_view condition, std::string_view tag) {
  for (const std::string_view word : split(condition, ',')) {
    if (trim(word) == "*" || trim(word) == tag) return true;
  }
  return false;
}

std::expected<void, Problem> check_precondition(const ApiRequest& request, std::string_view tag) {
  // RFC 9110 13.1.2: of what is there, for methods that change.
  if (request.if_none_match && has_tag(*request.if_none_match, tag))
    return refuse_call(412, "it is there already, as " + std::string(tag));
  if (!request.if_match || has_tag(*request.if_match, tag)) return {};
  return refuse_call(412, "somebody changed it meanwhile: it is " + std::string(tag) + " now");
}

std::string_view method_text(Method method) {
  switch (method) {
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
    default:
      return "GET";
  }
}

}  // namespace

Api::Api(ApiParts parts)
    : parts_(std::move(parts)),
      operations_({.loop = parts_.loop,
                   .book = parts_.book,
                   .members_changed = parts_.members_changed,
                   .drain_ordered = parts_.drain_ordered}),
      live_(parts_.loop) {}

std::expected<Api::Subject, Problem> Api::Call::subject() const {
  auto of = balancer();
  if (!of) return std::unexpected(std::move(of.error()));
  auto member = this->member(*of);
  if (!member) return std::unexpected(std::move(member.error()));
  return Subject{.balancer = std::move(*of), .member = std::move(*member)};
}

std::expected<Api::Subject, Problem> Api::Call::subject_of_change() const {
  auto found = subject();
  if (!found) return found;
  if (auto met = check_precondition(request, tag_of(*found->member.spec)); !met)
    return std::unexpected(std::move(met.error()));
  return found;
}

struct Api::Operation {
  Method method;
  Answer (Api::*handler)(const Call& call);
  ApiMethodFacts facts;
};

struct Api::Resource {
  std::string_view name;
  std::span<const std::string_view> parameters;  // that are needed
  std::span<const Operation> operations;
  std::span<const std::string_view> optional{};  // parameters
};

std::span<const Api::Resource> Api::resources() {
  static constexpr std::array<std::string_view, 0> no_parameters{};
  static constexpr std::array<std::string_view, 1> of_balancer{"balancer"};
  static constexpr std::array<std::string_view, 2> of_member{"balancer", "member"};
  static constexpr std::array<std::string_view, 1> of_change{"id"};
  static constexpr std::array<std::string_view, 2> of_history{"balancer", "before"};
  static constexpr std::array<std::string_view, 2> of_undo{"balancer", "force"};
  static constexpr std::array<std::string_view, 2> of_export{"balancer", "at"};
  static constexpr std::array root{Operation{Method::get, &Api::show_root, api_facts::root}};
  static constexpr std::array document{
      Operation{Method::get, &Api::show_document, api_facts::document}};
  static constexpr std::array balancers{
      Operation{Method::get, &Api::list_balancers, api_facts::balancers}};
  static constexpr std::array balancer{
      Operation{Method::get, &Api::show_balancer, api_facts::show_balancer},
      Operation{Method::patch, &Api::change_balancer, api_facts::change_balancer}};
  static constexpr std::array members{
      Operation{Method::get, &Api::list_members, api_facts::members}};
  static constexpr std::array member{
      Operation{Method::get, &Api::show_member, api_facts::show_member},
      Operation{Method::put, &Api::add_member, api_facts::add_member},
      Operation{Method::patch, &Api::change_member, api_facts::change_member},
      Operation{Method::delete_, &Api::remove_member, api_facts::remove_member}};
  static constexpr std::array drain{
      Operation{Method::get, &Api::show_drain, api_facts::show_drain},
      Operation{Method::put, &Api::order_drain, api_facts::order_drain},
      Operation{Method::delete_, &Api::undrain, api_facts::undrain}};
  static constexpr std::array events{Operation{Method::get, &Api::list_events, api_facts::events}};
  static constexpr std::array live{Operation{Method::get, &Api::listen, api_facts::live}};
  static constexpr std::array cluster{
      Operation{Method::get, &Api::show_cluster, api_facts::cluster}};
  static constexpr std::array changes{
      Operation{Method::get, &Api::list_changes, api_facts::changes}};
  static constexpr std::array undo{Operation{Method::post, &Api::undo, api_facts::undo}};
  static constexpr std::array exported{
      Operation{Method::get, &Api::show_export, api_facts::exported}};
  static constexpr std::array all{Resource{"", no_parameters, root},
                                  Resource{"openapi.json", no_parameters, document},
                                  Resource{"balancers", no_parameters, balancers},
                                  Resource{"balancer", of_balancer, balancer},
                                  Resource{"members", of_balancer, members},
                                  Resource{"member", of_member, member},
                                  Resource{"drain", of_member, drain},
                                  Resource{"events", of_member, events},
                                  Resource{"live", no_parameters, live},
                                  Resource{"cluster", no_parameters, cluster},
                                  Resource{"changes", no_parameters, changes, of_history},
                                  Resource{"undo", of_change, undo, of_undo},
                                  Resource{"export", no_parameters, exported, of_export}};
  return all;
}

std::string Api::document(std::string_view place) {
  ApiJson paths = ApiJson::object();
  for (const Resource& resource : resources()) {
    ApiJson methods = ApiJson::object();
    for (const Operation& operation : resource.operations) {
      methods[to_lower(method_text(operation.method))] =
          operation_object(operation.facts, resource.parameters, resource.optional);
    }
    paths["/v1" + (resource.name.empty() ? "" : '/' + std::string(resource.name))] =
        std::move(methods);
  }
  return text_of(document_object(std::move(paths), place));
}

std::optional<Problem> Api::check_parameters(const ApiRequest& request, const Resource& resource) {
  for (const auto& [name, value] : request.parameters) {
    const bool is_known =
        std::ranges::find(resource.parameters, name) != resource.parameters.end() ||
        std::ranges::find(resource.optional, name) != resource.optional.end();
    if (!is_known)
      return Problem{.detail = "this resource has no parameter " + steelyard::quoted(name)};
  }
  for (const std::string_view needed : resource.parameters) {
    if (request.parameter(needed).empty())
      return Problem{.detail = "the parameter " + std::string(needed) + " is missing"};
  }
  return std::nullopt;
}

proxy::DeskAnswer Api::answer(const proxy::DeskQuestion& question) {
  const auto run = [&]() -> Answer {
    const auto request = read_api_request(question);
    if (!request) return std::unexpected(request.error());
    const auto all = resources();
    const auto resource = std::ranges::find(all, request->resource, &Resource::name);
    if (resource == all.end())
      return refuse_call(404, "the API has no resource " + steelyard::quoted(request->resource));
    const Method method = request->reads() ? Method::get : request->method;
    const auto operation = std::ranges::find(resource->operations, method, &Operation::method);
    if (operation == resource->operations.end()) {
      Problem problem{.status = 405, .detail = "this resource has no such method"};
      problem.allow = "HEAD";
      for (const Operation& each : resource->operations)
        problem.allow += fmt::format(", {}", method_text(each.method));
      return std::unexpected(std::move(problem));
    }
    if (auto wrong = check_parameters(*request, *resource)) return std::unexpected(*wrong);
    const auto balancers = name_balancers(*question.generation, question.server);
    return (this->*operation->handler)(
        {.question = question,
         .request = *request,
         .balancers = balancers,
         .moment = {.now = parts_.loop.now(), .wall = parts_.loop.wall_now()}});
  };
  Answer done = run();
  proxy::DeskAnswer answer{
      .fields = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}}};
  if (!done) {
    const Problem& problem = done.error();
    if (problem.status == 412) ++parts_.book.refused().precondition;
    answer.status = problem.status;
    answer.content_type = "application/problem+json";
    answer.body = text_of(problem_object(problem));
    if (!problem.allow.empty()) answer.fields.emplace_back("Allow", problem.allow);
    return answer;
  }
  answer.status = done->status;
  if (done->feed != nullptr) {
    answer.content_type = "text/event-stream";
    answer.feed = std::move(done->feed);
    return answer;
  }
  answer.content_type = done->content_type;
  answer.body = done->text.empty() ? text_of(done->object) : std::move(done->text);
  if (!done->tag.empty()) answer.fields.emplace_back("ETag", done->tag);
  return answer;
}

Api::Answer Api::show_root(const Call& call) {
  ApiJson names = ApiJson::array();
  for (const Resource& resource : resources()) {
    if (!resource.name.empty()) names.push_back(resource.name);
  }
  return Reply{.object = {{"server", call.question.generation->banner()},
                          {"generation", call.question.generation->number()},
                          {"resources", std::move(names)}}};
}

// Where it was asked for; names of the place may hold what a URL may not.
Api::Answer Api::show_document(const Call& call) {
  std::string_view place = call.question.path;
  place.remove_suffix(std::string_view("/v1/openapi.json").size());
  Arena arena;
  return Reply{.text = document(http::encode_path(place, http::EncodedSlashes::decode, arena))};
}

Api::Answer Api::show_cluster(const Call& /*call*/) {
  const Sharing* const sharing = parts_.book.sharing();
  if (sharing == nullptr)
    return refuse_call(404, "there is no cluster: SteelyardCluster names one");
  return Reply{.object = cluster_object(sharing->view())};
}

Api::Answer Api::list_balancers(const Call& call) {
  ApiJson list = ApiJson::array();
  for (const NamedBalancer& balancer : call.balancers) {
    list.push_back(balancer_object(balancer, *balancer.state->spec(),
                                   balance::Edits(*balancer.state).overlay()));
  }
  return Reply{.object = {{"balancers", std::move(list)}}};
}

Api::Answer Api::show_balancer(const Call& call) {
  const auto balancer = call.balancer();
  if (!balancer) return std::unexpected(balancer.error());
  const auto spec = balancer->state->spec();
  return Reply{
      .object = balancer_object(*balancer, *spec, balance::Edits(*balancer->state).overlay()),
      .tag = tag_of(*spec)};
}

Api::Answer Api::change_balancer(const Call& call) {
  const auto balancer = call.balancer();
  if (!balancer) return std::unexpected(balancer.error());
  if (auto met = check_precondition(call.request, tag_of(*balancer->state->spec())); !met)
    return std::unexpected(met.error());
  auto wishes = read_wishes(call.request.body, {});
  if (!wishes) return std::unexpected(wishes.error());
  if (auto done = change(call, *balancer, {.fields = std::move(*wishes)}); !done)
    return std::unexpected(done.error());
  return show_balancer(call);
}

Api::Answer Api::list_members(const Call& call) {
  const auto balancer = call.balancer();
  if (!balancer) return std::unexpected(balancer.error());
  const balance::Overlay overlay = balance::Edits(*balancer->state).overlay();
  ApiJson list = ApiJson::array();
  for (const balance::MemberView& view : balancer->state->members())
    list.push_back(member_object(*balancer, view, overlay, call.moment));
  ApiJson removed = ApiJson::array();
  for (const balance::MemberEdits& edits : overlay.members) {
    if (edits.membership == balance::Membership::removed) removed.push_back(edits.member);
  }
  return Reply{.object = {{"members", std::move(list)}, {"removed", std::move(removed)}}};
}

Api::Answer Api::member_answer(const Call& call, const NamedBalancer& balancer,
                               std::string_view member) const {
  const auto view = find_member(balancer, member);
  if (!view) return std::unexpected(problem_of(view.error()));
  return Reply{.object = member_object(balancer, *view, balance::Edits(*balancer.state).overlay(),
                                       call.moment),
               .tag = tag_of(*view->spec)};
}

Api::Answer Api::show_member(const Call& call) {
  const auto found = call.subject();
  if (!found) return std::unexpected(found.error());
  return member_answer(call, found->balancer, found->member.spec->name);
}

Api::Answer Api::add_member(const Call& call) {
  const auto balancer = call.balancer();
  if (!balancer) return std::unexpected(balancer.error());
  const std::string url(call.request.parameter("member"));
  const auto added = balance::added_member(url);
  // It may be said in other words than its name: HTTP://M1:80.
  const std::string name = added ? added->name : url;
  auto known = find_member(*balancer, url);
  if (!known) known = find_member(*balancer, name);
  if (known) {
    if (call.request.if_none_match) return refuse_call(412, "the member is there already");
    if (auto met = check_precondition(call.request, tag_of(*known->spec)); !met)
      return std::unexpected(met.error());
    return member_answer(call, *balancer, known->spec->name);
  }
  if (call.request.if_match) return refuse_call(412, "the member is not there");
  balance::ChangeOrder order;
  order.added.push_back(url);
  order.added_max = balance::added_max_of(*balancer->state->spec());
  auto wishes = read_wishes(call.request.body, name);
  if (!wishes) return std::unexpected(wishes.error());
  order.fields = std::move(*wishes);
  if (auto done = change(call, *balancer, order); !done) return std::unexpected(done.error());
  Answer shown = member_answer(call, *balancer, name);
  if (shown) shown->status = 201;
  return shown;
}

Api::Answer Api::change_member(const Call& call) {
  const auto found = call.subject_of_change();
  if (!found) return std::unexpected(found.error());
  const std::string& name = found->member.spec->name;
  auto wishes = read_wishes(call.request.body, name);
  if (!wishes) return std::unexpected(wishes.error());
  const auto finding = take_finding(*wishes);
  if (!finding) return std::unexpected(finding.error());
  if (auto done = change(call, found->balancer, {.fields = std::move(*wishes)}); !done)
    return std::unexpected(done.error());
  const auto said = operations_.say_finding(found->balancer, found->member, *finding,
                                            by(call, reason_of(call.question)));
  if (!said) return std::unexpected(problem_of(said.error()));
  return member_answer(call, found->balancer, name);
}

Api::Answer Api::remove_member(const Call& call) {
  const auto found = call.subject_of_change();
  if (!found) return std::unexpected(found.error());
  const std::string& name = found->member.spec->name;
  if (auto done = change(call, found->balancer, {.removed = {name}}); !done)
    return std::unexpected(done.error());
  return Reply{.object = {{"removed", name}}};
}

Api::Answer Api::show_drain(const Call& call) {
  const auto found = call.subject();
  if (!found) return std::unexpected(found.error());
  const auto& drain = found->member.drain;
  if (!drain) return refuse_call(404, "no drain of " + found->member.spec->name + " was ordered");
  return Reply{.object = drain_object(*drain, call.moment)};
}

// The words of an order are those of the control socket.
Api::Answer Api::order_drain(const Call& call) {
  const auto found = call.subject_of_change();
  if (!found) return std::unexpected(found.error());
  auto line = read_json_object(call.request.body);
  if (!line) return std::unexpected(line.error());
  for (const char* const taken : {"command", "balancer", "member"}) {
    if (line->contains(taken))
      return refuse_call(422, "an order has no " + steelyard::quoted(taken));
  }
  // Which member is known; its name may hold bytes that no text has.
  line->update({{"command", "drain"}, {"balancer", "-"}, {"member", "-"}});
  const auto wish = parse_request(text_of(*line));
  if (!wish)
    return std::unexpected(
        Problem{.status = 422, .detail = wish.error().text, .choices = wish.error().choices});
  const std::string reason = wish->reason.empty() ? reason_of(call.question) : wish->reason;
  const auto done =
      operations_.drain(found->balancer, found->member, wish->drain, by(call, reason));
  if (!done) return std::unexpected(problem_of(done.error()));
  return show_drain(call);
}

Api::Answer Api::undrain(const Call& call) {
  const auto found = call.subject_of_change();
  if (!found) return std::unexpected(found.error());
  // Told twice, it is done once.
  const auto done =
      operations_.undrain(found->balancer, found->member, by(call, reason_of(call.question)));
  if (!done) return std::unexpected(problem_of(done.error()));
  return member_answer(call, found->balancer, found->member.spec->name);
}

Api::Answer Api::list_events(const Call& call) {
  const auto found = call.subject();
  if (!found) return std::unexpected(found.error());
  return Reply{.object = {{"events", events_object(found->member.member->health_log().events(),
                                                   call.moment)}}};
}

Api::Answer Api::listen(const Call& call) {
  auto feed = live_.listen(call.question.generation, call.question.server);
  if (feed == nullptr) return refuse_call(503, "too many listen already");
  return Reply{.feed = std::move(feed)};
}

std::expected<void, Problem> Api::change(const Call& call, const NamedBalancer& balancer,
                                         const balance::ChangeOrder& order) const {
  const auto done = operations_.change(balancer, order, by(call, reason_of(call.question)));
  if (!done) return std::unexpected(problem_of(done.error()));
  return {};
}

Operations::By Api::by(const Call& call, std::string reason) const {
  return {.author = author_of(call.question, std::move(reason)),
          .who = who_of(call.question),
          .log = [this, &call](const std::string& text) { parts_.log(call.question, text); }};
}

}  // namespace steelyard::manage
