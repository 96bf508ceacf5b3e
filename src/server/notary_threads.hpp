#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proxy/notary.hpp"
#include "server/responder_lines.hpp"
#include "tls/pursuit.hpp"

// The threads that ask authorities about clients' certificates (SSLOCSPEnable). They wait more than
// they work, so there may be more of them than cores; they are started one by one, as questions
// find nobody idle.
//
//   shards ── ask() ──▶ line of the new ──▶ thread: whom to ask? ─┐
//                                                                 ▼
//   the shard's loop ◀── reply ── thread: asks ◀── lines by responder ◀─┐
//                                     └── the next of the certificates ─┘
//
// Invariants: 1. one responder holds a quarter of the threads at most.
//             2. stop() waits for no authority longer than a second.
// Threads: ask() any; the rest the main thread's.

namespace steelyard::server {

// Whom an errand waits for: what hangs together hangs. Not what is asked, but where, and for how
// long, as others' patience says nothing about one's own.
std::string responder_of(const tls::OcspErrand& errand);

class NotaryThreads final : public proxy::Notary {
 public:
  static constexpr std::size_t threads_max = 64;
  static constexpr std::size_t threads_of_one_max = threads_max / 4;

  // Asks one responder; it ends soon once the flag is true.
  using Fetch =
      std::function<tls::Pursuit::Answer(const tls::OcspErrand&, const std::atomic<bool>&)>;

  NotaryThreads();  // by libcurl
  explicit NotaryThreads(Fetch fetch) : fetch_(std::move(fetch)) {}
  ~NotaryThreads() override { stop(); }
  NotaryThreads(const NotaryThreads&) = delete;
  NotaryThreads& operator=(const NotaryThreads&) = delete;

  void ask(proxy::NotaryQuestion question, Reply reply) override;
  // A reload: whoever was silent may have been mended.
  void forget_silence();
  // What still waits is not answered.
  void stop();

 private:
  struct Job {
    const proxy::NotaryQuestion question;
    const Reply reply;
    std::optional<tls::Pursuit> pursuit{};  // once a thread has looked at it
  };
  using SharedJob = std::shared_ptr<Job>;
  using Lines = ResponderLines<SharedJob>;

  void place(const SharedJob& job);
  Lines::Entry enter(const std::string& responder, const SharedJob& job);
  bool start_thread();
  void run();
  void serve(const Lines::Taken& taken);
  Lines::Outcome fetch(Job& job, const std::string& responder, Instant began);

  const Fetch fetch_;
  std::atomic<bool> stopping_{false};
  std::mutex lock_;  // of all below; changed_ tells of it and of stopping_
  std::condition_variable changed_;
  Lines lines_{threads_of_one_max};
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
};

}  // namespace steelyard::server
