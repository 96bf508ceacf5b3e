#pragma once

#include <vector>

#include "io/splice.hpp"

// splice(2) between two sockets. Empty pipes are kept for the next transfer. Without a pipe of a
// fair size there is none: the caller copies.

namespace steelyard::io {

class PipeSplicer final : public Splicer {
 public:
  std::unique_ptr<SplicePipe> borrow(const Stream& from, const Stream& to) override;
  void give_back(std::unique_ptr<SplicePipe> pipe) override;

 private:
  static constexpr std::size_t kept_pipes_max = 16;
  // A transfer asks again for every piece; the system is not asked again so soon.
  static constexpr int refusals_after_failure = 1000;
  std::unique_ptr<SplicePipe> open_unless_refused();

  std::vector<std::unique_ptr<SplicePipe>> kept_;
  int refusals_left_ = 0;
};

}  // namespace steelyard::io
