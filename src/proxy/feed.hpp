// An answer without an end of its own: text that a desk goes on saying while a client listens
// (server-sent events).
//
//   desk ── say() ─▶ [ waiting text ] ── take() ─▶ shard ─▶ client
//
// Invariants: 1. a client that does not keep up costs one text of any size, or waiting_bytes_max of
//             several; then the feed ends.
// Threads: any; the two sides are usually on different ones.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace steelyard::proxy {

class Feed {
 public:
  static constexpr std::size_t waiting_bytes_max = std::size_t{1024} * 1024;

  // --- who speaks ---
  // False: nobody listens any more.
  bool say(std::string_view text);
  void end();
  [[nodiscard]] bool is_heard() const;

  // --- who listens ---
  // `on_text` is called for each say() and end(), and once at once, until close().
  void listen(std::function<void()> on_text);
  struct Taken {
    std::string text;
    bool ended = false;  // nothing follows
  };
  Taken take();
  void close();

 private:
  mutable std::mutex lock_;
  std::string text_;
  bool ended_ = false, closed_ = false;
  std::function<void()> on_text_;
};

}  // namespace steelyard::proxy
