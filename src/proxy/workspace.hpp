#pragma once

#include <string>

#include "proxy/exchange.hpp"
#include "proxy/read_buffer.hpp"

// The memory of one active exchange. An idle connection has none: it borrows a workspace when its
// client sends something and gives it back when nothing is left to do.

namespace steelyard::proxy {

struct Workspace {
  ReadBuffer client_head;   // request head and what came with it; stays until the exchange ends
  ReadBuffer client_body;   // request body beyond that
  ReadBuffer backend_head;  // response head and what came with it; stays until the exchange ends
  ReadBuffer backend_body;  // response body beyond that
  std::string to_backend;   // request head on its way out
  std::string to_client;    // response head on its way out
  std::string kept_body;    // request body bytes that another attempt may need
  Exchange exchange;
};

}  // namespace steelyard::proxy
