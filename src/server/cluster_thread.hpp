#pragma once

#include <curl/curl.h>

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/conversation.hpp"

// The thread that talks to etcd (cluster/conversation.hpp decides what), by libcurl: however slow
// etcd or its names are, nothing else waits for it.
//
// Threads: start() and stop() are the main thread's, share() is anybody's.

namespace steelyard::server {

// How to get there; secrets are in memory, as the thread may not be allowed to read their files.
struct ClusterAccess {
  std::vector<std::string> addresses;  // "host:port"
  bool tls = false;
  std::string ca, certificate, key;  // PEM; empty: the system's authorities, no certificate
};

class ClusterThread {
 public:
  // Called on the thread.
  using Hear = std::function<void(std::vector<cluster::News::Any>)>;

  ClusterThread(ClusterAccess access, cluster::Conversation::Options options, Hear hear);
  ~ClusterThread();
  ClusterThread(const ClusterThread&) = delete;
  ClusterThread& operator=(const ClusterThread&) = delete;

  void start();
  // For good. Gives the lease back if that is done at once, so that the others need not wait for
  // its end.
  void stop();
  void share(cluster::Order order, std::uint64_t epoch);

 private:
  struct Transfer;
  struct Close {
    void operator()(CURLM* multi) const;
  };
  struct Sharing {
    cluster::Order order;
    std::uint64_t epoch;
  };

  void run();
  bool take_jobs();
  void move();
  void begin(cluster::Question question);
  void end_transfers();
  void take_results();
  void take_lines();
  void finish(Transfer& transfer, CURLcode result);
  void wait();
  void set_up(Transfer& transfer) const;
  void give_back_lease();
  static std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* transfer);

  const ClusterAccess access_;
  const Hear hear_;
  std::unique_ptr<CURLM, Close> multi_;
  std::thread thread_;

  std::mutex lock_;  // guards the two
  std::vector<Sharing> jobs_;
  bool has_ended_ = false;

  // The thread's.
  cluster::Conversation conversation_;
  std::list<std::unique_ptr<Transfer>> transfers_;
};

}  // namespace steelyard::server
