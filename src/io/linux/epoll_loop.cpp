#include "io/linux/epoll_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/check.hpp"

namespace steelyard::io {

namespace {

constexpr int events_a_turn = 256;
constexpr std::uint32_t edge_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

WatchedDescriptor::~WatchedDescriptor() {
  if (fd_ < 0) return;
  loop_->forget(*this);
  ::close(fd_);
}

// Another thread writes here to end the wait in epoll.
class EpollLoop::WakeUp final : public WatchedDescriptor {
 public:
  explicit WakeUp(EpollLoop& loop)
      : WatchedDescriptor(loop, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    CHECK(fd_ >= 0);
  }
  void ring() const {
    const std::uint64_t one = 1;
    // A full counter means that the bell is already ringing.
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  }

 private:
  void on_events(std::uint32_t /*events*/) override {
    std::uint64_t rung = 0;
    [[maybe_unused]] const auto got = ::read(fd_, &rung, sizeof rung);
    loop_->run_posted();
  }
};

EpollLoop::EpollLoop()
    : Loop(std::chrono::steady_clock::now(), std::chrono::system_clock::now()),
      epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
  CHECK(epoll_fd_ >= 0);
  wake_up_ = std::make_unique<WakeUp>(*this);
  CHECK(watch(*wake_up_));
}

EpollLoop::~EpollLoop() {
  // Jobs may own descriptors, which leave the loop when they die.
  run_posted();
  while (!deferred_.empty()) run_jobs(deferred_);
  turn_end_ = nullptr;
  wake_up_.reset();
  ::close(epoll_fd_);
}

void EpollLoop::read_clocks() {
  now_ = std::chrono::steady_clock::now();
  wall_now_ = std::chrono::system_clock::now();
}

void EpollLoop::run() {
  while (!stopped_.load(std::memory_order_acquire)) turn(never);
}

void EpollLoop::stop() {
  stopped_.store(true, std::memory_order_release);
  wake_up_->ring();
}

void EpollLoop::turn(Instant until) {
  std::array<epoll_event, events_a_turn> events;
  const Instant wake_at = std::min(until, timers_.next_look());
  int timeout_ms = -1;
  if (!deferred_.empty()) {
    timeout_ms = 0;
  } else if (wake_at != never) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(wake_at - std::chrono::steady_clock::now());
    timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }
  const int count = ::epoll_wait(epoll_fd_, events.data(), events_a_turn, timeout_ms);
  read_clocks();
  pending_ = events.data();
  pending_count_ = std::max(count, 0);
  while (pending_count_ > 0) {
    const epoll_event event = *pending_++;
    --pending_count_;
    if (event.data.ptr != nullptr)
      static_cast<WatchedDescriptor*>(event.data.ptr)->on_events(event.events);
  }
  timers_.turn(now_);
  run_jobs(deferred_);
  // A peer that has its answer finds the line about it on its way to the log.
  if (turn_end_) turn_end_();
  outbox_.send_all();
}

void EpollLoop::run_jobs(std::vector<Job>& jobs) {
  if (jobs.empty()) return;
  running_.swap(jobs);
  for (Job& job : running_) job();
  running_.clear();
}

void EpollLoop::post(Job job) {
  bool first = false;
  {
    const std::lock_guard hold(posted_lock_);
    first = posted_.empty();
    posted_.push_back(std::move(job));
  }
  if (first) wake_up_->ring();
}

void EpollLoop::run_posted() {
  std::vector<Job> jobs;
  {
    const std::lock_guard hold(posted_lock_);
    jobs.swap(posted_);
  }
  for (Job& job : jobs) job();
}

bool EpollLoop::watch(WatchedDescriptor& descriptor) {
  epoll_event event{};
  event.events = edge_events;
  event.data.ptr = &descriptor;
  return ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, descriptor.fd(), &event) == 0;
}

bool EpollLoop::watch_level(WatchedDescriptor& descriptor, std::uint32_t events, bool already) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &descriptor;
  const int operation = already ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  return ::epoll_ctl(epoll_fd_, operation, descriptor.fd(), &event) == 0;
}

void EpollLoop::forget(WatchedDescriptor& descriptor) {
  for (int i = 0; i < pending_count_; ++i)
    if (pending_[i].data.ptr == &descriptor) pending_[i].data.ptr = nullptr;
}

}  // namespace steelyard::io
