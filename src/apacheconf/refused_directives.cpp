// Directives of httpd that are not done here. They are known by name so that the complaint can say
// what they would have done and how to proceed; a table that implements one takes it off this list.
// Longer than a screen because it is a table.
#include <algorithm>
#include <array>

#include "apacheconf/listed.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view wrap =
    "Remove it, or keep it for httpd inside <IfModule !steelyard_module>.";

std::vector<Directive> make_table() {
  return expand_lists(
      {
          {"ssl_module", "SSLSRPVerifierFile SSLSRPUnknownUserSeed SSLLog SSLLogLevel",
           "speak TLS in ways that hardly anybody uses any more", wrap},
          {"authn_core_module",
           "<AuthnProviderAlias AuthBasicUseDigestAlgorithm AuthDigestProvider AuthDigestQop "
           "AuthDigestNonceLifetime AuthDigestNcCheck AuthDigestAlgorithm AuthDigestDomain "
           "AuthDigestShmemSize AuthFormProvider AuthFormUsername AuthFormPassword "
           "AuthFormLocation AuthFormMethod AuthFormMimetype AuthFormBody AuthFormSize "
           "AuthFormLoginRequiredLocation AuthFormLoginSuccessLocation AuthFormLogoutLocation "
           "AuthFormSitePassphrase AuthFormAuthoritative AuthFormFakeBasicAuth "
           "AuthFormDisableNoStore Anonymous Anonymous_MustGiveEmail Anonymous_NoUserId "
           "Anonymous_VerifyEmail Anonymous_LogEmail AuthDBDUserPWQuery AuthDBDUserRealmQuery "
           "AuthDBMUserFile AuthDBMType AuthnCacheSOCache AuthnCacheEnable "
           "AuthnCacheProvideFor AuthnCacheTimeout AuthnCacheContext AuthnzFcgiDefineProvider "
           "AuthnzFcgiCheckAuthnProvider AuthLDAPURL AuthLDAPBindDN AuthLDAPBindPassword "
           "AuthLDAPBindAuthoritative AuthLDAPRemoteUserIsDN AuthLDAPRemoteUserAttribute "
           "AuthLDAPCompareDNOnServer AuthLDAPSubGroupAttribute AuthLDAPSubGroupClass "
           "AuthLDAPMaxSubGroupDepth AuthLDAPGroupAttribute AuthLDAPGroupAttributeIsDN "
           "AuthLDAPDereferenceAliases AuthLDAPCharsetConfig AuthLDAPAuthorizePrefix "
           "AuthLDAPInitialBindAsUser AuthLDAPInitialBindPattern AuthLDAPSearchAsUser "
           "AuthLDAPCompareAsUser AuthzDBDLoginToReferer AuthzDBDQuery AuthzDBDRedirectQuery "
           "AuthDBMGroupFile AuthzDBMType LDAPSharedCacheSize "
           "LDAPSharedCacheFile LDAPCacheEntries LDAPCacheTTL LDAPOpCacheEntries "
           "LDAPOpCacheTTL LDAPTrustedGlobalCert LDAPTrustedClientCert LDAPTrustedMode "
           "LDAPVerifyServerCert LDAPConnectionTimeout LDAPReferrals LDAPReferralHopLimit "
           "LDAPLibraryDebug LDAPTimeout LDAPConnectionPoolTTL LDAPRetries LDAPRetryDelay "
           "Session SessionMaxAge SessionHeader SessionEnv SessionInclude SessionExclude "
           "SessionExpiryUpdateInterval SessionCookieName SessionCookieName2 "
           "SessionCookieRemove SessionCryptoPassphrase SessionCryptoPassphraseFile "
           "SessionCryptoCipher SessionCryptoDriver SessionDBDSelectLabel "
           "SessionDBDInsertLabel SessionDBDUpdateLabel SessionDBDDeleteLabel "
           "SessionDBDPerUser SessionDBDCookieRemove SessionDBDCookieName "
           "SessionDBDCookieName2 KeptBodySize DBDriver DBDParams DBDPersist DBDPrepareSQL "
           "DBDInitSQL DBDMin DBDKeep DBDMax DBDExptime",
           "ask users who they are in ways that are not known here",
           "Write AuthType Basic with AuthUserFile, let the members authenticate, or restrict the "
           "path by Require ip."},
          {"authz_core_module", "<AuthzProviderAlias", "extend Require", wrap},
          {"allowmethods_module", "AllowMethods", "allow only some methods",
           "Write Require method in a <Location>."},
          {"cache_module",
           "CacheEnable cachefile mmapfile MemcacheConnTTL RedisConnPoolTTL RedisTimeout",
           "keep answers to send them again", wrap},
          {"filter_module",
           "SetInputFilter AddInputFilter FilterDeclare "
           "FilterProvider FilterChain FilterTrace FilterProtocol "
           "ExtFilterOptions ExtFilterDefine "
           "Substitute SubstituteMaxLineLength SubstituteInheritBefore OutputSed InputSed "
           "CharsetSourceEnc CharsetDefault CharsetOptions XBitHack "
           "SSIErrorMsg SSITimeFormat SSIStartTag SSIEndTag SSIUndefinedEcho "
           "SSILegacyExprParser SSILastModified SSIEtag BufferSize ReflectorHeader",
           "change bodies on their way",
           "Bodies pass unchanged: remove it, or keep it for httpd inside "
           "<IfModule !steelyard_module>."},
          {"log_forensic_module",
           "ForensicLog LogMessage DumpIOInput DumpIOOutput IdentityCheck "
           "IdentityCheckTimeout CookieTracking CookieLog",
           "record requests in further ways", "Write CustomLog."},
          {"cgi_module",
           "<LuaHookAccessChecker <LuaHookAuthChecker <LuaHookCheckUserID <LuaHookFixups "
           "<LuaHookMapToStorage <LuaHookPreTranslateName <LuaHookTranslateName "
           "<LuaHookTypeChecker <LuaQuickHandler Action CGIScriptTimeout ChrootDir ImapBase "
           "ImapDefault ImapMenu LuaAuthzProvider LuaCodeCache "
           "LuaHookAccessChecker LuaHookAuthChecker LuaHookCheckUserID LuaHookFixups "
           "LuaHookInsertFilter LuaHookLog LuaHookMapToStorage LuaHookPreTranslateName "
           "LuaHookTranslateName LuaHookTypeChecker LuaInherit LuaInputFilter LuaMapHandler "
           "LuaOutputFilter LuaPackageCPath LuaPackagePath LuaQuickHandler LuaRoot LuaScope "
           "Script ScriptLog ScriptLogBuffer ScriptLogLength Suexec "
           "SuexecUserGroup",
           "run programs", "Run them in a member and write ProxyPass."},
          {"dav_module",
           "DAV DAVBasePath DAVLockDiscovery MetaFiles MetaDir MetaSuffix CheckSpelling "
           "CheckCaseOnly "
           "CheckBasenameMatch VirtualScriptAlias VirtualDocumentRoot "
           "VirtualScriptAliasIP VirtualDocumentRootIP FallbackResource",
           "find files in further ways", "Serve them by a member and write ProxyPass."},
          {"md_module",
           "MDCertificateAuthority MDCAChallenges "
           "MDCertificateProtocol MDDriveMode MDRenewMode MDomain <MDomainSet "
           "<MDomain MDMember MDMembers MDMustStaple MDPortMap MDPrivateKeys MDHttpProxy "
           "MDStoreDir MDRenewWindow MDRequireHttps MDNotifyCmd MDBaseServer MDChallengeDns01 "
           "MDChallengeDns01Version MDCertificateFile MDCertificateKeyFile MDServerStatus "
           "MDCertificateStatus MDWarnWindow MDMessageCmd MDStapling MDStapleOthers "
           "MDStaplingKeepResponse MDStaplingRenewWindow MDCertificateCheck MDActivationDelay "
           "MDCACertificateFile MDHttpProxyCACertificateFile MDExternalAccountBinding "
           "MDRetryDelay MDRetryFailover MDStoreLocks MDMatchNames MDInitialDelay "
           "MDCheckInterval MDProfile MDProfileMandatory MDRenewViaARI",
           "fetch certificates", wrap},
          {"proxy_module",
           "ProxyExpressEnable ProxyExpressDBMFile ProxyExpressDBMType ProxySCGISendfile "
           "ProxySCGIInternalRedirect BalancerPersist BalancerInherit BalancerGrowth ProxyStatus "
           "Proxy100Continue",
           "proxy in further ways", wrap},
          {"security2_module",
           "SecRuleEngine SecRule SecAction SecRequestBodyAccess SecResponseBodyAccess "
           "SecAuditEngine SecAuditLog SecDefaultAction SecDebugLog SecDataDir",
           "inspect requests", wrap},
          {"info_module",
           "AddModuleInfo ProtocolEcho ModemStandard Protocol Port ListenTCPDeferAccept",
           "do something rare or old", wrap},
          {"core_module", "RewriteLog RewriteLogLevel", "log rewriting as httpd 2.2 did",
           "Write LogLevel rewrite:trace3, as for httpd 2.4."},
          {"core_module", "LockFile AcceptMutex SSLMutex RewriteLock Win32DisableAcceptEx",
           "lock as httpd 2.2 did", "httpd 2.4 has no such line either: remove it."},
          {"macro_module", "MacroIgnoreEmptyArgs MacroIgnoreBadNesting",
           "relax the checks of macros",
           "Remove it: empty arguments are taken anyway, and a macro closes what it opens."},
          {"ratelimit_module", "RateLimit", "slow answers", wrap},
      },
      Support::refused);
}

