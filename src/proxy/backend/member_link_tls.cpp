#include "proxy/backend/member_link.hpp"
#include "tls/hosts.hpp"

// TLS with a member, before the request.

namespace steelyard::proxy {

namespace {

constexpr std::string_view not_enabled =
    "AH01961: failed to enable ssl support [Hint: if using mod_ssl, see SSLProxyEngine]";

}  // namespace

// httpd: with ProxyPreserveHost the client's host is named, and has to be in the certificate.
void MemberLink::find_tls() {
  if (tls_.context != nullptr || x_.generation->tls() == nullptr) return;
  tls_.context = x_.generation->tls()->backend_of(*x_.server, x_.route.url).get();
  const bool preserves = x_.settings->preserve_host.value_or(false) && !x_.host_name.empty();
  tls_.host = preserves ? x_.host_name : std::string_view(plan_.lease.spec().host);
}

io::Task<Failure> MemberLink::secure() {
  using Handshake = tls::TlsStream::Handshake;
  find_tls();
  if (tls_.context == nullptr) {
    connection_.reset();
    co_return Failure{Party::none, Cause::handshake, false, std::string(not_enabled)};
  }
  const Instant deadline = core_.now() + plan_.times.connect;
  if (plan_.remote != nullptr) {
    if (Failure failure = co_await ask_remote(deadline)) co_return failure;
  }
  connection_->tls = x_.generation->tls()->backend_of(*x_.server, x_.route.url);
  connection_->tls_host = tls_.host;
  const std::string& host = connection_->tls_host;
  auto made = tls_.context->connect(std::move(connection_->stream), host, plan_.lease.spec().name,
                                    shares() ? "h2" : "");
  tls::TlsStream& stream = *made;
  connection_->stream = std::move(made);
  Handshake step = stream.shake_hands();
  while (step == Handshake::blocked) {
    io::Wait wait(client_.timer, deadline);
    if (co_await stream.wait_for_peer(wait) == io::Woken::timed_out) break;
    step = stream.shake_hands();
  }
  std::string objection = step == Handshake::blocked ? "the handshake took too long"
                          : step == Handshake::done  ? tls_.context->objection(stream.ssl(), host)
                                                     : stream.fault();
  if (objection.empty() && shares() && tls::agreed_protocol(stream.ssl()) != "h2")
    objection = "the member does not speak HTTP/2 (no h2 by ALPN)";
  if (objection.empty()) co_return Failure{};
  connection_.reset();
  co_return Failure{Party::backend, Cause::handshake, false, std::move(objection)};
}

}  // namespace steelyard::proxy
