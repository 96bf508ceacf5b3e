#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "config/tracing.hpp"

// Posts batches of spans to an OTLP/HTTP collector, one at a time, over a connection that is kept.
// The HTTP is libcurl's, so that TLS, names with several addresses and keep-alive are what
// operators know from elsewhere. It follows no redirect and asks no proxy of the environment.
//
// Threads: one, but wake().

namespace steelyard::server {

struct CurlLibrary;  // curl_library.hpp

// Sleeps until woken or for some time, and moves what a client has under way. Outlives its clients.
class CollectorLoop {
 public:
  explicit CollectorLoop(const CurlLibrary& curl);
  ~CollectorLoop();
  CollectorLoop(const CollectorLoop&) = delete;
  CollectorLoop& operator=(const CollectorLoop&) = delete;

  void sleep(Duration at_most);
  // Any thread: sleep() returns, also the next one.
  void wake();

 private:
  friend class CollectorClient;
  const CurlLibrary& curl_;
  void* const multi_;
};

struct CollectorAnswer {
  enum class Kind : std::uint8_t {
    taken,
    again,      // it cannot now: not reached, 429, 502, 503, 504 (OTLP 1.9, "Retryable")
    refused,    // it never will
    abandoned,  // nobody waited for it any more
  } kind = Kind::again;
  long status = 0;             // 0: none came
  Duration retry_after{};      // as it asks for; 0: it does not
  std::uint64_t rejected = 0;  // of those taken, by its own word (partial success)
  std::string text{};          // what went wrong, for people
};

class CollectorClient {
 public:
  CollectorClient(CollectorLoop& loop, const config::TraceExport& to);
  ~CollectorClient();
  CollectorClient(const CollectorClient&) = delete;
  CollectorClient& operator=(const CollectorClient&) = delete;

  // Returns when it is answered, failed or took `timeout`; or at `give_up_at`, which is read anew
  // whenever the loop is woken.
  CollectorAnswer post(std::string_view body, const std::atomic<Instant>& give_up_at);

 private:
  struct Request;
  CollectorAnswer judge(int result);

  CollectorLoop& loop_;
  const config::TraceExport to_;
  std::unique_ptr<Request> request_;
};

// What a status and the body with it say. `media_type`: of the Content-Type; empty: there is none.
CollectorAnswer judge_answer(long status, std::string_view media_type, std::string_view body);

// "rejectedSpans" of an answer in JSON (partialSuccess); 0: none, or no such answer.
std::uint64_t rejected_spans(std::string_view answer);

}  // namespace steelyard::server