// Modules that are not httpd's own: all their directives begin with the same letters.
struct Family {
  std::string_view begins_with;
  Directive directive;  // what is said of all of them
};

constexpr Family family(std::string_view begins_with, std::string_view would,
                        std::string_view advice) {
  return {begins_with,
          {.name = begins_with,
           .handler = nullptr,
           .help = would,
           .support = Support::refused,
           .note = advice}};
}

constexpr auto families = std::to_array<Family>({
    family("Jk", "pass requests on by mod_jk",
           "Write ProxyPass \"/app\" \"ajp://HOST:8009/app\" for JkMount /app/*, with a member for "
           "each worker: docs/ajp.md."),
    family("WebLogic", "pass requests on by WebLogic's module",
           "Write a <Proxy balancer://...> with a BalancerMember for each server of the cluster."),
    family("php_", "set values of PHP inside httpd", "Set them in the pool of php-fpm."),
    family("OIDC", "log users in by OpenID Connect",
           "Let the members do it, or a member like oauth2-proxy in front of them."),
    family("Shib", "log users in by Shibboleth", "Let the members do it."),
    family("Krb", "log users in by Kerberos", "Let the members do it."),
    family("Gss", "log users in by Kerberos", "Let the members do it."),
    family("CAS", "log users in by CAS", "Let the members do it."),
    family("Mellon", "log users in by SAML", "Let the members do it."),
    family("RPAF", "take the client's address from a field of the request",
           "Write RemoteIPHeader X-Forwarded-For and RemoteIPInternalProxy with the addresses of "
           "what stands in front."),
    family("GeoIP", "look up where addresses are", wrap),
    family("MaxMind", "look up where addresses are", wrap),
    family("QS_", "bound what clients may take by mod_qos",
           "Write max= and queue= at members and balancers: docs/extensions.md."),
    family("DOS", "keep clients out by mod_evasive", wrap),
    family("WSGI", "run Python programs", "Run them in a member and write ProxyPass."),
    family("Passenger", "run programs", "Run them in a member and write ProxyPass."),
    family("Perl", "run Perl inside httpd", "Run it in a member and write ProxyPass."),
    family("Python", "run Python inside httpd", "Run it in a member and write ProxyPass."),
    family("Fcgid", "run programs by mod_fcgid",
           "Start them as FastCGI servers and write ProxyPass with fcgi://."),
    family("FastCgi", "run programs by mod_fastcgi",
           "Start them as FastCGI servers and write ProxyPass with fcgi://."),
    family("ModPagespeed", "change bodies on their way", wrap),
    family("ManagerBalancer", "let JBoss servers register themselves by mod_cluster",
           "Write a BalancerMember for each, or resolve=srv: docs/extensions.md."),
    family("EnableMCPM", "let JBoss servers register themselves by mod_cluster",
           "Write a BalancerMember for each, or resolve=srv: docs/extensions.md."),
    family("SVN", "serve repositories", "Serve them by a member and write ProxyPass."),
});

}  // namespace

const Directive* find_family(std::string_view name) {
  const auto* const found = std::ranges::find_if(families, [name](const Family& each) {
    return starts_with_ignoring_case(name, each.begins_with);
  });
  return found == families.end() ? nullptr : &found->directive;
}

std::span<const Directive> refused_directives() {
  static const std::vector<Directive> table = make_table();
  return table;
}

}  // namespace steelyard::apacheconf
