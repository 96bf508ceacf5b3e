#include "server/keeper_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "server/control_socket.hpp"
#include "server/keeper_line.hpp"
#include "server/pid_file.hpp"

namespace steelyard::server {

namespace {

using config::LogTarget;

// Of earlier configurations; one with more targets of its own keeps all of these.
constexpr std::size_t targets_kept_max = 1024;

struct Answer {
  int error = 0;
  Descriptor attached = Descriptor();
};

class KeeperProcess {
 public:
  explicit KeeperProcess(const Keeper::Duties& duties) : duties_(duties) { read(); }

  Answer answer(KeeperMessage& question) {
    end_of_programs();
    const std::string text = question.text.substr(1);
    switch (static_cast<KeeperQuestion>(question.text[0])) {
      case KeeperQuestion::read_configuration:
        return {.error = read() ? 0 : EINVAL};
      case KeeperQuestion::open_file:
        return open_file({.text = text});
      case KeeperQuestion::read_secret:
        return read_secret(text);
      case KeeperQuestion::start_program:
        return start_program({.kind = LogTarget::Kind::pipe, .text = text}, question.attached);
      case KeeperQuestion::start_shell_program:
        return start_program({.kind = LogTarget::Kind::pipe_shell, .text = text},
                             question.attached);
      case KeeperQuestion::write_pid_file:
        return write_pid_file();
      case KeeperQuestion::remove_pid_file:
        remove_pid_file(duties_.pid_file, duties_.server_process);
        return {};
      case KeeperQuestion::remove_control_socket:
        if (!duties_.control_socket.empty()) remove_control_socket(duties_.control_socket);
        return {};
    }
    return {.error = EINVAL};
  }

 private:
  struct Program {
    pid_t process;
    LogTarget target;
  };

  // What was read once stays: a reload may still fail after this, and exchanges of any earlier
  // generation may write their last lines. The oldest go when they are too many.
  bool read() {
    const auto fresh = duties_.read_targets();
    if (!fresh) return false;
    for (const LogTarget& target : fresh->logs) {
      std::erase(targets_, target);
      targets_.push_back(target);
    }
    // Keys are only read while a configuration is taken.
    secrets_ = fresh->secrets;
    const std::size_t kept = std::max(fresh->logs.size(), targets_kept_max);
    if (targets_.size() > kept)
      targets_.erase(targets_.begin(), targets_.end() - static_cast<std::ptrdiff_t>(kept));
    return true;
  }

  bool is_configured(const LogTarget& target) const {
    return std::ranges::find(targets_, target) != targets_.end();
  }

  Answer open_file(const LogTarget& target) {
    if (!is_configured(target)) return {.error = EPERM};
    auto file = open_trusted(target.text, TrustedFile::log, duties_.server);
    if (!file) return {.error = file.error()};
    return {.attached = std::move(*file)};
  }

  Answer read_secret(const std::string& path) {
    if (std::ranges::find(secrets_, path) == secrets_.end()) return {.error = EPERM};
    auto file = open_trusted(path, TrustedFile::secret, duties_.server);
    if (!file) return {.error = file.error()};
    return {.attached = std::move(*file)};
  }

  Answer write_pid_file() {
    const auto found = read_pid_file(duties_.pid_file);
    if (found && *found && (*found)->pid == duties_.server_process) return {.error = EALREADY};
    const auto written =
        write_trusted_pid_file(duties_.pid_file, duties_.server_process, duties_.server);
    return {.error = written ? 0 : written.error()};
  }

  Answer start_program(const LogTarget& target, const Descriptor& input) {
    if (!is_configured(target) || !input.is_open()) return {.error = EPERM};
    const auto running = std::ranges::count(programs_, target, &Program::target);
    if (std::cmp_greater_equal(running, Keeper::programs_a_target_max)) return {.error = EAGAIN};
    auto program = start_log_program(target, input.number());
    if (!program) return {.error = program.error()};
    programs_.push_back({program->child, target});
    return {.attached = std::move(program->exit)};
  }

  void end_of_programs() {
    std::erase_if(programs_, [](const Program& program) {
      return ::waitpid(program.process, nullptr, WNOHANG) == program.process;
    });
  }

  const Keeper::Duties& duties_;
  std::vector<LogTarget> targets_;  // those read last stand last
  std::vector<std::string> secrets_;
  std::vector<Program> programs_;
};

void leave_terminal() {
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing.is_open()) return;
  for (int standard = 0; standard <= 2; ++standard) ::dup2(nothing.number(), standard);
}

// Ends with its server only: signals to the process group are not for it. Nothing that the server
// had open by then stays open here.
void become_keeper(const Descriptor& line, Keeper::Duties::Terminal terminal) {
  ::prctl(PR_SET_NAME, "keeper");
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  const auto number = static_cast<unsigned>(line.number());
  if (number > 3) ::close_range(3, number - 1, 0);
  ::close_range(number + 1, ~0U, 0);
  if (terminal == Keeper::Duties::Terminal::leave) leave_terminal();
}

}  // namespace

void keep(const Descriptor& line, const Keeper::Duties& duties) noexcept {
  become_keeper(line, duties.terminal);
  KeeperProcess process(duties);
  while (auto question = receive_message(line)) {
    const Answer answer = process.answer(*question);
    if (send_message(line, std::to_string(answer.error), answer.attached.number()) != 0) return;
  }
}

}  // namespace steelyard::server
