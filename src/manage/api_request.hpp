// What a request to the JSON API asks for: a resource, parameters and a body.
//
//   PATCH /admin/v1/member?balancer=app&member=10.0.0.1:8080     {"loadfactor": "2", "status": "D"}
//         └prefix┘  └resource┘
//
// The part in front of /v1/ is wherever SetHandler steelyard-api stands. Names of balancers and
// members are parameters, as they may hold slashes.
//
// Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/desk.hpp"

namespace steelyard::manage {

// RFC 9457: why a request is not done.
struct Problem {
  int status = 400;
  std::string detail;
  std::vector<std::string> choices{};  // what could have been meant
  std::string member{}, field{};       // which wish cannot be fulfilled
  std::string allow{};                 // 405: the methods of the resource
};

struct ApiRequest {
  http::Method method = http::Method::get;
  std::string resource;                           // "member"; empty: the root
  std::map<std::string, std::string> parameters;  // each at most once
  std::string body;
  std::optional<std::string> if_match{}, if_none_match{};

  // Empty when it is not there.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
  [[nodiscard]] bool reads() const {
    return method == http::Method::get || method == http::Method::head;
  }
};

// Also holds off requests that another site's page makes a browser send: a change needs JSON, and
// what browsers say of its origin must be this server.
std::expected<ApiRequest, Problem> read_api_request(const proxy::DeskQuestion& question);

// Percent-decoded; '+' stays. No value for a bad escape.
std::optional<std::string> decoded_parameter(std::string_view text);

}  // namespace steelyard::manage
