// One who speaks on the control socket: lines in, lines out, one request at a time.
//
//   read a line ─▶ answer ─▶ write it ─▶ read the next ...
//                    └─ wait: until the drain is over, the time for it is, or the other end is
//                             gone; one that only will say nothing more is still answered
//
// Bounded: a line (control_line_bytes_max), the time for a line to come and for an answer to go,
// and what is kept: one answer. Who sends more than a line gets it answered later; who does not
// read waits alone.
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/stream.hpp"
#include "io/task.hpp"
#include "manage/control_desk.hpp"

namespace steelyard::manage {

inline constexpr Duration control_idle_max = std::chrono::seconds(30);
inline constexpr Duration control_write_max = std::chrono::seconds(30);

class ControlConnection {
 public:
  // `who` is for the log. `on_end` is called once, at the end; it must not destroy the connection
  // before it returned to the loop.
  ControlConnection(io::Loop& loop, ControlDesk& desk, std::unique_ptr<io::Stream> stream,
                    std::string who, std::function<void()> on_end);
  ControlConnection(const ControlConnection&) = delete;
  ControlConnection& operator=(const ControlConnection&) = delete;

  void start() { task_.start(); }

 private:
  enum class Input { line, ended, too_long };

  io::Task<> serve();
  io::Task<Input> read_line();
  io::Task<std::string> answer(ControlRequest request);
  io::Task<std::string> wait_for_drain(ControlRequest request);
  io::Task<bool> write(std::string answer);
  bool take_line();
  void take_bytes();

  io::Loop& loop_;
  ControlDesk& desk_;
  const std::unique_ptr<io::Stream> stream_;
  const std::string who_;
  const std::function<void()> on_end_;
  io::WaitTimer timer_;
  std::string received_;  // at most a line and one byte
  std::string line_;
  bool ended_ = false;  // the other end will say nothing more; it may still listen
  io::Task<> task_;
};

}  // namespace steelyard::manage
