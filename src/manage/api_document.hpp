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

// One method of a resource.
ApiJson operation_object(std::string_view summary, std::span<const std::string_view> needed,
                         std::span<const std::string_view> optional, ApiBody body);
ApiJson document_object(ApiJson paths);

}  // namespace steelyard::manage
