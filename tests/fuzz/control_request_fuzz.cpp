// Fuzz target: what comes in a line on the control socket.
//
// Whatever it holds it is a request within its bounds or a fault with words, and the answer to a
// fault is one line of JSON that the client reads as a failure.
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "manage/control_answers.hpp"
#include "manage/control_request.hpp"
#include "manage/ctl_report.hpp"

namespace steelyard {

namespace {

using namespace manage;

void check_request(const ControlRequest& request) {
  const DrainWish& drain = request.drain;
  CHECK(!drain.sessions_max || *drain.sessions_max <= balance::Census::tokens_max);
  CHECK(!drain.deadline ||
        (*drain.deadline >= Duration{} && *drain.deadline <= balance::drain_deadline_max));
  CHECK(!drain.window || (*drain.window >= balance::drain_window_min &&
                          *drain.window <= balance::Census::window_max));
  CHECK(!request.timeout || *request.timeout <= wait_timeout_max);
  if (request.command != ControlRequest::Command::members)
    CHECK(!request.balancer.empty() && !request.member.empty());
}

void check_fault(const ControlFault& fault) {
  CHECK(!fault.text.empty());
  const std::string answer = fault_answer(fault);
  CHECK(!answer.contains('\n'));
  const CtlReport report = report_answer({}, answer);
  CHECK(report.exit != CtlExit::done && report.out.empty());
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto request = parse_request(input);
  if (request) {
    check_request(*request);
  } else {
    check_fault(request.error());
  }
  // As an answer it must not disturb the client either.
  (void)report_answer({}, input);
}

}  // namespace steelyard
