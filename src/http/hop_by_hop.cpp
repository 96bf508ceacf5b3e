#include "http/hop_by_hop.hpp"

#include <cstdint>
#include <initializer_list>

#include "base/text.hpp"
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

// The value of the nth Connection row; null behind the last.
const Field* connection_row(const FieldList& fields, std::size_t nth) {
  for (const Field& row : fields) {
    if (row.id == FieldId::connection && nth-- == 0) return &row;
  }
  return nullptr;
}

// close, keep-alive and upgrade name no field that would stay anyway: an ordinary Connection costs
// no search. Connection rows stay until all of them were read.
bool names_a_field(std::string_view option) noexcept {
  return !equals_ignoring_case(option, "close") && !equals_ignoring_case(option, "keep-alive") &&
         !equals_ignoring_case(option, "upgrade") && !equals_ignoring_case(option, "connection");
}

void remove_named(FieldList& fields) {
  for (std::size_t nth = 0; const Field* row = connection_row(fields, nth); ++nth) {
    const std::string_view options = row->value;
    for (const std::string_view option : tokens(options, separators)) {
      if (names_a_field(option)) fields.remove(option);
    }
  }
}

void remove_all(FieldList& fields, std::uint64_t mask) {
  if (fields.has(FieldId::connection)) remove_named(fields);
  fields.remove_if([mask](const Field& row) { return in(mask, row.id); });
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

void remove_response_hop_by_hop(FieldList& fields) { remove_all(fields, response_fields); }

}  // namespace steelyard::http
