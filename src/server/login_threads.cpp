#include "server/login_threads.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "server/descriptor.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

// A quarter of the machine at most.
constexpr unsigned cores_a_thread = 4;
constexpr unsigned threads_max = 4;

Instant clock_now() { return std::chrono::steady_clock::now(); }

unsigned thread_count() {
  return std::clamp(std::thread::hardware_concurrency() / cores_a_thread, 1U, threads_max);
}

std::unexpected<std::string> fault() { return std::unexpected(std::string(std::strerror(errno))); }

// Whoever writes a file in place twice within a tick of its clock changes its size, most likely.
std::uint64_t stamp(const struct stat& about) {
  std::uint64_t sum = about.st_ino;
  for (const auto part : {about.st_mtim.tv_sec, about.st_mtim.tv_nsec, about.st_ctim.tv_sec,
                          about.st_ctim.tv_nsec, about.st_size})
    sum = sum * 0x9e3779b97f4a7c15U + static_cast<std::uint64_t>(part);
  return sum;
}

}  // namespace

std::expected<std::uint64_t, std::string> LoginFiles::stamp_of(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return fault();
  return stamp(about);
}

// A pipe is not waited for: only regular files are read.
std::expected<std::string, std::string> LoginFiles::read(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about{};
  if (!file.is_open() || ::fstat(file.number(), &about) != 0) return fault();
  if (!S_ISREG(about.st_mode)) return std::unexpected("it is no regular file");
  std::string text;
  std::array<char, 65536> piece;
  while (text.size() <= auth::file_bytes_max) {
    const ssize_t got = ::read(file.number(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fault();
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  return std::unexpected("it is longer than " + std::to_string(auth::file_bytes_max) + " bytes");
}

std::optional<auth::Finding> LoginThreads::known(const auth::Login& login) const {
  return checker_.known(login, clock_now());
}

void LoginThreads::ask(proxy::LoginQuestion question, Reply reply) {
  const IpAddress from = question.from;
  bool is_taken = false;
  {
    const std::lock_guard hold(lock_);
    try {
      while (!stopping_ && threads_.size() < thread_count())
        threads_.emplace_back([this] { run(); });
      if (!stopping_ && !refresher_.joinable()) refresher_ = std::thread([this] { keep_fresh(); });
    } catch (const std::system_error&) {
      // No more threads for this process: those that are there do it.
    }
    is_taken = !stopping_ && !threads_.empty() && line_.add(from, {std::move(question), reply});
  }
  if (is_taken) {
    changed_.notify_one();
  } else {
    reply({.verdict = auth::Finding::Verdict::overloaded});
  }
}

void LoginThreads::run() {
  ::pthread_setname_np(::pthread_self(), "logins");
  give_up_capabilities();
  while (true) {
    std::optional<Job> job;
    {
      std::unique_lock hold(lock_);
      changed_.wait(hold, [this] { return stopping_ || line_.size() > 0; });
      if (stopping_) return;
      job = line_.next();
    }
    if (*job->question.given_up) continue;
    job->reply(checker_.check(job->question.login(), clock_now()));
  }
}

// Who was found right must not stand in line behind guesses because a file has to be looked at.
void LoginThreads::keep_fresh() {
  ::pthread_setname_np(::pthread_self(), "login files");
  give_up_capabilities();
  std::unique_lock hold(lock_);
  while (!stopped_.wait_for(hold, auth::Checker::fresh_time / 2, [this] { return stopping_; })) {
    hold.unlock();
    checker_.refresh(clock_now());
    hold.lock();
  }
}

void LoginThreads::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard hold(lock_);
    stopping_ = true;
    threads = std::exchange(threads_, {});
    if (refresher_.joinable()) threads.push_back(std::move(refresher_));
  }
  changed_.notify_all();
  stopped_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace steelyard::server
