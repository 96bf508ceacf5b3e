// The JSON API's operations on the journal of changes.
#include <climits>
#include <set>
#include <vector>

#include "base/text.hpp"
#include "manage/api_call.hpp"
#include "manage/kept_changes.hpp"

namespace steelyard::manage {

Problem problem_of(const ControlFault& fault) {
  return {.status = fault.kind == ControlFault::Kind::unknown   ? 404
                    : fault.kind == ControlFault::Kind::refused ? 409
                                                                : 400,
          .detail = fault.text,
          .choices = fault.choices};
}

std::unexpected<Problem> refuse_call(int status, std::string detail) {
  return std::unexpected(Problem{.status = status, .detail = std::move(detail)});
}

std::expected<ApiJson, Problem> read_json_object(const std::string& body) {
  if (body.empty()) return ApiJson::object();
  // Which of two values somebody meant nobody knows (RFC 8259 4).
  std::vector<std::set<std::string>> names;
  std::string twice;
  const auto look = [&](int /*depth*/, ApiJson::parse_event_t event, ApiJson& parsed) {
    using Event = ApiJson::parse_event_t;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  ApiJson object = ApiJson::parse(body, look, false);
  if (object.is_discarded()) return refuse_call(400, "the body is no JSON");
  if (!object.is_object()) return refuse_call(400, "the body must be a JSON object");
  if (!twice.empty()) return refuse_call(400, steelyard::quoted(twice) + " is there twice");
  return object;
}

std::string who_of(const proxy::DeskQuestion& question) {
  const std::string address = question.client.ip.text();
  return question.user.empty() ? address : question.user + " at " + address;
}

std::string reason_of(const proxy::DeskQuestion& question) {
  const std::string* const reason = question.field("X-Reason");
  return reason != nullptr ? *reason : std::string();
}

std::expected<std::vector<NamedBalancer>, Problem> Api::Call::wanted_balancers() const {
  if (request.parameter("balancer").empty()) return balancers;
  auto one = balancer();
  if (!one) return std::unexpected(std::move(one.error()));
  return std::vector{std::move(*one)};
}

Api::Answer Api::list_changes(const Call& call) {
  const auto wanted = call.wanted_balancers();
  if (!wanted) return std::unexpected(wanted.error());
  std::optional<std::int64_t> before;
  if (const std::string_view text = call.request.parameter("before"); !text.empty()) {
    const auto number = parse_unsigned(text);
    if (!number || *number > INT64_MAX) return refuse_call(400, "before is the number of a change");
    before = static_cast<std::int64_t>(*number);
  }
  const auto rows = kept_changes(parts_.book, *wanted, before);
  if (!rows) return refuse_call(503, rows.error());
  ApiJson list = ApiJson::array();
  for (const journal::Kept& row : *rows) list.push_back(kept_object(row));
  return Reply{.object = {{"changes", std::move(list)}}};
}

Api::Answer Api::undo(const Call& call) {
  using Later = journal::Journal::Later;
  const auto wanted = call.wanted_balancers();
  if (!wanted) return std::unexpected(wanted.error());
  const auto id = parse_unsigned(call.request.parameter("id"));
  if (!id || *id > INT64_MAX) return refuse_call(400, "id is the number of a change");
  const std::string_view force = call.request.parameter("force");
  if (!force.empty() && force != "1") return refuse_call(400, "force is 1, or not there");
  const ChangesBook::UndoWish wish{.id = static_cast<std::int64_t>(*id),
                                   .later = force.empty() ? Later::matters : Later::is_overridden,
                                   .added_max = INT_MAX};
  const auto changes = operations_.undo(*wanted, wish, by(call, reason_of(call.question)));
  if (!changes) return std::unexpected(problem_of(changes.error()));
  ApiJson list = ApiJson::array();
  for (const balance::Change& each : *changes) list.push_back(change_object(each));
  return Reply{.object = {{"changed", std::move(list)}}};
}

Api::Answer Api::show_export(const Call& call) {
  const auto wanted = call.wanted_balancers();
  if (!wanted) return std::unexpected(wanted.error());
  auto text = export_text(parts_.book, *wanted, call.request.parameter("at"), call.moment.wall);
  if (!text) return std::unexpected(problem_of(text.error()));
  return Reply{.text = std::move(*text), .content_type = "text/plain; charset=utf-8"};
}

}  // namespace steelyard::manage
