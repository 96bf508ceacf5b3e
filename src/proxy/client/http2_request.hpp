#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.hpp"
#include "http/request_head.hpp"

// The fields of an HTTP/2 request (RFC 9113 8.3), turned into the head that an HTTP/1 client would
// have sent: what comes behind it does not know the difference.
//
//   begin ─▶ add ... ─▶ finish ─▶ an answerable head, a status to answer with, or no message at all
//
// Invariants: 1. texts lie in the arena; no more of them than the limits allow, whatever is sent.
//             2. nothing passes that HTTP/1 could read as a second message: no control bytes, one
//                host, one length, no transfer coding.
//             3. what :scheme says is believed by nobody: the connection's own kind counts.
// Threads: a value's owner.

namespace steelyard::proxy {

class Http2RequestReader {
 public:
  void begin(http::RequestHead& head, Arena& arena, const http::RequestLimits& limits);

  // False: so far beyond all limits that the rest is not worth reading.
  bool add(std::string_view name, std::string_view value);

  struct Result {
    // tunnel: complete, and a CONNECT (RFC 9113 8.5). websocket: an extended one (RFC 8441 4),
    // which became the GET that HTTP/1 opens a WebSocket with, but for its key. What follows on the
    // stream is no body of either.
    enum class Kind : std::uint8_t { complete, tunnel, websocket, fault, malformed };
    Kind kind = Kind::complete;
    int status = 0;  // of a fault
  };
  // `has_body`: the stream goes on after the fields.
  Result finish(bool has_body);

 private:
  void refuse(int status) {
    if (status_ == 0) status_ = status;
  }
  bool add_pseudo(std::string_view name, std::string_view value);
  void add_field(std::string_view name, std::string_view value);
  void add_cookie(std::string_view name, std::string_view value);
  bool is_beyond_limits() const;
  bool is_whole() const;
  bool opens_websocket() const { return protocol_ == "websocket"; }
  bool is_plain_connect() const;
  int split_line();
  int settle_host();
  int check_scheme();
  int frame_body(bool has_body);

  http::RequestHead* head_ = nullptr;
  Arena* arena_ = nullptr;
  http::RequestLimits limits_;
  std::string_view method_, scheme_, authority_, path_, protocol_;
  std::size_t rows_ = 0, bytes_ = 0;  // also of what was not kept
  std::size_t cookie_row_ = 0;
  bool has_cookie_ = false;
  bool is_malformed_ = false;
  int status_ = 0;
};

// "x-forwarded-for" as HTTP/1 programs write it: "X-Forwarded-For" (httpd: the same).
std::string_view camel_case(std::string_view name, Arena& arena);

}  // namespace steelyard::proxy
