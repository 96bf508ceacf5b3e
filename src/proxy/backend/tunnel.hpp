#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "io/task.hpp"
#include "proxy/backend_connection.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"

// What remains of an exchange after a 101 (Switching Protocols) or a CONNECT: the two peers talk
// past us. Bytes are passed on in both directions until both ended or the line was idle for too
// long. All of them count: in the access log (httpd: %I, %O) and for the member (bytraffic).
//
//   Attempt ──101──▶ ForwardEnd ─▶ Serving::End ─▶ the client's connection runs it
//
// It outlives all that led to it, so that a silent tunnel costs little more than its two sockets
// and what the access log will tell of it.
//
// Invariants: 1. a tunnel in which nothing is under way holds no buffer.
//             2. the lease of the member is the exchange's last one.
//             3. what is cut off does not look complete where it matters: see Abandoned.
// Threads: the shard's.

namespace steelyard::proxy {

// Before run(): `to_client` is the first that the client gets, `to_member` the first that the
// member gets; what the client said behind its head follows. The client's connection serves nothing
// else afterwards.
void open_tunnel(Exchange& x, Workspace& workspace, std::string_view to_client,
                 std::string_view to_member = {});

class Tunnel {
 public:
  // What the member sees of a tunnel that is destroyed while it runs: the client gave its stream
  // up, or is gone.
  enum class Abandoned : std::uint8_t { closes, resets };

  // `idle`: so long both may be silent.
  Tunnel(std::unique_ptr<BackendConnection> member, Duration idle,
         Abandoned abandoned = Abandoned::closes)
      : member_(std::move(member)), idle_(idle), abandoned_(abandoned) {}
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;
  ~Tunnel() {
    if (member_ != nullptr && abandoned_ == Abandoned::resets) stream().reset();
  }

  // What is in the workspace's body buffers goes out first. Once; the tunnel and what `client`
  // refers to outlive the task.
  io::Task<> run(Shard::Core& core, ClientSide client);

 private:
  io::Stream& stream() { return *member_->stream; }
  // The last words of the client may wait for room in the member's socket. Not inlined: a silent
  // tunnel's frame is small.
  [[gnu::noinline]] io::Task<> settle(Shard::Core& core, io::WaitTimer& timer);

  std::unique_ptr<BackendConnection> member_;
  const Duration idle_;
  const Abandoned abandoned_;
};

}  // namespace steelyard::proxy
