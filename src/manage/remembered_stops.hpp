// Drains of an earlier run: the journal brings back N and S, and its history tells whether S is a
// drain's, which undrain takes back with N, or was there before.
//
// Threads: the control thread's. Waits for the disk.
#pragma once

#include "balance/balancer.hpp"
#include "journal/journal.hpp"

namespace steelyard::manage {

void remember_stops(const journal::Journal& journal, const journal::BalancerKey& key,
                    balance::Balancer& balancer, Instant now);

}  // namespace steelyard::manage
