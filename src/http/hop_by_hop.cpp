#include "http/hop_by_hop.hpp"

#include <cstdint>
#include <initializer_list>

#include "base/text.hpp"
#include "http/connection_names.hpp"
#include "http/token_list.hpp"

namespace steelyard::http {

namespace {

constexpr std::string_view separators = ",;";

constexpr std::uint64_t mask_of(std::initializer_list<FieldId> ids) {
  std::uint64_t mask = 0;
  for (const FieldId id : ids) mask |= std::uint64_t{1} << static_cast<unsigned>(id);
  return mask;
}

constexpr bool in(std::uint64_t mask, FieldId id) {
  return (mask >> static_cast<unsigned>(id) & 1) != 0;
}

constexpr std::uint64_t request_fields =
    mask_of({FieldId::connection, FieldId::content_length, FieldId::http2_settings,
             FieldId::keep_alive, FieldId::proxy_connection, FieldId::te, FieldId::trailer,
             FieldId::transfer_encoding, FieldId::upgrade});
constexpr std::uint64_t response_fields =
    mask_of({FieldId::connection, FieldId::keep_alive, FieldId::proxy_authenticate,
             FieldId::proxy_connection, FieldId::te, FieldId::trailer, FieldId::transfer_encoding,
             FieldId::upgrade});

void remove_all(FieldList& fields, std::uint64_t mask) {
  const ConnectionNames named(fields);
  fields.remove_if([&](const Field& row) {
    return in(mask, row.id) || (!named.empty() && named.contains(row.name));
  });
}

}  // namespace

void read_connection(std::string_view value, ConnectionOptions& options) noexcept {
  // What nearly all clients send.
  if (value == "keep-alive" || value == "Keep-Alive") {
    options.keep_alive = true;
    return;
  }
  for (const std::string_view option : tokens(value, separators)) {
    if (equals_ignoring_case(option, "close")) options.close = true;
    if (equals_ignoring_case(option, "keep-alive")) options.keep_alive = true;
    if (equals_ignoring_case(option, "upgrade")) options.upgrade = true;
  }
}

void remove_request_hop_by_hop(FieldList& fields) { remove_all(fields, request_fields); }

void remove_response_hop_by_hop(FieldList& fields, TransferCoding coding) {
  constexpr std::uint64_t all_but_coding = response_fields & ~mask_of({FieldId::transfer_encoding});
  remove_all(fields, coding == TransferCoding::kept ? all_but_coding : response_fields);
}

}  // namespace steelyard::http
