#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "apacheconf/directive.hpp"

// The parts that the directive table is joined from: one function a file of handlers.

namespace steelyard::apacheconf {

std::span<const Directive> reading_directives();  // Include, Define, <IfModule>, Use, ...
std::span<const Directive> section_directives();
std::span<const Directive> server_directives();
std::span<const Directive> client_directives();
std::span<const Directive> http2_directives();  // Protocols, H2...
std::span<const Directive> log_directives();
std::span<const Directive> process_directives();
std::span<const Directive> trace_directives();  // SteelyardTrace, SteelyardTraceExport
std::span<const Directive> content_directives();
std::span<const Directive> compression_directives();  // SetOutputFilter, DeflateFilterNote, ...
std::span<const Directive> heartbeat_directives();
std::span<const Directive> remote_ip_directives();    // RemoteIPHeader, RemoteIPProxyProtocol, ...
std::span<const Directive> tls_directives();          // SSLEngine, SSLCertificateFile, ...
std::span<const Directive> tls_ocsp_directives();     // SSLOCSPEnable, ...
std::span<const Directive> tls_path_directives();     // SSLVerifyClient, SSLOptions, ...
std::span<const Directive> tls_backend_directives();  // SSLProxyEngine, SSLProxyVerify, ...
std::span<const Directive> cluster_directives();
std::span<const Directive> dormant_directives();
std::span<const Directive> refused_directives();

std::span<const Directive> fcgi_directives();      // ProxyFCGIBackendType, ProxyFCGISetEnvIf
std::span<const Directive> proxy_directives();     // ProxyPass, BalancerMember, ProxySet, ...
std::span<const Directive> forward_directives();   // ProxyRequests, AllowCONNECT, ProxyRemote, ...
std::span<const Directive> health_directives();    // ProxyHCTemplate, ProxyHCExpr, ProxyHCTPsize
std::span<const Directive> header_directives();    // Header, RequestHeader, SetEnv, SetEnvIf, ...
std::span<const Directive> redirect_directives();  // Redirect, ErrorDocument
std::span<const Directive> rewrite_directives();   // RewriteRule and its relatives
std::span<const Directive> access_directives();    // Require and its containers
std::span<const Directive> auth_directives();      // AuthType and its relatives

// All of them, in the order above. Lookup ignores case; nullptr: unknown.
const std::vector<const Directive*>& all_directives();
const Directive* find_directive(std::string_view name);
// Of a module that is not httpd's, by what its directives begin with: refused; nullptr: none known.
const Directive* find_family(std::string_view name);

// After the last line of a section (its frame still open) and of each server: what was collected
// line by line becomes part of scope.settings(), e.g. the Require tree. A Section moves afterwards,
// so pointers to its settings end here.
void finish_settings(Scope& scope);

// After all statements were executed, in this order; each may complain.
void finish_servers(Reading& reading);    // names, log formats, what virtual hosts inherit
void finish_proxy(Reading& reading);      // routes, balancers, members, sections, path settings
void finish_rewriting(Reading& reading);  // whose rules count in which virtual host
void finish_tls(Reading& reading);        // who speaks TLS
void finish_tls_members(Reading& reading);
void finish_heartbeats(Reading& reading);
void finish_remote_ip(Reading& reading);  // where the PROXY protocol is spoken
void finish_traces(Reading& reading);     // after finish_servers: who keeps timelines
void finish_auth(Reading& reading);       // files of users that nobody can read
void finish_forward(Reading& reading);    // whether a forward proxy is open to everybody
void finish_pages(Reading& reading);      // those about the server that are open to everybody

}  // namespace steelyard::apacheconf
