#pragma once

#include <expected>
#include <string>

#include "server/descriptor.hpp"

// Going to the background. The process that was started forks before any thread exists and waits;
// its child becomes the server. So a start that fails still prints on the terminal and gives its
// exit status to the script, and a start that succeeds returns when the server listens.
//
//   started ──fork──▶ child: new session ─ reads, binds ... ─ ready(): the parent exits with 0
//      └─ waits ◀──── or the child exits with n: the parent exits with n
//
// Threads: the main thread, before all others.

namespace steelyard::server {

class Detachment {
 public:
  // In the foreground: stays the process it is.
  static Detachment foreground() { return Detachment(); }
  // Returns in the child only, unless forking fails.
  static std::expected<Detachment, std::string> background();

  bool is_in_background() const { return parent_.is_open(); }
  // The server listens: lets the parent go and leaves the terminal.
  void ready();

 private:
  Descriptor parent_;
};

}  // namespace steelyard::server
