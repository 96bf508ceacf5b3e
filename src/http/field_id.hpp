// The fields that the proxy asks for by name, as small numbers. Threads: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steelyard::http {

// Fewer than 64, so that presence is one bit.
enum class FieldId : std::uint8_t {
  other,
  accept,
  accept_charset,
  accept_encoding,
  accept_language,
  accept_ranges,
  age,
  allow,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_language,
  content_length,
  content_location,
  content_range,
  content_type,
  cookie,
  cookie2,
  date,
  destination,
  etag,
  expect,
  expires,
  host,
  http2_settings,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  last_modified,
  location,
  max_forwards,
  origin,
  pragma,
  proxy,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  range,
  referer,
  retry_after,
  server,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  uri,
  user_agent,
  vary,
  via,
  warning,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_forwarded_server,
};
inline constexpr std::size_t field_id_count = 60;

// The id of a name in any case; FieldId::other when it is none of the table.
[[nodiscard]] FieldId field_id(std::string_view name) noexcept;
// The usual spelling of a known field ("Content-Length"); empty for FieldId::other.
[[nodiscard]] std::string_view field_name(FieldId id) noexcept;

}  // namespace steelyard::http
