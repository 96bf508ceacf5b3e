// What an operator configures about members and balancers: plain values, immutable once a
// generation is accepted. Every parameter of a BalancerMember, ProxyPass or ProxySet line ends up
// in one of these fields; an empty optional means "not written", so that a later layer can apply
// its own default.
// Names of parameters and their defaults are httpd's; httpd's `route=` is called a tag here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/check_spec.hpp"
#include "balance/ejection_spec.hpp"
#include "balance/policy.hpp"
#include "balance/queue_spec.hpp"
#include "balance/repeat_spec.hpp"
#include "balance/status.hpp"
#include "base/ip.hpp"

namespace steelyard::balance {

inline constexpr int load_factor_unit = 100;  // loadfactor=1 is stored as 100
inline constexpr int lbset_max = 99;

struct PoolSpec {
  int connections_min = 0;
  std::optional<int> connections_max;            // hard limit; 0 was written as "the default"
  std::optional<int> connections_soft_max;       // smax: idle ones above it go after `idle_max`
  std::optional<std::chrono::seconds> idle_max;  // ttl
  std::optional<std::chrono::milliseconds> acquire_wait;  // none: wait for ever

  friend bool operator==(const PoolSpec&, const PoolSpec&) = default;
};

// resolve=: what one name in the configuration stands for.
enum class NameMeaning : std::uint8_t {
  one_member,  // all its addresses are one member (httpd)
  addresses,   // resolve=each: each address is a member of its own
  services,    // resolve=srv: each SRV record is
};
std::string_view meaning_name(NameMeaning meaning);

// addressttl=-1: what a name led to first counts for ever.
inline constexpr std::chrono::seconds address_ttl_for_ever{-1};

enum class FlushPackets : std::uint8_t { off, on, automatic };
enum class ProxyProtocol : std::uint8_t { none, v1, v2 };  // the header a connection begins with

struct MemberSpec {
  // Identity: the normalised URL, "http://h:81/app"; what BALANCER_WORKER_NAME exports.
  std::string name;
  std::string scheme;
  std::string host;  // an IPv6 address without brackets
  std::uint16_t port = 0;
  std::string path_prefix;
  std::string userinfo;
  std::string unix_socket_path;  // empty: TCP
  NameMeaning meaning = NameMeaning::one_member;
  std::optional<IpAddress> address;  // of a member that stands for one address of a name

  // Choosing.
  int load_factor = load_factor_unit;
  int lbset = 0;
  Status status;             // status=: the bits the configuration asks for
  std::string tag;           // route=
  std::string redirect_tag;  // redirect=: the tag to look for while this member is unusable
  std::chrono::seconds retry{60};
  CheckSpec check;                                      // hc...: of balancers' members only
  std::optional<std::chrono::milliseconds> slow_start;  // none: the balancer's

  // Connections.
  PoolSpec pool;
  std::optional<std::chrono::seconds> timeout;
  std::optional<std::chrono::milliseconds> connection_timeout, ping;
  std::optional<std::chrono::seconds> tunnel_idle;  // tunneltimeout=; none: the other timeouts
  bool tcp_keepalive = false;                       // keepalive=: SO_KEEPALIVE
  std::optional<bool> disable_reuse;                // disablereuse=, or enablereuse= inverted
  std::optional<std::chrono::seconds> address_ttl;  // none: as long as the name's own TTL says
  std::optional<int> io_buffer_bytes;
  std::optional<int> receive_buffer_bytes;
  std::optional<int> response_field_bytes;
  FlushPackets flush_packets = FlushPackets::off;
  std::chrono::milliseconds flush_wait{10};
  std::string flusher, secret;
  std::string upgrade;  // "*" for ANY
  ProxyProtocol proxy_protocol = ProxyProtocol::none;

  // There is a name to look up, and its answer is kept.
  [[nodiscard]] bool has_watched_name() const;

  friend bool operator==(const MemberSpec&, const MemberSpec&) = default;
};

// What a member that comes back finds: its own counters as it left them (httpd), or those of a
// member that never was away.
enum class Reentry : std::uint8_t { keep, current };

struct StickySpec {
  std::string cookie_name;
  std::string url_name;
  std::optional<char> separator = '.';  // none: stickysessionsep=Off, the whole value is the tag
  bool cut_at_semicolon = false;        // scolonpathdelim=

  [[nodiscard]] bool enabled() const { return !cookie_name.empty(); }
  friend bool operator==(const StickySpec&, const StickySpec&) = default;
};

struct BalancerSpec {
  std::string name;              // "balancer://app", lower case
  std::optional<Policy> policy;  // none: byrequests
  StickySpec sticky;
  std::optional<bool> nofailover;
  std::optional<std::chrono::seconds> timeout;  // how long to wait for a usable member
  std::optional<int> maxattempts;               // further attempts after the first
  std::vector<int> fail_on_status;
  std::optional<bool> fail_on_timeout;
  std::optional<bool> force_recovery;  // none: On
  std::optional<std::string> nonce;    // "" for None; none: random
  std::optional<int> growth;
  // Extensions, docs/extensions.md.
  std::optional<std::string> hash_key;  // an expression; the caller evaluates it
  std::optional<int> hash_bound;        // per cent of the fair share; 0: Off
  std::optional<std::chrono::milliseconds> slow_start;
  std::optional<Reentry> reentry;    // none: keep
  std::optional<QueueSpec> queue;    // none: Off
  std::optional<RepeatSpec> repeat;  // none: Off
  EjectionSpec ejection;
  // Which of the sticky parameters were written, for merging a virtual host over the main server.
  bool sticky_written = false;
  bool separator_written = false;
  bool cut_written = false;
  std::vector<MemberSpec> members;  // names are distinct; a repeated one is ignored

  [[nodiscard]] Policy effective_policy() const { return policy.value_or(Policy::by_requests); }
  // maxattempts, or httpd's default: one try for every other member.
  [[nodiscard]] int effective_maxattempts() const;
  // queue=, unless it is Off or the policy has no use for it.
  [[nodiscard]] std::optional<QueueSpec> effective_queue() const;
  [[nodiscard]] std::string_view effective_hash_key() const;  // hashkey, or the client's address
  // hashbound, or the policy's default. 0: none.
  [[nodiscard]] int effective_hash_bound() const;
  [[nodiscard]] bool gives_trials() const;  // trial=, for policies that choose by sets and roles
  [[nodiscard]] bool ejects() const;        // errors are ejections: they last longer each time
};

}  // namespace steelyard::balance
