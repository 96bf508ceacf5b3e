#include "base/on_demand.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace steelyard {
namespace {

TEST(OnDemand, reads_as_an_empty_one_until_it_is_written) {
  OnDemand<std::vector<int>> part;
  EXPECT_TRUE(part->empty());
  part.write().push_back(1);
  EXPECT_EQ(*part, std::vector{1});
  const OnDemand<std::vector<int>> other;
  EXPECT_TRUE(other->empty());
}

TEST(OnDemand, keeps_its_memory_when_it_is_cleared) {
  OnDemand<std::vector<int>> part;
  part.clear();
  std::vector<int>& own = part.write();
  own.push_back(1);
  part.clear();
  EXPECT_TRUE(part->empty());
  EXPECT_EQ(&part.write(), &own);
  EXPECT_NE(own.capacity(), 0u);
}

}  // namespace
}  // namespace steelyard
