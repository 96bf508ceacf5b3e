#include "server/notary_threads.hpp"

#include <pthread.h>

#include <optional>
#include <system_error>
#include <utility>

#include "base/check.hpp"
#include "base/text.hpp"
#include "server/curl_library.hpp"
#include "server/ocsp_fetch.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

Instant clock_now() { return std::chrono::steady_clock::now(); }

constexpr const char* too_many =
    "so many clients' certificates wait to be asked about that one more is not taken";

// The line of those of whom nobody knows yet which responder they wait for. To find out takes some
// 0.15 ms (a loop over a Pursuit of two certificates, release build), which are not the shard's.
const std::string new_ones;

tls::Pursuit::Answer fetch_by_curl(const tls::OcspErrand& errand,
                                   const std::atomic<bool>& stopping) {
  const auto curl = CurlLibrary::load();
  CHECK(curl.has_value());  // else the configuration was refused
  return fetch_ocsp(**curl, errand, stopping);
}

}  // namespace

std::string responder_of(const tls::OcspErrand& errand) {
  std::string_view place = errand.url;
  place.remove_prefix(std::string_view("http://").size());
  place = place.substr(0, place.find_first_of("/?#"));
  if (const auto user = place.rfind('@'); user != std::string_view::npos)
    place.remove_prefix(user + 1);
  if (place.ends_with(":80")) place.remove_suffix(3);
  return to_lower(place) + ' ' + std::to_string(errand.patience.count()) + ' ' +
         std::string(errand.proxy_url);
}

NotaryThreads::NotaryThreads() : NotaryThreads(fetch_by_curl) {}

void NotaryThreads::ask(proxy::NotaryQuestion question, Reply reply) {
  const auto job = std::make_shared<Job>(std::move(question), std::move(reply));
  const bool is_taken = enter(new_ones, job) == Lines::Entry::taken;
  if (!is_taken && !stopping_) job->reply({.remarks = {{config::LogLevel::error, too_many}}});
}

// To where it waits for its next errand; without one to who asked.
void NotaryThreads::place(const SharedJob& job) {
  while (const tls::OcspErrand* const errand = job->pursuit->errand()) {
    const Lines::Entry entry = enter(responder_of(*errand), job);
    if (entry == Lines::Entry::taken) return;
    job->pursuit->hear(std::unexpected(
        entry == Lines::Entry::full ? too_many : "it has just left another question without one"));
  }
  if (!stopping_) job->reply(std::move(job->pursuit->finding()));
}

NotaryThreads::Lines::Entry NotaryThreads::enter(const std::string& responder,
                                                 const SharedJob& job) {
  const std::lock_guard hold(lock_);
  if (stopping_) return Lines::Entry::full;
  if (threads_.empty() && !start_thread()) return Lines::Entry::full;
  const Lines::Entry entry = lines_.add(responder, job->question.from, job, clock_now());
  if (entry != Lines::Entry::taken) return entry;
  if (lines_.ready() > idle_ && threads_.size() < threads_max) start_thread();
  changed_.notify_one();
  return entry;
}

// False: no more threads for this process. Those that are there do it.
bool NotaryThreads::start_thread() {
  try {
    threads_.emplace_back([this] { run(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void NotaryThreads::run() {
  ::pthread_setname_np(::pthread_self(), "notaries");
  give_up_capabilities();
  while (true) {
    std::optional<Lines::Taken> taken;
    {
      std::unique_lock hold(lock_);
      ++idle_;
      changed_.wait(hold, [&] {
        if (!stopping_) taken = lines_.next();
        return stopping_ || taken;
      });
      --idle_;
    }
    if (stopping_) return;
    serve(*taken);
  }
}

void NotaryThreads::serve(const Lines::Taken& taken) {
  const Instant began = clock_now();
  const Lines::Outcome outcome = fetch(*taken.job, taken.responder, began);
  std::vector<SharedJob> turned_away;
  {
    const std::lock_guard hold(lock_);
    turned_away = lines_.leave(taken.responder, outcome, began, clock_now());
  }
  if (!*taken.job->question.given_up) place(taken.job);
  for (const SharedJob& each : turned_away) place(each);
}

NotaryThreads::Lines::Outcome NotaryThreads::fetch(Job& job, const std::string& responder,
                                                   Instant began) {
  using Outcome = Lines::Outcome;
  if (*job.question.given_up) return Outcome::unasked;
  if (!job.pursuit) {
    job.pursuit.emplace(job.question.inquiry);
    return Outcome::unasked;
  }
  const tls::OcspErrand* const errand = job.pursuit->errand();
  if (errand == nullptr || responder_of(*errand) != responder) return Outcome::unasked;
  const Duration patience = errand->patience;
  const tls::Pursuit::Answer answer = fetch_(*errand, stopping_);
  job.pursuit->hear(answer);
  return !answer && clock_now() - began >= patience ? Outcome::in_vain : Outcome::answered;
}

void NotaryThreads::forget_silence() {
  const std::lock_guard hold(lock_);
  lines_.forget_silence();
}

void NotaryThreads::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard hold(lock_);
    stopping_ = true;
    threads = std::exchange(threads_, {});
  }
  changed_.notify_all();
  for (std::thread& thread : threads) thread.join();
  const std::lock_guard hold(lock_);
  lines_.clear();
}

}  // namespace steelyard::server
