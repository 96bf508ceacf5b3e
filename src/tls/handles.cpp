#include "tls/handles.hpp"

#include <openssl/ssl.h>

namespace steelyard::tls {

void free_ssl(SSL* ssl) { SSL_free(ssl); }
void free_context(SSL_CTX* context) { SSL_CTX_free(context); }
void free_bio(BIO* bio) { BIO_free_all(bio); }
void free_certificate(X509* certificate) { X509_free(certificate); }
void free_key(EVP_PKEY* key) { EVP_PKEY_free(key); }

}  // namespace steelyard::tls
