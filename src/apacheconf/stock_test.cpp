// What distributions ship loads: Debian's own /etc/apache2 as it was installed, with the proxy
// modules switched on, and the blocks of Red Hat's file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "apacheconf/testing.hpp"

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

// The conditional blocks that Red Hat's httpd.conf has had since 2.2, with their modules loaded.
TEST(Stock, the_blocks_of_red_hats_configuration_are_no_fault) {
  testing::Reader reader;
  for (const std::string name :
       {"authz_core", "access_compat", "alias", "dir", "mime", "mime_magic", "negotiation",
        "include", "userdir", "dav", "cgi", "rewrite"}) {
    reader.options.before.push_back("LoadModule " + name + "_module modules/mod_" + name + ".so");
  }
  EXPECT_THAT(reader.faults(std::string(testing::preamble) +
                            "<IfModule mod_userdir.c>\nUserDir disabled\n</IfModule>\n"
                            "<IfModule mod_mime_magic.c>\nMIMEMagicFile conf/magic\n</IfModule>\n"
                            "<IfModule mod_dav_fs.c>\nDAVLockDB /var/lib/dav/lockdb\n</IfModule>\n"
                            "<IfModule mod_dav.c>\nDAVMinTimeout 600\n</IfModule>\n"
                            "<IfModule alias_module>\nScriptAlias /cgi-bin/ /var/www/cgi-bin/\n"
                            "</IfModule>\n"
                            "<IfModule prefork.c>\nStartServers 8\nMaxClients 256\n</IfModule>\n"
                            "<IfModule mod_negotiation.c>\n<IfModule mod_include.c>\n"
                            "<Directory /var/www/error>\nAllowOverride None\nOrder allow,deny\n"
                            "Allow from all\n</Directory>\n</IfModule>\n</IfModule>\n"
                            "<Directory /var/www/html>\n<IfModule mod_rewrite.c>\n"
                            "RewriteEngine On\nRewriteRule . /index.php [L]\n</IfModule>\n"
                            "</Directory>\n"),
              ::testing::IsEmpty());
}

}  // namespace
}  // namespace steelyard::apacheconf
