#include "apacheconf/modules.hpp"

#include <algorithm>
#include <array>

namespace steelyard::apacheconf {

namespace {

using enum Module::Kind;

constexpr std::string_view files_note = "Steelyard serves no files";
constexpr std::string_view users_note =
    "write AuthType Basic with AuthUserFile, or let members authenticate";
constexpr std::string_view scheme_note = "members of this protocol are not supported";

// Longer than a screen because it is a table.
constexpr auto modules = std::to_array<Module>({
    {"core_module", "core.c", built_in},
    {"so_module", "mod_so.c", built_in},
    {"watchdog_module", "mod_watchdog.c", built_in},
    {"http_module", "http_core.c", built_in},
    {"log_config_module", "mod_log_config.c", built_in},
    {"logio_module", "mod_logio.c", built_in},
    {"version_module", "mod_version.c", built_in},
    {"unixd_module", "mod_unixd.c", built_in},
    {"steelyard_module", "mod_steelyard.c", built_in},

    {"mpm_event_module", "event.c", built_in},

    {"access_compat_module", "mod_access_compat.c", implemented},
    {"alias_module", "mod_alias.c", implemented},
    {"auth_basic_module", "mod_auth_basic.c", implemented},
    {"authn_core_module", "mod_authn_core.c", implemented},
    {"authn_file_module", "mod_authn_file.c", implemented},
    {"authz_core_module", "mod_authz_core.c", implemented},
    {"authz_groupfile_module", "mod_authz_groupfile.c", implemented},
    {"authz_host_module", "mod_authz_host.c", implemented},
    {"authz_user_module", "mod_authz_user.c", implemented},
    {"deflate_module", "mod_deflate.c", implemented},
    {"env_module", "mod_env.c", implemented},
    {"filter_module", "mod_filter.c", implemented},
    {"headers_module", "mod_headers.c", implemented},
    {"heartbeat_module", "mod_heartbeat.c", implemented},
    {"heartmonitor_module", "mod_heartmonitor.c", implemented},
    {"http2_module", "mod_http2.c", implemented},
    {"lbmethod_bybusyness_module", "mod_lbmethod_bybusyness.c", implemented},
    {"lbmethod_byrequests_module", "mod_lbmethod_byrequests.c", implemented},
    {"lbmethod_bytraffic_module", "mod_lbmethod_bytraffic.c", implemented},
    {"lbmethod_heartbeat_module", "mod_lbmethod_heartbeat.c", implemented},
    {"macro_module", "mod_macro.c", implemented},
    {"proxy_module", "mod_proxy.c", implemented},
    {"proxy_ajp_module", "mod_proxy_ajp.c", implemented},
    {"proxy_balancer_module", "mod_proxy_balancer.c", implemented},
    {"proxy_fcgi_module", "mod_proxy_fcgi.c", implemented},
    {"proxy_ftp_module", "mod_proxy_ftp.c", implemented},
    {"proxy_connect_module", "mod_proxy_connect.c", implemented},
    {"proxy_hcheck_module", "mod_proxy_hcheck.c", implemented},
    {"proxy_http_module", "mod_proxy_http.c", implemented},
    {"proxy_http2_module", "mod_proxy_http2.c", implemented},
    {"proxy_scgi_module", "mod_proxy_scgi.c", implemented},
    {"proxy_uwsgi_module", "mod_proxy_uwsgi.c", implemented},
    {"remoteip_module", "mod_remoteip.c", implemented},
    {"reqtimeout_module", "mod_reqtimeout.c", implemented},
    {"rewrite_module", "mod_rewrite.c", implemented},
    {"setenvif_module", "mod_setenvif.c", implemented},
    {"slotmem_plain_module", "mod_slotmem_plain.c", implemented},
    {"slotmem_shm_module", "mod_slotmem_shm.c", implemented},
    {"socache_shmcb_module", "mod_socache_shmcb.c", implemented},
    {"ssl_module", "mod_ssl.c", implemented},
    {"status_module", "mod_status.c", implemented},
    {"unique_id_module", "mod_unique_id.c", implemented},

    {"autoindex_module", "mod_autoindex.c", inert, files_note},
    {"dir_module", "mod_dir.c", inert, files_note},
    {"mime_module", "mod_mime.c", inert, "of its directives AddOutputFilter is done"},
    {"mime_magic_module", "mod_mime_magic.c", inert, files_note},
    {"negotiation_module", "mod_negotiation.c", inert, files_note},
    {"info_module", "mod_info.c", inert, "use steelyard -S, -M and -L"},
    {"mpm_worker_module", "worker.c", inert, "threads are sized by SteelyardShards"},
    {"mpm_prefork_module", "prefork.c", inert, "processes are sized by SteelyardShards"},
    {"proxy_wstunnel_module", "mod_proxy_wstunnel.c", inert, "ws:// is spoken without it"},

    {"actions_module", "mod_actions.c", foreign, files_note},
    {"allowmethods_module", "mod_allowmethods.c", foreign, "write Require method instead"},
    {"auth_digest_module", "mod_auth_digest.c", foreign, users_note},
    {"auth_form_module", "mod_auth_form.c", foreign, users_note},
    {"authnz_ldap_module", "mod_authnz_ldap.c", foreign, users_note},
    {"brotli_module", "mod_brotli.c", foreign, "answers pass uncompressed"},
    {"buffer_module", "mod_buffer.c", foreign, "bodies are streamed"},
    {"cache_module", "mod_cache.c", foreign, "nothing is cached"},
    {"cache_disk_module", "mod_cache_disk.c", foreign, "nothing is cached"},
    {"cgi_module", "mod_cgi.c", foreign, "no programs are run"},
    {"cgid_module", "mod_cgid.c", foreign, "no programs are run"},
    {"dav_module", "mod_dav.c", foreign, files_note},
    {"expires_module", "mod_expires.c", foreign, "write Header set Cache-Control instead"},
    {"ext_filter_module", "mod_ext_filter.c", foreign, "answers pass unfiltered"},
    {"include_module", "mod_include.c", foreign, files_note},
    {"ldap_module", "mod_ldap.c", foreign, users_note},
    {"log_forensic_module", "mod_log_forensic.c", foreign, "no forensic log is written"},
    {"lua_module", "mod_lua.c", foreign, "no programs are run"},
    {"md_module", "mod_md.c", foreign, "certificates are not fetched"},
    {"php_module", "mod_php.c", foreign, "no programs are run"},
    {"proxy_express_module", "mod_proxy_express.c", foreign, "write ProxyPass instead"},
    {"proxy_fdpass_module", "mod_proxy_fdpass.c", foreign, scheme_note},
    {"proxy_html_module", "mod_proxy_html.c", foreign, "pages pass unchanged"},
    {"ratelimit_module", "mod_ratelimit.c", foreign, "answers are not slowed"},
    {"request_module", "mod_request.c", foreign, users_note},
    {"security2_module", "mod_security2.c", foreign, "requests are not inspected"},
    {"session_module", "mod_session.c", foreign, users_note},
    {"substitute_module", "mod_substitute.c", foreign, "pages pass unchanged"},
    {"suexec_module", "mod_suexec.c", foreign, "no programs are run"},
    {"userdir_module", "mod_userdir.c", foreign, files_note},
    {"usertrack_module", "mod_usertrack.c", foreign, "no tracking cookie is set"},
    {"vhost_alias_module", "mod_vhost_alias.c", foreign, files_note},
    {"xml2enc_module", "mod_xml2enc.c", foreign, "pages pass unchanged"},
});

}  // namespace

std::span<const Module> known_modules() { return modules; }

std::string httpd_version_text() {
  return std::to_string(httpd_version.major) + '.' + std::to_string(httpd_version.minor) + '.' +
         std::to_string(httpd_version.patch);
}

std::string source_of(std::string_view file) {
  file.remove_prefix(std::min(file.rfind('/') + 1, file.size()));
  if (file.ends_with(".so")) file.remove_suffix(3);
  return std::string(file) + ".c";
}

const Module* module_of_file(std::string_view file) {
  constexpr std::string_view mpm = "mod_mpm_";
  const std::string source = source_of(file);
  return find_module(source.starts_with(mpm) ? std::string_view(source).substr(mpm.size())
                                             : std::string_view(source));
}

const Module* find_module(std::string_view name) {
  for (const Module& module : modules) {
    if (module.identifier == name || module.file == name) return &module;
  }
  return nullptr;
}

}  // namespace steelyard::apacheconf
