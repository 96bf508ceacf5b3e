#pragma once

#include <optional>
#include <string_view>

#include "http/field_id.hpp"

// What a log finds in the answer that was sent: %{Name}o, and resp() of a log's condition. httpd
// has made one table of its two then, in which the fields of `Header always` come first, and has
// taken Date and Server out of it, but for HTTP/2.
//
// Threads: the shard's.

namespace steelyard::proxy {

class Exchange;

std::optional<std::string_view> sent_field(const Exchange& x, std::string_view name);

// One Date and one Server: the member's or a rule's. httpd: where nothing is proxied, its own.
std::optional<std::string_view> told_by_others(const Exchange& x, http::FieldId id);

}  // namespace steelyard::proxy
