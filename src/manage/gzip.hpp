// The gzip coding of whole pages (RFC 1952), as fast as it gets: rows of metrics are so alike that
// more effort gains next to nothing. Threads: pure.
#pragma once

#include <string>
#include <string_view>

#include "proxy/desk.hpp"

namespace steelyard::manage {

// Whether the question's field names `word` among what it takes, and not with q=0 (RFC
// 9110 12.4.2).
bool accepts(const proxy::DeskQuestion& question, std::string_view field, std::string_view word);

std::string gzipped(std::string_view page);

}  // namespace steelyard::manage
