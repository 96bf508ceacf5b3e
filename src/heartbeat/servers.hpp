// Who was heard and what each said last: what lbmethod=heartbeat chooses by.
//
// Threads: immutable once built.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "heartbeat/message.hpp"

namespace steelyard::heartbeat {

struct Server {
  std::string ip;  // as text: what a member's host is compared with
  Message message;
  Instant seen_at;
  // Of a server read from the storage file: the age is what the line says, however old the line is
  // (httpd). -1: the line has none.
  std::optional<int> written_age{};

  // What a choice weighs: a quarter while nothing is busy there, so that a server that has just
  // started is not flooded (httpd).
  [[nodiscard]] int weight() const { return message.busy == 0 ? message.ready / 4 : message.ready; }
  // Whole seconds since it was heard.
  [[nodiscard]] std::int64_t age_seconds(Instant now) const;
};

class Servers {
 public:
  Servers() = default;
  // Of equal addresses the last counts.
  explicit Servers(std::vector<Server> servers);
  // The storage file could not be read, and why.
  static Servers unreadable(std::string trouble);

  [[nodiscard]] const Server* find(std::string_view ip) const;
  // Ordered by address text.
  [[nodiscard]] std::span<const Server> all() const { return servers_; }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  std::vector<Server> servers_;
  std::string trouble_;
};

}  // namespace steelyard::heartbeat
