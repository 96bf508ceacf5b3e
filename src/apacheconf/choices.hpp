#pragma once

#include <array>
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

  // Sets `field`, or complains and quotes the word.
  template <class Field>
  void choose(Scope& scope, const std::string& word, Field& field) const {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : all) {
      if (equals_ignoring_case(name, word)) {
        field = value;
        return;
      }
      names.push_back(name);
    }
    const std::string_view near = nearest(word, names);
    scope.complain(std::string(complaint),
                   '"' + word + "\" is none of them" +
                       (near.empty() ? "." : ". Did you mean " + std::string(near) + '?'));
  }
};

}  // namespace steelyard::apacheconf
