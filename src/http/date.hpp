// HTTP dates (RFC 9110 5.6.7), always GMT. Threads: a DateText has one owner; the rest is pure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace steelyard {
class Arena;
}

namespace steelyard::http {

inline constexpr std::size_t date_bytes = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// Years 0 to 9999.
void write_date(std::chrono::sys_seconds when, std::span<char, date_bytes> out) noexcept;
// IMF-fixdate, RFC 850 (two-digit years: 70 to 99 are 19xx, others 20xx) and asctime.
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_date(std::string_view text) noexcept;
// httpd's proxy rewrites Date, Expires and Last-Modified of the two obsolete formats; IMF-fixdate
// and what cannot be read stay as they are.
[[nodiscard]] std::string_view normalise_date(std::string_view text, Arena& arena);

// The text of the current second, written once a second. The view lives until the next call.
class DateText {
 public:
  [[nodiscard]] std::string_view at(std::chrono::sys_seconds now) noexcept;

 private:
  std::array<char, date_bytes> text_{};
  std::chrono::sys_seconds written_ = std::chrono::sys_seconds::min();
};

}  // namespace steelyard::http
