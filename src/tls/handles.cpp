#include "tls/handles.hpp"

#include <openssl/ssl.h>

namespace steelyard::tls {

void free_ssl(SSL* ssl) { SSL_free(ssl); }
void free_context(SSL_CTX* context) { SSL_CTX_free(context); }
void free_bio(BIO* bio) { BIO_free_all(bio); }
void free_certificate(X509* certificate) { X509_free(certificate); }
void free_revocation_list(X509_CRL* list) { X509_CRL_free(list); }
void free_key(EVP_PKEY* key) { EVP_PKEY_free(key); }
void free_store(X509_STORE* store) { X509_STORE_free(store); }

CertificateHandle share(X509* certificate) {
  X509_up_ref(certificate);
  return CertificateHandle(certificate);
}

KeyHandle share(EVP_PKEY* key) {
  EVP_PKEY_up_ref(key);
  return KeyHandle(key);
}

StoreHandle share(X509_STORE* store) {
  X509_STORE_up_ref(store);
  return StoreHandle(store);
}

}  // namespace steelyard::tls
