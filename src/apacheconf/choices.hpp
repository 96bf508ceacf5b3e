#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apacheconf/scope.hpp"
#include "base/text.hpp"

// A directive's argument that is one of a few words, in any case.

namespace steelyard::apacheconf {

template <class Value, std::size_t count>
struct Choices {
  std::string_view complaint;  // httpd's sentence; it lists the words
  std::array<std::pair<std::string_view, Value>, count> all;

  // nullopt after a complaint that quotes the word.
  std::optional<Value> choose(Scope& scope, const std::string& word) const {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : all) {
      if (equals_ignoring_case(name, word)) return value;
      names.push_back(name);
    }
    const std::string_view near = nearest(word, names);
    scope.complain(std::string(complaint),
                   '"' + word + "\" is none of them" +
                       (near.empty() ? "." : ". Did you mean " + std::string(near) + '?'));
    return std::nullopt;
  }
};

}  // namespace steelyard::apacheconf
