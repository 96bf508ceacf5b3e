#include "manage/api_request.hpp"

#include "base/text.hpp"
#include "http/syntax.hpp"
#include "manage/manager_form.hpp"

namespace steelyard::manage {

namespace {

constexpr std::string_view version_segment = "/v1";

std::unexpected<Problem> refuse(int status, std::string detail) {
  return std::unexpected(Problem{.status = status, .detail = std::move(detail)});
}

// "/admin/v1/member" -> "member"; "/admin/v1" and "/admin/v1/" -> "". None: no version in it.
std::optional<std::string_view> resource_of(std::string_view path) {
  for (std::size_t at = 0; (at = path.find(version_segment, at)) != std::string_view::npos; ++at) {
    const std::string_view rest = path.substr(at + version_segment.size());
    if (rest.empty()) return rest;
    if (rest.front() == '/') return rest.substr(1);
  }
  return std::nullopt;
}

std::expected<std::map<std::string, std::string>, Problem> read_parameters(std::string_view query) {
  std::map<std::string, std::string> parameters;
  for (const std::string_view word : split(query, '&')) {
    if (word.empty()) continue;
    const std::size_t equals = std::min(word.find('='), word.size());
    const auto name = decoded_parameter(word.substr(0, equals));
    const auto value =
        decoded_parameter(equals == word.size() ? std::string_view() : word.substr(equals + 1));
    if (!name || !value) return refuse(400, quoted(word) + " has a bad escape");
    if (!parameters.emplace(*name, *value).second)
      return refuse(400, quoted(*name) + " is there twice");
  }
  return parameters;
}

// What a browser says of the page that makes it send this. Other clients say nothing.
bool is_of_another_site(const proxy::DeskQuestion& question) {
  if (const std::string* const site = question.field("Sec-Fetch-Site")) {
    if (*site != "same-origin" && *site != "none") return true;
  }
  const std::string* const origin = question.field("Origin");
  return origin != nullptr && !equals_ignoring_case(host_of(*origin), question.public_name);
}

bool is_json(std::string_view type) {
  type = trim(type.substr(0, type.find(';')));
  return equals_ignoring_case(type, "application/json") ||
         equals_ignoring_case(type, "application/merge-patch+json");
}

}  // namespace

std::string_view ApiRequest::parameter(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found != parameters.end() ? std::string_view(found->second) : std::string_view();
}

std::optional<std::string> decoded_parameter(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = http::hex_value(text[i + 1]);
    const int low = http::hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::expected<ApiRequest, Problem> read_api_request(const proxy::DeskQuestion& question) {
  const auto resource = resource_of(question.path);
  if (!resource) return refuse(404, "the API is at /v1 behind this path");
  if (question.body_is_cut) return refuse(413, "the body is too long");
  auto parameters = read_parameters(question.query.value_or(""));
  if (!parameters) return std::unexpected(std::move(parameters.error()));
  ApiRequest request{.method = question.method,
                     .resource = std::string(*resource),
                     .parameters = std::move(*parameters),
                     .body = question.body};
  if (const std::string* const tag = question.field("If-Match")) request.if_match = *tag;
  if (const std::string* const tag = question.field("If-None-Match")) request.if_none_match = *tag;
  if (request.reads()) return request;
  if (is_of_another_site(question))
    return refuse(403, "a page of another site may not change anything here");
  const std::string* const type = question.field("Content-Type");
  const bool says_json = type != nullptr && is_json(*type);
  if (!request.body.empty() && !says_json) return refuse(415, "a body must be application/json");
  // A browser's form can send a POST of its own types, and an empty one, too.
  if (request.method == http::Method::post && !says_json)
    return refuse(415, "a POST must say Content-Type: application/json");
  return request;
}

}  // namespace steelyard::manage
