#pragma once

#include <string>
#include <string_view>

#include "http/response_head.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "proxy/exchange.hpp"
#include "proxy/read_buffer.hpp"

// Another proxy (ProxyRemote) is asked for a tunnel: CONNECT in HTTP/1.0 as httpd words it, and
// what comes back, read to the end of its head.
//
// Threads: the shard's.

namespace steelyard::proxy {

// What is said to it. `credentials`: of Proxy-Authorization; empty: none.
std::string remote_tunnel_words(const Exchange& x, std::string_view place,
                                std::string_view credentials);

struct RemoteAnswer {
  ReadBuffer said;
  http::ResponseHead head;  // views into `said` and the arena
  std::string fault;        // why there is no answer

  // Empty: it agreed.
  std::string objection() const;
  // What came behind the head of an answer.
  std::string_view first_words() const { return said.data().substr(head.head_bytes); }
};

struct Patience {
  io::WaitTimer& timer;
  Instant deadline;
};

// On a connection on which nothing was said yet.
io::Task<RemoteAnswer> ask_for_remote_tunnel(io::Stream& stream, std::string words,
                                             Patience patience, Arena& arena);

}  // namespace steelyard::proxy
