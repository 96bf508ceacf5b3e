// The numbers that stand for usual names in AJP13 packets. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace steelyard::ajp {

// A method without a number is sent as this one and by its name in an attribute.
inline constexpr std::uint8_t stored_method = 0xff;
// Case-sensitive. ACL and SEARCH have numbers that httpd does not use: they are stored methods.
[[nodiscard]] std::uint8_t method_code(std::string_view method) noexcept;

// Of a request field, in any case; 0: it has none and is sent by name.
[[nodiscard]] std::uint16_t request_field_code(std::string_view name) noexcept;
// The name of a response field; empty: no field has that number.
[[nodiscard]] std::string_view response_field_name(std::uint16_t code) noexcept;
// Whether two bytes in the place of a name's length are a number.
[[nodiscard]] constexpr bool is_field_code(std::uint16_t number) noexcept {
  return (number & 0xff00) == 0xa000;
}

// What follows the fields of a request.
enum class Attribute : std::uint8_t {
  remote_user = 0x03,
  auth_type = 0x04,
  query_string = 0x05,
  session_route = 0x06,
  tls_certificate = 0x07,
  tls_cipher = 0x08,
  tls_session = 0x09,
  named = 0x0a,  // a name and a value follow
  tls_key_bits = 0x0b,
  secret = 0x0c,
  stored_method = 0x0d,
  end = 0xff,
};

}  // namespace steelyard::ajp
