#pragma once

#include <string>

#include "http/head_text.hpp"
#include "proxy/exchange.hpp"
#include "proxy/limits.hpp"
#include "proxy/read_buffer.hpp"

// The memory of one active exchange. An idle connection has none: it borrows a workspace when its
// client sends something and gives it back when nothing is left to do.

namespace steelyard::proxy {

struct Workspace {
  ReadBuffer client_head;     // request head and what came with it; stays until the exchange ends
  ReadBuffer client_body;     // request body beyond that
  ReadBuffer backend_head;    // response head and what came with it; stays until the exchange ends
  ReadBuffer backend_body;    // response body beyond that
  http::HeadText to_backend;  // request head on its way out
  http::HeadText to_client;   // response head on its way out
  std::string kept_body;      // request body bytes that another attempt may need
  Exchange exchange;

  // One large message must not pin its memory.
  void drop_large() {
    for (ReadBuffer* head : {&client_head, &backend_head})
      if (head->capacity() > 2 * head_buffer_bytes) head->release();
    for (http::HeadText* text : {&to_backend, &to_client})
      if (text->capacity() > kept_text_bytes_max) text->release();
    if (kept_body.capacity() > kept_text_bytes_max) std::string().swap(kept_body);
  }
};

}  // namespace steelyard::proxy
