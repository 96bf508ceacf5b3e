#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "auth/checker.hpp"
#include "auth/line.hpp"
#include "proxy/doorman.hpp"

// The threads that check passwords (AuthUserFile): a few, so that guessing leaves most of the
// machine to those who are in. The first question starts them.
//
//   shards ── ask() ──▶ line, in turns by client address ──▶ thread ── reply ──▶ the shard's loop
//
// The files are read with the rights that the server has after the start, as httpd's are by its
// children.
//
// Threads: known() and ask() any; stop() the main thread's.

namespace steelyard::server {

// The system's, as httpd looks at them.
class LoginFiles final : public auth::Files {
 public:
  std::expected<std::uint64_t, std::string> stamp_of(const std::string& path) override;
  std::expected<std::string, std::string> read(const std::string& path) override;
};

class LoginThreads final : public proxy::Doorman {
 public:
  LoginThreads() = default;
  ~LoginThreads() override { stop(); }
  LoginThreads(const LoginThreads&) = delete;
  LoginThreads& operator=(const LoginThreads&) = delete;

  std::optional<auth::Finding> known(const auth::Login& login) const override;
  void ask(proxy::LoginQuestion question, Reply reply) override;
  // What still waits is not answered.
  void stop();

 private:
  struct Job {
    proxy::LoginQuestion question;
    Reply reply;
  };

  void run();
  void keep_fresh();

  LoginFiles files_;
  auth::Checker checker_{files_};
  std::mutex lock_;  // of all below; changed_ tells of it
  std::condition_variable changed_, stopped_;
  auth::Line<Job> line_;
  std::vector<std::thread> threads_;
  std::thread refresher_;
  bool stopping_ = false;
};

}  // namespace steelyard::server
