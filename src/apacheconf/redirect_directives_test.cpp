#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

constexpr std::string_view modules =
    "ServerName lb.test\nListen 127.0.0.1:8080\n"
    "LoadModule alias_module m\nLoadModule headers_module m\nLoadModule env_module m\n"
    "LoadModule setenvif_module m\nLoadModule authz_core_module m\n"
    "LoadModule authz_host_module m\nLoadModule access_compat_module m\n";

std::string fault(std::string_view lines) {
  testing::Reader reader;
  auto result = reader.read(std::string(modules) + std::string(lines));
  if (result) return {};
  std::string text;
  for (const Diagnostic& each : result.error()) {
    if (each.severity == Severity::fault) text += (text.empty() ? "" : " | ") + each.text;
  }
  return text;
}

std::unique_ptr<config::Config> accept(std::string_view lines) {
  testing::Reader reader;
  reader.options.environment = [](std::string_view name) {
    return name == "HOME" ? std::optional<std::string>("/home") : std::nullopt;
  };
  auto result = reader.read(std::string(modules) + std::string(lines));
  EXPECT_TRUE(result.has_value()) << lines;
  return result ? std::move(result->config) : std::make_unique<config::Config>();
}

// Each sentence is what httpd 2.4.71 says about the same lines.
TEST(RedirectDirectives, complain_as_httpd_does) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Redirect /x", "URL to redirect to is missing"},
      {"Redirect /x y", "Redirect to non-URL"},
      {"Redirect gone /x http://y/", "Redirect URL not valid for this status"},
      {"Redirect foo /x http://y", "Redirect: invalid first argument (of three)"},
      {"Redirect 301 /x", "URL to redirect to is missing"},
      {"RedirectMatch ( http://x/", "Regular expression could not be compiled."},
      {"RedirectPermanent /x",
       "RedirectPermanent takes two arguments, a document to be redirected, then the destination "
       "URL"},
      {"<Location /x>\nRedirect permanent\n</Location>", "URL to redirect to is missing"},
      {"<Location /x>\nRedirect \"http://y/%{nope:x}\"\n</Location>",
       "Cannot parse redirect expression 'http://y/%{nope:x}': Function 'nope' does not exist"},
      {"ErrorDocument 299 x", "Unsupported HTTP response code 299"},
      {"ErrorDocument abc x", "Unsupported HTTP response code abc"},
      {"ErrorDocument 404 %{foo}",
       "Cannot parse expression in ErrorDocument: Variable 'foo' does not exist"},
      {"Redirect gone /x", ""},
      {"Redirect 200 /x", ""},
      {"RedirectMatch gone ^/x", ""},
      {"<Location /x>\nRedirect gone\n</Location>", ""},
      {"<Location /x>\nRedirect foo\n</Location>", ""},
  };
  for (const auto& [lines, sentence] : cases) EXPECT_EQ(fault(lines), sentence) << lines;
}

TEST(RedirectDirectives, a_virtual_hosts_own_redirects_are_asked_first) {
  const auto config = accept(
      "Redirect /main http://m/\n<VirtualHost *:8080>\nRedirect 307 /own http://o/\n"
      "</VirtualHost>");
  const auto& redirects = config->servers.at(1)->redirects;
  ASSERT_EQ(redirects.size(), 2);
  EXPECT_EQ(redirects[0].path, "/own");
  EXPECT_EQ(redirects[0].status, 307);
  EXPECT_EQ(redirects[1].path, "/main");
}

TEST(RedirectDirectives, in_a_section_one_word_is_for_all_of_it) {
  const auto config = accept(
      "<Location /x>\nRedirect http://first/\nRedirect 301 http://last/%{REQUEST_URI}\n"
      "Redirect /x/y http://path/\n</Location>");
  const auto& redirects = config->servers.at(0)->locations.at(0).settings.redirects;
  ASSERT_EQ(redirects.size(), 2);
  EXPECT_EQ(redirects[0].status, 301);
  EXPECT_NE(redirects[0].expression, nullptr);
  EXPECT_EQ(redirects[1].path, "/x/y");
}

TEST(RedirectDirectives, error_documents_are_told_apart_by_their_first_letters) {
  const auto config = accept(
      "ErrorDocument 404 /path\nErrorDocument 500 http://x/y\nErrorDocument 503 \"sorry, "
      "%{REQUEST_URI}\"\n"
      "ErrorDocument 502 \"\\\"old style\"\nErrorDocument 403 default");
  const auto& documents = config->servers.at(0)->defaults.error_documents;
  using Kind = config::ErrorDocument::Kind;
  EXPECT_EQ(documents.at(404).kind, Kind::local_path);
  EXPECT_EQ(documents.at(404).target, "/path");
  EXPECT_EQ(documents.at(500).kind, Kind::url);
  EXPECT_EQ(documents.at(503).kind, Kind::text);
  EXPECT_EQ(documents.at(502).text->text(), "old style");
  EXPECT_EQ(documents.at(403).kind, Kind::standard);
}

