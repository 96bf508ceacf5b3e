#include "server/control_line.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

#include "server/configuration.hpp"

namespace steelyard::server {

namespace {

// Of ten thousand members it is five million bytes.
constexpr std::size_t answer_bytes_max = std::size_t{256} << 20;

}  // namespace

std::expected<std::string, std::string> path_of_socket(const manage::CtlWords& words) {
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
                    "--socket PATH does without it: the pid file's name and .ctl, unless "
                    "SteelyardControlSocket says otherwise\n{}",
                    describe_all(read.error(), ShowNotes::no)));
  }
  if (const auto& path = read->config->control_socket; path && !path->empty()) return *path;
  return std::unexpected("the configuration has SteelyardControlSocket Off");
}

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

std::expected<void, std::string> print_answer(std::string_view text) {
  errno = 0;
  const bool is_taken = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (std::fflush(stdout) == 0 && is_taken) return {};
  return std::unexpected(
      fmt::format("the answer could not be written: {}", std::generic_category().message(errno)));
}

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

}  // namespace steelyard::server
