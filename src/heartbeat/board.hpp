// Where those who hear heartbeats (the receiver, the POST endpoint) and those who choose by them
// meet. What is chosen by is either what was heard, or what the storage file says:
//
//   datagram ─┬─▶ roll ──────────────────────────▶ servers()      Source::slots
//   POST ─────┘
//
//   datagram ───▶ roll ──5 s──▶ storage file ────▶ servers()      Source::file
//   POST ──────────────────────▶ storage file
//
// Threads: any. The lock is held to copy a pointer, or to bring the list up to date after something
// was heard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "heartbeat/roll.hpp"

namespace steelyard::heartbeat {

enum class Source : std::uint8_t { slots, file };

class Board {
 public:
  // Servers that a storage file is written for.
  static constexpr std::size_t file_servers_max = 1024;

  // What was heard before stays. `servers_max`: of Source::slots.
  void arrange(Source source, std::size_t servers_max);
  [[nodiscard]] Source source() const;

  // Never null. With Source::file empty until publish().
  [[nodiscard]] std::shared_ptr<const Servers> servers() const;

  // False: too many servers.
  bool heard_datagram(const IpAddress& ip, const Message& message, Instant now);
  // With Source::file the server goes to `store`, which writes it to the file; what is chosen by
  // has it at once.
  bool heard_post(const IpAddress& ip, const Message& message, Instant now);
  void drop_silent(Instant now);

  // What the storage file says now. Source::file.
  void publish(Servers servers);
  // Servers heard by datagram: what the storage file is written from.
  [[nodiscard]] std::vector<Server> roll() const;

  using Store = std::function<void(Server)>;
  void store_by(Store store);

 private:
  bool store(const IpAddress& ip, const Message& message, Instant now);

  mutable std::mutex lock_;  // guards what follows
  Source source_ = Source::slots;
  Roll roll_{0};
  mutable std::shared_ptr<const Servers> servers_ = std::make_shared<const Servers>();
  mutable bool stale_ = false;  // Source::slots: the roll has changed since servers_ was made
  Store store_;
};

}  // namespace steelyard::heartbeat
