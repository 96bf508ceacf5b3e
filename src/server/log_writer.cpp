#include "server/log_writer.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.hpp"
#include "server/error_line.hpp"

namespace steelyard::server {

namespace {

constexpr std::size_t spare_batches_max = 64;
constexpr std::size_t spare_batch_bytes_max = std::size_t{1} << 20;

bool is_standard_error(const LogOutput& log) {
  struct stat found{};
  if (::fstat(STDERR_FILENO, &found) != 0) return false;
  return log.file() == FileIdentity{found.st_dev, found.st_ino};
}

Instant steady_now() { return std::chrono::steady_clock::now(); }

}  // namespace

LogWriter::LogWriter() : wake_up_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(wake_up_.is_open());
}

LogWriter::~LogWriter() { stop(); }

void LogWriter::start() {
  CHECK(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void LogWriter::stop() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake();
  if (thread_.joinable()) {
    thread_.join();
  } else {
    drain();
  }
}

void LogWriter::install(LogOutputId id, std::unique_ptr<LogOutput> output) {
  enqueue(Item{.id = id, .installed = std::move(output), .kind = Item::Kind::install});
}

void LogWriter::remove(LogOutputId id) { enqueue(Item{.id = id, .kind = Item::Kind::remove}); }

void LogWriter::enqueue(Item item) {
  {
    const std::lock_guard guard(lock_);
    queue_.push_back(std::move(item));
  }
  if (asleep_.exchange(false)) wake();
}

void LogWriter::hand_over(LogBatch& batch) {
  {
    const std::lock_guard guard(lock_);
    if (queued_bytes_ + batch.bytes.size() > queued_bytes_max) {
      lines_dropped_ += static_cast<std::uint64_t>(std::ranges::count(batch.bytes, '\n'));
      batch.clear();
      return;
    }
    queued_bytes_ += batch.bytes.size();
    queue_.push_back(Item{.batch = std::move(batch)});
    if (spare_.empty()) {
      batch = LogBatch();
    } else {
      batch = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (asleep_.exchange(false)) wake();
}

void LogWriter::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = ::write(wake_up_.number(), &one, sizeof one);
}

void LogWriter::run() {
  std::vector<Item> items;
  bool running = true;
  while (running) {
    running = take_queue(items);
    const bool had_work = !items.empty();
    for (Item& item : items) carry_out(item);
    flush_all(steady_now());
    if (!had_work && !running) break;
    if (running) sleep(had_work);
  }
  drain();
}

// False when the writer is asked to stop; what was queued is in `items` nevertheless.
bool LogWriter::take_queue(std::vector<Item>& items) {
  const std::lock_guard guard(lock_);
  for (Item& item : items) {
    if (item.kind != Item::Kind::lines || spare_.size() >= spare_batches_max) continue;
    if (item.batch.bytes.capacity() > spare_batch_bytes_max) continue;
    item.batch.clear();
    spare_.push_back(std::move(item.batch));
  }
  items.clear();
  items.swap(queue_);
  queued_bytes_ = 0;
  return !stopping_;
}

void LogWriter::carry_out(Item& item) {
  switch (item.kind) {
    case Item::Kind::lines:
      spread(item.batch);
      break;
    case Item::Kind::install: {
      auto& place = outputs_[item.id];
      if (place) {
        place->flush(steady_now());
        item.installed->adopt(*place);
      }
      place = std::move(item.installed);
      break;
    }
    case Item::Kind::remove:
      if (const auto found = outputs_.find(item.id); found != outputs_.end()) {
        found->second->flush(steady_now());
        lines_dropped_ += found->second->unread_lines();
        outputs_.erase(found);
      }
      break;
  }
}

void LogWriter::spread(const LogBatch& batch) {
  std::string_view rest = batch.bytes;
  for (const auto& piece : batch.pieces) {
    const auto found = outputs_.find(piece.output);
    if (found != outputs_.end()) {
      found->second->append(rest.substr(0, piece.bytes), piece.level);
    } else {
      lines_dropped_ +=
          static_cast<std::uint64_t>(std::ranges::count(rest.substr(0, piece.bytes), '\n'));
    }
    rest.remove_prefix(piece.bytes);
  }
}

bool LogWriter::flush_all(Instant now) {
  bool all_written = true;
  std::vector<std::string> notices;
  for (auto& [id, output] : outputs_) {
    output->tend(now);
    all_written &= output->flush(now);
    if (auto notice = output->take_notice(now); !notice.empty())
      notices.push_back(std::move(notice));
  }
  if (const auto notice = own_notice(now); !notice.empty()) notices.push_back(notice);
  for (const std::string& notice : notices) tell(notice);
  return all_written && notices.empty();
}

// Lines that never reached an output: more than the queue holds, or for a log that was closed.
std::string LogWriter::own_notice(Instant now) {
  const std::uint64_t dropped = lines_dropped();
  if (dropped == lines_dropped_told_ || now < next_own_notice_) return {};
  next_own_notice_ = now + LogOutput::drop_notice_period;
  const std::uint64_t untold = dropped - std::exchange(lines_dropped_told_, dropped);
  return fmt::format("{} log lines were lost before they reached a log", untold);
}

// The error log comes last of all, since it is told of the others.
void LogWriter::tell_last_notices() {
  next_own_notice_ = {};
  std::vector<std::string> notices{own_notice(steady_now())};
  for (const auto& [id, output] : outputs_) notices.push_back(output->last_notice());
  for (const std::string& notice : notices)
    if (!notice.empty()) tell(notice);
  const auto error_log = outputs_.find(notices_to_.load(std::memory_order_relaxed));
  if (error_log != outputs_.end()) error_log->second->flush(steady_now());
}

void LogWriter::tell(std::string_view notice) {
  std::string line;
  append_error_line(
      line, ::gettid(),
      {.module = "log", .text = notice, .referer = {}, .when = std::chrono::system_clock::now()});
  const auto found = outputs_.find(notices_to_.load(std::memory_order_relaxed));
  if (found != outputs_.end()) {
    found->second->append(line, config::LogLevel::error);
    if (found->second->flush(steady_now()) && is_standard_error(*found->second)) return;
  }
  // The error log itself may be what fails.
  [[maybe_unused]] const ssize_t written = ::write(2, line.data(), line.size());
}

// After work the writer only lingers: nobody has to wake it. Otherwise it says that it sleeps and
// looks once more, because a batch may have come in between.
void LogWriter::sleep(bool had_work) {
  std::vector<pollfd> watched{{.fd = wake_up_.number(), .events = POLLIN, .revents = 0}};
  Instant until = never;
  for (const auto& [id, output] : outputs_) {
    until = std::min({until, output->retry_at(), output->notice_at()});
    if (output->exit_descriptor() >= 0) {
      watched.push_back({.fd = output->exit_descriptor(), .events = POLLIN, .revents = 0});
    }
    if (output->waiting_bytes() > 0 && output->writable_descriptor() >= 0) {
      watched.push_back({.fd = output->writable_descriptor(), .events = POLLOUT, .revents = 0});
    }
  }
  const Instant now = steady_now();
  if (had_work) {
    until = std::min(until, now + linger);
  } else {
    asleep_.store(true);
    const std::lock_guard guard(lock_);
    if (!queue_.empty() || stopping_) until = now;
  }
  int patience_ms = -1;
  if (until != never) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
    patience_ms = static_cast<int>(std::clamp<long>(left, 0, 60'000));
  }
  ::poll(watched.data(), watched.size(), patience_ms);
  asleep_.store(false);
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_up_.number(), &count, sizeof count);
}

void LogWriter::drain() {
  std::vector<Item> items;
  const Instant deadline = steady_now() + last_patience;
  while (true) {
    take_queue(items);
    for (Item& item : items) carry_out(item);
    const bool all_written = flush_all(steady_now());
    if ((all_written && items.empty()) || steady_now() > deadline) break;
    if (items.empty()) sleep(true);
  }
  tell_last_notices();
  outputs_.clear();
}

}  // namespace steelyard::server
