#include "balance/status.hpp"

#include <array>

#include "base/text.hpp"

namespace steelyard::balance {

namespace {

// Nothing that status= could write.
constexpr char no_letter = '\0';

struct FlagText {
  Flag flag;
  char letter;
  std::string_view shown;
};

// The order of the display text, which is not that of the bits.
constexpr std::array flag_texts{
    FlagText{Flag::initialised, 'O', "Init "},    FlagText{Flag::ignore_errors, 'I', "Ign "},
    FlagText{Flag::draining, 'N', "Drn "},        FlagText{Flag::generic, 'G', "Gen "},
    FlagText{Flag::shutting_down, 'U', "Shut "},  FlagText{Flag::disabled, 'D', "Dis "},
    FlagText{Flag::stopped, 'S', "Stop "},        FlagText{Flag::in_error, 'E', "Err "},
    FlagText{Flag::standby, 'H', "Stby "},        FlagText{Flag::spare, 'R', "Spar "},
    FlagText{Flag::free_slot, 'F', "Free "},      FlagText{Flag::health_failed, 'C', "HcFl "},
    FlagText{Flag::nameless, no_letter, "Name "},
};

const FlagText* flag_of(char letter) {
  for (const FlagText& text : flag_texts) {
    if (letter != no_letter && text.letter == ascii_upper(letter)) return &text;
  }
  return nullptr;
}

}  // namespace

std::string display_text(Status status) {
  std::string shown;
  for (const FlagText& text : flag_texts) {
    if (status.has(text.flag)) shown += text.shown;
  }
  if (status.usable()) shown += "Ok ";
  if (shown.empty()) shown = "??? ";
  return shown;
}

std::expected<void, std::string> apply_status_text(Status& status, std::string_view text) {
  const auto complain = [] { return std::unexpected("Unknown status parameter option"); };
  if (text.ends_with('+') || text.ends_with('-')) return complain();
  Status result = status;
  bool setting = true;
  for (const char c : text) {
    if (c == '+' || c == '-') {
      setting = c == '+';
      continue;
    }
    const FlagText* known = flag_of(c);
    if (known == nullptr) return complain();
    result = setting ? result.with(known->flag) : result.without(known->flag);
  }
  status = result;
  return {};
}

}  // namespace steelyard::balance
