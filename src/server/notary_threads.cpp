#include "server/notary_threads.hpp"

#include <pthread.h>

#include <optional>
#include <system_error>
#include <utility>

#include "base/check.hpp"
#include "server/curl_library.hpp"
#include "server/ocsp_fetch.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

void NotaryThreads::ask(proxy::NotaryQuestion question, Reply reply) {
  const IpAddress from = question.from;
  bool is_taken = false;
  {
    const std::lock_guard hold(lock_);
    const bool is_one_wanted = line_.size() >= idle_ && threads_.size() < threads_max;
    if (!stopping_ && is_one_wanted) {
      try {
        threads_.emplace_back([this] { run(); });
      } catch (const std::system_error&) {
        // No more threads for this process: those that are there do it.
      }
    }
    is_taken = !stopping_ && !threads_.empty() && line_.add(from, {std::move(question), reply});
  }
  if (is_taken) {
    changed_.notify_one();
  } else {
    reply({.remarks = {{config::LogLevel::error,
                        "so many clients' certificates wait to be asked about that one more is not "
                        "taken"}}});
  }
}

void NotaryThreads::run() {
  ::pthread_setname_np(::pthread_self(), "notaries");
  give_up_capabilities();
  while (true) {
    std::optional<Job> job;
    {
      std::unique_lock hold(lock_);
      ++idle_;
      changed_.wait(hold, [this] { return stopping_ || line_.size() > 0; });
      --idle_;
      if (stopping_) return;
      job = line_.next();
    }
    if (*job->question.given_up) continue;
    tls::InquiryFinding finding = find_out(*job);
    if (!stopping_) job->reply(std::move(finding));
  }
}

tls::InquiryFinding NotaryThreads::find_out(const Job& job) const {
  const auto curl = CurlLibrary::load();
  CHECK(curl.has_value());  // else the configuration was refused
  return job.question.inquiry->pursue(
      [&](const tls::OcspErrand& errand) { return fetch_ocsp(**curl, errand, stopping_); });
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
}

}  // namespace steelyard::server
