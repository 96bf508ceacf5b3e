// How an instance does in its cluster, for ctl, the API and the metrics.
//
// Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "cluster/ledger.hpp"
#include "manage/shared_overlay.hpp"

namespace steelyard::manage {

struct ClusterView {
  struct Lost {
    WallTime when;
    cluster::Superseded what;
  };
  struct Key {
    std::string key, why;
  };

  std::string store, name, id;
  bool is_connected = false;
  std::optional<WallTime> since{};  // of that; none: nothing was heard yet
  std::string why{};                // it is not connected
  std::string address{};            // that it is connected to
  std::int64_t revision = 0;        // of the store, until which everything is known
  std::int64_t latest = 0;          // that is known to matter
  std::size_t fields = 0;           // that instances share
  std::vector<cluster::Instance> instances{};
  std::vector<cluster::Order> unshared{};
  std::string went_back{};         // when and how far the store did; empty: it did not
  std::vector<Lost> superseded{};  // the latest ones
  std::uint64_t superseded_count = 0;
  std::vector<LeftOut> left_out{};
  std::vector<Key> senseless{};
};

}  // namespace steelyard::manage
