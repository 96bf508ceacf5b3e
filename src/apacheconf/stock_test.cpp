// Debian's own /etc/apache2 loads as it was installed, with the proxy modules switched on.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "apacheconf/read.hpp"

namespace steelyard::apacheconf {
namespace {

TEST(Stock, debians_configuration_loads_with_the_proxy_modules) {
  if (!std::filesystem::exists("/etc/apache2/apache2.conf")) GTEST_SKIP() << "no apache2 here";
  const std::map<std::string, std::string, std::less<>> variables{
      {"APACHE_RUN_DIR", "/run/apache2"},     {"APACHE_PID_FILE", "/run/apache2/apache2.pid"},
      {"APACHE_RUN_USER", "www-data"},        {"APACHE_RUN_GROUP", "www-data"},
      {"APACHE_LOG_DIR", "/var/log/apache2"}, {"APACHE_LOCK_DIR", "/var/lock/apache2"}};
  ReadOptions options;
  options.file = "apache2.conf";
  options.server_root = "/etc/apache2";
  options.host_name = [] { return "box.test"; };
  options.environment = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  for (const std::string name :
       {"proxy", "proxy_http", "proxy_balancer", "lbmethod_byrequests", "slotmem_shm", "headers"}) {
    options.before.push_back("LoadModule " + name + "_module modules/mod_" + name + ".so");
  }
  options.after = {"<Proxy balancer://app>", "BalancerMember http://10.0.0.1:8080", "</Proxy>",
                   "ProxyPass /app balancer://app"};
  auto result = read_configuration(options, DiskFiles());
  if (!result) {
    for (const Diagnostic& each : result.error()) {
      if (each.severity == Severity::fault) ADD_FAILURE() << describe(each);
    }
    return;
  }
  EXPECT_EQ(result->config->user, "www-data");
  EXPECT_EQ(result->config->servers[0]->client.timeout, std::chrono::seconds(300));
  EXPECT_EQ(result->config->servers[0]->balancers.size(), 1u);
}

}  // namespace
}  // namespace steelyard::apacheconf
