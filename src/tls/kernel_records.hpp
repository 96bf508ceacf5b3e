#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "io/stream.hpp"
#include "tls/handles.hpp"

// The kernel's part of a TLS connection (kTLS): once the library has agreed on keys it gives them
// to the socket, and the kernel makes records of what is written, or takes them apart, too.
//
//   text ─▶ stream below (its letters, its debts) ─▶ socket: a record of text
//   alert, ticket ─▶ library ─▶ its own BIO of the socket ─▶ socket: a record of another kind
//
// The library's BIO of a socket knows how: it is asked to set up what the library wants set up, and
// used for records that are no text. What a library or a kernel cannot do stays the library's work:
// OpenSSL 3.0 gives the kernel what is read of TLS 1.2 only.
//
// Invariants: 1. nothing is written to the socket while the stream below holds something back.
// Threads: the loop's.

namespace steelyard::io {
class KernelSocket;
}

namespace steelyard::tls {

class KernelRecords {
 public:
  // Null: the stream is no socket of the system's.
  static std::unique_ptr<KernelRecords> over(io::Stream& below);

  // Which direction's keys the kernel has.
  bool sends() const;
  bool receives() const;
  // The library's control of its BIO, passed on.
  long control(int command, long number, void* pointer);
  // Nothing is held back on this side of the network's own queue.
  bool is_settled();

  // One record, with a head like those on the wire.
  io::IoResult read(std::span<char> room);
  // One of the library's own records.
  io::IoResult write(std::string_view bytes);

 private:
  KernelRecords(io::Stream& below, const io::KernelSocket& socket);

  io::Stream& below_;
  const io::KernelSocket& socket_;
  BioHandle bio_;
};

}  // namespace steelyard::tls
