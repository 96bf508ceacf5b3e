#include "config/dump_writer.hpp"
#include "rewrite/describe.hpp"
#include "rewrite/map.hpp"

namespace steelyard::config {

void dump_rewriting(DumpWriter& out, const rewrite::RuleSet& rules) {
  out.flag("rewrite-engine", rules.engine);
  out.text_unless_empty("rewrite-options", rewrite::describe(rules.options));
  out.text_unless_empty("rewrite-base", rules.base);
  for (const auto& rule : rules.rules) {
    for (const rewrite::RuleCondition& condition : rule->conditions) {
      out.line("rewrite-condition", rewrite::describe(condition));
    }
    out.line("rewrite-rule", rewrite::describe(*rule));
  }
}

void dump_rewrite_maps(DumpWriter& out, const rewrite::Maps& maps) {
  constexpr std::array<std::string_view, 6> kinds{"txt",     "rnd",    "tolower",
                                                  "toupper", "escape", "unescape"};
  for (const auto& [name, map] : maps.entries()) {
    const std::string kind(kinds[static_cast<std::size_t>(map.kind)]);
    out.line("rewrite-map", name + ' ' + kind + (map.has_file() ? ' ' + quoted(map.path) : ""));
  }
}

}  // namespace steelyard::config
