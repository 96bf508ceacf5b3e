#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rewrite/rule_set.hpp"
#include "rewrite/subject.hpp"

// Asks the rules of one place about one request.
//
//   text ──▶ rule 1 ──▶ rule 2 ──▶ ... ──▶ Outcome
//             │ pattern, then conditions, then substitution
//             └ flags: L stops, S and C skip, N begins again, P R F G end in something else
//
// Pure but for what the Subject does. A request that no rule fits takes nothing from the arena but
// what its conditions' test strings need.
//
// Threads: the exchange's.

namespace steelyard {
class Arena;
}

namespace steelyard::rewrite {

struct Outcome {
  enum class Kind : std::uint8_t {
    nothing,   // no rule changed the path; variables and the like may have been set
    path,      // `text` is a path, or what cannot be one: routes do not see it (httpd: a file)
    pass,      // [PT]: `text` goes on to the routes
    proxy,     // `text` is a URL
    redirect,  // `text` is the Location, `status` its status
    status,    // the answer is `status`
  };
  Kind kind = Kind::nothing;
  std::string_view text{};
  int status = 0;
  bool unescaped = false;      // [NE]: a proxied URL goes out as it is
  bool ends = false;           // [END]: no rules of sections either
  std::string_view handler{};  // [H=]
};

struct Scene {
  const RuleSet& rules;
  std::string_view text;  // what the first rule is asked about
  bool in_section = false;
  std::size_t text_bytes_max;  // httpd: twice LimitRequestLine; what is longer is a 500
};

// What all texts made for one request may take; more is a 500.
inline constexpr std::size_t run_bytes_max = std::size_t{1} << 20;

Outcome run_rules(const Scene& scene, Subject& subject, Arena& arena);

}  // namespace steelyard::rewrite
