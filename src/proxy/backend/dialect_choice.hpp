#pragma once

#include <memory>
#include <optional>

#include "proxy/backend/http1_dialect.hpp"

// The dialect of one attempt, by its member's scheme. HTTP/1 lies in place, so that most requests
// ask for no memory. Threads: the shard's.

namespace steelyard::proxy {

class DialectChoice {
 public:
  DialectChoice(const Dialect::Matter& matter, Shard::Core& core);
  DialectChoice(const DialectChoice&) = delete;
  DialectChoice& operator=(const DialectChoice&) = delete;

  Dialect& operator*() const { return *dialect_; }

 private:
  std::optional<Http1Dialect> http1_;
  std::unique_ptr<Dialect> other_;
  Dialect* dialect_;
};

}  // namespace steelyard::proxy
