#include "server/top.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "manage/ctl_report.hpp"
#include "manage/ctl_words.hpp"
#include "manage/top_screen.hpp"
#include "server/control_line.hpp"
#include "server/control_socket.hpp"

namespace steelyard::server {

namespace {

using manage::CtlExit;
using manage::CtlWords;
using manage::TopView;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds look_interval{1};
// A server that is stopped answers never; the screen says so and asks again.
constexpr std::chrono::seconds answer_time_max{5};

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int fail(CtlExit exit, std::string_view text) {
  const std::string line = fmt::format("steelyard top: {}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
  return static_cast<int>(exit);
}

volatile std::sig_atomic_t told_to_end = 0;
extern "C" void note_end(int /*signal*/) { told_to_end = 1; }

// Keys come one by one and unseen, on a screen of its own; as it was before at the end, also when a
// signal ends the program.
class Terminal {
 public:
  Terminal() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    struct sigaction action{};
    action.sa_handler = note_end;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
    write_out("\x1b[?1049h\x1b[?25l");
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    write_out("\x1b[?25h\x1b[?1049l");
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  static void measure(TopView& view) {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
      size.ws_col = 80;
      size.ws_row = 24;
    }
    view.width = size.ws_col;
    view.height = size.ws_row;
  }

  // One key with its escape sequence; empty: none came until `until`.
  std::string next_key(Clock::time_point until) {
    if (!typed_.empty()) return take_first();
    pollfd wanted{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const int milliseconds = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    if (poll(&wanted, 1, milliseconds) <= 0) return {};
    std::array<char, 16> room{};
    const ssize_t got = read(STDIN_FILENO, room.data(), room.size());
    if (got <= 0) return "q";  // nobody types any more
    typed_.assign(room.data(), static_cast<std::size_t>(got));
    return take_first();
  }

 private:
  std::string take_first() {
    std::size_t length = 1;
    if (typed_.starts_with("\x1b["))
      length = std::min(typed_.find_first_not_of("0123456789;", 2), typed_.size() - 1) + 1;
    std::string key = typed_.substr(0, length);
    typed_.erase(0, length);
    return key;
  }

  termios before_{};
  std::string typed_;  // and not taken yet
};

// Asks again and again, over restarts of the server too.
class Source {
 public:
  Source(std::string path, std::string request)
      : path_(std::move(path)), request_(std::move(request)) {}

  std::expected<std::string, std::string> ask() {
    if (!line_) {
      auto connected = connect_to_control_socket(path_);
      if (!connected) return std::unexpected(std::move(connected.error()));
      line_ = std::move(*connected);
      limit_time(*line_, answer_time_max);
    }
    (void)send_line(*line_, request_);
    auto answer = receive_line(*line_);
    if (!answer) line_.reset();
    return answer;
  }

 private:
  const std::string path_, request_;
  std::optional<Descriptor> line_;
};

// A terminal that knows escape sequences; editors and logs call theirs dumb.
bool has_screen() {
  const char* const kind = std::getenv("TERM");
  if (kind != nullptr && std::string_view(kind) == "dumb") return false;
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

void draw(const std::string& answer, TopView& view, std::string_view fault) {
  Terminal::measure(view);
  std::string text = "\x1b[H";
  for (const std::string& line : manage::top_screen(answer, view, fault)) {
    if (text.size() > 3) text += "\r\n";
    text += line + "\x1b[K";
  }
  write_out(text + "\x1b[J");
}

int show(Source& source, std::string answer) {
  TopView view{.has_colours = std::getenv("NO_COLOR") == nullptr};
  Terminal terminal;
  std::string fault;
  auto next_look = Clock::now() + look_interval;
  draw(answer, view, fault);
  while (told_to_end == 0) {
    const std::string key = terminal.next_key(next_look);
    if (!key.empty()) {
      const TopView::Pressed pressed = view.press(key);
      if (pressed == TopView::Pressed::quit) return 0;
      if (pressed == TopView::Pressed::view) draw(answer, view, fault);
    }
    if (Clock::now() < next_look) continue;
    next_look = Clock::now() + look_interval;
    if (!view.paused) {
      auto news = source.ask();
      fault = news ? "" : news.error();
      if (news) answer = std::move(*news);
    }
    draw(answer, view, fault);
  }
  return 0;
}

}  // namespace

int run_top(std::span<const char* const> words) {
  const auto parsed = manage::parse_ctl_words(words, "top");
  if (!parsed) return fail(CtlExit::usage, parsed.error());
  if (!parsed->help.empty()) {
    const auto printed = print_answer(manage::ctl_help("top"));
    return printed ? 0 : fail(CtlExit::failed, printed.error());
  }
  auto path = path_of_socket(*parsed);
  if (!path) return fail(CtlExit::failed, path.error());
  Source source(std::move(*path), parsed->requests.front());
  auto answer = source.ask();
  if (!answer) return fail(CtlExit::failed, answer.error());
  const manage::CtlReport report = manage::report_answer(*parsed, *answer);
  if (report.exit == CtlExit::done && has_screen() && !parsed->as_json)
    return show(source, std::move(*answer));
  const auto printed = print_answer(report.out);
  std::fwrite(report.complaint.data(), 1, report.complaint.size(), stderr);
  if (!printed) return fail(CtlExit::failed, printed.error());
  return static_cast<int>(report.exit);
}

}  // namespace steelyard::server
