#pragma once

#include <memory>

#include "io/task.hpp"
#include "proxy/core.hpp"
#include "tls/inquiry.hpp"

// What the authorities of a client's certificates say of them, before a request counts as hers who
// showed them.
//
// Threads: the shard's.

namespace steelyard::proxy {

// `timer` is the connection's.
io::Task<tls::InquiryFinding> inquire(Shard::Core& core, io::WaitTimer& timer, IpAddress from,
                                      std::shared_ptr<const tls::Inquiry> inquiry);

}  // namespace steelyard::proxy
