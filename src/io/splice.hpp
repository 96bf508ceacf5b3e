#pragma once

#include <cstddef>
#include <memory>

#include "io/stream.hpp"

// Moving bytes between two plain sockets inside the kernel. A pipe stands between them:
//
//   from --fill()--> [ pending bytes ] --drain()--> to
//
// Invariants: 1. bytes filled in are drained in order, before anything else is written to `to`.
//             2. a pipe is given back empty, or it is closed.
// Threads: the loop's.

namespace steelyard::io {

class SplicePipe {
 public:
  virtual ~SplicePipe() = default;
  virtual IoResult fill(Stream& from, std::size_t limit) = 0;
  virtual IoResult drain(Stream& to) = 0;
  virtual std::size_t pending() const = 0;
};

class Splicer {
 public:
  virtual ~Splicer() = default;
  // nullptr when the two cannot be joined here; then the caller copies.
  virtual std::unique_ptr<SplicePipe> borrow(const Stream& from, const Stream& to) = 0;
  virtual void give_back(std::unique_ptr<SplicePipe> pipe) = 0;
};

}  // namespace steelyard::io
