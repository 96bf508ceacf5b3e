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

std::string of(std::string_view text) { return std::string(testing::preamble) + std::string(text); }

// Without the notes.
std::vector<std::string> warnings(testing::Reader& reader, const std::string& text) {
  std::vector<std::string> said = reader.remarks(text);
  std::erase_if(said, [](const std::string& each) { return each.starts_with("Note"); });
  return said;
}

// They are about files, which are not served: nothing in them acts on a request that is proxied.
TEST(Stock, what_is_not_done_stops_nobody_inside_of_sections_about_files) {
  testing::Reader reader;
  for (const std::string name :
       {"expires", "substitute", "dir", "include", "filter", "speling", "actions"})
    reader.options.before.push_back("LoadModule " + name + "_module m");
  const std::string lines =
      "ExpiresActive On\nFallbackResource /i.php\nXBitHack on\nSubstitute s/a/b/\n"
      "SetOutputFilter SUBSTITUTE\nAddOutputFilterByType SUBSTITUTE text/html\n"
      "CheckSpelling On\nAction a /b\nphp_value a b\n";
  EXPECT_THAT(reader.faults(of("<Directory /var/www>\n" + lines + "</Directory>\n")),
              ::testing::IsEmpty());
  EXPECT_THAT(reader.faults(of("<Directory /w>\n<If true>\n" + lines + "</If>\n</Directory>\n")),
              ::testing::IsEmpty());
  EXPECT_THAT(reader.faults(of("<Location />\n" + lines + "</Location>\n")),
              ::testing::Not(::testing::IsEmpty()));
  const auto said =
      warnings(reader, of("<FilesMatch \\.cgi$>\nSetHandler cgi-script\n</FilesMatch>\n"));
  ASSERT_THAT(said, ::testing::SizeIs(1));
  EXPECT_THAT(said[0], ::testing::StartsWith("Warning on line 4"));
  // What httpd refuses stays refused.
  EXPECT_THAT(reader.faults(of("<Directory /w>\nOptions Nonsense\nBlah\n</Directory>\n")),
              ::testing::SizeIs(2));
}

TEST(Stock, what_packages_say_of_modules_that_are_only_loaded_is_no_fault) {
  testing::Reader reader;
  for (const std::string name :
       {"cgid", "cache", "cache_disk", "dav", "dav_fs", "userdir", "brotli", "usertrack"})
    reader.options.before.push_back("LoadModule " + name + "_module m");
  EXPECT_THAT(reader.faults(of("ScriptSock /run/cgid\nCacheRoot /var/cache\nCacheDirLevels 2\n"
                               "DAVLockDB /var/lock\nUserDir public_html\nCookieName x\n"
                               "BrotliCompressionQuality 5\n")),
              ::testing::IsEmpty());
  EXPECT_THAT(reader.faults(of("CacheEnable disk /\n")), ::testing::SizeIs(1));
}

TEST(Stock, lines_of_other_peoples_modules_are_told_together_with_the_way_out) {
  testing::Reader reader;
  const auto said = warnings(
      reader, of("LoadModule jk_module m\nJkWorkersFile w\nJkLogLevel info\nJkMount /a/* w\n"
                 "RPAFenable On\nRewriteLog l\n"));
  ASSERT_THAT(said, ::testing::SizeIs(3));
  EXPECT_THAT(said[0], ::testing::HasSubstr("JkWorkersFile is not supported"));
  EXPECT_THAT(said[0], ::testing::HasSubstr("ajp://"));
  EXPECT_THAT(said[0], ::testing::HasSubstr("(and 2 more lines: 5, 6)"));
  EXPECT_THAT(said[1], ::testing::HasSubstr("RemoteIPHeader"));
  EXPECT_THAT(said[2], ::testing::HasSubstr("LogLevel rewrite:trace3"));
}

TEST(Stock, a_block_is_known_by_the_file_of_its_module) {
  testing::Reader reader;
  const std::string load = "LoadModule evasive20_module modules/mod_evasive24.so\n";
  const auto said =
      warnings(reader, of(load + "<IfModule mod_evasive24.c>\nDOSPageCount 2\n</IfModule>\n"));
  ASSERT_THAT(said, ::testing::SizeIs(1));
  EXPECT_THAT(said[0], ::testing::HasSubstr("DOSPageCount"));
}

TEST(Stock, the_machine_is_asked_for_directories_programs_and_users) {
  testing::Reader reader;
  reader.options.machine = {
      .is_folder = [](const std::string& path) { return path == "/logs"; },
      .is_file = [](const std::string& path) { return path == "/bin/rotate"; },
      .identity_fault = [](const std::string& user, const std::string& group) -> std::string {
        if (user == "apache") return "bad user name apache";
        return group == "apache" ? "bad group name apache" : "";
      }};
  EXPECT_THAT(warnings(reader, of("CustomLog /logs/a c\nErrorLog \"|/bin/rotate /x 5\"\n"
                                  "User www\nGroup www\nLogFormat %h c\n")),
              ::testing::IsEmpty());
  EXPECT_THAT(reader.faults(of("LogFormat %h c\nCustomLog /nodir/a c\nErrorLog /nodir/e\n"
                               "User apache\nGroup apache\n")),
              ::testing::ElementsAre("4: CustomLog: there is no directory /nodir",
                                     "5: ErrorLog: there is no directory /nodir",
                                     "6: bad user name apache", "7: bad group name apache"));
  const auto said = warnings(reader, of("ErrorLog \"|/usr/sbin/rotatelogs /x 5\"\n"));
  ASSERT_THAT(said, ::testing::SizeIs(1));
  EXPECT_THAT(said[0], ::testing::HasSubstr("there is no program /usr/sbin/rotatelogs"));
}

TEST(Stock, a_path_that_httpd_would_answer_with_files_is_told) {
  testing::Reader reader;
  reader.options.before = {"LoadModule proxy_module m", "LoadModule proxy_http_module m",
                           "LoadModule proxy_balancer_module m", "LoadModule authz_core_module m",
                           "LoadModule authz_host_module m"};
  const std::string routes =
      "ProxyPass /img !\nProxyPass /balancer-manager !\nProxyPass / http://h/\n"
      "<Location /balancer-manager>\nSetHandler balancer-manager\n"
      "Require local\n</Location>\n";
  const auto said = warnings(reader, of("DocumentRoot /var/www\n" + routes +
                                        "<VirtualHost *:80>\n"
                                        "ServerName b\n</VirtualHost>\n"));
  ASSERT_THAT(said, ::testing::SizeIs(1));
  EXPECT_THAT(said[0], ::testing::HasSubstr("ProxyPass /img !"));
  EXPECT_THAT(warnings(reader, of(routes)), ::testing::IsEmpty());
}

}  // namespace
}  // namespace steelyard::apacheconf
