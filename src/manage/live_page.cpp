#include "manage/live_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "balance/editable.hpp"
#include "base/text.hpp"
#include "manage/api_call.hpp"
#include "manage/control_request.hpp"
#include "manage/kept_changes.hpp"
#include "manage/manager_form.hpp"
#include "manage/nonces.hpp"
#include "manage/page_assets.hpp"

namespace steelyard::manage {

namespace {

using http::Method;
using journal::Kept;

constexpr std::string_view name = "live";

std::unexpected<Problem> refuse(int status, std::string detail) {
  return std::unexpected(Problem{.status = status, .detail = std::move(detail)});
}

// The first of each name counts.
std::map<std::string, std::string> parameters_of(std::string_view query) {
  std::map<std::string, std::string> parameters;
  for (const std::string_view word : split(query, '&')) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string_view value = word.substr(std::min(equals + 1, word.size()));
    parameters.emplace(percent_decoded(word.substr(0, equals)), percent_decoded(value));
  }
  return parameters;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += is_alnum(c) ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

void guard(proxy::DeskAnswer& answer, std::string_view caching) {
  const auto add = [&](std::string_view field, std::string_view value) {
    answer.fields.emplace_back(field, value);
  };
  add("Cache-Control", caching);
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "same-origin");
  add("Content-Security-Policy", live_page_policy);
}

proxy::DeskAnswer asset_answer(const PageAsset& asset, std::string_view caching) {
  proxy::DeskAnswer answer{
      .status = 200, .content_type = std::string(asset.type), .body = std::string(asset.bytes)};
  guard(answer, caching);
  return answer;
}

proxy::DeskAnswer json_answer(const std::expected<ApiJson, Problem>& told) {
  proxy::DeskAnswer answer{.status = 200, .content_type = "application/json"};
  if (told) {
    answer.body = told->dump(-1, ' ', false, ApiJson::error_handler_t::replace);
  } else {
    answer.status = told.error().status;
    answer.content_type = "application/problem+json";
    answer.body = text_of(problem_object(told.error()));
  }
  guard(answer, "no-store");
  return answer;
}

std::int64_t milliseconds_of(WallTime when) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
}

struct PastEvent {
  const NamedBalancer* balancer;
  std::string member;
  balance::HealthEvent event;
};

ApiJson event_object(const PastEvent& past, const Moment& moment) {
  const auto time = [&](Instant when) {
    return when == Instant::min() ? ApiJson(nullptr) : ApiJson(milliseconds_of(moment, when));
  };
  const balance::HealthEvent& event = past.event;
  return {{"kind", "health"},
          {"at", time(event.last)},
          {"first", time(event.first)},
          {"times", event.times},
          {"balancer", past.balancer->label},
          {"member", past.member},
          {"cause", balance::to_text(event.cause)},
          {"evidence", event.evidence.text},
          {"latency_us", event.evidence.latency / std::chrono::microseconds(1)},
          {"before", trim(balance::display_text(event.before))},
          {"after", trim(balance::display_text(event.after))}};
}

ApiJson change_event(const Kept& kept, const std::vector<NamedBalancer>& balancers) {
  const auto named = std::ranges::find_if(balancers, [&kept](const NamedBalancer& balancer) {
    return balancer.scope == kept.balancer.scope && balancer.state->name() == kept.balancer.name;
  });
  ApiJson object = kept_object(kept);
  object["what"] = std::exchange(object["kind"], "change");
  object["balancer"] = named->label;
  object["at"] = milliseconds_of(kept.when);
  return object;
}

// The operation of the API that a wish of the page is, on its balancer or member.
struct Operation {
  Method method;
  std::string_view resource;
  std::string more{};  // parameters
  std::string body{};
};

// "+S", "-D": one letter of a status, whatever the page knew of the others.
std::expected<Operation, Problem> switch_of(const std::string& wish, const std::string& member,
                                            const NamedBalancer& balancer) {
  const auto asked = parse_status_wish(wish);
  if (!asked) return refuse(422, asked.error());
  const auto view = find_member(balancer, member);
  if (!view) return refuse(404, view.error().text);
  const balance::Status letters = view->spec->status.without(asked->clear).with(asked->set);
  return Operation{
      Method::patch, "member", {}, ApiJson{{"status", balance::letters_of(letters)}}.dump()};
}

