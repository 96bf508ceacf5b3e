#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "auth/line.hpp"
#include "proxy/notary.hpp"

// The threads that ask authorities about clients' certificates (SSLOCSPEnable). They wait more than
// they work, so there may be more of them than cores; they are started one by one, as questions
// find nobody idle.
//
//   shards ── ask() ──▶ line, in turns by client address ──▶ thread ── reply ──▶ the shard's loop
//
// Invariant: stop() waits for no authority longer than a second.
// Threads: ask() any; stop() the main thread's.

namespace steelyard::server {

class NotaryThreads final : public proxy::Notary {
 public:
  static constexpr std::size_t threads_max = 16;

  NotaryThreads() = default;
  ~NotaryThreads() override { stop(); }
  NotaryThreads(const NotaryThreads&) = delete;
  NotaryThreads& operator=(const NotaryThreads&) = delete;

  void ask(proxy::NotaryQuestion question, Reply reply) override;
  // What still waits is not answered.
  void stop();

 private:
  struct Job {
    proxy::NotaryQuestion question;
    Reply reply;
  };

  void run();
  tls::InquiryFinding find_out(const Job& job) const;

  std::atomic<bool> stopping_{false};
  std::mutex lock_;  // of all below; changed_ tells of it and of stopping_
  std::condition_variable changed_;
  auth::Line<Job> line_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
};

}  // namespace steelyard::server
