#include "proxy/client_wish.hpp"

#include <string>

#include "config/path_tls.hpp"
#include "proxy/body_gathering.hpp"
#include "proxy/certified_user.hpp"
#include "proxy/client_inquiry.hpp"
#include "tls/further_handshake.hpp"
#include "tls/hosts.hpp"

namespace steelyard::proxy {

namespace {

using config::LogLevel;
using config::PeerVerify;

constexpr std::string_view no_authentication =
    "Reason: Cannot perform Post-Handshake Authentication.<br />";

constexpr std::string_view no_handshake = "AH02261: Re-negotiation handshake failed: ";

Routing refusal(int status) { return {Routing::Kind::answer, status, {}, {}}; }

void tell(Exchange& x, Shard::Core& core, LogLevel level, std::string_view text) {
  if (core.wants(x, level, "ssl")) core.log(x, level, "ssl", text);
}

tls::Wish wish_of(const Exchange& x) {
  const config::TlsServerSettings& server = x.server->tls;
  const config::PathTls* const path = x.settings->tls.get();
  const PeerVerify own = path != nullptr ? path->verify.value_or(server.verify) : server.verify;
  tls::Wish wish;
  wish.context = x.generation->tls()->context_of(*x.server);
  wish.verify = own;
  // httpd: a path takes nothing back of what its server asks for.
  wish.asks = own != PeerVerify::none || server.verify != PeerVerify::none;
  wish.requires_one = own == PeerVerify::require || server.verify == PeerVerify::require;
  wish.depth = server.verify_depth;
  wish.needs_no_crl = server.trust.needs_no_crl;
  if (path == nullptr) return wish;
  if (path->verify_depth) wish.depth = *path->verify_depth;
  if (path->ciphers) wish.ciphers = &*path->ciphers;
  wish.keeps_cipher =
      x.settings->tls_options.value_or(config::TlsOptions()).has(config::TlsOptions::keeps_ciphers);
  return wish;
}

// httpd keeps the body until the handshake is over, so that this can be heard. A client that waits
// for leave to send it sends none in between.
io::Task<int> keep_body(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body) {
  if (!body.framing().has_bytes() || body.received_all() || x.request.expects_continue) co_return 0;
  const config::PathTls* const path = x.settings->tls.get();
  constexpr std::uint64_t usual = config::PathTls::buffer_bytes_usual;
  const std::uint64_t most = path != nullptr ? path->buffer_bytes.value_or(usual) : usual;
  constexpr int too_large = 413;
  const http::BodyFraming framing = body.framing();
  const bool is_known = framing.kind == http::BodyFraming::Kind::length;
  if (most == 0 || (is_known && framing.length > most)) co_return too_large;
  const Failure failure = co_await gather_body(
      x, core, client, body, {.bytes = most + 1, .began = core.now(), .asks = false});
  if (failure) co_return status_of(failure);
  co_return body.received() > most ? too_large : 0;
}

// RequestReadTimeout handshake=, else Timeout, as for the first handshake.
io::Task<std::string> shake_hands(Exchange& x, Shard::Core& core, ClientSide client,
                                  tls::FurtherHandshake& handshake) {
  using Handshake = tls::TlsStream::Handshake;
  const config::Server& server = *x.server;
  const Duration patience =
      server.tls.handshake_time.count() > 0 ? server.tls.handshake_time : server.client.timeout;
  const Instant deadline = core.now() + patience;
  while (handshake.go_on() == Handshake::blocked) {
    io::Wait wait(client.timer, deadline);
    if (co_await x.client->tls->wait_for_peer(wait) != io::Woken::timed_out) continue;
    x.broken_off = true;
    co_return std::string(no_handshake) + "it took too long";
  }
  x.broken_off = handshake.broke();
  co_return handshake.was_heard() ? handshake.fault()
                                  : std::string(no_handshake) + handshake.fault();
}

// What the client showed by it may be good no more. httpd asks in the middle of it.
io::Task<std::string> ask_authorities(Exchange& x, Shard::Core& core, ClientSide client,
                                      const tls::Wish& wish) {
  const auto inquiry = tls::Inquiry::about(*x.client->tls->ssl(), wish.context);
  if (inquiry == nullptr) co_return "";
  const tls::InquiryFinding finding =
      co_await inquire(core, client.timer, x.client_address(), inquiry);
  for (const auto& [level, text] : finding.remarks) tell(x, core, level, text);
  if (finding.is_good) {
    inquiry->note_good(*x.client->tls->ssl());
    co_return "";
  }
  x.broken_off = true;
  co_return std::string(no_handshake) + "certificate verify failed";
}

// httpd: after the handshake, which may bring what is asked about.
std::optional<Routing> heed_requirements(Exchange& x, Shard::Core& core) {
  for (const auto& requirement : x.settings->tls->requirements) {
    expr::Evaluation evaluation{x, x.arena};
    const bool holds = requirement->holds(evaluation);
    core.heed(x, "ssl", "SSLRequire", {evaluation.vary, evaluation.fault});
    if (holds) continue;
    tell(x, core, LogLevel::info,
         x.arena.join("AH02266: Access to ", x.path, " denied for ", x.client_ip(),
                      " (requirement expression not fulfilled): ", requirement->text()));
    constexpr int forbidden = 403;
    return refusal(forbidden);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Routing> heed_client_wish(Exchange& x, Shard::Core& core) {
  if (x.settings->tls == nullptr || !x.is_tls()) return std::nullopt;
  if (x.generation->tls() == nullptr) return std::nullopt;
  const tls::Wish wish = wish_of(x);
  const tls::Unmet unmet = tls::unmet(x.client->tls->ssl(), wish);
  if (unmet == tls::Unmet::nothing) {
    name_user(x, core);
    return heed_requirements(x, core);
  }
  constexpr int forbidden = 403;
  if (unmet == tls::Unmet::bad_ciphers) {
    const std::string_view named = wish.ciphers != nullptr ? *wish.ciphers : std::string_view();
    tell(x, core, LogLevel::warn,
         x.arena.join("AH02253: Unable to reconfigure (per-directory) permitted SSL ciphers: ",
                      named));
    return refusal(forbidden);
  }
  if (x.client->http2_stream != 0) {
    // Nobody may shake hands anew below streams (RFC 9113 9.2.1, RFC 8740).
    x.notes.set(renegotiation_note,
                unmet == tls::Unmet::ciphers ? "cipher-suite" : "verify-client");
    x.broken_off = true;
    return refusal(forbidden);
  }
  return Routing{Routing::Kind::needs_handshake, 0, {}, {}};
}

io::Task<Routing> ask_client(Exchange& x, Shard::Core& core, ClientSide client, RequestBody& body) {
  constexpr int forbidden = 403;
  if (const int status = co_await keep_body(x, core, client, body); status != 0) {
    tell(x, core, LogLevel::error,
         "AH02257: could not buffer message body to allow SSL renegotiation to proceed");
    x.keep_client = false;
    co_return refusal(status);
  }
  const tls::Wish wish = wish_of(x);
  tls::FurtherHandshake handshake(*x.client->tls, wish);
  if (!handshake.begin()) {
    tell(
        x, core, LogLevel::error,
        x.arena.join("AH10158: cannot perform post-handshake authentication: ", handshake.fault()));
    Routing refused = refusal(forbidden);
    refused.html_note = no_authentication;
    co_return refused;
  }
  // CVE-2009-3555: what was sent before a renegotiation is thrown away.
  if (handshake.renegotiates() && !client.workspace.client_head.empty()) x.keep_client = false;
  std::string fault = co_await shake_hands(x, core, client, handshake);
  if (handshake.is_granted()) {
    fault = co_await ask_authorities(x, core, client, wish);
    if (fault.empty()) co_return continue_routing(x, core);
  }
  tell(x, core, LogLevel::error, fault);
  x.keep_client = false;
  co_return refusal(forbidden);
}

}  // namespace steelyard::proxy
