#include "server/pass_phrases.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/time.hpp"
#include "server/child_program.hpp"

namespace steelyard::server {

namespace {

using Answer = std::expected<std::string, std::string>;

constexpr std::size_t phrase_bytes_max = 1024;
constexpr unsigned tries_max = 6;       // httpd: five more after the first
constexpr int last_patience_ms = 2000;  // for a program that has answered
constexpr Duration patience_at_reload = std::chrono::seconds(30);

std::unexpected<std::string> because(const std::string& what, int error) {
  return std::unexpected(what + ": " + strerror(error));
}

void show(int terminal, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(terminal, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// One line without its end. The error is what is wrong with it.
Answer read_line(int file, std::optional<Instant> deadline) {
  std::string line;
  while (line.size() <= phrase_bytes_max) {
    pollfd wanted{file, POLLIN, 0};
    int left = -1;
    if (deadline) {
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      left = static_cast<int>(std::max<std::int64_t>(rest.count(), 0));
    }
    const int ready = ::poll(&wanted, 1, left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return std::unexpected("no answer in time");
    char byte = 0;
    const ssize_t got = ::read(file, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return because("the answer cannot be read", errno);
    if (got == 0 && line.empty()) return std::unexpected("no answer");
    if (got == 0 || byte == '\n') return line;
    line.push_back(byte);
  }
  return std::unexpected("the answer is too long");
}

// httpd's second word for who is asked: by the number, whatever the key's kind is.
const char* word_for(std::size_t index) {
  constexpr std::array<const char*, 3> words{"RSA", "DSA", "ECC"};
  return index < words.size() ? words[index] : "UNKNOWN";
}

// Nothing that is typed is shown.
class SilentTerminal {
 public:
  explicit SilentTerminal(int file) : file_(file), is_one_(::tcgetattr(file, &before_) == 0) {
    if (!is_one_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(file_, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() {
    if (is_one_) ::tcsetattr(file_, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  int file_;
  termios before_{};
  bool is_one_;
};

}  // namespace

class PhraseProgram {
 public:
  static std::expected<std::unique_ptr<PhraseProgram>, std::string> start(
      std::vector<std::string> words) {
    int to[2], from[2];
    // A socket, as a program that does not read must not end this one by a signal.
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to) != 0)
      return because("no socket", errno);
    Descriptor input(to[0]), told(to[1]);
    if (::pipe2(from, O_CLOEXEC) != 0) return because("no pipe", errno);
    Descriptor said(from[0]), output(from[1]);
    std::unique_ptr<PhraseProgram> program(new PhraseProgram(std::move(told), std::move(said)));
    const std::string name = words[0];
    // It may ask at the terminal.
    const auto child = start_program({.words = std::move(words),
                                      .group = ChildProgram::Group::same,
                                      .input = input.number(),
                                      .output = output.number()});
    if (!child) return because(name + " cannot be started", child.error());
    program->child_ = *child;
    return program;
  }

  // Who has answered ends by itself when it is not asked any more.
  ~PhraseProgram() {
    told_.close();
    said_.close();
    if (child_ <= 0) return;
    const Descriptor exit(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
    pollfd ended{exit.number(), POLLIN, 0};
    if (is_given_up_ || ::poll(&ended, 1, last_patience_ms) != 1) ::kill(child_, SIGKILL);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  PhraseProgram(const PhraseProgram&) = delete;
  PhraseProgram& operator=(const PhraseProgram&) = delete;

  Answer ask(std::string_view question, std::optional<Instant> deadline) {
    // One that does not read what it is told may answer all the same.
    ::send(told_.number(), question.data(), question.size(), MSG_NOSIGNAL);
    Answer answer = read_line(said_.number(), deadline);
    is_given_up_ = !answer;
    return answer;
  }

 private:
  PhraseProgram(Descriptor told, Descriptor said)
      : told_(std::move(told)), said_(std::move(said)) {}

  Descriptor told_, said_;
  pid_t child_ = 0;
  bool is_given_up_ = false;
};

PassPhrases::PassPhrases() = default;
PassPhrases::PassPhrases(PassPhrases&&) noexcept = default;
PassPhrases::~PassPhrases() {
  for (std::string& phrase : known_) ::explicit_bzero(phrase.data(), phrase.size());
}

void PassPhrases::begin(const config::PassPhraseDialog& dialog, Asker asker) {
  dialog_ = dialog;
  asker_ = asker;
  has_introduced_itself_ = false;
}

void PassPhrases::end() { program_.reset(); }

void PassPhrases::keep(std::string phrase) { known_.push_back(std::move(phrase)); }

Answer PassPhrases::ask(const tls::LockedKey& key, unsigned wrong) {
  using Kind = config::PassPhraseDialog::Kind;
  if (dialog_.kind == Kind::program) return ask_program(key, wrong);
  if (wrong >= tries_max) return std::unexpected("all answers were wrong");
  if (dialog_.kind == Kind::dialog) return ask_dialog(key, wrong);
  return ask_terminal(key, wrong);
}

namespace {

std::optional<Instant> deadline_of(PassPhrases::Asker asker) {
  if (asker == PassPhrases::Asker::start) return std::nullopt;
  return std::chrono::steady_clock::now() + patience_at_reload;
}

}  // namespace

Answer PassPhrases::ask_program(const tls::LockedKey& key, unsigned wrong) {
  if (wrong > 0) return std::unexpected("what " + dialog_.command + " says is wrong");
  auto program = PhraseProgram::start({dialog_.command, key.server, word_for(key.index)});
  if (!program) return std::unexpected(std::move(program.error()));
  Answer answer = (*program)->ask({}, deadline_of(asker_));
  if (!answer) return std::unexpected(dialog_.command + ": " + answer.error());
  return answer;
}

Answer PassPhrases::ask_dialog(const tls::LockedKey& key, unsigned wrong) {
  if (program_ == nullptr) {
    auto program = PhraseProgram::start({"/bin/sh", "-c", dialog_.command});
    if (!program) return std::unexpected(std::move(program.error()));
    program_ = std::move(*program);
  }
  Answer answer = program_->ask(question(key, wrong), deadline_of(asker_));
  if (!answer) return std::unexpected(dialog_.command + ": " + answer.error());
  return answer;
}

Answer PassPhrases::ask_terminal(const tls::LockedKey& key, unsigned wrong) {
  if (asker_ == Asker::reload)
    return std::unexpected("it was not there at the start, and nobody is asked at a reload");
  const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.is_open()) return std::unexpected("there is no terminal to ask at");
  const SilentTerminal silent(terminal.number());
  show(terminal.number(), question(key, wrong));
  Answer answer = read_line(terminal.number(), std::nullopt);
  show(terminal.number(), "\n");
  return answer;
}

// In httpd's words: programs look for them.
std::string PassPhrases::question(const tls::LockedKey& key, unsigned wrong) {
  constexpr std::string_view prompt = "Enter pass phrase:";
  if (wrong > 0) {
    const unsigned left = tries_max - wrong;
    return "\nApache:mod_ssl:Error: Pass phrase incorrect (" + std::to_string(left) + " more retr" +
           (left == 1 ? "y" : "ies") + " permitted).\n" + std::string(prompt);
  }
  std::string text;
  if (!std::exchange(has_introduced_itself_, true)) {
    text =
        "Steelyard mod_ssl (Pass Phrase Dialog)\n"
        "Some of your private key files are encrypted for security reasons.\n"
        "In order to read them you have to provide the pass phrases.\n";
  }
  return text + "\nPrivate key " + key.server + ':' + std::to_string(key.index) + " (" + key.path +
         ")\n" + std::string(prompt);
}

}  // namespace steelyard::server
