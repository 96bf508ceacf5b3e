// Directives of httpd that are not done here. They are known by name so that the complaint can say
// what they would have done and how to proceed; a table that implements one takes it off this list.
// Longer than a screen because it is a table.
#include "apacheconf/listed.hpp"
#include "apacheconf/tables.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view wrap =
    "Remove it, or keep it for httpd inside <IfModule !steelyard_module>.";

std::vector<Directive> make_table() {
  return expand_lists(
      {
          {"ssl_module", "SSLRequire", "let in who meets a condition",
           "Write Require expr, whose language is nearly the same."},
          {"ssl_module", "SSLUserName", "make a user name of the client's certificate",
           "Pass the name on: RequestHeader set X-Client \"%{SSL_CLIENT_S_DN_CN}s\"."},
          {"ssl_module", "SSLProxyMachineCertificatePath SSLProxyMachineCertificateChainFile",
           "choose among certificates to show to members",
           "Put the certificate, those between it and the authority, and the key into one file: "
           "SSLProxyMachineCertificateFile."},
          {"ssl_module", "SSLOpenSSLConfCmd", "pass commands to the library", wrap},
          {"ssl_module", "SSLSRPVerifierFile SSLSRPUnknownUserSeed SSLLog SSLLogLevel",
           "speak TLS in ways that hardly anybody uses any more", wrap},
          {"authn_core_module",
           "AuthName <AuthnProviderAlias AuthBasicProvider AuthBasicAuthoritative "
           "AuthBasicFake AuthBasicUseDigestAlgorithm AuthDigestProvider AuthDigestQop "
           "AuthDigestNonceLifetime AuthDigestNcCheck AuthDigestAlgorithm AuthDigestDomain "
           "AuthDigestShmemSize AuthFormProvider AuthFormUsername AuthFormPassword "
           "AuthFormLocation AuthFormMethod AuthFormMimetype AuthFormBody AuthFormSize "
           "AuthFormLoginRequiredLocation AuthFormLoginSuccessLocation AuthFormLogoutLocation "
           "AuthFormSitePassphrase AuthFormAuthoritative AuthFormFakeBasicAuth "
           "AuthFormDisableNoStore Anonymous Anonymous_MustGiveEmail Anonymous_NoUserId "
           "Anonymous_VerifyEmail Anonymous_LogEmail AuthDBDUserPWQuery AuthDBDUserRealmQuery "
           "AuthDBMUserFile AuthDBMType AuthUserFile AuthnCacheSOCache AuthnCacheEnable "
           "AuthnCacheProvideFor AuthnCacheTimeout AuthnCacheContext AuthnzFcgiDefineProvider "
           "AuthnzFcgiCheckAuthnProvider AuthLDAPURL AuthLDAPBindDN AuthLDAPBindPassword "
           "AuthLDAPBindAuthoritative AuthLDAPRemoteUserIsDN AuthLDAPRemoteUserAttribute "
           "AuthLDAPCompareDNOnServer AuthLDAPSubGroupAttribute AuthLDAPSubGroupClass "
           "AuthLDAPMaxSubGroupDepth AuthLDAPGroupAttribute AuthLDAPGroupAttributeIsDN "
           "AuthLDAPDereferenceAliases AuthLDAPCharsetConfig AuthLDAPAuthorizePrefix "
           "AuthLDAPInitialBindAsUser AuthLDAPInitialBindPattern AuthLDAPSearchAsUser "
           "AuthLDAPCompareAsUser AuthzDBDLoginToReferer AuthzDBDQuery AuthzDBDRedirectQuery "
           "AuthDBMGroupFile AuthzDBMType AuthGroupFile LDAPSharedCacheSize "
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
           "ask users who they are",
           "Let the members authenticate, or restrict the path by Require ip."},
          {"authz_core_module", "<AuthzProviderAlias AuthzSendForbiddenOnFailure", "extend Require",
           wrap},
          {"allowmethods_module", "AllowMethods", "allow only some methods",
           "Write Require method in a <Location>."},
          {"cache_module",
           "CacheEnable CacheDisable CacheMaxExpire CacheMinExpire CacheDefaultExpire "
           "CacheQuickHandler CacheIgnoreNoLastMod CacheIgnoreCacheControl CacheStoreExpired "
           "CacheStorePrivate CacheStoreNoStore CacheIgnoreHeaders CacheIgnoreQueryString "
           "CacheIgnoreURLSessionIdentifiers CacheLastModifiedFactor CacheLock CacheLockPath "
           "CacheLockMaxAge CacheHeader CacheDetailHeader CacheKeyBaseURL CacheStaleOnError "
           "CacheRoot CacheDirLevels CacheDirLength CacheMinFileSize CacheMaxFileSize "
           "CacheReadSize CacheReadTime CacheSocache CacheSocacheMaxTime CacheSocacheMinTime "
           "CacheSocacheMaxSize CacheSocacheReadSize CacheSocacheReadTime cachefile mmapfile "
           "MemcacheConnTTL RedisConnPoolTTL RedisTimeout",
           "keep answers to send them again", wrap},
          {"filter_module",
           "SetInputFilter AddInputFilter FilterDeclare "
           "FilterProvider FilterChain FilterTrace FilterProtocol "
           "BrotliFilterNote BrotliCompressionQuality BrotliCompressionWindow "
           "BrotliCompressionMaxInputBlock BrotliAlterETag ExtFilterOptions ExtFilterDefine "
           "Substitute SubstituteMaxLineLength SubstituteInheritBefore OutputSed InputSed "
           "CharsetSourceEnc CharsetDefault CharsetOptions XBitHack "
           "SSIErrorMsg SSITimeFormat SSIStartTag SSIEndTag SSIUndefinedEcho "
           "SSILegacyExprParser SSILastModified SSIEtag BufferSize ReflectorHeader",
           "change bodies on their way",
           "Bodies pass unchanged: remove it, or keep it for httpd inside "
           "<IfModule !steelyard_module>."},
          {"log_forensic_module",
           "ForensicLog LogMessage DumpIOInput DumpIOOutput IdentityCheck "
           "IdentityCheckTimeout CookieExpires CookieDomain CookieStyle CookieTracking "
           "CookieName CookieSameSite CookieSecure CookieHttpOnly",
           "record requests in further ways", "Write CustomLog."},
          {"cgi_module",
           "<LuaHookAccessChecker <LuaHookAuthChecker <LuaHookCheckUserID <LuaHookFixups "
           "<LuaHookMapToStorage <LuaHookPreTranslateName <LuaHookTranslateName "
           "<LuaHookTypeChecker <LuaQuickHandler Action CGIDScriptTimeout CGIScriptTimeout "
           "ChrootDir ImapBase ImapDefault ImapMenu LuaAuthzProvider LuaCodeCache "
           "LuaHookAccessChecker LuaHookAuthChecker LuaHookCheckUserID LuaHookFixups "
           "LuaHookInsertFilter LuaHookLog LuaHookMapToStorage LuaHookPreTranslateName "
           "LuaHookTranslateName LuaHookTypeChecker LuaInherit LuaInputFilter LuaMapHandler "
           "LuaOutputFilter LuaPackageCPath LuaPackagePath LuaQuickHandler LuaRoot LuaScope "
           "Script ScriptLog ScriptLogBuffer ScriptLogLength ScriptSock Suexec "
           "SuexecUserGroup",
           "run programs", "Run them in a member and write ProxyPass."},
          {"dav_module",
           "DAV DAVBasePath DAVMinTimeout DAVDepthInfinity DAVLockDiscovery DAVLockDB "
           "DAVGenericLockDB MetaFiles MetaDir MetaSuffix CheckSpelling CheckCaseOnly "
           "CheckBasenameMatch UserDir VirtualScriptAlias VirtualDocumentRoot "
           "VirtualScriptAliasIP VirtualDocumentRootIP FallbackResource",
           "find files in further ways", "Serve them by a member and write ProxyPass."},
          {"md_module",
           "MDCertificateAuthority MDCertificateAgreement MDCAChallenges "
           "MDCertificateProtocol MDContactEmail MDDriveMode MDRenewMode MDomain <MDomainSet "
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
           "ProxySCGIInternalRedirect ProxyWebsocketFallbackToProxyHttp BalancerPersist "
           "BalancerInherit BalancerGrowth ProxyStatus Proxy100Continue",
           "proxy in further ways", wrap},
          {"security2_module",
           "SecRuleEngine SecRule SecAction SecRequestBodyAccess SecResponseBodyAccess "
           "SecAuditEngine SecAuditLog SecDefaultAction SecDebugLog SecDataDir",
           "inspect requests", wrap},
          {"info_module",
           "AddModuleInfo ProtocolEcho ModemStandard Protocol Port RewriteLog RewriteLogLevel "
           "LockFile AcceptMutex Win32DisableAcceptEx ListenTCPDeferAccept",
           "do something rare or old", wrap},
          {"macro_module", "MacroIgnoreEmptyArgs MacroIgnoreBadNesting",
           "relax the checks of macros", "Macros are not checked so strictly: remove it."},
          {"ratelimit_module", "RateLimit", "slow answers", wrap},
      },
      Support::refused);
}

}  // namespace

std::span<const Directive> refused_directives() {
  static const std::vector<Directive> table = make_table();
  return table;
}

}  // namespace steelyard::apacheconf
