// What a container sends: one packet at a time, whole, strictly read.
//
//   SEND_HEADERS ─▶ SEND_BODY_CHUNK ... ─▶ END_RESPONSE
//        and GET_BODY_CHUNK wherever it wants more of the request's body
//
// httpd is lenient where a container has no reason to be wrong (the other direction's magic,
// surplus bytes in a packet, headers that follow the body, none at all): here that is a fault. In
// which order packets may come is the caller's business, what is in each is decided here.
//
// 1. Nothing is read beyond a packet's end, and no packet is larger than the caller allows.
// 2. Views lie in the caller's buffer.
// 3. What passes as a field holds no control byte but tab, so an answer is never split by it.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "http/response_head.hpp"

namespace steelyard::ajp {

inline constexpr std::size_t response_fields_max = 1000;

enum class ReplyKind : std::uint8_t {
  body_chunk = 3,
  headers = 4,
  end = 5,
  want_body = 6,
  pong = 9,
};

enum class ReplyFault : std::uint8_t {
  bad_magic,
  too_large,  // than the two agreed on
  unknown_kind,
  bad_length,  // of a packet, or of what is in it: too short, or something is left
  bad_string,  // past the packet, or without its NUL
  bad_field_code,
  bad_field_name,
  bad_field_value,  // a control byte, or none at all
  too_many_fields,
  bad_status,  // below 200 or above 999
};

[[nodiscard]] std::string_view describe(ReplyFault fault) noexcept;
// What is_unfit() is about: the field's name, which lies in the packet or is a constant, or the
// status.
struct Culprit {
  std::string_view field;
  int status = 0;
};
// The same with the culprit's name in it.
[[nodiscard]] std::string describe(ReplyFault fault, const Culprit& culprit);
// Its packets are in order, but no client can be told what is in them.
[[nodiscard]] bool is_unfit(ReplyFault fault) noexcept;

struct Packet {
  ReplyKind kind = ReplyKind::end;
  std::string_view payload;  // behind the kind
  std::size_t bytes = 0;     // of the whole packet, to be used up
};

// The packet at the buffer's begin; nothing while it is not whole. A fault is told as soon as it
// shows.
[[nodiscard]] std::expected<std::optional<Packet>, ReplyFault> next_packet(
    std::string_view buffer, std::size_t packet_bytes);

// Of ReplyKind::headers: status, reason and fields; the rest of `head` stays as it is.
[[nodiscard]] std::expected<void, ReplyFault> read_headers(const Packet& packet,
                                                           http::ResponseHead& head,
                                                           Culprit* culprit = nullptr);
// Of ReplyKind::body_chunk. An empty one asks that what came before be sent on at once.
[[nodiscard]] std::expected<std::string_view, ReplyFault> read_body_chunk(const Packet& packet);
// Of ReplyKind::end: whether the connection may serve another request.
[[nodiscard]] std::expected<bool, ReplyFault> read_end(const Packet& packet);
// Of ReplyKind::want_body: how much, which httpd does not heed.
[[nodiscard]] std::expected<std::size_t, ReplyFault> read_want(const Packet& packet);
// Of ReplyKind::pong.
[[nodiscard]] std::expected<void, ReplyFault> read_pong(const Packet& packet);

}  // namespace steelyard::ajp
