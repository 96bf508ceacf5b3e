#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "apacheconf/directive.hpp"

namespace steelyard::apacheconf {

// Directives that share everything but their names: "A B C".
struct NameList {
  std::string_view module;
  std::string_view names;
  std::string_view help;
  std::string_view note;
};

std::vector<Directive> expand_lists(std::initializer_list<NameList> lists, Support support);

}  // namespace steelyard::apacheconf