TEST(HeaderDirectives, go_to_their_tables) {
  const auto config = accept(
      "Header set A 1\nHeader always set B 1\nRequestHeader unset C\n"
      "<Location /x>\nHeader add D 1 env=V\n</Location>");
  const config::Server& server = *config->servers.at(0);
  EXPECT_EQ(server.defaults.response_normal.at(0).name(), "A");
  EXPECT_EQ(server.defaults.response_always.at(0).name(), "B");
  EXPECT_EQ(server.defaults.request_rules.at(0).name(), "C");
  EXPECT_EQ(server.locations.at(0).settings.response_normal.at(0).name(), "D");
}

TEST(EnvDirectives, server_level_rules_run_before_matching) {
  const auto config = accept(
      "SetEnvIf Host x A\n<Location /x>\nBrowserMatch curl B=1\n</Location>\n"
      "<VirtualHost *:8080>\nSetEnvIfNoCase Host y C\n</VirtualHost>");
  EXPECT_EQ(config->servers.at(0)->env_rules.size(), 1);
  EXPECT_EQ(config->servers.at(0)->locations.at(0).settings.env_rules.size(), 1);
  EXPECT_EQ(config->servers.at(1)->env_rules.size(), 2);
}

TEST(EnvDirectives, unset_env_takes_back_what_the_main_server_set) {
  const auto config = accept(
      "SetEnv A 1\nSetEnv B\nPassEnv HOME\nUnsetEnv NOTHING\n"
      "<VirtualHost *:8080>\nUnsetEnv A\nSetEnv D 4\n</VirtualHost>");
  const auto& outer = config->servers.at(0)->defaults.env;
  ASSERT_EQ(outer.size(), 3);
  EXPECT_EQ(outer[1].second, "");
  EXPECT_EQ(outer[2].second, "/home");
  const auto& inner = config->servers.at(1)->defaults.env;
  ASSERT_EQ(inner.size(), 3);
  EXPECT_EQ(inner[0].first, "B");
  EXPECT_EQ(inner[2].first, "D");
}

// Each sentence is what httpd 2.4.71 says about the same lines.
TEST(AccessDirectives, complain_as_httpd_does) {
  const auto in_location = [](std::string_view lines) {
    return fault("<Location /x>\n" + std::string(lines) + "\n</Location>");
  };
  EXPECT_EQ(fault("Require all granted"), "Require not allowed here");
  EXPECT_EQ(fault("Order allow,deny"), "order not allowed here");
  EXPECT_EQ(in_location("Require foo"), "Unknown Authz provider: foo");
  EXPECT_EQ(in_location("<RequireAll>\n</RequireAll>"),
            "<RequireAll> directive contains no authorization directives");
  EXPECT_EQ(in_location("<RequireAll>\nHeader set X y\nRequire all granted\n</RequireAll>"),
            "Header not allowed in <RequireAll> context");
  EXPECT_EQ(in_location("AuthMerging x"), "AuthMerging must be one of: Off | And | Or");
  EXPECT_EQ(in_location("Order foo"), "unknown order");
  EXPECT_EQ(in_location("Allow for all"), "allow and deny must be followed by 'from'");
}

TEST(AccessDirectives, q118_only_negatives_are_a_fault) {
  EXPECT_EQ(fault("<Location /x>\nRequire not ip 10.0.0.1\n</Location>"),
            "negative Require directive has no effect in <RequireAny> directive");
}

TEST(AccessDirectives, a_section_has_a_tree_only_when_it_says_something) {
  const auto config = accept(
      "<Location /a>\n<RequireAll>\nRequire all granted\nRequire not ip 1.2.3.4\n</RequireAll>\n"
      "</Location>\n<Location /b>\n<Limit POST>\nRequire all denied\n</Limit>\n</Location>\n"
      "<Location /c>\nAuthMerging And\n</Location>");
  const auto& locations = config->servers.at(0)->locations;
  EXPECT_NE(locations.at(0).settings.require, nullptr);
  EXPECT_NE(locations.at(1).settings.require, nullptr);
  EXPECT_EQ(locations.at(2).settings.require, nullptr);
  EXPECT_EQ(locations.at(2).settings.auth_merging, config::AuthMerging::both);
}

}  // namespace
}  // namespace steelyard::apacheconf
