#include "manage/api_document.hpp"

#include "balance/editable.hpp"
#include "journal/record.hpp"
#include "proxy/generation.hpp"

namespace steelyard::manage {

namespace {

ApiJson content(std::string_view type, ApiJson schema) {
  return {{std::string(type), {{"schema", std::move(schema)}}}};
}

ApiJson reference(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

std::string_view schema_name(ApiBody body) {
  switch (body) {
    case ApiBody::none:
      return {};
    case ApiBody::balancer_fields:
      return "BalancerFields";
    case ApiBody::member_fields:
      return "MemberFields";
    case ApiBody::drain_order:
      return "DrainOrder";
  }
  return {};
}

std::string_view parameter_text(std::string_view name) {
  if (name == "balancer")
    return "app, balancer://app, or with its virtual host in front: "
           "shop.example:443/balancer://app";
  if (name == "member") return "its URL, host:port or route";
  if (name == "id") return "the number of a change";
  if (name == "at") return "as of then: the number of a change, or a moment as the changes have it";
  if (name == "before") return "changes with smaller numbers than this alone";
  return "1: also when the field was changed again since";
}

ApiJson parameter_object(std::string_view name, bool is_needed) {
  return {{"name", name},
          {"in", "query"},
          {"required", is_needed},
          {"description", parameter_text(name)},
          {"schema", {{"type", "string"}}}};
}

ApiJson fields_schema(std::span<const std::string_view> fields) {
  ApiJson properties = ApiJson::object();
  for (const std::string_view field : fields) {
    properties[field] = {
        {"description",
         "as the parameter " + std::string(field) + "= of the configuration; null: its default"},
        {"nullable", true},
        {"oneOf",
         ApiJson::array({{{"type", "string"}}, {{"type", "number"}}, {{"type", "boolean"}}})}};
  }
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

ApiJson member_schema() {
  ApiJson schema = fields_schema(balance::editable_member_fields());
  schema["properties"][journal::finding_field] = {
      {"description",
       "of a PATCH: what was found out of it. -E forgets an error, -C failed checks; +C: they "
       "count "
       "as failed"},
      {"type", "string"}};
  return schema;
}

ApiJson time_schema(std::string_view what) {
  return {{"description", std::string(what) + ": a number of seconds, or with a unit, as 10min"},
          {"oneOf", ApiJson::array({{{"type", "string"}}, {{"type", "number"}}})}};
}

ApiJson drain_schema() {
  return {{"type", "object"},
          {"properties",
           {{"deadline", time_schema("when it ends at the latest, from now")},
            {"sessions",
             {{"type", "integer"},
              {"minimum", 0},
              {"description", "it ends when no more sessions than that were seen"}}},
            {"window", time_schema("within which time")},
            {"kick", {{"type", "boolean"}, {"description", "sessions go elsewhere at once"}}}}},
          {"additionalProperties", false}};
}

ApiJson problem_schema() {
  return {{"type", "object"},
          {"properties",
           {{"type", {{"type", "string"}}},
            {"title", {{"type", "string"}}},
            {"status", {{"type", "integer"}}},
            {"detail", {{"type", "string"}}},
            {"choices", {{"type", "array"}, {"items", {{"type", "string"}}}}},
            {"member", {{"type", "string"}}},
            {"field", {{"type", "string"}}}}}};
}

ApiJson header_object(std::string_view name, std::string_view text) {
  return {{"name", name},
          {"in", "header"},
          {"required", false},
          {"description", text},
          {"schema", {{"type", "string"}}}};
}

void add_fields(ApiJson& list, ApiFields fields) {
  if (fields == ApiFields::none) return;
  list.push_back(header_object("X-Reason", "why it is done, for the journal"));
  if (fields == ApiFields::reason) return;
  list.push_back(
      header_object("If-Match", "the ETag that is known: 412 when somebody changed it since"));
  if (fields == ApiFields::reason_and_matches)
    list.push_back(header_object("If-None-Match", "*: 412 when the member is there already"));
}

ApiJson answer_object(ApiAnswer answer) {
  if (answer == ApiAnswer::text) {
    return {{"description", "text of the configuration"},
            {"content", content("text/plain", {{"type", "string"}})}};
  }
  if (answer == ApiAnswer::events) {
    return {{"description", "server-sent events, without an end"},
            {"content", content("text/event-stream", {{"type", "string"}})}};
  }
  ApiJson object{{"description", "done, or so already"},
                 {"content", content("application/json", {{"type", "object"}})}};
  if (answer == ApiAnswer::tagged_object) {
    object["headers"] = {{"ETag",
                          {{"description", "of what can be changed: for If-Match of a change"},
                           {"schema", {{"type", "string"}}}}}};
  }
  return object;
}

}  // namespace

ApiJson operation_object(const ApiMethodFacts& facts, std::span<const std::string_view> needed,
                         std::span<const std::string_view> optional) {
  ApiJson object{{"operationId", facts.name}, {"summary", facts.summary}};
  ApiJson list = ApiJson::array();
  for (const std::string_view name : needed) list.push_back(parameter_object(name, true));
  for (const std::string_view name : optional) list.push_back(parameter_object(name, false));
  add_fields(list, facts.fields);
  if (!list.empty()) object["parameters"] = std::move(list);
  if (facts.body != ApiBody::none) {
    object["requestBody"] = {
        {"content", content("application/json", reference(schema_name(facts.body)))}};
  }
  object["responses"] = {
      {"2XX", answer_object(facts.answer)},
      {"default",
       {{"description", "why not"},
        {"content", content("application/problem+json", reference("Problem"))}}}};
  return object;
}

ApiJson document_object(ApiJson paths, std::string_view place) {
  return {{"openapi", "3.0.3"},
          {"info",
           {{"title", "Steelyard"},
            {"description", "Balancers and their members, as operators see and change them."},
            {"version", STEELYARD_VERSION}}},
          {"servers", ApiJson::array({{{"url", place.empty() ? "/" : place}}})},
          {"paths", std::move(paths)},
          {"components",
           {{"schemas",
             {{"BalancerFields", fields_schema(balance::editable_balancer_fields())},
              {"MemberFields", member_schema()},
              {"DrainOrder", drain_schema()},
              {"Problem", problem_schema()}}}}}};
}

}  // namespace steelyard::manage
