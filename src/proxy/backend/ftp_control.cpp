#include "proxy/backend/ftp_control.hpp"

#include <algorithm>
#include <array>

#include "proxy/ending.hpp"

namespace steelyard::proxy {

namespace {

constexpr std::size_t read_bytes = 4096;
constexpr int going_away = 421;

}  // namespace

io::Task<bool> FtpControl::ask(std::string command) {
  next_reply();
  const Instant deadline = std::min(core_.now() + patience_, over_at_);
  if (!command.empty()) command += "\r\n";
  std::string_view left = command;
  while (!left.empty()) {
    const std::array pieces{left};
    const io::IoResult result = stream_.write(pieces);
    left.remove_prefix(result.bytes);
    sent_ += result.bytes;
    if (result.status == io::IoStatus::ok) continue;
    if (result.status != io::IoStatus::would_block) {
      ending_ = result;
      co_return false;
    }
    io::Wait wait(client_.timer, deadline);
    timed_out_ = co_await wait.writable(stream_) == io::Woken::timed_out;
    if (timed_out_) co_return false;
  }
  while (true) {
    const Heard heard = listen();
    if (heard == Heard::reply) co_return code() != going_away;
    if (heard == Heard::broken) co_return false;
    io::Wait wait(client_.timer, deadline);
    timed_out_ = co_await wait.readable(stream_) == io::Woken::timed_out;
    if (timed_out_) co_return false;
  }
}

FtpControl::Heard FtpControl::listen() {
  while (true) {
    std::string_view data = rest_;
    const auto progress = reader_.read(data);
    rest_.erase(0, rest_.size() - data.size());
    if (progress == ftp::ReplyReader::Progress::complete) return Heard::reply;
    if (progress == ftp::ReplyReader::Progress::too_long) return Heard::broken;
    std::array<char, read_bytes> room;
    const io::IoResult result = stream_.read(room);
    if (result.status == io::IoStatus::would_block) return Heard::nothing_yet;
    if (result.status != io::IoStatus::ok) {
      ending_ = result;
      return Heard::broken;
    }
    rest_.assign(room.data(), result.bytes);
    lines_ += static_cast<std::size_t>(std::ranges::count(rest_, '\n'));
    if (lines_ > ftp_lines_max) return Heard::broken;
    heard_ += result.bytes;
  }
}

void FtpControl::say(std::string_view command) {
  const std::array<std::string_view, 2> pieces{command, "\r\n"};
  sent_ += stream_.write(pieces).bytes;
  (void)stream_.settle();
}

Failure FtpControl::failure() const {
  if (timed_out_) return {Party::backend, Cause::timed_out, heard_ != 0};
  // Its own status: the client's connection is not closed without a word (httpd).
  if (ending_.status != io::IoStatus::ok)
    return {Party::backend, Cause::closed, heard_ != 0,
            ending_words(ending_, "it closed the control connection"), 502};
  return {Party::backend, Cause::bad_message, heard_ != 0, "Error reading from remote server"};
}

}  // namespace steelyard::proxy
