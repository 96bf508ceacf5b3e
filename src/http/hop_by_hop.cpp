#include "http/hop_by_hop.hpp"

#include "base/text.hpp"
#include "http/connection_fields.hpp"
#include "http/connection_names.hpp"
#include "http/token_list.hpp"

namespace steelyard::http {

namespace {

constexpr std::string_view separators = ",;";

void remove_all(FieldList& fields, FieldIdSet ids) {
  const ConnectionNames named(fields);
  fields.remove_if([&](const Field& row) {
    return ids.contains(row.id) || (!named.empty() && named.contains(row.name));
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

void remove_request_hop_by_hop(FieldList& fields) { remove_all(fields, request_hop_by_hop); }

void remove_response_hop_by_hop(FieldList& fields, TransferCoding coding) {
  constexpr FieldIdSet all_but_coding = response_hop_by_hop.without(FieldId::transfer_encoding);
  remove_all(fields, coding == TransferCoding::kept ? all_but_coding : response_hop_by_hop);
}

}  // namespace steelyard::http