std::expected<Operation, Problem> operation_of(const ApiJson& wish, const std::string& member,
                                               const NamedBalancer& balancer) {
  const bool has_member = !member.empty();

  const auto is_object = [&wish](const char* key) {
    return wish.contains(key) && wish[key].is_object();
  };
  if (is_object("fields"))
    return Operation{Method::patch, has_member ? "member" : "balancer", {}, wish["fields"].dump()};
  if (wish.contains("switch") && wish["switch"].is_string() && has_member)
    return switch_of(wish["switch"].get<std::string>(), member, balancer);
  if (is_object("drain") && has_member)
    return Operation{Method::put, "drain", {}, wish["drain"].dump()};
  if (wish.contains("undrain") && has_member) return Operation{Method::delete_, "drain"};
  if (wish.contains("undo") && wish["undo"].is_number_unsigned())
    return Operation{Method::post, "undo",
                     fmt::format("&id={}", wish["undo"].get<std::uint64_t>())};
  return refuse(422,
                "fields and drain are objects, switch is a text, undo a number; all but "
                "fields and undo are about a member");
}

// What is not understood is not silently left out: a reason that somebody gives would be lost.
std::optional<Problem> check_names(const ApiJson& wish) {
  constexpr std::string_view operations[] = {"fields", "switch", "drain", "undrain", "undo"};
  constexpr std::string_view subjects[] = {"balancer", "member", "nonce"};
  int found = 0;
  for (const auto& [key, value] : wish.items()) {
    if (std::ranges::find(operations, key) != std::end(operations)) {
      ++found;
    } else if (std::ranges::find(subjects, key) == std::end(subjects)) {
      return Problem{.status = 422, .detail = "a change here has no " + steelyard::quoted(key)};
    }
  }
  if (found == 1) return std::nullopt;
  return Problem{.status = 422,
                 .detail = "a change has one of fields, switch, drain, undrain or undo"};
}

