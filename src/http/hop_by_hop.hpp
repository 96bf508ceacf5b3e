// Fields that end at this hop (RFC 9110 7.6.1) and are taken out before a message goes on. What the
// proxy itself says (X-Forwarded-*, Via, Connection, framing) is added after these ran, so that a
// client cannot have it removed by naming it in Connection (CVE-2022-31813).
//
// Threads: pure functions of the list.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field.hpp"
#include "http/framing.hpp"

namespace steelyard::http {

// Sets the options that the value of a Connection field names.
void read_connection(std::string_view value, ConnectionOptions& options) noexcept;

// httpd, requests: Transfer-Encoding, Content-Length, Proxy-Connection, what Connection names (by
// ',' or ';'), Connection, Keep-Alive, Upgrade, HTTP2-Settings, Trailer, TE. Expect stays.
void remove_request_hop_by_hop(FieldList& fields);
// httpd, responses: what Connection names, Connection, Proxy-Connection, Keep-Alive,
// Proxy-Authenticate, TE, Trailer, Upgrade, and Transfer-Encoding, which the framing writes anew.
// Content-Length stays unless Connection named it: then framing no longer tells, the caller's
// BodyFraming does. `kept`: of an answer to HEAD, whose Transfer-Encoding frames nothing, httpd
// leaves it where it was.
enum class TransferCoding : std::uint8_t { removed, kept };
void remove_response_hop_by_hop(FieldList& fields, TransferCoding coding = TransferCoding::removed);

}  // namespace steelyard::http
