// The OpenAPI document of the JSON API (openapis.org, version 3.0), made of the API's own table.
//
// Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "manage/api_objects.hpp"

namespace steelyard::manage {

enum class ApiBody : std::uint8_t { none, balancer_fields, member_fields, drain_order };
enum class ApiAnswer : std::uint8_t { object, tagged_object, text, events };

// Of a request, besides the parameters: a change may say why, or what its client knows.
enum class ApiFields : std::uint8_t { none, reason, reason_and_match, reason_and_matches };

// What there is to be said of one method of a resource.
struct ApiMethodFacts {
  std::string_view name;  // unique in the document
  std::string_view summary;
  ApiBody body = ApiBody::none;
  ApiAnswer answer = ApiAnswer::object;
  ApiFields fields = ApiFields::none;
};

ApiJson operation_object(const ApiMethodFacts& facts, std::span<const std::string_view> needed,
                         std::span<const std::string_view> optional);
// `place`: where the API lies on this server, what stands in front of /v1; encoded.
ApiJson document_object(ApiJson paths, std::string_view place);

}  // namespace steelyard::manage
