// What the cluster's store may hand us, and how long we bear with it. Whoever may write there is
// trusted as little as a client: what is beyond these is left out and told.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace steelyard::cluster {

// Fields that are kept; a thousand members with all of theirs changed have fewer.
inline constexpr std::size_t fields_max = 50'000;
// Of all of them, names and authors included.
inline constexpr std::size_t fields_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t instances_max = 1000;
// Of a virtual host, balancer, member or field.
inline constexpr std::size_t name_bytes_max = 1024;
// Of a value and of what the configuration said; as in the journal.
inline constexpr std::size_t text_bytes_max = std::size_t{16} * 1024;
// Of who, where and why.
inline constexpr std::size_t author_bytes_max = 1000;
inline constexpr int times_refused_max = 20;  // of one order, in a row
// Of one answer, or one line of a watch. A page of keys that is longer is asked for in smaller
// ones.
inline constexpr std::size_t answer_bytes_max = std::size_t{16} * 1024 * 1024;
inline constexpr std::size_t page_keys_max = 256;
// Of one order; etcd refuses more than 128 operations in a transaction by default.
inline constexpr std::size_t order_fields_max = 100;
// Orders that wait to be shared; then further changes are refused.
inline constexpr std::size_t unshared_max = 10'000;
// A field that was taken back says who did it, for so long; then it is removed from the store.
inline constexpr std::chrono::hours taken_back_lifetime = std::chrono::days(30);
// An order older than this that was made over nothing may be older than what was said after it and
// removed. Half of it, for clocks that are wrong.
inline constexpr std::chrono::hours order_lifetime = taken_back_lifetime / 2;
inline constexpr Duration sweep_interval = std::chrono::hours(1);
// What is remembered to be shown: orders that lost, keys that say nothing sensible.
inline constexpr std::size_t reports_max = 50;

// An instance that is silent for so long is gone for the others.
inline constexpr std::chrono::seconds lease_lifetime{10};
inline constexpr Duration keep_alive_interval = std::chrono::seconds(3);
inline constexpr Duration answer_timeout = std::chrono::seconds(4);
// Between two attempts: doubled each time, between half of it and all of it.
inline constexpr Duration backoff_first = std::chrono::milliseconds(250);
inline constexpr Duration backoff_most = std::chrono::seconds(8);

}  // namespace steelyard::cluster
