// Fuzz target: what an authority says of a certificate (OCSP), or whoever answers in its place.
//
// The bytes are the answer, to those who ask about our own certificate and to those who ask about a
// client's. Both believe the same answers, since they ask about the same certificate here; what is
// believed is shown to clients as it came, and for no longer than it is in force.
#include <openssl/ssl.h>

#include <string>

#include "base/check.hpp"
#include "fuzz.hpp"
#include "tls/pem.hpp"
#include "tls/pursuit.hpp"
#include "tls/staple.hpp"

namespace steelyard {

namespace {

// The keys are gone: what the corpus has of them was made once.
constexpr std::string_view root_pem = R"(-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUITKkurEWAp4RWNYish8BHWAv3sswCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMzAwMzM0MzRaGA8yMTI2MTEwNjAzMzQz
NFowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJsu
jnWc7l+u5qGfovxnPyXtxmmw5utaDIqgvd/MPmw+vP269L0HAZju4HF2C5f268Sm
7kTOXhctXfVBHS7Q+SWjUzBRMB0GA1UdDgQWBBTq5MNAPrsCTXD/NoBisYDr2ocx
XzAfBgNVHSMEGDAWgBTq5MNAPrsCTXD/NoBisYDr2ocxXzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCR7I7x34epMH4GEvGJ6MQGLtEr2PYx7wMM
6hINE4uAkAIhAPSOScTo5GIuyNiCm8yEBTxbHW8/UpWEcs5246QIFlZi
-----END CERTIFICATE-----
)";
constexpr std::string_view client_pem = R"(-----BEGIN CERTIFICATE-----
MIIBCjCBsAIBCTAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MCAXDTI2MTEz
MDAzMzQzNFoYDzIxMjYxMTA2MDMzNDM0WjARMQ8wDQYDVQQDDAZjbGllbnQwWTAT
BgcqhkjOPQIBBggqhkjOPQMBBwNCAARylBmmlv7XgaCGgcdVCHbpzs5ISUjxAiHz
8rLQDoCcFtwbvCpQfuHGyXN5FD9BJzI4F7V2NiHlpdi5aCq1Sz9RMAoGCCqGSM49
BAMCA0kAMEYCIQC5CBSyXTB4/Uum8bGbMurysj1LameTXjl6VFPAmephXgIhANkT
kjg4HuZKfHMXxb0nWtHoY0e6VdAKxES4mPHUYUH7
-----END CERTIFICATE-----
)";

using ContextHandle = std::unique_ptr<SSL_CTX, tls::Release<SSL_CTX_free>>;

tls::CertificateHandle certificate_in(std::string_view pem) {
  const tls::BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  tls::CertificateHandle certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  CHECK(certificate);
  return certificate;
}

struct World {
  World() : root(certificate_in(root_pem)), client(certificate_in(client_pem)) {
    CHECK(SSL_CTX_use_certificate(context.get(), client.get()) == 1);
    CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get()) == 1);
  }
  tls::CertificateHandle root, client;
  ContextHandle context{SSL_CTX_new(TLS_server_method())};
};

bool is_shown(const World& world, std::string_view answer) {
  config::TlsStapling settings;
  settings.forced_url = "http://authority.test/";
  const auto staple = tls::Staple::make(*world.context, settings);
  CHECK(staple);
  const WallTime now = std::chrono::system_clock::now();
  const bool is_taken = (*staple)->take(answer, now).has_value();
  const auto shown = (*staple)->answer(now);
  CHECK(is_taken == (shown != nullptr));
  CHECK(shown == nullptr || *shown == answer);
  CHECK((*staple)->answer((*staple)->good_until()) == nullptr);
  return is_taken;
}

bool lets_in(const World& world, std::string_view answer) {
  X509_STORE* const store = SSL_CTX_get_cert_store(world.context.get());
  X509_STORE_up_ref(store);
  config::TlsOcsp settings;
  settings.about = config::TlsOcsp::About::leaf;
  settings.default_url = "http://authority.test/";
  settings.overrides = true;
  settings.sends_nonce = false;
  // Without these only answers count that bring their signer's certificate along.
  std::vector<tls::CertificateHandle> responders;
  responders.push_back(tls::share(world.root.get()));
  auto rules =
      std::make_shared<tls::InquiryRules>(settings, std::move(responders), tls::StoreHandle(store));
  std::vector<tls::CertificateHandle> chain;
  chain.push_back(tls::share(world.client.get()));
  chain.push_back(tls::share(world.root.get()));
  tls::Pursuit pursuit(std::make_shared<tls::Inquiry>(std::move(rules), std::move(chain)));
  while (pursuit.errand() != nullptr) pursuit.hear(std::string(answer));
  return pursuit.finding().is_good;
}

}  // namespace

void fuzz_one(std::string_view input) {
  static const World world;
  Pieces pieces(input);
  const std::string_view answer = pieces.prefix(input.size());
  CHECK(is_shown(world, answer) == lets_in(world, answer));
}

}  // namespace steelyard
