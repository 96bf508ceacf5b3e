// What pages about the server as a whole are made from. Threads: a value; the functions are called
// on the thread that answers.
#pragma once

#include <functional>
#include <string>

#include "manage/process_usage.hpp"
#include "proxy/desk.hpp"
#include "proxy/shard_group.hpp"

namespace steelyard::manage {

struct ServerSources {
  proxy::ShardGroup& group;
  std::string built;  // when the program was, for people
  std::function<ProcessUsage()> usage;
  std::function<Instant()> now;
  std::function<WallTime()> wall_now;
};

// For whatever is not GET or HEAD: what httpd answers where a page of this kind is served.
[[nodiscard]] proxy::DeskAnswer refuse_method(http::Method method);

}  // namespace steelyard::manage
