// How the end of a message body is found (RFC 9112 6.3).
#pragma once

#include <cstdint>

namespace steelyard::http {

struct Version {
  std::uint8_t major = 1;
  std::uint8_t minor = 1;
  friend bool operator==(Version, Version) = default;
};
inline constexpr Version http_1_0{1, 0};
inline constexpr Version http_1_1{1, 1};

struct BodyFraming {
  enum class Kind : std::uint8_t {
    none,
    length,       // exactly `length` bytes, which may be 0: then the peer announced an empty body
    chunked,      // RFC 9112 7.1
    until_close,  // responses only
  };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  // bytes; 0 unless kind is length

  [[nodiscard]] bool has_bytes() const noexcept {
    return kind == Kind::chunked || kind == Kind::until_close ||
           (kind == Kind::length && length != 0);
  }
  friend bool operator==(BodyFraming, BodyFraming) = default;
};

// What a Connection field asked for. Several may be set; `close` wins over `keep_alive`.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

// RFC 9112 9.3: 1.1 persists unless told to close, 1.0 closes unless told to keep alive.
[[nodiscard]] constexpr bool persists(Version version, ConnectionOptions asked) noexcept {
  if (asked.close) return false;
  return version.minor >= 1 || asked.keep_alive;
}

}  // namespace steelyard::http
