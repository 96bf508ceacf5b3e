#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/log_opener.hpp"
#include "server/trusted_path.hpp"

// A small process that stays root after the server has given root up, for the six things that a
// configuration expects of httpd's root parent: opening log files anew, starting the programs of
// piped logs again, reading keys again, writing the pid file again, and removing it and the control
// socket.
// docs/decisions/0006-keeper.md
//
//   server (User) ── question, one a time ──▶ keeper (root)
//                 ◀── errno, descriptor ──
//
// The server is not trusted. Invariants: 1. a file or program is only taken from a configuration
// that the keeper itself has read. 2. no path is opened that the server's user could have prepared.
// 3. at most `programs_a_target_max` programs of one target run at a time.
//
// A dead keeper cannot be replaced: nobody with root's rights is left who could start one. What can
// go on with the server's own rights does.
//
// Threads: start() before any other thread; the rest any.

namespace steelyard::server {

class Keeper final : public LogOpener {
 public:
  static constexpr std::size_t programs_a_target_max = 4;

  struct Duties {
    Suspect server;  // what the server becomes
    std::string pid_file;
    std::string control_socket;  // empty: none
    pid_t server_process = 0;
    // What a configuration names for the keeper to open.
    struct Targets {
      std::vector<config::LogTarget> logs;
      std::vector<std::string> secrets;  // paths of keys and certificates
    };
    // Reads the configuration; nullopt: it has faults.
    std::function<std::optional<Targets>()> read_targets;
    enum class Terminal { keep, leave } terminal = Terminal::keep;
  };

  // Forks. The targets of `read_targets` count from the start.
  static std::expected<std::unique_ptr<Keeper>, std::string> start(const Duties& duties);
  // Lets the process end.
  ~Keeper() override = default;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Has the keeper read the configuration again. What it read before still counts. False: it
  // could not, or is gone.
  bool read_again();
  // The server's own rights are tried first; they are all there is when the keeper is gone.
  std::expected<Descriptor, int> open_file(const std::string& path) override;
  std::expected<LogProgram, int> start_program(const config::LogTarget& target, int input) override;
  // 0, or an errno; EALREADY: it names the server.
  int write_pid_file();
  bool remove_pid_file();
  bool remove_control_socket();
  // Its other end is closed when the keeper is gone.
  const Descriptor& line() const { return line_; }
  // A key or certificate, open for reading. The server's own rights were tried in vain.
  std::expected<Descriptor, int> ask_for_secret(const std::string& path);
  // open_file() without the server's own try.
  std::expected<Descriptor, int> ask_for_file(const std::string& path);

 private:
  explicit Keeper(Descriptor line) : line_(std::move(line)) {}
  std::expected<Descriptor, int> ask(const std::string& question, int attached = -1);

  std::mutex lock_;  // one question at a time
  Descriptor line_;
};

}  // namespace steelyard::server
