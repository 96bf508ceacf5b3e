// Threads: one connection's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/request_target.hpp"

namespace steelyard::http {

// The last host that a connection's requests were for, taken apart: the next one is mostly for the
// same.
class HostMemo {
 public:
  // split_host(text).
  [[nodiscard]] std::optional<HostPort> split(std::string_view text) noexcept;

 private:
  static constexpr std::size_t text_bytes_max = 46;  // longer ones are taken apart each time

  std::array<char, text_bytes_max> text_{};
  std::uint8_t text_bytes_ = 0;  // 0: none is known
  std::uint8_t host_bytes_ = 0;
  std::optional<std::uint16_t> port_;
};

}  // namespace steelyard::http
