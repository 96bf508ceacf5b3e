#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// Opens streams to backends and turns names into addresses, without blocking.
//
// Threads: the loop's.

namespace steelyard::io {

// Where to connect and with which socket options; views outlive the call.
struct DialTarget {
  std::string_view host;  // name or IP literal, without brackets
  std::uint16_t port = 0;
  std::string_view unix_path;  // when set, host and port only name the target
  std::optional<IpAddress> source;
  std::optional<Duration> address_ttl;     // how long a resolved name is kept; nullopt: for ever
  bool keep_alive_probes = false;          // SO_KEEPALIVE
  std::uint32_t receive_buffer_bytes = 0;  // 0: the system's
};

struct DialFailure {
  enum class Cause : std::uint8_t {
    no_such_name,
    refused,
    timed_out,
    exhausted,  // no descriptor, memory or local port was to be had: says nothing about the peer
  } cause;
  std::string text;  // for the log: what was tried and the system's word
};

using Dialed = std::expected<std::unique_ptr<Stream>, DialFailure>;

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Addresses of a name, the system's order; empty when there are none.
  virtual Task<std::vector<IpAddress>> addresses(std::string name) = 0;
  // The name an address claims, empty when it has none (reverse lookup).
  virtual Task<std::string> name_of(IpAddress address) = 0;
};

class Dialer {
 public:
  virtual ~Dialer() = default;
  // Tries all addresses in order; `timeout` counts for each attempt. When all addresses of a kept
  // answer failed, the name is looked up once more (httpd: the same).
  virtual Task<Dialed> dial(DialTarget target, Duration timeout) = 0;
  virtual Resolver& resolver() = 0;
};

}  // namespace steelyard::io
