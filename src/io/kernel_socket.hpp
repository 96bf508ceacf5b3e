#pragma once

// What a stream shows of itself to who lets the kernel put TLS records around its bytes (kTLS): the
// socket on which that is set up. From then on write() takes text, and read() gives records or
// text, by what was set up.
//
// Threads: the loop's.

namespace steelyard::io {

class KernelSocket {
 public:
  virtual int descriptor() const = 0;
  // Whether the system would take more at once. False: the stream becomes writable when it would.
  // A kernel that encrypts drops what it took and had no room for, when the socket is closed or
  // half-closed: who has ended must have seen room first.
  virtual bool has_room() const = 0;

 protected:
  ~KernelSocket() = default;
};

}  // namespace steelyard::io
