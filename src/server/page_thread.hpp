#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "io/linux/epoll_loop.hpp"
#include "manage/cluster_view.hpp"
#include "manage/metrics_page.hpp"
#include "manage/status_page.hpp"
#include "proxy/desk.hpp"

// The thread that answers pages which only read: server-status and metrics. Whoever measures the
// server does not wait for a disk that keeps operators' changes waiting (control_thread.hpp).
//
// Threads: ask() and tell() are called on any; the other public functions are the main thread's.

namespace steelyard::server {

class PageThread {
 public:
  // What no answer could be made of, and why. Called on this thread.
  using Complain = std::function<void(const proxy::DeskQuestion&, const std::string& why)>;

  PageThread(proxy::ShardGroup& group, Complain complain);
  ~PageThread() { stop(); }
  PageThread(const PageThread&) = delete;
  PageThread& operator=(const PageThread&) = delete;

  void start();
  // Nothing is answered from now on.
  void stop();

  [[nodiscard]] static bool answers(config::Responder responder);
  // Of questions that it answers.
  void ask(proxy::DeskQuestion question, proxy::Desk::Reply reply);
  // How the instance does in its cluster by now; before the first: there is none.
  void tell(manage::ClusterView cluster);
  void tell(const manage::RefusedChanges& refused);

 private:
  proxy::DeskAnswer answer(const proxy::DeskQuestion& question) const;
  std::optional<manage::ClusterView> cluster() const;
  manage::RefusedChanges refused() const;

  const Complain complain_;
  io::EpollLoop loop_;
  std::thread thread_;
  manage::StatusPage status_;
  manage::MetricsPage metrics_;

  mutable std::mutex lock_;
  std::optional<manage::ClusterView> cluster_;  // guarded by lock_, as the next one
  manage::RefusedChanges refused_;
};

}  // namespace steelyard::server
