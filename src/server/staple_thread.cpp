#include "server/staple_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "server/curl_library.hpp"
#include "server/ocsp_fetch.hpp"
#include "server/privileges.hpp"
#include "tls/hosts.hpp"

namespace steelyard::server {

namespace {

using config::LogLevel;

constexpr std::string_view module = "ssl";
Instant clock_now() { return std::chrono::steady_clock::now(); }

}  // namespace

void StapleThread::adopt(std::shared_ptr<const proxy::Generation> generation) {
  std::vector<std::shared_ptr<tls::Staple>> staples;
  if (generation->tls() != nullptr) staples = generation->tls()->staples();
  auto earlier = std::exchange(known_, {});
  for (const auto& staple : staples) {
    const auto found = earlier.find(staple->identity());
    if (found != earlier.end()) staple->take_over(*found->second);
    known_.emplace(staple->identity(), staple);
  }
  if (!thread_.joinable() && staples.empty()) return;
  {
    const std::lock_guard hold(lock_);
    wanted_ = std::move(generation);
  }
  changed_.notify_one();
  if (thread_.joinable()) return;
  const auto curl = CurlLibrary::load();
  CHECK(curl.has_value());  // else the configuration was refused
  curl_ = *curl;
  thread_ = std::thread([this] { run(); });
}

void StapleThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard hold(lock_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StapleThread::run() {
  ::pthread_setname_np(::pthread_self(), "staples");
  give_up_capabilities();
  while (!stopping_) {
    renew_errands();
    for (Errand& errand : errands_) {
      if (stopping_ || errand.due > clock_now()) continue;
      ask(errand);
      share(errand);
      log_.turn_ended();
    }
    std::unique_lock hold(lock_);
    if (stopping_ || wanted_ != nullptr) continue;
    changed_.wait_until(hold, std::min(next_due(), clock_now() + std::chrono::hours(1)));
  }
  log_.turn_ended();
}

void StapleThread::renew_errands() {
  std::shared_ptr<const proxy::Generation> wanted;
  {
    const std::lock_guard hold(lock_);
    wanted = std::exchange(wanted_, nullptr);
  }
  if (wanted == nullptr) return;
  log_.generation_changed();
  generation_ = std::move(wanted);
  const auto earlier = std::exchange(errands_, {});
  if (generation_->tls() == nullptr) return;
  for (auto& staple : generation_->tls()->staples()) {
    const auto before = std::ranges::find_if(earlier, [&](const Errand& errand) {
      return errand.staple->identity() == staple->identity();
    });
    Errand errand{std::move(staple), clock_now()};
    // One under way when the generation was adopted came later.
    if (before != earlier.end()) {
      errand.staple->take_over(*before->staple);
      errand.failed = before->failed;
    }
    // What is shown already is asked for when it would have been.
    const auto now = std::chrono::system_clock::now();
    if (before != earlier.end() && errand.staple->answer(now) != nullptr) errand.due = before->due;
    errands_.push_back(std::move(errand));
  }
}

Instant StapleThread::next_due() const {
  Instant next = never;
  for (const Errand& errand : errands_) next = std::min(next, errand.due);
  return next;
}

// Hosts that show the same certificate share what is said of it.
void StapleThread::share(const Errand& errand) {
  for (Errand& other : errands_) {
    if (other.staple == errand.staple || other.staple->identity() != errand.staple->identity())
      continue;
    other.staple->take_over(*errand.staple);
    other.due = errand.due;
    other.failed = errand.failed;
  }
}

void StapleThread::ask(Errand& errand) {
  tls::Staple& staple = *errand.staple;
  const auto now = std::chrono::system_clock::now();
  const auto answer = fetch_ocsp(*curl_,
                                 {.url = staple.url(),
                                  .proxy_url = {},
                                  .request = staple.request(),
                                  .patience = staple.settings().patience},
                                 stopping_);
  if (stopping_) return;
  const auto taken = answer ? staple.take(*answer, now) : std::unexpected(answer.error());
  if (taken) {
    // Two thirds of what is left of it, if that is sooner.
    const Duration left = std::chrono::duration_cast<Duration>(staple.good_until() - now);
    const Duration soonest = std::min<Duration>(staple.settings().retry, staple.settings().renew);
    errand.due = clock_now() + std::clamp<Duration>(left * 2 / 3, soonest, staple.settings().renew);
    if (std::exchange(errand.failed, false))
      say(LogLevel::warn, staple.url() + " answers about " + staple.subject() + " again");
    return;
  }
  errand.due = clock_now() + staple.settings().retry;
  errand.failed = true;
  const bool still_shows = staple.answer(now) != nullptr;
  say(LogLevel::error, "nothing new is stapled to " + staple.subject() + ": " + staple.url() +
                           ": " + taken.error() +
                           (still_shows ? "; the last answer is shown on" : ""));
}

void StapleThread::say(LogLevel level, std::string_view text) {
  const config::Server& main_server = *generation_->config().servers[0];
  if (level > main_server.log_levels.of(module)) return;
  log_.error(main_server.error_log, {.level = level,
                                     .module = module,
                                     .text = text,
                                     .referer = {},
                                     .when = std::chrono::system_clock::now()});
}

}  // namespace steelyard::server
