#include "server/ctl.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "manage/ctl_report.hpp"
#include "manage/ctl_words.hpp"
#include "server/control_line.hpp"
#include "server/control_socket.hpp"

namespace steelyard::server {

namespace {

using manage::CtlExit;
using manage::CtlWords;

// For all but waiting. A server that is busy answers within milliseconds; one that was stopped
// (SIGSTOP) or hangs never does, and a script would hang with it.
constexpr std::chrono::seconds answer_time_max{30};

void complain(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int fail(CtlExit exit, std::string_view text) {
  complain(fmt::format("steelyard ctl: {}\n", text));
  return static_cast<int>(exit);
}

int ask(const CtlWords& words, const Descriptor& line) {
  for (const std::string& request : words.requests) {
    const bool is_late = manage::is_answered_late(request);
    limit_time(line, is_late ? std::chrono::seconds(0) : answer_time_max);
    // One that was turned away has got its answer already.
    (void)send_line(line, request);
    const auto answer = receive_line(line);
    if (!answer) return fail(CtlExit::failed, answer.error());
    const manage::CtlReport report = manage::report_answer(words, *answer);
    const auto printed = print_answer(report.out);
    complain(report.complaint);
    if (!printed) return fail(CtlExit::failed, printed.error());
    if (report.exit != CtlExit::done) return static_cast<int>(report.exit);
  }
  return 0;
}

}  // namespace

int run_ctl(std::span<const char* const> words) {
  const auto parsed = manage::parse_ctl_words(words);
  if (!parsed) return fail(CtlExit::usage, parsed.error());
  if (!parsed->help.empty()) {
    const auto printed = print_answer(parsed->help);
    return printed ? 0 : fail(CtlExit::failed, printed.error());
  }
  const auto path = path_of_socket(*parsed);
  if (!path) return fail(CtlExit::failed, path.error());
  const auto line = connect_to_control_socket(*path);
  if (!line) return fail(CtlExit::failed, line.error());
  return ask(*parsed, *line);
}

}  // namespace steelyard::server
