#include "server/ctl.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "manage/ctl_report.hpp"
#include "manage/ctl_words.hpp"
#include "server/configuration.hpp"
#include "server/control_socket.hpp"

namespace steelyard::server {

namespace {

using manage::CtlExit;
using manage::CtlWords;

// Of ten thousand members it is five million bytes.
constexpr std::size_t answer_bytes_max = std::size_t{256} << 20;
// For all but waiting. A server that is busy answers within milliseconds; one that was stopped
// (SIGSTOP) or hangs never does, and a script would hang with it.
constexpr std::chrono::seconds answer_time_max{30};

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int fail(CtlExit exit, std::string_view text) {
  complain(fmt::format("steelyard ctl: {}\n", text));
  return static_cast<int>(exit);
}

std::expected<std::string, std::string> path_of_socket(const CtlWords& words) {
  if (!words.socket.empty()) return words.socket;
  Options options;
  options.config_file = words.config_file;
  options.server_root = words.server_root;
  options.defines = words.defines;
  options.before = words.before;
  options.after = words.after;
  const auto read = read_configuration(options, Purpose::look);
  if (!read) {
    return std::unexpected(
        fmt::format("the configuration, which says where the control socket is, has faults; "
                    "--socket PATH does without it\n{}",
                    describe_all(read.error(), ShowNotes::no)));
  }
  if (const auto& path = read->config->control_socket; path && !path->empty()) return *path;
  return std::unexpected("the configuration has SteelyardControlSocket Off");
}

// For each piece, in either direction; 0: for ever.
void limit_time(const Descriptor& line, std::chrono::seconds most) {
  const timeval time{.tv_sec = most.count(), .tv_usec = 0};
  for (const int way : {SO_RCVTIMEO, SO_SNDTIMEO})
    (void)::setsockopt(line.number(), SOL_SOCKET, way, &time, sizeof time);
}

bool send_line(const Descriptor& line, std::string text) {
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t sent = ::send(line.number(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The server answers one line at a time, so nothing follows its end.
std::expected<std::string, std::string> receive_line(const Descriptor& line) {
  std::string answer;
  char room[16 << 10];
  while (answer.size() < answer_bytes_max) {
    const ssize_t got = ::recv(line.number(), room, sizeof room, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::unexpected("the server does not answer");
    if (got <= 0) return std::unexpected("the server ended before it answered");
    answer.append(room, static_cast<std::size_t>(got));
    if (answer.back() != '\n') continue;
    answer.pop_back();
    return answer;
  }
  return std::unexpected("the answer is too long");
}

int ask(const CtlWords& words, const Descriptor& line) {
  for (const std::string& request : words.requests) {
    const bool is_late = manage::is_answered_late(request);
    limit_time(line, is_late ? std::chrono::seconds(0) : answer_time_max);
    // One that was turned away has got its answer already.
    (void)send_line(line, request);
    const auto answer = receive_line(line);
    if (!answer) return fail(CtlExit::failed, answer.error());
    const manage::CtlReport report = manage::report_answer(words, *answer);
    print(report.out);
    std::fflush(stdout);
    complain(report.complaint);
    if (report.exit != CtlExit::done) return static_cast<int>(report.exit);
  }
  return 0;
}

}  // namespace

int run_ctl(std::span<const char* const> words) {
  const auto parsed = manage::parse_ctl_words(words);
  if (!parsed) return fail(CtlExit::usage, parsed.error());
  if (!parsed->help.empty()) {
    print(parsed->help);
    return 0;
  }
  const auto path = path_of_socket(*parsed);
  if (!path) return fail(CtlExit::failed, path.error());
  const auto line = connect_to_control_socket(*path);
  if (!line) return fail(CtlExit::failed, line.error());
  return ask(*parsed, *line);
}

}  // namespace steelyard::server
