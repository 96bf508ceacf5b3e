#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ClusterDirective : public ::testing::Test {
 protected:
  config::ClusterSpec spec(const std::string& words) {
    auto result = reader_.read(std::string(testing::preamble) + "SteelyardCluster " + words + "\n");
    EXPECT_TRUE(result) << words;
    return result && result->config->cluster ? *result->config->cluster : config::ClusterSpec();
  }
  std::string fault(const std::string& words) {
    const auto faults =
        reader_.faults(std::string(testing::preamble) + "SteelyardCluster " + words + "\n");
    return faults.empty() ? "" : faults[0];
  }

  testing::Reader reader_;
};

TEST_F(ClusterDirective, has_addresses_a_prefix_and_a_name) {
  const auto read = spec("etcd://127.0.0.1:1234,localhost,[::1]:5/lb/eu name=web1");
  EXPECT_THAT(read.addresses, ElementsAre("127.0.0.1:1234", "localhost:2379", "[::1]:5"));
  EXPECT_EQ(read.prefix, "/lb/eu");
  EXPECT_EQ(read.name, "web1");
  EXPECT_FALSE(read.tls);
}

TEST_F(ClusterDirective, leaves_the_machine_over_tls_alone_unless_told) {
  EXPECT_TRUE(spec("etcd://10.0.0.1/x tls=On").tls);
  EXPECT_FALSE(spec("etcd://10.0.0.1/x tls=Off").tls);
  EXPECT_THAT(fault("etcd://10.0.0.1/x"), HasSubstr("without TLS"));
  EXPECT_THAT(fault("etcd://127.0.0.1,etcd.example/x"), HasSubstr("without TLS"));
  EXPECT_THAT(fault("etcd://128.0.0.1/x"), HasSubstr("without TLS"));
}

TEST_F(ClusterDirective, refuses_what_is_no_such_line) {
  for (const char* words :
       {"etcd://", "etcd:///x", "etcd://127.0.0.1", "etcd://127.0.0.1/", "etcd://127.0.0.1/x/",
        "etcd://127.0.0.1//x", "etcd://127.0.0.1/x%20y", "etcd://127.0.0.1,/x",
        "etcd://127.0.0.1:0/x", "etcd://a/b/c tls=maybe", "etcd://127.0.0.1/x tls",
        "etcd://127.0.0.1/x tls=", "etcd://127.0.0.1/x tls=On tls=On",
        "etcd://127.0.0.1/x name=a/b", "etcd://127.0.0.1/x key=k", "etcd://127.0.0.1/x user=a",
        "etcd://127.0.0.1/x ca=missing", "etcds://127.0.0.1/x"})
    EXPECT_NE(fault(words), "") << words;
  EXPECT_NE(fault("etcd://127.0.0.1/x\nSteelyardCluster etcd://127.0.0.1/y"), "");
}

}  // namespace
}  // namespace steelyard::apacheconf
