#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "expr/facts.hpp"
#include "expr/local_files.hpp"
#include "expr/visitor.hpp"

// Facts from tables, for tests, benchmarks and fuzzing. Threads: one owner.

namespace steelyard::expr {

// A machine without files.
struct NoFiles : LocalFiles {
  bool has_trait(std::string_view, FileTrait) const override { return false; }
  std::optional<std::uint64_t> bytes_of(std::string_view) const override { return std::nullopt; }
  std::expected<std::string_view, std::string_view> read(std::string_view, Arena&) const override {
    return std::unexpected("Cannot open file ");
  }
};

struct TableFacts : Facts {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::map<TextFact, std::string> texts;
  std::map<NumberFact, std::int64_t> numbers;
  Fields request, response, request_trailers, response_trailers, variables, notes, tls;
  IpAddress client, local;
  WallTime begin{}, end{};
  Duration took{};
  ConnectionEnd ending = ConnectionEnd::kept;
  const LocalFiles* files = nullptr;
  const Timeline* times = nullptr;
  Visitor guest;

  std::string_view text(TextFact which) const override {
    const auto known = texts.find(which);
    return known == texts.end() ? std::string_view() : known->second;
  }
  std::int64_t number(NumberFact which) const override {
    const auto known = numbers.find(which);
    return known == numbers.end() ? 0 : known->second;
  }
  IpAddress client_address() const override { return client; }
  IpAddress local_address() const override { return local; }
  WallTime started() const override { return begin; }
  WallTime now() const override { return end; }
  Duration elapsed() const override { return took; }
  ConnectionEnd connection_end() const override { return ending; }

  std::optional<std::string_view> request_header(std::string_view name) const override {
    return find(request, name);
  }
  std::optional<std::string_view> response_header(std::string_view name) const override {
    return find(response, name);
  }
  std::optional<std::string_view> request_trailer(std::string_view name) const override {
    return find(request_trailers, name);
  }
  std::optional<std::string_view> response_trailer(std::string_view name) const override {
    return find(response_trailers, name);
  }
  std::size_t request_header_count() const override { return request.size(); }
  std::string_view request_header_name(std::size_t i) const override { return request[i].first; }
  std::string_view request_header_value(std::size_t i) const override { return request[i].second; }
  std::size_t response_header_count() const override { return response.size(); }
  std::string_view response_header_name(std::size_t i) const override { return response[i].first; }
  std::string_view response_header_value(std::size_t i) const override {
    return response[i].second;
  }
  std::optional<std::string_view> variable(std::string_view name) const override {
    return find(variables, name);
  }
  std::optional<std::string_view> note(std::string_view name) const override {
    return find(notes, name);
  }

  std::optional<std::string_view> tls_variable(std::string_view name) const override {
    return find(tls, name);
  }
  const LocalFiles* local_files() const override { return files; }
  const Timeline* timeline() const override { return times; }
  const Visitor* visitor() const override { return &guest; }

 private:
  static std::optional<std::string_view> find(const Fields& fields, std::string_view name) {
    for (const auto& [known, value] : fields) {
      if (equals_ignoring_case(known, name)) return value;
    }
    return std::nullopt;
  }
};

}  // namespace steelyard::expr
