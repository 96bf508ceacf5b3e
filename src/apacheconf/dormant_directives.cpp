// Directives of modules that are not part of this program. They do nothing until a switch is turned
// on, so that a configuration which only loads such a module is read; turning it on is the fault.
#include <array>

#include "apacheconf/listed.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

struct Switch {
  std::string_view name;
  std::string_view would;  // what httpd does when it is on
  std::string_view advice;
};

constexpr auto switches = std::to_array<Switch>({
    {"ExpiresActive", "say how long answers may be cached",
     "Write Header set Cache-Control \"max-age=...\"."},
    {"ProxyHTMLEnable", "change links in pages on their way",
     "Bodies pass unchanged: let the member write links that clients can follow."},
});

void only_off(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (equals_ignoring_case(word, "off")) return;
  for (const Switch& each : switches) {
    if (!equals_ignoring_case(each.name, statement.name)) continue;
    scope.complain_unless_inert(std::string(each.name) + ' ' + word +
                                    " is not supported: it would " + std::string(each.would),
                                std::string(each.advice));
  }
}

constexpr Directive off_switch(std::string_view name, std::string_view help,
                               std::string_view module) {
  return {.name = name,
          .contexts = anywhere,
          .arguments = Arguments::one,
          .handler = only_off,
          .merge = "there is only one value",
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {}};
}

constexpr auto off_switches = std::to_array<Directive>({
    off_switch("ExpiresActive", "whether answers say how long they hold; only Off",
               "expires_module"),
    off_switch("ProxyHTMLEnable", "whether links in pages are changed; only Off",
               "proxy_html_module"),
});

std::vector<Directive> make_table() {
  std::vector<Directive> table = expand_lists(
      {
          {"expires_module", "ExpiresByType ExpiresDefault", "how long answers may be cached",
           "ExpiresActive can only be Off"},
          {"proxy_html_module",
           "ProxyHTMLEvents ProxyHTMLLinks ProxyHTMLURLMap ProxyHTMLDoctype ProxyHTMLFixups "
           "ProxyHTMLMeta ProxyHTMLInterp ProxyHTMLExtended ProxyHTMLStripComments "
           "ProxyHTMLBufSize ProxyHTMLCharsetOut",
           "which links in pages are changed", "ProxyHTMLEnable can only be Off"},
          {"cgid_module", "ScriptSock CGIDScriptTimeout", "how programs are run",
           "no programs are run"},
          {"cache_disk_module",
           "CacheRoot CacheDirLevels CacheDirLength CacheMinFileSize CacheMaxFileSize "
           "CacheReadSize CacheReadTime",
           "where answers are kept", "no answers are kept"},
          {"cache_socache_module",
           "CacheSocache CacheSocacheMaxTime CacheSocacheMinTime CacheSocacheMaxSize "
           "CacheSocacheReadSize CacheSocacheReadTime",
           "where answers are kept in memory", "no answers are kept"},
          {"cache_module",
           "CacheDisable CacheMaxExpire CacheMinExpire CacheDefaultExpire CacheQuickHandler "
           "CacheIgnoreNoLastMod CacheIgnoreCacheControl CacheStoreExpired CacheStorePrivate "
           "CacheStoreNoStore CacheIgnoreHeaders CacheIgnoreQueryString "
           "CacheIgnoreURLSessionIdentifiers CacheLastModifiedFactor CacheLock CacheLockPath "
           "CacheLockMaxAge CacheHeader CacheDetailHeader CacheKeyBaseURL CacheStaleOnError",
           "how answers are kept", "no answers are kept"},
          {"dav_fs_module", "DAVLockDB", "how files are locked", "no files are served"},
          {"dav_lock_module", "DAVGenericLockDB", "how resources are locked",
           "no files are served"},
          {"dav_module", "DAVMinTimeout DAVDepthInfinity", "how far requests about files go",
           "no files are served"},
          {"userdir_module", "UserDir", "where users keep pages", "no files are served"},
          {"brotli_module",
           "BrotliFilterNote BrotliCompressionQuality BrotliCompressionWindow "
           "BrotliCompressionMaxInputBlock BrotliAlterETag",
           "how bodies are compressed", "bodies pass unchanged"},
          {"usertrack_module",
           "CookieExpires CookieDomain CookieStyle CookieName CookieSameSite CookieSecure "
           "CookieHttpOnly",
           "the cookie of CookieTracking", "no cookie is set"},
          {"md_module", "MDCertificateAgreement MDContactEmail", "for the authority of MDomain",
           "no certificates are fetched"},
          {"xml2enc_module", "xml2EncDefault xml2EncAlias xml2StartParse",
           "which charset pages are read in", "pages pass unchanged"},
      },
      Support::accepted_with_note);
  table.insert(table.end(), off_switches.begin(), off_switches.end());
  return table;
}

}  // namespace

std::span<const Directive> dormant_directives() {
  static const std::vector<Directive> table = make_table();
  return table;
}

}  // namespace steelyard::apacheconf
