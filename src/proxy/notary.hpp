// Whether clients' certificates are still good (SSLOCSPEnable). Authorities are asked by threads
// of their own, as their answers take milliseconds to seconds: a shard hands in the inquiry, and
// its connection sleeps until the finding is there.
//
// Threads: called on shards; findings are given on any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "base/ip.hpp"
#include "tls/inquiry.hpp"

namespace steelyard::proxy {

// Needs nothing of its connection, which may end before it is answered.
struct NotaryQuestion {
  std::shared_ptr<const tls::Inquiry> inquiry;
  IpAddress from;
  std::shared_ptr<const std::atomic<bool>> given_up;  // by who asked
};

class Notary {
 public:
  using Reply = std::function<void(tls::InquiryFinding)>;

  virtual ~Notary() = default;
  // `reply` is called once, unless the question is given up or the program ends before.
  virtual void ask(NotaryQuestion question, Reply reply) = 0;
};

}  // namespace steelyard::proxy
