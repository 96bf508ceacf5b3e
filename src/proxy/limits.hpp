#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

// The bounds of the data path that no directive sets. Those that a directive sets lie in
// config/config.hpp; those of parsers in http/.

namespace steelyard::proxy {

// A head is read into a buffer of this size; it grows by doubling while httpd's own limits allow.
inline constexpr std::size_t head_buffer_bytes = 8 * 1024;
inline constexpr std::size_t head_buffer_bytes_max = 1024 * 1024;

// Bodies on their way through: one buffer a direction, taken when a body does not fit the head's.
inline constexpr std::size_t relay_buffer_bytes = 32 * 1024;

// Bodies with at least so many bytes to come go by splice, when both sides are plain sockets.
inline constexpr std::uint64_t splice_bytes_min = 16 * 1024;

// httpd reads so much of a request body before it connects; a body that ends within is sent with
// its length, whatever framing the client used.
inline constexpr std::size_t prefetch_bytes = 16384 - 80;

// A tunnel between two fast peers lets other connections have their turn after so many bytes.
inline constexpr std::size_t tunnel_bytes_a_turn = 256 * 1024;

// So does an exchange that sends a body on or keeps it whole first (proxy-sendcl), for each
// direction and each way of doing it (copying, splicing): more than sockets usually hold, so that a
// fast peer is the only one who ever gets there. Giving way costs an allocation.
inline constexpr std::size_t relay_bytes_a_turn = 1024 * 1024;

// Compressing takes longer: about a millisecond for so much.
inline constexpr std::size_t compressed_bytes_a_turn = 32 * 1024;
// And memory, up to 400 KB each, which a shard keeps so many times for the next answers; while so
// many answers are under way, as when clients read slowly on purpose, others pass uncompressed.
inline constexpr std::size_t spare_deflaters_max = 16;
inline constexpr std::size_t deflaters_max = 256;

// Request bodies are kept for another attempt in memory (SteelyardBodyMemory), then in a file.
inline constexpr std::uint64_t kept_body_file_bytes_max = 64 * 1024 * 1024;
// All of a shard's files together; beyond that a body is not kept.
inline constexpr std::uint64_t kept_in_files_max = std::uint64_t{1} << 30;

// httpd: the tenth interim response in a row is one too many.
inline constexpr int interim_responses_max = 9;

// After an answer that left request bytes unread, the client gets so long and so many bytes to
// notice (RFC 9112 9.6); closing at once could destroy the answer on its way.
inline constexpr Duration linger_time = std::chrono::seconds(2);
inline constexpr std::size_t linger_bytes_max = 512 * 1024;

// Buffers and exchanges that a shard keeps for the next connections.
inline constexpr std::size_t spare_workspaces_max = 256;

// Texts of a spare workspace (heads on their way out, kept bodies) keep so much memory each.
inline constexpr std::size_t kept_text_bytes_max = 64 * 1024;

// An exchange that comes back to its balancer's line from a failed attempt asks again after so long
// at the earliest: with retry=0 the member that failed is usable at once.
inline constexpr Duration line_pause = std::chrono::milliseconds(100);

// What a desk (desk.hpp) is told of a request's body: of a form as much as httpd's manager reads.
inline constexpr std::size_t form_bytes_max = 1024;
inline constexpr std::size_t api_body_bytes_max = 64 * 1024;
// How long an exchange waits for a desk's answer; then it is 503.
inline constexpr Duration desk_patience = std::chrono::seconds(30);

// The same for whoever checks passwords (doorman.hpp): behind many others, a client waits so long.
inline constexpr Duration doorman_patience = std::chrono::seconds(20);
// And for whoever asks authorities (notary.hpp), besides the time that they may take to answer.
inline constexpr Duration notary_patience = std::chrono::seconds(20);

// HTTP/2 (client/http2_*). A request of more fields than LimitRequestFields allows is answered; of
// so many more, its stream's connection is closed (httpd: the same number).
inline constexpr std::size_t http2_surplus_fields_max = 100;
// What is sent at once; frames are made only when what was made before is gone.
inline constexpr std::size_t http2_piece_bytes = 64 * 1024;
// A session lets others have their turn after so many bytes, each way.
inline constexpr std::size_t http2_bytes_a_turn = 512 * 1024;
// Frames that move nothing forward (PING, SETTINGS, empty ones): so many at once, and so many more
// a second. A connection of more is closed.
inline constexpr std::uint32_t http2_idle_frames_max = 1000;
inline constexpr std::uint32_t http2_idle_frames_a_second = 50;
// The same for streams that end without an answer because the client wants it so.
inline constexpr std::uint32_t http2_resets_max = 200;
inline constexpr std::uint32_t http2_resets_a_second = 20;

// A pooled connection that was idle for longer is only trusted with requests that may be repeated.
inline constexpr Duration trusted_idle_time = std::chrono::seconds(1);

}  // namespace steelyard::proxy
