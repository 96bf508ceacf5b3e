#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "config/config.hpp"

namespace steelyard::proxy {

// Until when more of a request's body has to come: RequestReadTimeout's time for all of it so far,
// and Timeout for the next bytes.
Instant body_deadline(const config::ClientSettings& client, Instant began, std::uint64_t received,
                      Instant now);

}  // namespace steelyard::proxy
