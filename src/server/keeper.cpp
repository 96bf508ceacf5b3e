#include "server/keeper.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "server/keeper_line.hpp"
#include "server/keeper_process.hpp"

namespace steelyard::server {

namespace {

// What ask() says then; the keeper itself never answers with it.
constexpr int keeper_is_gone = EPIPE;

std::string question(KeeperQuestion kind, std::string_view text = {}) {
  std::string result(1, static_cast<char>(kind));
  return result += text;
}

}  // namespace

std::expected<std::unique_ptr<Keeper>, std::string> Keeper::start(const Duties& duties) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(std::string(strerror(errno)));
  Descriptor ours(ends[0]);
  Descriptor keepers(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(std::string(strerror(errno)));
  if (child == 0) {
    ours.close();
    keep(keepers, duties);
    ::_exit(0);
  }
  return std::unique_ptr<Keeper>(new Keeper(std::move(ours)));
}

bool Keeper::read_again() { return ask(question(KeeperQuestion::read_configuration)).has_value(); }

std::expected<Descriptor, int> Keeper::open_file(const std::string& path) {
  auto own = OwnRights::instance().open_file(path);
  if (own || own.error() != EACCES) return own;
  auto asked = ask_for_file(path);
  if (!asked && asked.error() == keeper_is_gone) return own;
  return asked;
}

std::expected<Descriptor, int> Keeper::ask_for_file(const std::string& path) {
  auto file = ask(question(KeeperQuestion::open_file, path));
  if (file && !file->is_open()) return std::unexpected(EIO);
  return file;
}

std::expected<Descriptor, int> Keeper::ask_for_secret(const std::string& path) {
  auto file = ask(question(KeeperQuestion::read_secret, path));
  if (file && !file->is_open()) return std::unexpected(EIO);
  return file;
}

std::expected<LogProgram, int> Keeper::start_program(const config::LogTarget& target, int input) {
  const bool shell = target.kind == config::LogTarget::Kind::pipe_shell;
  const auto kind = shell ? KeeperQuestion::start_shell_program : KeeperQuestion::start_program;
  auto exit = ask(question(kind, target.text), input);
  if (!exit && exit.error() == keeper_is_gone)
    return OwnRights::instance().start_program(target, input);
  if (!exit) return std::unexpected(exit.error());
  return LogProgram{.exit = std::move(*exit)};
}

int Keeper::write_pid_file() {
  const auto done = ask(question(KeeperQuestion::write_pid_file));
  return done ? 0 : done.error();
}

bool Keeper::remove_pid_file() {
  return ask(question(KeeperQuestion::remove_pid_file)).has_value();
}

bool Keeper::remove_control_socket() {
  return ask(question(KeeperQuestion::remove_control_socket)).has_value();
}

std::expected<Descriptor, int> Keeper::ask(const std::string& question, int attached) {
  const std::lock_guard guard(lock_);
  // Only a closed line means that nobody is there: a question that cannot be sent is not answered
  // by our own rights instead.
  if (const int error = send_message(line_, question, attached); error != 0)
    return std::unexpected(error);
  auto answer = receive_message(line_);
  if (!answer) return std::unexpected(keeper_is_gone);
  const auto error = parse_unsigned(answer->text);
  if (!error || *error != 0) return std::unexpected(error ? static_cast<int>(*error) : EIO);
  return std::move(answer->attached);
}

}  // namespace steelyard::server
