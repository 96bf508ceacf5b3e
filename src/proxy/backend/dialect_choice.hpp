#pragma once

#include <memory>
#include <optional>

#include "proxy/backend/http1_dialect.hpp"

// The dialect of one attempt, by its member's scheme. HTTP/1 lies in place, so that most requests
// ask for no memory. Threads: the shard's.

namespace steelyard::proxy {

class DialectChoice {
 public:
  DialectChoice(const Dialect::Matter& matter, Shard::Core& core)
      : other_(make_other(matter, core)),
        dialect_(other_ != nullptr ? other_.get() : &http1_.emplace(matter)) {}
  DialectChoice(const DialectChoice&) = delete;
  DialectChoice& operator=(const DialectChoice&) = delete;

  Dialect& operator*() const { return *dialect_; }

 private:
  // Null: HTTP/1.
  static std::unique_ptr<Dialect> make_other(const Dialect::Matter& matter, Shard::Core& core);

  std::optional<Http1Dialect> http1_;
  std::unique_ptr<Dialect> other_;
  Dialect* dialect_;
};

}  // namespace steelyard::proxy
