#pragma once

#include <optional>
#include <string_view>

#include "expr/facts.hpp"
#include "http/field.hpp"

// What is known when a backend has answered a health check: status, fields, body. There is no
// client and no request, so all the rest is empty (httpd evaluates ProxyHCExpr on such a
// pseudo request too). The views belong to the caller.
//
// Threads: one owner.

namespace steelyard::expr {

struct AnswerFacts final : Facts {
  int status = 0;
  const http::FieldList* fields = nullptr;
  std::string_view body{};
  WallTime wall_now{};

  std::string_view text(TextFact which) const override {
    return which == TextFact::health_body ? body : std::string_view();
  }
  std::int64_t number(NumberFact which) const override {
    return which == NumberFact::request_status ? status : 0;
  }
  IpAddress client_address() const override { return {}; }
  IpAddress local_address() const override { return {}; }
  WallTime started() const override { return wall_now; }
  WallTime now() const override { return wall_now; }
  Duration elapsed() const override { return {}; }
  ConnectionEnd connection_end() const override { return ConnectionEnd::closed; }

  std::optional<std::string_view> request_header(std::string_view) const override { return {}; }
  std::optional<std::string_view> response_header(std::string_view name) const override {
    return fields == nullptr ? std::nullopt : fields->value(name);
  }
  std::optional<std::string_view> request_trailer(std::string_view) const override { return {}; }
  std::optional<std::string_view> response_trailer(std::string_view) const override { return {}; }
  std::size_t request_header_count() const override { return 0; }
  std::string_view request_header_name(std::size_t) const override { return {}; }
  std::string_view request_header_value(std::size_t) const override { return {}; }
  std::size_t response_header_count() const override {
    return fields == nullptr ? 0 : fields->size();
  }
  std::string_view response_header_name(std::size_t i) const override { return (*fields)[i].name; }
  std::string_view response_header_value(std::size_t i) const override {
    return (*fields)[i].value;
  }
  std::optional<std::string_view> variable(std::string_view) const override { return {}; }
  std::optional<std::string_view> note(std::string_view) const override { return {}; }
};

}  // namespace steelyard::expr
