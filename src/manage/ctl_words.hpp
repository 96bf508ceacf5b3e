// The words behind `steelyard ctl`, as a value: where the server is, and what to ask it.
//
//   steelyard ctl [-f FILE ... | --socket PATH] COMMAND [NAME ...] [--OPTION ...]
//
// One-letter options stand before the command: behind it, -D is a status.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard::manage {

// How a script learns what happened.
enum class CtlExit : int {
  done = 0,             // also: drained
  failed = 1,           // no server, no such balancer or member, refused
  usage = 2,            //
  deadline_passed = 3,  // with sessions or exchanges left
  timed_out = 4,        // the drain goes on
  cancelled = 5,        //
};

struct CtlWords {
  // Of the configuration that says where the socket is; as in the server's own options.
  std::string config_file{}, server_root{};
  std::vector<std::string> defines{}, before{}, after{};
  std::string socket{};  // empty: by the configuration

  std::string command{};
  std::vector<std::string> requests{};  // lines to send, one after the answer to the other
  bool as_json = false;
  std::string help{};  // to be printed instead of all else
};

// The error is one complaint. `implied` is the command where the words do not name one, as behind
// `steelyard top`.
std::expected<CtlWords, std::string> parse_ctl_words(std::span<const char* const> words,
                                                     std::string_view implied = {});

// Of CtlWords::requests: its answer comes when a drain is over, which may take days. Every other
// one is answered at once.
[[nodiscard]] bool is_answered_late(std::string_view request);

// All but help, in the order of the help.
[[nodiscard]] std::vector<std::string> ctl_commands();
// Of all commands, or of one; empty: there is none of that name.
std::string ctl_help(std::string_view command = {});

}  // namespace steelyard::manage
