#pragma once

#include <openssl/types.h>

#include <memory>

// The library's objects, owned.
//
// Threads: an SSL belongs to one thread; contexts, stores, certificates and keys are shared and not
// changed once they are built.

namespace steelyard::tls {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

void free_ssl(SSL* ssl);
void free_context(SSL_CTX* context);
void free_bio(BIO* bio);
void free_certificate(X509* certificate);
void free_revocation_list(X509_CRL* list);
void free_key(EVP_PKEY* key);
void free_store(X509_STORE* store);

using SslHandle = std::unique_ptr<SSL, Release<free_ssl>>;
using ContextHandle = std::unique_ptr<SSL_CTX, Release<free_context>>;
using BioHandle = std::unique_ptr<BIO, Release<free_bio>>;
using CertificateHandle = std::unique_ptr<X509, Release<free_certificate>>;
using RevocationListHandle = std::unique_ptr<X509_CRL, Release<free_revocation_list>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Release<free_key>>;
using StoreHandle = std::unique_ptr<X509_STORE, Release<free_store>>;

// One more owner of the same.
CertificateHandle share(X509* certificate);
KeyHandle share(EVP_PKEY* key);
StoreHandle share(X509_STORE* store);

}  // namespace steelyard::tls
