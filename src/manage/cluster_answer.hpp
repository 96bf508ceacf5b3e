// How an instance does in its cluster, as JSON.
//
// Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "manage/cluster_view.hpp"

namespace steelyard::manage {

[[nodiscard]] nlohmann::ordered_json cluster_object(const ClusterView& view);
// {"ok": true, "cluster": ...}
[[nodiscard]] std::string cluster_answer(const ClusterView& view);

}  // namespace steelyard::manage
