#include "balance/decision.hpp"

namespace steelyard::balance {

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::picked:
      return "picked";
    case Outcome::none_usable:
      return "no member is usable";
    case Outcome::no_members:
      return "the balancer has no members";
    case Outcome::session_member_unusable:
      return "the session's member is unusable";
    case Outcome::all_full:
      return "all usable members are at their max=";
    case Outcome::others_wait:
      return "others wait";
  }
  return {};
}

std::string_view to_text(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::by_session:
      return "session";
    case Reason::by_redirect:
      return "redirect of the session's member";
    case Reason::by_policy:
      return "policy";
    case Reason::spare:
      return "hot spare";
    case Reason::standby:
      return "hot standby";
    case Reason::trial:
      return "trial of a member in error";
  }
  return {};
}

std::string_view to_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::chosen:
      return "chosen";
    case Verdict::eligible:
      return "eligible";
    case Verdict::not_reached:
      return "a lower lbset is usable";
    case Verdict::unusable:
      return "unusable";
    case Verdict::awaiting_retry:
      return "in error, to be retried";
    case Verdict::draining:
      return "draining";
    case Verdict::spare_not_needed:
      return "spare, not needed";
    case Verdict::standby_not_needed:
      return "standby, not needed";
    case Verdict::no_heartbeat:
      return "no heartbeat of its host";
    case Verdict::shadowed:
      return "a later member of its host is usable";
    case Verdict::not_asked:
      return "not asked";
    case Verdict::full:
      return "max= connections in use";
  }
  return {};
}

}  // namespace steelyard::balance
