#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace steelyard {

void check_failed(const char* claim, const char* file, int line) {
  std::fprintf(stderr, "steelyard: broken invariant: %s (%s:%d)\n", claim, file, line);
  std::abort();
}

}  // namespace steelyard
