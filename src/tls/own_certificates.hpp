#pragma once

#include "config/tls_settings.hpp"
#include "tls/files.hpp"
#include "tls/material.hpp"

// The certificates that members may be shown, and the choice among them (httpd:
// SSLProxyMachineCertificateFile, ...Path, ...ChainFile and ssl_callback_proxy_cert).
//
//   the member names no authority       the first certificate
//   it names some                       of the first of them that one leads to: that one
//   none leads to any                   no certificate
//
// A file holds certificates with their keys, in any order. One without a key lies between the
// others and an authority: it is shown with them (httpd refuses it).
//
// Threads: any, once the context is made.

namespace steelyard::tls {

// After everything that the context believes: the chain file's authorities come on top (httpd).
// Equal texts are returned for the same contents of files.
std::string show_own_certificates(SSL_CTX& context, const config::TlsBackendSettings& settings,
                                  Material& material, Faults& faults);

}  // namespace steelyard::tls
