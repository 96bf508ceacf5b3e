#include "io/sim/sim_network.hpp"

#include <algorithm>
#include <cstring>

namespace steelyard::io {

SimLoop::SimLoop() : Loop(Instant{} + std::chrono::hours(1), WallTime{} + std::chrono::hours(24)) {}

void SimLoop::turn() {
  for (std::size_t left = jobs_.size(); left > 0; --left) {
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
  }
  if (turn_end_) turn_end_();
}

void SimLoop::settle() {
  while (!jobs_.empty()) {
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
    if (jobs_.empty() && turn_end_) turn_end_();
  }
}

void SimLoop::advance(Duration time) {
  const Instant target = now_ + time;
  while (now_ < target) {
    const Duration step = std::min<Duration>(target - now_, TimerWheel::slot_width);
    now_ += step;
    wall_now_ += std::chrono::duration_cast<WallTime::duration>(step);
    timers_.turn(now_);
    settle();
  }
}

SimPair connect_pair(SimLoop& loop, const SimLink& link) {
  auto line = std::make_shared<SimStream::Line>();
  line->link = link;
  SimPair pair;
  pair.program.reset(new SimStream(loop, line, 0));
  pair.peer.reset(new SimStream(loop, line, 1));
  line->ends[0] = pair.program.get();
  line->ends[1] = pair.peer.get();
  return pair;
}

SimStream::~SimStream() {
  line_->ends[side_] = nullptr;
  outgoing().ended = true;
  if (resets_) outgoing().broken = true;
  tell_other(true, true);
}

// News reach the other side in a turn of its own, as they would through a kernel.
void SimStream::tell_other(bool readable, bool writable) {
  loop_.post([line = line_, to = 1 - side_, readable, writable] {
    if (line->ends[to] != nullptr) line->ends[to]->became(readable, writable);
  });
}

IoResult SimStream::read(std::span<char> room) {
  if (!readable_) return {IoStatus::would_block};
  Direction& way = incoming();
  if (way.broken) return {IoStatus::failed, 0, 104};
  if (way.bytes.empty()) {
    if (way.ended) return {IoStatus::end};
    readable_ = false;
    return {IoStatus::would_block};
  }
  const std::size_t count = std::min({room.size(), way.bytes.size(), line_->link.read_max});
  std::memcpy(room.data(), way.bytes.data(), count);
  way.bytes.erase(0, count);
  tell_other(false, true);
  return {IoStatus::ok, count};
}

IoResult SimStream::write(std::span<const std::string_view> pieces) {
  Direction& way = outgoing();
  if (line_->ends[1 - side_] == nullptr || incoming().broken) return {IoStatus::failed, 0, 32};
  std::size_t room =
      line_->link.window_bytes - std::min(line_->link.window_bytes, way.bytes.size());
  std::size_t wanted = 0, count = 0;
  for (const std::string_view piece : pieces) {
    wanted += piece.size();
    const std::string_view part = piece.substr(0, room - count);
    if (!line_->refuses) way.bytes.append(part);
    count += part.size();
  }
  if (count == 0 && wanted != 0) {
    writable_ = false;
    return {IoStatus::would_block};
  }
  if (count < wanted) writable_ = false;
  if (line_->refuses) {
    incoming().broken = true;
    became(true, false);
  } else {
    tell_other(true, false);
  }
  return {IoStatus::ok, count};
}

void SimStream::end_writing() {
  outgoing().ended = true;
  tell_other(true, false);
}

bool SimStream::silent_and_open() {
  const Direction& way = incoming();
  return way.bytes.empty() && !way.ended && !way.broken && line_->ends[1 - side_] != nullptr;
}

std::string SimStream::take_all() {
  std::string all = std::move(incoming().bytes);
  incoming().bytes.clear();
  tell_other(false, true);
  return all;
}

void SimStream::say(std::string_view text) {
  outgoing().bytes.append(text);
  tell_other(true, false);
}

bool SimStream::ended() const { return incoming().ended; }

void SimStream::refuse_from_now_on() { line_->refuses = true; }

void SimDialer::listen(const std::string& host_and_port, OnDial on_dial, const SimLink& link) {
  listening_[host_and_port] = {std::move(on_dial), link};
}

Task<Dialed> SimDialer::dial(DialTarget target, Duration timeout) {
  ++dials_;
  if (!has_descriptors_) {
    co_return std::unexpected(DialFailure{DialFailure::Cause::exhausted, "no descriptors"});
  }
  const std::string place = std::string(target.host) + ":" + std::to_string(target.port);
  if (unknown_names_.contains(std::string(target.host))) {
    co_return std::unexpected(DialFailure{DialFailure::Cause::no_such_name, "no such name"});
  }
  const auto literal = IpAddress::parse(target.host);
  if (literal && std::ranges::find(target.barred, *literal) != target.barred.end()) {
    co_return std::unexpected(DialFailure{DialFailure::Cause::barred, "barred"});
  }
  if (silent_.contains(place)) {
    WaitTimer timer(loop_.timers());
    Wait wait(timer, loop_.now() + timeout);
    co_await wait.called();
    co_return std::unexpected(DialFailure{DialFailure::Cause::timed_out, "timed out"});
  }
  const auto found = listening_.find(place);
  if (found == listening_.end()) {
    co_return std::unexpected(DialFailure{DialFailure::Cause::refused, "refused"});
  }
  SimPair pair = connect_pair(loop_, found->second.link);
  if (const auto ip = IpAddress::parse(target.host)) pair.program->set_dialed({*ip, target.port});
  found->second.on_dial(std::move(pair.peer));
  co_return std::move(pair.program);
}

Task<NameReply> SimDialer::ask(std::string /*name*/, NameQuestion /*question*/) {
  NameReply reply;
  reply.addresses = {IpAddress::v4(0x7f000001)};
  co_return reply;
}

Task<std::string> SimDialer::name_of(IpAddress /*address*/) { co_return "localhost"; }

}  // namespace steelyard::io
