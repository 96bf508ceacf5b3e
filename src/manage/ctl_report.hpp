// The server's answers as text for people, and as an exit status for scripts.
#pragma once

#include <string>
#include <string_view>

#include "manage/ctl_words.hpp"

namespace steelyard::manage {

struct CtlReport {
  CtlExit exit = CtlExit::done;
  std::string out{}, complaint{};  // for the two outputs, with their line ends
};

CtlReport report_answer(const CtlWords& words, std::string_view answer);

}  // namespace steelyard::manage
