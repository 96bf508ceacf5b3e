#pragma once

#include <string_view>

#include "io/task.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/forward.hpp"
#include "proxy/local_answer.hpp"
#include "proxy/request_body.hpp"
#include "proxy/router.hpp"

// Serving one exchange, whatever protocol its client speaks: from a complete request head to an
// answer that was handed over to the client's stream.
//
//   connection: begin_exchange ─▶ request head ─▶ serve ─▶ finish_exchange
//
// Threads: the shard's.

namespace steelyard::proxy {

// Ready for a request of this client, which begins now.
void begin_exchange(Exchange& x, Shard::Core& core, const ClientFacts& client);
// It is counted and logged, and its claims on members end.
void finish_exchange(Exchange& x, Shard::Core& core);

class Serving {
 public:
  Serving(Shard::Core& core, ClientSide client) : core_(core), client_(client) {}

  // True: all that belongs to the request was received. How it went stands in the exchange.
  static io::Task<bool> serve(Shard::Core& core, ClientSide client);

  // What prepare_local_answer() left: head and page.
  io::Task<> send_answer();

 private:
  // A request that goes to no member.
  io::Task<> answer_here(Routing routing, RequestBody& body);
  // One that no member answered.
  io::Task<> answer_after(ForwardEnd end, RequestBody& body);
  bool is_over(const ForwardEnd& end);
  io::Task<Routing> settle(Routing routing, RequestBody& body);
  io::Task<Routing> resolve_client();
  bool give_leave();
  io::Task<> answer_locally(LocalAnswer answer, RequestBody& body);
  io::Task<> answer_by_document(LocalAnswer answer, std::string_view path);
  io::Task<> drop_body(RequestBody& body);
  io::Task<> send_feed(Feed& feed);

  Exchange& exchange() { return client_.workspace.exchange; }

  Shard::Core& core_;
  ClientSide client_;
};

}  // namespace steelyard::proxy
