#pragma once

#include <openssl/types.h>

#include <memory>

// The library's objects, owned.
//
// Threads: an SSL belongs to one thread; contexts, certificates and keys are shared and not changed
// once they are built.

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
void free_key(EVP_PKEY* key);

using SslHandle = std::unique_ptr<SSL, Release<free_ssl>>;
using ContextHandle = std::unique_ptr<SSL_CTX, Release<free_context>>;
using BioHandle = std::unique_ptr<BIO, Release<free_bio>>;
using CertificateHandle = std::unique_ptr<X509, Release<free_certificate>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Release<free_key>>;

}  // namespace steelyard::tls
