// What the live page and `steelyard top` show of balancers and members at one moment, one JSON
// object each; and what of it is different from what was shown before, so that a page with a
// thousand members is told changes alone.
//
//   rates      over the last five seconds     errors, p50, p99   of the last minute
//   times      milliseconds since 1970, to a tenth of a second
//
// Threads: the control thread's.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manage/api_objects.hpp"
#include "manage/chronicle.hpp"

namespace steelyard::manage {

struct LiveRow {
  std::string key;  // the same from one moment to the next
  ApiJson fields;
};

// How a member does, in words; the tone is "good", "warn", "bad" or "off".
struct StateWord {
  std::string_view word, tone;
};
[[nodiscard]] StateWord state_of(const balance::MemberView& view);

[[nodiscard]] std::int64_t milliseconds_of(const Moment& moment, Instant when);

// Each balancer, then its members.
[[nodiscard]] std::vector<LiveRow> live_rows(const std::vector<NamedBalancer>& balancers,
                                             const Chronicle& chronicle, const Moment& moment);

// What listeners were told last.
class LiveBook {
 public:
  // {"rows": [{"id": 3, "busy": 7}, ...], "gone": [4]}: what is new or different.
  ApiJson turn_to(std::vector<LiveRow> rows);
  // All that turn_to() was given last, with their ids.
  [[nodiscard]] ApiJson all() const;

 private:
  struct Told {
    std::uint64_t id = 0;  // in the order in which they came; never given out again
    ApiJson fields{};
    std::uint64_t turn = 0;
  };
  std::map<std::string, Told> told_;
  std::uint64_t next_id_ = 1, turn_ = 0;
};

}  // namespace steelyard::manage
