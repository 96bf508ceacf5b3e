#pragma once

#include <vector>

#include "io/splice.hpp"

// splice(2) between two sockets. Empty pipes are kept for the next transfer.

namespace steelyard::io {

class PipeSplicer final : public Splicer {
 public:
  std::unique_ptr<SplicePipe> borrow(const Stream& from, const Stream& to) override;
  void give_back(std::unique_ptr<SplicePipe> pipe) override;

 private:
  static constexpr std::size_t kept_pipes_max = 16;
  std::vector<std::unique_ptr<SplicePipe>> kept_;
};

}  // namespace steelyard::io
