#pragma once

#include <expected>
#include <optional>
#include <string>

#include "server/descriptor.hpp"

// What server and keeper say to each other: datagrams that may carry one descriptor.
//
//   question   one letter of KeeperQuestion, then text
//   answer     an errno in decimal; 0: done, with what was asked for attached
//
// Threads: any, one at a time for each end.

namespace steelyard::server {

enum class KeeperQuestion : char {
  read_configuration = 'r',
  open_file = 'f',            // text: the path
  start_program = 'p',        // text: the program; attached: its standard input
  start_shell_program = 's',  // the same for "|$"
  read_secret = 'k',          // text: the path of a key or certificate
  write_pid_file = 'w',
  remove_pid_file = 'd',
  remove_control_socket = 'c',
};

struct KeeperMessage {
  std::string text;
  Descriptor attached;
};

inline constexpr std::size_t keeper_text_bytes_max = std::size_t{32} << 10;

// 0, or an errno: EMSGSIZE for more than keeper_text_bytes_max, EPIPE when the other end is gone.
int send_message(const Descriptor& line, const std::string& text, int attached);
// nullopt: the other end is gone.
std::optional<KeeperMessage> receive_message(const Descriptor& line);

}  // namespace steelyard::server
