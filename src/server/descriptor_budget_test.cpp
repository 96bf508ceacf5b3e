#include "server/descriptor_budget.hpp"

#include <gtest/gtest.h>

namespace steelyard::server {
namespace {

TEST(DescriptorBudget, every_client_may_have_a_connection_to_a_member) {
  for (const std::size_t limit : {60U, 256U, 1024U, 65536U, 1048576U}) {
    const std::size_t clients = client_connections_max(limit);
    EXPECT_LE(2 * clients + std::min<std::size_t>(reserved_descriptors, limit / 4), limit);
  }
  EXPECT_EQ(client_connections_max(1024), 480U);
  EXPECT_EQ(client_connections_max(1048576), 524256U);
}

TEST(DescriptorBudget, one_client_is_always_served) { EXPECT_EQ(client_connections_max(0), 1U); }

}  // namespace
}  // namespace steelyard::server
