// Fields that speak of a connection, by their ids. What Connection names besides is in
// connection_names.hpp.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "http/field_id.hpp"

namespace steelyard::http {

class FieldIdSet {
 public:
  constexpr FieldIdSet(std::initializer_list<FieldId> ids) {
    for (const FieldId id : ids) bits_ |= std::uint64_t{1} << static_cast<unsigned>(id);
  }
  [[nodiscard]] constexpr bool contains(FieldId id) const {
    return (bits_ >> static_cast<unsigned>(id) & 1) != 0;
  }
  [[nodiscard]] constexpr FieldIdSet with(FieldIdSet more) const {
    more.bits_ |= bits_;
    return more;
  }
  [[nodiscard]] constexpr FieldIdSet without(FieldId id) const {
    FieldIdSet fewer = *this;
    fewer.bits_ &= ~(std::uint64_t{1} << static_cast<unsigned>(id));
    return fewer;
  }

 private:
  std::uint64_t bits_ = 0;
};

// RFC 9113 8.2.2: they have no place in HTTP/2.
inline constexpr FieldIdSet connection_fields{FieldId::connection, FieldId::keep_alive,
                                              FieldId::proxy_connection, FieldId::transfer_encoding,
                                              FieldId::upgrade};
// RFC 9110 7.6.1, httpd: they end at a proxy.
inline constexpr FieldIdSet request_hop_by_hop = connection_fields.with(
    {FieldId::content_length, FieldId::http2_settings, FieldId::te, FieldId::trailer});
inline constexpr FieldIdSet response_hop_by_hop =
    connection_fields.with({FieldId::proxy_authenticate, FieldId::te, FieldId::trailer});

}  // namespace steelyard::http
