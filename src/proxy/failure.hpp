#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What went wrong between us and a peer, in one value: it decides the status, who is to blame,
// whether another attempt is allowed and what the log says.

namespace steelyard::proxy {

enum class Party : std::uint8_t { none, client, backend };
inline constexpr std::size_t party_count = 3;

enum class Cause : std::uint8_t {
  none,
  no_such_name,        // the member's name does not resolve
  connect,             // refused, unreachable, or no answer in time
  pool_exhausted,      // `acquire` ran out
  exhausted,           // we had no descriptor, memory or port for a connection: nobody's fault
  unusable,            // the member became unusable between the choice and the connection
  closed,              // ended or broke before an answer began
  timed_out,           // no answer in time
  write_timed_out,     // the peer did not take our bytes
  continue_timed_out,  // no 100 (Continue) in time
  bad_message,         // not HTTP, or HTTP that cannot be passed on
  gone,                // the client left
  bad_body,            // the client's body is malformed or too short
  body_too_large,
  body_timed_out,
  handshake,  // TLS with the member failed; nothing of the request was sent
  cut_short,  // the answer broke off midway
  blocked,    // the place is one that nobody shall be connected to (ProxyBlock)
  unwanted,   // an answer, but of a status that another member is asked after (repeaton=)
};
inline constexpr std::size_t cause_count = static_cast<std::size_t>(Cause::unwanted) + 1;

struct Blame {
  Party party = Party::none;
  Cause cause = Cause::none;
};

struct Failure {
  Party party = Party::none;
  Cause cause = Cause::none;
  bool answer_began = false;    // at least one byte of an answer came back
  std::string detail{};         // for the log and the page
  int status = 0;               // when the cause alone does not decide it
  bool has_plain_page = false;  // the page says no more than its status

  explicit operator bool() const { return cause != Cause::none; }
};

// httpd's status for the failure: 502 for a dead or silent backend, 503 for a refused connection.
int status_of(const Failure& failure);
// The sentence on the generated page ("Error reading from remote server"); empty: no Reason line.
std::string_view reason_of(const Failure& failure);

// Words for metrics: "backend", "timed_out"; a party of none is "proxy".
std::string_view to_text(Party party);
std::string_view to_text(Cause cause);

}  // namespace steelyard::proxy
