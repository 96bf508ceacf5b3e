#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "cgi/fcgi_reader.hpp"
#include "cgi/response_head.hpp"

// The answer of a FastCGI application, kept as a whole: for who asks it something small and looks
// at all of the answer (health checks). The data path passes answers on piece by piece instead.
//
//   expecting_head ──▶ in_body ──▶ whole
//        └───────────────┴───────▶ broken
//
// Invariants: 1. memory: the head's limits (HeadLimits), body_bytes_max of the body, of which the
//                rest is not asked for, and words_bytes_max of STDERR, of which the rest is
//                dropped.
//             2. after `whole` and `broken` nothing is taken any more.
// Threads: one owner, one connection.

namespace steelyard::cgi {

class FcgiAnswer {
 public:
  static constexpr std::size_t words_bytes_max = 512;
  enum class State : std::uint8_t { expecting_head, in_body, whole, broken };

  FcgiAnswer(http::Method asked, std::size_t body_bytes_max)
      : asked_(asked), body_bytes_max_(body_bytes_max) {}
  FcgiAnswer(const FcgiAnswer&) = delete;  // views lie in it
  FcgiAnswer& operator=(const FcgiAnswer&) = delete;

  // What was received, all of it.
  State take(std::string_view input);
  // The connection ended. A body whose stream had ended is whole without END_REQUEST.
  State end();

  State state() const { return state_; }
  const http::ResponseHead& head() const { return head_; }  // once it is here
  const std::string& body() const { return body_; }
  const std::string& words() const { return words_; }  // STDERR
  std::string_view fault() const { return fault_; }    // once it is broken
  bool has_heard() const { return has_heard_; }        // anything at all

 private:
  State fail(std::string_view fault);
  State take_out(std::string_view data);
  State take_body(std::string_view data);
  State finish();

  const http::Method asked_;
  const std::size_t body_bytes_max_;
  State state_ = State::expecting_head;
  bool has_heard_ = false;
  std::string_view fault_;
  FcgiReader records_;
  HeadReader head_reader_;
  Arena arena_;
  std::string head_text_, body_, words_;
  http::ResponseHead head_;
};

}  // namespace steelyard::cgi
