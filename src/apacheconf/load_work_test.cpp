// Loading costs a bounded amount of work for each member, whatever their number. Work is counted in
// allocations, which do not depend on the machine's speed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "apacheconf/read.hpp"
#include "apacheconf/testing.hpp"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* room = std::malloc(bytes)) return room;
  throw std::bad_alloc();
}
void operator delete(void* room) noexcept { std::free(room); }
void operator delete(void* room, std::size_t) noexcept { std::free(room); }

namespace steelyard::apacheconf {
namespace {

std::string farm(int members) {
  std::string text =
      "ServerName x\nListen 1\nLoadModule proxy_module m\nLoadModule proxy_http_module m\n"
      "LoadModule proxy_balancer_module m\nLoadModule lbmethod_byrequests_module m\n"
      "<Proxy balancer://farm>\n";
  for (int i = 0; i < members; ++i) {
    text += "BalancerMember http://10.0." + std::to_string(i / 250) + '.' +
            std::to_string(i % 250) + ":8080 route=r" + std::to_string(i) + " loadfactor=2\n";
  }
  return text + "</Proxy>\nProxyPass / balancer://farm/\n";
}

std::size_t allocations_for(int members) {
  testing::Reader reader;
  const std::string text = farm(members);
  const std::size_t before = allocations;
  auto result = reader.read(text);
  const std::size_t used = allocations - before;
  EXPECT_TRUE(result);
  if (result) {
    EXPECT_EQ(result->config->servers[0]->balancers.at(0)->members.size(),
              static_cast<std::size_t>(members));
  }
  return used;
}

TEST(LoadWork, grows_in_step_with_the_members) {
  allocations_for(1);  // tables are made at first use
  const std::size_t some = allocations_for(100);
  const std::size_t many = allocations_for(1000);
  EXPECT_LT(many, some * 12);
  EXPECT_LT(many / 1000, 200u);
}

}  // namespace
}  // namespace steelyard::apacheconf
