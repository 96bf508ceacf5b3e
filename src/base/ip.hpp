#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

// IP addresses, networks and endpoints as plain values. An IPv4 address mapped into IPv6
// (::ffff:a.b.c.d) is always held as IPv4, so that rules written for IPv4 see it.

namespace steelyard {

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
  static std::optional<IpAddress> parse(std::string_view text);  // no brackets, no zone

  bool is_v6() const { return v6_; }
  bool is_any() const;
  bool is_loopback() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  // v4: the first four
  std::uint32_t v4_host_order() const;
  std::string text() const;
  // Writes the text without allocating; returns its length (at most 45).
  std::size_t write(char* out, std::size_t room) const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  bool v6_ = false;
  std::array<std::uint8_t, 16> bytes_{};
};

// An address block as `Require ip` writes it: full address, partial IPv4 ("10.1"), CIDR or netmask.
class IpNetwork {
 public:
  // The error is httpd's complaint, e.g. "The specified network mask is invalid."
  static std::expected<IpNetwork, std::string> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string text() const;  // "10.1.0.0/16"; "10.0.1.0/255.0.255.0" when no prefix says it

 private:
  IpAddress address_;
  std::array<std::uint8_t, 16> mask_{};
};

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;

  std::string text() const;  // "1.2.3.4:80", "[::1]:80"
  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace steelyard
