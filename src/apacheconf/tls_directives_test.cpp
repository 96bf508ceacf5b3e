#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"
#include "config/path_tls.hpp"

namespace steelyard::apacheconf {
namespace {

using config::Server;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view module = "LoadModule ssl_module modules/mod_ssl.so\n";
constexpr std::string_view proxy_modules =
    "LoadModule proxy_module m\nLoadModule proxy_http_module m\n"
    "LoadModule proxy_balancer_module m\nLoadModule lbmethod_byrequests_module m\n"
    "LoadModule slotmem_shm_module m\n";
constexpr std::string_view pair = "SSLCertificateFile a.pem\nSSLCertificateKeyFile a.key\n";

class TlsDirectives : public ::testing::Test {
 protected:
  std::string whole(std::string_view text) {
    return std::string(module) + std::string(testing::preamble) + std::string(text);
  }
  std::vector<std::string> faults(std::string_view text) { return reader_.faults(whole(text)); }
  // The last server.
  const Server& read(std::string_view text) {
    auto result = reader_.read(whole(text));
    EXPECT_TRUE(result) << ::testing::PrintToString(faults(text));
    if (!result) {
      static const Server nothing;
      return nothing;
    }
    config_ = std::move(result->config);
    return *config_->servers.back();
  }
  static std::vector<std::string> paths(const std::vector<config::NamedFile>& files) {
    std::vector<std::string> all;
    for (const config::NamedFile& file : files) all.push_back(file.path);
    return all;
  }

