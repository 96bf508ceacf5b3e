#pragma once

#include <string>
#include <vector>

#include "config/tls_settings.hpp"
#include "tls/material.hpp"

// Whom somebody believes, out of the files that say so (httpd: SSLCA..., SSLCARevocation..., and
// the same of SSLProxy).
//
// Threads: the loader's.

namespace steelyard::tls {

// Has the context believe what `trust` names, and nothing else; lists of revoked certificates too.
// Contexts of one load that name the same share the store: it is not to be changed.
// What they return: equal texts, the same contents of files.
std::string set_trust(SSL_CTX& context, const config::TlsTrust& trust, Material& material,
                      Faults& faults);
// Has it believe what lies in one more file; it alone.
std::string add_trust(SSL_CTX& context, const config::NamedFile& authorities, Material& material,
                      Faults& faults);
// Those authorities whose names a client is told, so that it can choose a certificate.
void set_client_names(SSL_CTX& context, const config::TlsTrust& trust, Material& material,
                      Faults& faults);

// What may be files in a directory; a fault when it cannot be listed.
std::vector<config::NamedFile> files_of(const config::NamedFile& directory, Material& material,
                                        Faults& faults);

}  // namespace steelyard::tls
