#pragma once

#include "config/tls_settings.hpp"
#include "tls/files.hpp"
#include "tls/handles.hpp"

// The key that session tickets are made with, from a file that several machines share
// (SSLSessionTicketKeyFile): a client resumes with one what it began with another (RFC 5077 4).
//
// Threads: any, once the context is made.

namespace steelyard::tls {

// The file holds httpd's 48 bytes: the key's name, a secret for HMAC-SHA-256, one for AES-128.
void use_ticket_key(SSL_CTX& context, const config::NamedFile& file, const FileAccess& files,
                    Faults& faults);

// Of a connection that begins with `context`, whichever host the client names then: the library
// asks for the ticket's key before it looks at the name.
void keep_ticket_key(SSL* ssl, SSL_CTX& context);

}  // namespace steelyard::tls
