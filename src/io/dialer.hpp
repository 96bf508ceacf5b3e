#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <span>
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
  // What `host` leads to, if somebody looks after it. nullptr: the dialer looks it up.
  std::shared_ptr<const std::vector<IpAddress>> addresses;
  bool addresses_are_all = false;          // others of the name are somebody else's
  std::optional<Duration> address_ttl;     // how long an answer of the dialer's own lookups counts;
                                           // nullopt: as its records say
  bool keep_alive_probes = false;          // SO_KEEPALIVE
  std::uint32_t receive_buffer_bytes = 0;  // 0: the system's
  // A name that leads to one of them, or one of them itself, is not connected to at all.
  std::span<const IpAddress> barred;
};

struct DialFailure {
  enum class Cause : std::uint8_t {
    no_such_name,
    refused,
    timed_out,
    barred,     // see DialTarget::barred; no connection was tried
    exhausted,  // no descriptor, memory or local port was to be had: says nothing about the peer
  } cause;
  std::string text;  // for the log: what was tried and the system's word
};

using Dialed = std::expected<std::unique_ptr<Stream>, DialFailure>;

struct ServiceRecord {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;
};

// What is asked about a name.
enum class NameQuestion : std::uint8_t { addresses, services };

struct NameReply {
  // At most so many are taken from one reply.
  static constexpr std::size_t records_max = 1024;

  std::vector<IpAddress> addresses;     // the system's order
  std::vector<ServiceRecord> services;  // as they came
  std::optional<Duration> ttl;          // the shortest; nullopt: it did not come by DNS
  std::string fault;                    // why there is nothing, for people
  bool empty() const { return addresses.empty() && services.empty(); }
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  virtual Task<NameReply> ask(std::string name, NameQuestion question) = 0;
  // Addresses of a name, the system's order; empty when there are none.
  Task<std::vector<IpAddress>> addresses(std::string name) {
    NameReply reply = co_await ask(std::move(name), NameQuestion::addresses);
    co_return std::move(reply.addresses);
  }
  // From now on these servers are asked; none: those of the system's configuration as it is now.
  // What was asked already is still answered by whom it was asked.
  virtual void use_servers(const std::vector<Endpoint>& /*servers*/) {}
  // The name an address claims, empty when it has none (reverse lookup).
  virtual Task<std::string> name_of(IpAddress address) = 0;
};

class Dialer {
 public:
  virtual ~Dialer() = default;
  // Tries all addresses in order; `timeout` counts for each attempt. When all addresses of a kept
  // answer failed, the name is looked up once more (httpd: the same), but not again and again:
  // see AddressCache::look_again_after. When nobody answers, the last good answer counts.
  virtual Task<Dialed> dial(DialTarget target, Duration timeout) = 0;
  virtual Resolver& resolver() = 0;
};

}  // namespace steelyard::io
