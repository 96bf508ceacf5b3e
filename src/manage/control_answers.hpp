// What the control desk answers, as JSON in one line. steelyard ctl turns it into text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "balance/drains.hpp"
#include "balance/edits.hpp"
#include "balance/health_log.hpp"
#include "manage/control_request.hpp"
#include "manage/naming.hpp"

namespace steelyard::manage {

// The same moment by both clocks: turns instants into what people read.
struct Moment {
  Instant now;
  WallTime wall;

  // "2026-11-29T14:03:10Z"; empty for Instant::min(), which nobody told.
  [[nodiscard]] std::string text_of(Instant when) const;
  [[nodiscard]] static std::string text_of(WallTime when);
};

// "under_way", "drained", "deadline_passed" or "cancelled".
std::string_view word_of(balance::DrainState state);

std::string fault_answer(const ControlFault& fault);
// `troubles`: what keeps changes from being made or shared.
std::string members_answer(const std::vector<NamedBalancer>& balancers,
                           const std::vector<std::string>& troubles, const Moment& moment);
// After a change: what the member is now.
std::string member_answer(const NamedBalancer& balancer, const balance::MemberView& view,
                          const Moment& moment);
std::string history_answer(const std::vector<balance::HealthEvent>& events, const Moment& moment);
// `state`: word_of() an end, or "timed_out".
std::string wait_answer(std::string_view state, std::string_view outcome);

// Why a member is not in full service, in words: what set the last of the flags that keep it out.
// Empty when it is in service. `edits`: what operators changed
// of it, null if nothing.
std::string reason_text(const balance::MemberView& view, const balance::MemberEdits* edits);
// For the log: who gave an order and why, as far as he said. A long reason is cut.
std::string with_reason(std::string who, std::string_view reason);
// For the log: what an operator changed in a balancer.
std::string change_text(std::string_view balancer, const balance::Change& change,
                        std::string_view who);
// What was ordered, in words: "until 14:03:10Z, or no session for 5 min".
std::string order_text(const balance::DrainOrder& order, const Moment& moment);

}  // namespace steelyard::manage
