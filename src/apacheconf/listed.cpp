#include "apacheconf/listed.hpp"

#include "base/text.hpp"

namespace steelyard::apacheconf {

std::vector<Directive> expand_lists(std::initializer_list<NameList> lists, Support support) {
  std::vector<Directive> table;
  for (const NameList& list : lists) {
    for (const std::string_view name : split_words(list.names)) {
      table.push_back({.name = name,
                       .contexts = anywhere,
                       .arguments = Arguments::raw,
                       .handler = nullptr,
                       .merge = {},
                       .help = list.help,
                       .module = list.module,
                       .support = support,
                       .note = list.note});
    }
  }
  return table;
}

}  // namespace steelyard::apacheconf
