#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/splice.hpp"

// Splicing between simulated streams, for tests.
//
// Threads: one.

namespace steelyard::io {

// Pipes of the test's own memory; none as long as `joins` is false.
class SimSplicer final : public Splicer {
 public:
  std::unique_ptr<SplicePipe> borrow(const Stream& /*from*/, const Stream& /*to*/) override {
    if (!joins) return nullptr;
    ++borrowed;
    return std::make_unique<Pipe>();
  }
  void give_back(std::unique_ptr<SplicePipe> /*pipe*/) override {}

  bool joins = false;
  int borrowed = 0;

 private:
  class Pipe final : public SplicePipe {
   public:
    IoResult fill(Stream& from, std::size_t limit) override {
      const std::size_t before = held_.size();
      held_.resize(before + std::min<std::size_t>(limit, 64 * 1024));
      const IoResult result = from.read(std::span(held_).subspan(before));
      held_.resize(before + (result.status == IoStatus::ok ? result.bytes : 0));
      return result;
    }
    IoResult drain(Stream& to) override {
      const std::string_view pieces[] = {held_};
      const IoResult result = to.write(pieces);
      if (result.status == IoStatus::ok) held_.erase(0, result.bytes);
      return result;
    }
    std::size_t pending() const override { return held_.size(); }

   private:
    std::string held_;
  };
};

}  // namespace steelyard::io
