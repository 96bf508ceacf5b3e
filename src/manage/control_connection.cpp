#include "manage/control_connection.hpp"

#include <array>

#include "io/next_turn.hpp"
#include "manage/control_answers.hpp"

namespace steelyard::manage {

namespace {

// How often one who waits is told apart from one who is gone, and a drain looked at.
constexpr Duration wait_step = DrainWatch::interval;

std::string too_long_answer() {
  return fault_answer(
      {.text = "a line has at most " + std::to_string(control_line_bytes_max) + " bytes"});
}

}  // namespace

ControlConnection::ControlConnection(io::Loop& loop, ControlDesk& desk,
                                     std::unique_ptr<io::Stream> stream, std::string who,
                                     std::function<void()> on_end)
    : loop_(loop),
      desk_(desk),
      stream_(std::move(stream)),
      who_(std::move(who)),
      on_end_(std::move(on_end)),
      timer_(loop.timers()),
      task_(serve()) {}

io::Task<> ControlConnection::serve() {
  while (true) {
    const Input input = co_await read_line();
    if (input == Input::too_long) (void)co_await write(too_long_answer());
    if (input != Input::line) break;
    std::string reply;
    auto request = parse_request(line_);
    if (request) {
      reply = co_await answer(std::move(*request));
    } else {
      reply = fault_answer(request.error());
    }
    if (reply.empty() || !co_await write(std::move(reply))) break;
    // One that never stops sending would have the thread to itself, and its stop would never come.
    co_await io::NextTurn(loop_);
  }
  stream_->settle();  // the last answer would be lost with the stream
  on_end_();
}

io::Task<ControlConnection::Input> ControlConnection::read_line() {
  const Instant deadline = loop_.now() + control_idle_max;
  while (!take_line()) {
    if (received_.size() > control_line_bytes_max) co_return Input::too_long;
    if (ended_) co_return Input::ended;
    take_bytes();
    if (ended_ || received_.contains('\n') || received_.size() > control_line_bytes_max) continue;
    const io::Woken woken = co_await io::Wait(timer_, deadline).readable(*stream_);
    if (woken == io::Woken::timed_out) co_return Input::ended;
  }
  co_return Input::line;
}

bool ControlConnection::take_line() {
  const std::size_t end = received_.find('\n');
  if (end == std::string::npos || end > control_line_bytes_max) return false;
  line_ = received_.substr(0, end);
  received_.erase(0, end + 1);
  return true;
}

void ControlConnection::take_bytes() {
  std::array<char, control_line_bytes_max + 1> room;
  while (received_.size() <= control_line_bytes_max) {
    const io::IoResult result =
        stream_->read(std::span(room).first(control_line_bytes_max + 1 - received_.size()));
    if (result.status == io::IoStatus::would_block) return;
    if (result.status != io::IoStatus::ok) {
      ended_ = true;
      return;
    }
    received_.append(room.data(), result.bytes);
  }
}

// Empty: nobody is there any more to hear it.
io::Task<std::string> ControlConnection::answer(ControlRequest request) {
  if (request.command == ControlRequest::Command::wait)
    co_return co_await wait_for_drain(std::move(request));
  co_return desk_.answer(request, who_);
}

io::Task<std::string> ControlConnection::wait_for_drain(ControlRequest request) {
  const auto awaited = desk_.find_drain(request);
  if (!awaited) co_return fault_answer(awaited.error());
  while (true) {
    if (auto over = desk_.answer_when_over(*awaited)) co_return std::move(*over);
    const Instant next = std::min(awaited->deadline, loop_.now() + wait_step);
    io::Wait wait(timer_, next);
    // A line that came meanwhile is for later.
    if (!ended_ && received_.size() <= control_line_bytes_max) wait.readable(*stream_);
    if (co_await wait == io::Woken::ready) take_bytes();
    if (stream_->has_hung_up()) co_return {};
  }
}

io::Task<bool> ControlConnection::write(std::string answer) {
  answer += '\n';
  std::string_view rest = answer;
  const Instant deadline = loop_.now() + control_write_max;
  while (!rest.empty()) {
    const io::IoResult result = stream_->write(std::span(&rest, 1));
    if (result.status == io::IoStatus::ok) {
      rest.remove_prefix(result.bytes);
      continue;
    }
    if (result.status != io::IoStatus::would_block) co_return false;
    const io::Woken woken = co_await io::Wait(timer_, deadline).writable(*stream_);
    if (woken == io::Woken::timed_out) co_return false;
  }
  co_return true;
}

}  // namespace steelyard::manage
