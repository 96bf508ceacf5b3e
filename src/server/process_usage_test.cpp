#include "server/process_usage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace steelyard::server {
namespace {

using std::chrono::hours;

TEST(ProcessUsage, says_of_this_process_what_can_be_true) {
  const manage::ProcessUsage usage = measure_process();
  EXPECT_EQ(usage.process_id, ::getpid());
  EXPECT_GT(usage.resident_bytes, 1U << 20);
  EXPECT_GT(usage.virtual_bytes, usage.resident_bytes);
  EXPECT_GE(usage.open_descriptors, 3);
  EXPECT_GE(usage.descriptors_max, usage.open_descriptors);
  const WallTime now = std::chrono::system_clock::now();
  EXPECT_LE(usage.started, now);
  EXPECT_GT(usage.started, now - hours(1));
}

TEST(ProcessUsage, counts_descriptors_and_always_tells_the_same_start) {
  const manage::ProcessUsage before = measure_process();
  const std::ifstream file("/proc/self/stat");
  const manage::ProcessUsage after = measure_process();
  EXPECT_EQ(after.open_descriptors, before.open_descriptors + 1);
  EXPECT_EQ(after.started, before.started);
  EXPECT_GE(after.user_seconds + after.system_seconds, before.user_seconds + before.system_seconds);
}

}  // namespace
}  // namespace steelyard::server
