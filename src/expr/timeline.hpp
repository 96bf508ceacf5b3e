#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"

// How an exchange went from its balancer to a member's answer: what %{...}^sy and JSON logs print
// and spans tell. The data path keeps one where somebody asks for it.
//
//   began ─▶ slot ─▶ connect ─▶ send ─▶ wait ─▶ relay ─▶ ended
//         slot_at  dialed_at  connected_at sent_at head_at
//
// A connection from the pool has neither slot nor connect.
//
// A moment that never came is Instant{}. Words and names live as long as the exchange.
//
// Threads: the exchange's.

namespace steelyard::expr {

struct Stage {
  Instant began{}, ended{};
  bool happened() const { return began != Instant{} && ended != Instant{}; }
  std::optional<Duration> length() const {
    return happened() ? std::optional(ended - began) : std::nullopt;
  }
};

// One request as it was sent to a member, or not even that.
struct Attempt {
  std::string_view balancer;  // empty for a backend without one
  std::string_view member;    // its URL
  std::string_view route;     // its tag
  std::string_view host;      // of its URL
  std::uint16_t port = 0;
  std::string_view path;          // as it was asked for there
  std::optional<Endpoint> peer;   // where the connection led
  std::string_view reason;        // why the member was picked: "policy", "session", ...
  std::string_view proof;         // why it could be sent once more; empty for the first
  std::string_view party, cause;  // who failed and how; empty: it did not
  int status = 0;                 // of the final answer; 0: none came
  bool pooled = false;            // the connection had served another exchange
  Instant began{}, slot_at{}, dialed_at{}, connected_at{}, sent_at{}, head_at{}, ended{};
  std::uint64_t span = 0;  // its id in the trace; 0: none

  bool failed() const { return !cause.empty(); }
  Stage slot() const { return {slot_at, or_end(dialed_at)}; }  // the wait for room below max=
  Stage connect() const { return {dialed_at, or_end(connected_at)}; }
  Stage send() const {
    // An answer may come before all of the request is sent.
    const bool is_early = sent_at == Instant{} && head_at != Instant{};
    return {connected_at, is_early ? head_at : or_end(sent_at)};
  }
  Stage wait() const { return {sent_at, or_end(head_at)}; }
  Stage relay() const { return {head_at, ended}; }

 private:
  // What was under way when it failed ended with it.
  Instant or_end(Instant moment) const { return moment == Instant{} && failed() ? ended : moment; }
};

struct Timeline {
  std::vector<Attempt> attempts;
  std::vector<Stage> queued;   // waits for a member that could take it
  std::string_view balancer;   // also when it had nobody
  std::string_view ended_by;   // "backend", "proxy", "client": whose word or failure was the last
  std::string_view end_cause;  // "complete", or why not
  std::string_view refusal;    // why the balancer had nobody; empty: it had

  // The trace; no ids without one.
  std::uint64_t trace_high = 0, trace_low = 0;
  std::uint64_t span = 0;     // the exchange's
  std::uint64_t parent = 0;   // the caller's; 0: the trace begins here
  bool sampled = false;       // what the member is told
  bool recorded = false;      // spans are exported
  bool passes_state = false;  // the caller's tracestate goes on
  bool has_trace() const { return span != 0; }

  Duration queue_time() const {
    Duration sum{0};
    for (const Stage& stage : queued) sum += stage.length().value_or(Duration(0));
    return sum;
  }
  // For the next exchange; keeps memory.
  void clear() {
    attempts.clear();
    queued.clear();
    balancer = ended_by = end_cause = refusal = {};
    trace_high = trace_low = span = parent = 0;
    sampled = recorded = passes_state = false;
  }
};

}  // namespace steelyard::expr
