#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rewrite/rule.hpp"

// The rules of one place: a server or a section. Threads: immutable once the configuration is read.

namespace steelyard::rewrite {

// RewriteOptions that change something here.
struct Options {
  bool written = false;                                // else those around it count
  bool inherits = false, inherits_before = false;      // Inherit, InheritBefore
  bool gives_down = false, gives_down_before = false;  // InheritDown, InheritDownBefore
  bool refuses_gifts = false;                          // IgnoreInherit
  bool merges_base = false;                            // MergeBase
};

struct RuleSet {
  std::optional<bool> engine;  // RewriteEngine; unset: as around it
  Options options;
  // Of sections: what is taken off the begin of a path before rules see it and put back behind
  // (httpd: the section's argument with a slash at its end). RewriteBase takes its place.
  std::string directory, base;
  std::vector<std::shared_ptr<const Rule>> rules;

  bool is_on() const { return engine.value_or(false); }
};

// Whose rules count inside, and in which order.
enum class Inheritance : std::uint8_t { none, behind_own, before_own };
Inheritance inheritance(const Options& outer, const Options& inner);
// httpd: those of `inner` alone, if it has any.
Options merge(const Options& outer, const Options& inner);

// What holds inside `inner` when `outer` is around it. Rules are replaced unless Inherit says
// otherwise (httpd). Either may be null.
std::shared_ptr<const RuleSet> merge(const std::shared_ptr<const RuleSet>& outer,
                                     const std::shared_ptr<const RuleSet>& inner);

}  // namespace steelyard::rewrite