  testing::Reader reader_;
  std::unique_ptr<config::Config> config_;
};

TEST_F(TlsDirectives, paths_belong_to_the_server_root) {
  const Server& server = read("SSLEngine On\n" + std::string(pair));
  EXPECT_TRUE(server.tls.is_on());
  EXPECT_THAT(paths(server.tls.certificates), ElementsAre("/c/a.pem"));
  EXPECT_THAT(paths(server.tls.keys), ElementsAre("/c/a.key"));
  EXPECT_EQ(server.tls.keys[0].place.line, 6U);
  EXPECT_THAT(faults("SSLCertificateFile pkcs11:token=x\n"),
              ElementsAre(HasSubstr("keys of tokens are not supported")));
}

TEST_F(TlsDirectives, a_hosts_certificates_take_the_places_of_those_it_inherits) {
  const Server& server =
      read(std::string(pair) +
           "SSLCertificateFile c.pem\n<VirtualHost *:8080>\nSSLEngine On\n"
           "SSLCertificateFile b.pem\nSSLCertificateKeyFile b.key\n</VirtualHost>\n");
  EXPECT_THAT(paths(server.tls.certificates), ElementsAre("/c/b.pem", "/c/c.pem"));
  EXPECT_THAT(paths(server.tls.keys), ElementsAre("/c/b.key"));
}

TEST_F(TlsDirectives, versions_are_added_and_taken_away) {
  using namespace config;  // NOLINT(google-build-using-namespace)
  EXPECT_EQ(read("SSLProtocol all -SSLv3").tls.versions, tls_all);
  EXPECT_EQ(read("SSLProtocol all -TLSv1 -TLSv1.1").tls.versions, tls_1_2 | tls_1_3);
  EXPECT_EQ(read("SSLProtocol -all +TLSv1.2").tls.versions, tls_1_2);
  EXPECT_EQ(read("SSLProtocol TLSv1.3").tls.versions, tls_1_3);
  EXPECT_THAT(faults("SSLProtocol SSLv3"), ElementsAre(HasSubstr("SSLv3 is not supported")));
  EXPECT_THAT(faults("SSLProtocol foo"), ElementsAre("4: SSLProtocol: Illegal protocol 'foo'"));
  EXPECT_THAT(faults("SSLProtocol -all"), ElementsAre("4: SSLProtocol: no protocol is left"));
}

TEST_F(TlsDirectives, ciphers_never_include_those_without_a_key) {
  const Server& server =
      read("SSLCipherSuite HIGH\nSSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256\n");
  EXPECT_EQ(server.tls.ciphers, "HIGH:!aNULL:!eNULL:!EXP");
  EXPECT_EQ(server.tls.suites, "TLS_AES_128_GCM_SHA256");
  EXPECT_THAT(faults("SSLCipherSuite SSLv2 x"), ElementsAre("4: protocol 'SSLv2' not supported"));
}

TEST_F(TlsDirectives, options_add_up_from_section_to_section) {
  using config::TlsOptions;
  const Server& server = read(
      "SSLOptions +StdEnvVars\n<Location /a>\nSSLOptions -StdEnvVars +ExportCertData\n</Location>\n"
      "<Location /b>\nSSLOptions LegacyDNStringFormat\n</Location>\n");
  const auto outer = *server.defaults.tls_options;
  std::vector<TlsOptions::Set> inner;
  for (const config::Section& section : server.locations)
    inner.push_back(section.settings.tls_options->over(outer).on);
  EXPECT_EQ(outer.on, TlsOptions::std_env_vars);
  EXPECT_THAT(inner, ElementsAre(TlsOptions::cert_data, TlsOptions::legacy_names));
  EXPECT_THAT(faults("SSLOptions +FakeBasicAuth\nSSLOptions +X\n"),
              ElementsAre("5: SSLOptions: Illegal option 'X'"));
}

TEST_F(TlsDirectives, the_innermost_variable_names_the_user) {
  const Server& server = read(
      "SSLUserName SSL_CLIENT_S_DN\n<Location /a>\nSSLUserName SSL_CLIENT_S_DN_CN\n</Location>\n"
      "<Location /b>\nSSLVerifyDepth 3\n</Location>\n");
  std::vector<std::string> names;
  for (const config::Section& section : server.locations)
    names.push_back(*merge(server.defaults, section.settings).tls->user_name);
  EXPECT_THAT(names, ElementsAre("SSL_CLIENT_S_DN_CN", "SSL_CLIENT_S_DN"));
}

TEST_F(TlsDirectives, certificates_for_members_come_from_files_and_directories) {
  const auto& backend = read(
                            "SSLProxyMachineCertificateFile own.pem\n"
                            "SSLProxyMachineCertificatePath own\n"
                            "SSLProxyMachineCertificateChainFile above.pem\n")
                            .tls_backend;
  EXPECT_EQ(backend.own_file->path, "/c/own.pem");
  EXPECT_EQ(backend.own_path->path, "/c/own");
  EXPECT_EQ(backend.own_chain->path, "/c/above.pem");
}

TEST_F(TlsDirectives, an_https_port_and_a_certificate_do_without_sslengine) {
  const auto is_tls = [this](std::string_view listen, std::string_view addresses,
                             std::string_view more = "ServerName x.test\n") {
    return read("Listen " + std::string(listen) + "\n<VirtualHost " + std::string(addresses) +
                ">\n" + std::string(more) + std::string(pair) + "</VirtualHost>\n")
        .tls.is_on();
  };
  EXPECT_TRUE(is_tls("443", "*:443"));
  EXPECT_FALSE(is_tls("443", "*:443", ""));
  EXPECT_FALSE(is_tls("443", "*:443", "ServerName x.test\nSSLEngine Off\n"));
  EXPECT_FALSE(is_tls("443 http", "*:443"));
  EXPECT_TRUE(is_tls("0.0.0.0:443", "*:443"));
  EXPECT_TRUE(is_tls("[::]:443", "*:443"));
  EXPECT_FALSE(is_tls("127.0.0.1:443", "*:443"));
  EXPECT_TRUE(is_tls("127.0.0.1:443", "127.0.0.1:443"));
  EXPECT_FALSE(is_tls("443", "127.0.0.1:443"));
  EXPECT_FALSE(is_tls("443", "0.0.0.0:443"));
  EXPECT_TRUE(is_tls("443", "[::]:443"));
  EXPECT_TRUE(is_tls("0.0.0.0:443", "0.0.0.0:443"));
}

TEST_F(TlsDirectives, an_optional_engine_is_off_and_warned_about) {
  const std::string text =
      "Listen 443\n<VirtualHost *:443>\nServerName x.test\nSSLEngine optional\n" +
      std::string(pair) + "</VirtualHost>\n";
  EXPECT_FALSE(read(text).tls.is_on());
  EXPECT_THAT(reader_.remarks(whole(text)),
              ElementsAre(HasSubstr("SSLEngine optional is not supported any more"),
                          HasSubstr("Port 443 is meant for TLS")));
  EXPECT_THAT(faults("SSLEngine maybe\n"), ElementsAre("4: Argument must be On, Off, or Optional"));
}

TEST_F(TlsDirectives, a_port_for_tls_without_tls_is_warned_about) {
  EXPECT_THAT(reader_.remarks(whole("Listen 8443 https\n")),
              ElementsAre(HasSubstr("Port 8443 is meant for TLS")));
  EXPECT_THAT(reader_.remarks(whole("Listen 8443 https\n<VirtualHost *:8443>\nSSLEngine On\n" +
                                    std::string(pair) + "</VirtualHost>\n")),
              IsEmpty());
}

TEST_F(TlsDirectives, an_engine_without_a_certificate_is_a_fault_of_each_host) {
  EXPECT_THAT(faults("<VirtualHost *:8080>\nServerName x.test\nSSLEngine On\n</VirtualHost>\n"),
              ElementsAre("4: Failed to configure at least one certificate and key for x.test"));
}

TEST_F(TlsDirectives, a_section_may_ask_for_more_than_its_server) {
  const Server& server = read(
      "SSLVerifyDepth 3\nSSLRenegBufferSize 1000\n<Location /a>\nSSLVerifyClient require\n"
      "SSLVerifyDepth 2\nSSLCipherSuite HIGH\nSSLOptions +OptRenegotiate\n</Location>\n");
  EXPECT_EQ(server.tls.verify, config::PeerVerify::none);
  EXPECT_EQ(server.tls.verify_depth, 3);
  EXPECT_TRUE(server.tls.verifies_in_sections);
  EXPECT_TRUE(server.tls.ciphers.empty());
  ASSERT_FALSE(server.locations.empty());
  const config::PathSettings merged =
      config::merge(server.defaults, (*server.locations.begin()).settings);
  ASSERT_NE(merged.tls, nullptr);
  EXPECT_EQ(merged.tls->verify, config::PeerVerify::require);
  EXPECT_EQ(merged.tls->verify_depth, 2);
  EXPECT_EQ(merged.tls->ciphers, "HIGH:!aNULL:!eNULL:!EXP");
  EXPECT_EQ(merged.tls->buffer_bytes, 1000U);
  EXPECT_TRUE(merged.tls_options->has(config::TlsOptions::keeps_ciphers));
}

TEST_F(TlsDirectives, what_a_section_asks_for_may_need_another_handshake) {
  for (const std::string line :
       {"SSLVerifyClient optional", "SSLVerifyDepth 2", "SSLCipherSuite HIGH"}) {
    read("<Location /a>\n" + line + "\n</Location>\n");
    EXPECT_TRUE(config_->tls.shakes_hands_anew) << line;
    read(line + "\n");
    EXPECT_FALSE(config_->tls.shakes_hands_anew) << line;
  }
}

TEST_F(TlsDirectives, the_kernel_encrypts_where_a_line_says_so) {
  EXPECT_FALSE((read(""), config_->tls.kernel_encrypts));
  EXPECT_TRUE((read("SteelyardKernelTLS On\n"), config_->tls.kernel_encrypts));
  EXPECT_NE(config_->tls.kernel_encrypts_place.file, nullptr);
  EXPECT_FALSE(
      (read("SteelyardKernelTLS On\nSteelyardKernelTLS off\n"), config_->tls.kernel_encrypts));
  EXPECT_THAT(faults("SteelyardKernelTLS Maybe\n"),
              ElementsAre("4: SteelyardKernelTLS must be On or Off"));
}

TEST_F(TlsDirectives, what_stands_in_a_directory_asks_for_nothing) {
  EXPECT_FALSE(
      read("<Directory />\nSSLVerifyClient require\n</Directory>\n").tls.verifies_in_sections);
  EXPECT_FALSE(read("<Location />\nSSLVerifyClient none\n</Location>\n").tls.verifies_in_sections);
}

TEST_F(TlsDirectives, a_virtual_host_inherits_that_a_section_asks) {
  EXPECT_TRUE(read("<Location /a>\nSSLVerifyClient optional\n</Location>\n"
                   "<VirtualHost *:8080>\n</VirtualHost>\n")
                  .tls.verifies_in_sections);
}

TEST_F(TlsDirectives, what_a_section_cannot_ask_for_is_a_fault) {
  EXPECT_THAT(faults("<Location /a>\nSSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256\n"
                     "SSLRenegBufferSize -1\nSSLVerifyClient maybe\n</Location>\n"),
              ElementsAre("5: TLSv1.3 ciphers cannot be set inside a directory context",
                          "6: Invalid size for SSLRenegBufferSize: -1",
                          "7: SSLVerifyClient: Invalid argument 'maybe'"));
}

TEST_F(TlsDirectives, conditions_of_all_sections_add_up) {
  const Server& server = read(
      "SSLRequire %{SSL_PROTOCOL} ne \"TLSv1\"\n<Location /a>\n"
      "SSLRequire %{SSL_CLIENT_S_DN_O} eq \"Snake Oil\" and %{TIME_HOUR} >= 8\n</Location>\n");
  const config::PathSettings merged =
      config::merge(server.defaults, (*server.locations.begin()).settings);
  ASSERT_EQ(merged.tls->requirements.size(), 2U);
  EXPECT_EQ(merged.tls->requirements[1]->text(),
            "%{SSL_CLIENT_S_DN_O} eq \"Snake Oil\" and %{TIME_HOUR} >= 8");
  EXPECT_THAT(faults("SSLRequire %{FOO} eq \"x\"\n"),
              ElementsAre(HasSubstr("4: SSLRequire: Variable 'FOO' does not exist")));
}

TEST_F(TlsDirectives, words_for_the_library_follow_those_of_the_main_server) {
  const Server& server = read(
      "SSLOpenSSLConfCmd Groups X25519:P-256\n<VirtualHost *:8080>\n"
      "SSLOpenSSLConfCmd CipherString HIGH\n</VirtualHost>\n");
  ASSERT_EQ(server.tls.commands.size(), 2U);
  EXPECT_EQ(server.tls.commands[0].name, "Groups");
  EXPECT_EQ(server.tls.commands[0].value, "X25519:P-256");
  EXPECT_EQ(server.tls.commands[1].value, "HIGH:!aNULL:!eNULL:!EXP");
  EXPECT_EQ(config_->servers[0]->tls.commands.size(), 1U);
  EXPECT_THAT(faults("SSLOpenSSLConfCmd Groups\n"),
              ElementsAre(HasSubstr("SSLOpenSSLConfCmd takes two arguments")));
}

TEST_F(TlsDirectives, who_tells_pass_phrases_is_a_terminal_a_program_or_a_dialog) {
  using Kind = config::PassPhraseDialog::Kind;
  read("SSLPassPhraseDialog exec:bin/tell\n");
  EXPECT_EQ(config_->tls.pass_phrases.kind, Kind::program);
  EXPECT_EQ(config_->tls.pass_phrases.command, "/c/bin/tell");
  read("SSLPassPhraseDialog \"|/bin/tell a b\"\n");
  EXPECT_EQ(config_->tls.pass_phrases.kind, Kind::dialog);
  EXPECT_EQ(config_->tls.pass_phrases.command, "/bin/tell a b");
  read("SSLPassPhraseDialog exec:bin/tell\nSSLPassPhraseDialog builtin\n");
  EXPECT_EQ(config_->tls.pass_phrases.kind, Kind::terminal);
  for (const std::string word : {"exec:", "\"|\"", "ask"})
    EXPECT_THAT(faults("SSLPassPhraseDialog " + word + "\n"),
                ElementsAre("4: SSLPassPhraseDialog: Invalid argument"));
}

TEST_F(TlsDirectives, stapling_is_said_in_seconds_and_by_http) {
  EXPECT_THAT(faults("SSLUseStapling On\nSSLStaplingResponderTimeout 5\n"
                     "SSLStaplingResponseMaxAge -1\nSSLStaplingForceURL http://ocsp.test/\n"),
              IsEmpty());
  EXPECT_THAT(faults("SSLStaplingResponderTimeout soon\n"), ElementsAre(HasSubstr("invalid")));
  EXPECT_THAT(faults("SSLStaplingForceURL https://ocsp.test/\n"),
              ElementsAre(HasSubstr("no http:// URL")));
}

TEST_F(TlsDirectives, authorities_are_asked_about_clients_as_the_lines_say) {
  using About = config::TlsOcsp::About;
  const config::TlsOcsp& usual = read("").tls.ocsp;
  EXPECT_EQ(usual.about, About::nobody);
  EXPECT_EQ(usual.skew, std::chrono::seconds(300));
  EXPECT_EQ(usual.patience, std::chrono::seconds(10));
  EXPECT_FALSE(usual.age_max || usual.overrides || usual.trusts_anybody || usual.responders);
  EXPECT_TRUE(usual.sends_nonce);
  EXPECT_EQ(read("SSLOCSPEnable on\n").tls.ocsp.about, About::chain);
  EXPECT_EQ(read("SSLOCSPEnable On\nSSLOCSPEnable OFF\n").tls.ocsp.about, About::nobody);
  const config::TlsOcsp& ocsp =
      read(
          "SSLOCSPEnable leaf no_ocsp_for_cert_ok\nSSLOCSPDefaultResponder http://o.test/\n"
          "SSLOCSPOverrideResponder on\nSSLOCSPResponseTimeSkew 0\nSSLOCSPResponseMaxAge 60\n"
          "SSLOCSPResponderTimeout 3\nSSLOCSPUseRequestNonce off\n"
          "SSLOCSPProxyURL http://proxy.test:3128/\nSSLOCSPNoverify on\n"
          "SSLOCSPResponderCertificateFile r.pem\n")
          .tls.ocsp;
  EXPECT_EQ(ocsp.about, About::leaf);
  EXPECT_TRUE(ocsp.needs_no_responder && ocsp.overrides && ocsp.trusts_anybody);
  EXPECT_FALSE(ocsp.sends_nonce);
  EXPECT_EQ(ocsp.default_url, "http://o.test/");
  EXPECT_EQ(ocsp.proxy_url, "http://proxy.test:3128/");
  EXPECT_EQ(ocsp.skew, Duration::zero());
  EXPECT_EQ(ocsp.age_max, std::chrono::seconds(60));
  EXPECT_EQ(ocsp.patience, std::chrono::seconds(3));
  ASSERT_TRUE(ocsp.responders);
  EXPECT_EQ(ocsp.responders->path, "/c/r.pem");
}

TEST_F(TlsDirectives, wrong_words_about_asking_authorities_are_told_as_by_httpd) {
  EXPECT_THAT(faults("SSLOCSPEnable maybe\nSSLOCSPEnable\nSSLOCSPEnable on perhaps\n"),
              ElementsAre("4: SSLOCSPEnable: Invalid argument 'maybe'",
                          "5: SSLOCSPEnable: Invalid argument ''",
                          "6: SSLOCSPEnable: Invalid argument 'perhaps'"));
  EXPECT_THAT(faults("SSLOCSPResponseTimeSkew -5\nSSLOCSPResponseMaxAge -1\n"
                     "SSLOCSPResponderTimeout soon\nSSLOCSPProxyURL nonsense\n"),
              ElementsAre("4: SSLOCSPResponseTimeSkew: invalid argument",
                          "5: SSLOCSPResponseMaxAge: invalid argument",
                          "6: SSLOCSPResponderTimeout: invalid argument",
                          "7: SSLOCSPProxyURL: Cannot parse URL nonsense"));
  EXPECT_THAT(faults("SSLOCSPNoVerify perhaps\nSSLOCSPDefaultResponder\n"
                     "<Location />\nSSLOCSPEnable on\n</Location>\n"),
              ElementsAre(HasSubstr("SSLOCSPNoVerify must be On or Off"),
                          HasSubstr("SSLOCSPDefaultResponder takes one argument"),
                          HasSubstr("SSLOCSPEnable not allowed in <Location> context")));
  // httpd starts with these.
  EXPECT_THAT(faults("SSLOCSPDefaultResponder https://o.test/\n"), IsEmpty());
}

TEST_F(TlsDirectives, what_weakens_tls_can_only_be_off) {
  EXPECT_THAT(faults("SSLCompression Off\nSSLInsecureRenegotiation Off\n"
                     "SSLFIPS Off\nSSLRandomSeed startup builtin\n"
                     "SSLPassPhraseDialog exec:/bin/true\nSSLStaplingCache shmcb:x\n"),
              IsEmpty());
  EXPECT_THAT(faults("SSLCompression On\n"), ElementsAre(HasSubstr("CRIME")));
}

TEST_F(TlsDirectives, the_session_cache_is_sized_by_its_bytes) {
  read("SSLSessionCache shmcb:${X}/ssl_scache(1024000)\nSSLSessionCacheTimeout 60\n");
  EXPECT_TRUE(config_->tls.caches_sessions);
  EXPECT_EQ(config_->tls.cached_sessions_max, 2000U);
  EXPECT_EQ(config_->servers[0]->tls.session_life, std::chrono::seconds(60));
  EXPECT_FALSE((read("SSLSessionCache none\n"), config_->tls.caches_sessions));
  EXPECT_THAT(faults("SSLSessionCache shmcb:x(10)\nSSLSessionCache foo:x\n"),
              ElementsAre(HasSubstr(">= 8192"), HasSubstr("'foo' session cache not supported")));
}

TEST_F(TlsDirectives, members_are_spoken_to_as_the_proxy_section_says) {
  const Server& server = read(
      std::string(proxy_modules) +
      "SSLProxyEngine On\nSSLProxyVerify require\n<Proxy balancer://app>\nSSLProxyVerify none\n"
      "SSLProxyCheckPeerName Off\nBalancerMember https://h\n</Proxy>\n");
  EXPECT_EQ(server.tls_backend.engine, true);
  EXPECT_EQ(server.tls_backend.verify, config::PeerVerify::require);
  ASSERT_FALSE(server.proxies.empty());
  const config::Section& section = *server.proxies.begin();
  ASSERT_TRUE(section.tls_backend);
  EXPECT_EQ(section.tls_backend->verify, config::PeerVerify::none);
  EXPECT_EQ(section.tls_backend->checks_name, false);
  EXPECT_FALSE(section.tls_backend->engine);
  EXPECT_THAT(faults("<Location /x>\nSSLProxyEngine On\n</Location>\n"),
              ElementsAre(HasSubstr("SSLProxyEngine cannot occur within <Location> section")));
}

TEST_F(TlsDirectives, members_over_tls_need_the_module) {
  EXPECT_THAT(reader_.faults(std::string(testing::preamble) + std::string(proxy_modules) +
                             "ProxyPass / https://h/\n"),
              ::testing::Contains(HasSubstr("members of protocol https:// need a module")));
}

TEST_F(TlsDirectives, debians_files_load) {
  EXPECT_THAT(faults("SSLRandomSeed startup builtin\nSSLRandomSeed connect file:/dev/urandom 512\n"
                     "SSLPassPhraseDialog exec:/usr/share/apache2/ask-for-passphrase\n"
                     "SSLSessionCache shmcb:/run/ssl_scache(512000)\nSSLSessionCacheTimeout 300\n"
                     "SSLCipherSuite HIGH:!aNULL\nSSLProtocol all -SSLv3\nSSLSessionTickets off\n"
                     "<VirtualHost *:8080>\nSSLEngine on\n" +
                     std::string(pair) +
                     "<FilesMatch \"\\.(?:cgi|shtml|phtml|php)$\">\nSSLOptions +StdEnvVars\n"
                     "</FilesMatch>\n<Directory /usr/lib/cgi-bin>\nSSLOptions +StdEnvVars\n"
                     "</Directory>\n</VirtualHost>\n"),
              IsEmpty());
}

}  // namespace
}  // namespace steelyard::apacheconf