std::string text_in(const ApiJson& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

LivePage::LivePage(Parts parts)
    : parts_(std::move(parts)),
      feed_({.loop = parts_.loop,
             .chronicle = parts_.chronicle,
             .last_change = [this] { return last_change(parts_.book); },
             .troubles = [this] { return parts_.book.troubles(); }}) {}

bool LivePage::concerns(const proxy::DeskQuestion& question) {
  const std::string_view query = question.query ? std::string_view(*question.query) : "";
  if (!query.starts_with(name)) return false;
  return query.size() == name.size() || query[name.size()] == '=' || query[name.size()] == '&';
}

proxy::DeskAnswer LivePage::answer(const proxy::DeskQuestion& question) {
  const Parameters parameters = parameters_of(question.query.value_or(""));
  if (question.method == Method::post && parameters.at(std::string(name)) == "change")
    return change(question);
  if (question.method != Method::get && question.method != Method::head)
    return json_answer(refuse(405, "what is looked at is asked for by GET"));
  if (auto told = read(question, parameters)) return std::move(*told);
  return json_answer(refuse(404, "the live page has no such part"));
}

std::optional<proxy::DeskAnswer> LivePage::read(const proxy::DeskQuestion& question,
                                                const Parameters& parameters) {
  const std::string& part = parameters.at(std::string(name));
  const auto assets = page_assets();
  if (part.empty()) return asset_answer(assets.front(), "no-store");
  if (part == "feed") return listen(question);
  if (part == "hour") return json_answer(tell_hour(question, parameters));
  if (part == "events") return json_answer(tell_events(question));
  const auto asset = std::ranges::find(assets, part, &PageAsset::name);
  if (asset == assets.end()) return std::nullopt;
  return asset_answer(*asset, "private, max-age=31536000, immutable");
}

proxy::DeskAnswer LivePage::listen(const proxy::DeskQuestion& question) {
  std::map<std::string, std::string> nonces;
  for (const NamedBalancer& balancer : name_balancers(*question.generation, question.server))
    nonces[balancer.label] = nonce_for(question, balancer);
  auto joined = feed_.listen(question, nonces);
  if (!joined) return json_answer(refuse(503, "too many pages listen already"));
  proxy::DeskAnswer answer{.status = 200,
                           .content_type = "text/event-stream",
                           .body = std::move(joined->first),
                           .feed = std::move(joined->feed)};
  guard(answer, "no-store");
  return answer;
}

LivePage::Answer LivePage::tell_hour(const proxy::DeskQuestion& question,
                                     const Parameters& parameters) const {
  const auto wanted = [&parameters](const char* key) {
    const auto found = parameters.find(key);
    return found != parameters.end() ? found->second : std::string();
  };
  const auto balancer =
      find_balancer(name_balancers(*question.generation, question.server), wanted("balancer"));
  if (!balancer) return refuse(404, balancer.error().text);
  const Story* story = &parts_.chronicle.of(*balancer->state);
  if (const std::string member = wanted("member"); !member.empty()) {
    const auto found = find_member(*balancer, member);
    if (!found) return refuse(404, found.error().text);
    story = &parts_.chronicle.of(*found->member);
  }
  ApiJson requests = ApiJson::array(), errors = ApiJson::array(), in_flight = ApiJson::array(),
          p50 = ApiJson::array(), p99 = ApiJson::array();
  const auto known = [](float ms) { return ms < 0 ? ApiJson(nullptr) : ApiJson(ms); };
  for (const Story::Step& step : story->steps()) {
    requests.push_back(step.requests);
    errors.push_back(step.errors);
    in_flight.push_back(step.in_flight);
    p50.push_back(known(step.p50_ms));
    p99.push_back(known(step.p99_ms));
  }
  return ApiJson{
      {"step", std::chrono::duration_cast<std::chrono::seconds>(Story::step_length).count()},
      {"steps", Story::steps_max},
      {"end", milliseconds_of(parts_.loop.wall_now())},
      {"requests", std::move(requests)},
      {"errors", std::move(errors)},
      {"in_flight", std::move(in_flight)},
      {"p50", std::move(p50)},
      {"p99", std::move(p99)}};
}

LivePage::Answer LivePage::tell_events(const proxy::DeskQuestion& question) const {
  const auto balancers = name_balancers(*question.generation, question.server);
  std::vector<PastEvent> past;
  for (const NamedBalancer& balancer : balancers) {
    for (const balance::MemberView& view : balancer.state->members()) {
      for (balance::HealthEvent& event : view.member->health_log().events())
        past.push_back({&balancer, view.spec->name, std::move(event)});
    }
  }
  const std::size_t told = std::min(past.size(), events_max);
  const auto end = past.begin() + static_cast<std::ptrdiff_t>(told);
  const auto when = [](const PastEvent& each) { return each.event.last; };
  std::ranges::partial_sort(past, end, std::ranges::greater(), when);
  ApiJson health = ApiJson::array(), changes = ApiJson::array();
  for (auto each = past.begin(); each != end; ++each)
    health.push_back(event_object(*each, moment()));
  const auto kept = kept_changes(parts_.book, balancers);
  for (const Kept& each : kept ? *kept : std::vector<Kept>())
    changes.push_back(change_event(each, balancers));
  return ApiJson{{"health", std::move(health)},
                 {"changes", std::move(changes)},
                 {"fault", kept ? "" : kept.error()}};
}

proxy::DeskAnswer LivePage::change(const proxy::DeskQuestion& question) {
  if (question.body_is_cut) return json_answer(refuse(413, "the change is too long"));
  if (const std::string foreign = foreign_source(question); !foreign.empty())
    return json_answer(refuse(403, "nothing is changed: " + foreign));
  const auto body = read_json_object(question.body);
  if (!body) return json_answer(std::unexpected(body.error()));
  const ApiJson& wish = *body;
  if (const auto wrong = check_names(wish)) return json_answer(std::unexpected(*wrong));
  const auto balancer = find_balancer(name_balancers(*question.generation, question.server),
                                      text_in(wish, "balancer"));
  if (!balancer) return json_answer(refuse(404, balancer.error().text));
  const std::string nonce = nonce_for(question, *balancer);
  if (nonce.empty()) return json_answer(refuse(403, "nonce=None: the balancer is read-only here"));
  if (!is_same_secret(text_in(wish, "nonce"), nonce))
    return json_answer(refuse(403, "this is no nonce of the balancer: load the page again"));
  const std::string member = text_in(wish, "member");
  auto operation = operation_of(wish, member, *balancer);
  if (!operation) return json_answer(std::unexpected(std::move(operation.error())));
  const std::int64_t before = last_change(parts_.book);
  proxy::DeskQuestion order = question;
  order.method = operation->method;
  order.path = "/v1/" + std::string(operation->resource);
  order.body = std::move(operation->body);
  order.query = "balancer=" + escaped(balancer->label) + operation->more;
  if (!member.empty() && operation->resource != "undo")
    *order.query += "&member=" + escaped(member);
  proxy::DeskAnswer answer = parts_.api.answer(order);
  if (answer.status >= 400) return answer;
  feed_.tell_now();
  ApiJson made = ApiJson::array();
  const auto kept = kept_changes(parts_.book, {*balancer});
  for (const Kept& each : kept ? *kept : std::vector<Kept>()) {
    if (each.id > before) made.push_back(kept_object(each));
  }
  return json_answer(ApiJson{{"changes", std::move(made)}});
}

std::string LivePage::nonce_for(const proxy::DeskQuestion& question,
                                const NamedBalancer& balancer) const {
  const config::Server& server = *question.generation->config().servers[question.server];
  const auto& groups = question.generation->groups_of(server).balancers;
  const auto group = std::ranges::find(groups, balancer.state, &proxy::Group::state);
  return group != groups.end() ? parts_.nonce_of(*group) : std::string();
}

}  // namespace steelyard::manage
