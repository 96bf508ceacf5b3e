#pragma once

#include <cstddef>
#include <string>

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/request_body.hpp"

// A request's body that is read here and not passed on: forms and messages of known size.

namespace steelyard::proxy {

struct SmallBody {
  int status = 0;  // other than 0: reading failed, and that is the answer
  std::string text;
  bool is_cut = false;  // there was more
};

// The first `bytes_max` bytes; nothing is read behind them. Threads: the shard's.
io::Task<SmallBody> read_small_body(Exchange& x, Shard::Core& core, ClientSide client,
                                    RequestBody& body, std::size_t bytes_max);

}  // namespace steelyard::proxy
