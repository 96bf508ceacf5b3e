#pragma once

#include "io/stream.hpp"
#include "proxy/workspace.hpp"

// What the stages behind the client connection need of it.

namespace steelyard::proxy {

struct ClientSide {
  io::Stream& stream;
  io::WaitTimer& timer;  // the connection's only timer: one coroutine waits at a time
  Workspace& workspace;
};

}  // namespace steelyard::proxy
