#include "proxy/client/http1_connection.hpp"
#include "proxy/client/serving.hpp"
#include "proxy/client_inquiry.hpp"
#include "proxy/limits.hpp"
#include "proxy/local_answer.hpp"
#include "proxy/router.hpp"
#include "tls/hosts.hpp"

// The TLS handshake of a client's connection, before its first request.

namespace steelyard::proxy {

namespace {

// httpd's words for who forgot the s.
constexpr std::string_view speak_https =
    "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the "
    "HTTPS scheme to access this URL, please.<br />\n";

}  // namespace

bool ClientConnection::start_tls() {
  const tls::Hosts* const hosts = core_.generation->tls();
  if (hosts == nullptr || !hosts->speaks_tls(first_server())) return false;
  auto secure = hosts->accept(std::move(stream_), core_.generation->hosts().group(facts_.local),
                              core_.generation);
  facts_.tls = secure.get();
  stream_ = std::move(secure);
  return true;
}

// RequestReadTimeout handshake=, else Timeout, is the time for all of it: a client that sends a
// byte now and then gains nothing.
io::Task<ClientConnection::Next> ClientConnection::greet() {
  using Handshake = tls::TlsStream::Handshake;
  const config::Server& server = first_server();
  const Duration patience =
      server.tls.handshake_time.count() > 0 ? server.tls.handshake_time : server.client.timeout;
  const Instant deadline = core_.now() + patience;
  while (true) {
    const Handshake step = facts_.tls->shake_hands();
    if (step == Handshake::done) {
      tls::forget_owner(facts_.tls->ssl());
      co_return co_await has_good_certificate() ? Next::another : Next::close;
    }
    if (step == Handshake::plain_http) {
      tell_of_handshake("HTTP spoken on HTTPS port");
      co_return co_await answer_plain_http();
    }
    if (step == Handshake::failed) {
      tell_of_handshake(facts_.tls->fault());
      co_return Next::close;
    }
    io::Wait wait(timer_, deadline);
    if (co_await facts_.tls->wait_for_peer(wait) == io::Woken::timed_out) {
      tell_of_handshake("it took too long");
      co_return Next::close;
    }
  }
}

// httpd asks in the middle of the handshake.
io::Task<bool> ClientConnection::has_good_certificate() {
  const auto inquiry = tls::Inquiry::about(*facts_.tls->ssl());
  if (inquiry == nullptr) co_return true;
  const IpAddress from = facts_.announced ? facts_.announced->ip : facts_.peer.ip;
  const tls::InquiryFinding finding = co_await inquire(core_, timer_, from, inquiry);
  for (const auto& [level, text] : finding.remarks) tell_of_tls(level, text);
  if (finding.is_good) {
    inquiry->note_good(*facts_.tls->ssl());
  } else {
    tell_of_handshake("certificate verify failed");
  }
  co_return finding.is_good;
}

void ClientConnection::tell_of_handshake(const std::string& why) {
  tell_of_tls(config::LogLevel::info,
              "AH02008: SSL handshake failed (server " + first_server().name + "): " + why);
}

void ClientConnection::tell_of_tls(config::LogLevel level, std::string_view text) {
  const config::Server& server = first_server();
  if (level > server.log_levels.of("ssl")) return;
  ErrorLine line;
  line.level = level;
  line.module = "ssl";
  line.client = &facts_.peer;
  line.text = text;
  line.when = core_.parts.loop.wall_now();
  core_.parts.log.error(server.error_log, line);
}

// In the clear, as the client would not understand anything else. What it asked is not looked at.
io::Task<ClientConnection::Next> ClientConnection::answer_plain_http() {
  auto below = facts_.tls->release_below();
  facts_.tls = nullptr;
  stream_ = std::move(below);
  workspace_ = core_.borrow_workspace();
  begin_request();
  Exchange& x = exchange();
  // As httpd records it.
  x.request_line = "GET / HTTP/1.0";
  x.keep_client = false;
  choose_server(x);
  LocalAnswer answer{.status = 400};
  answer.html_note = speak_https;
  prepare_local_answer(x, core_, answer);
  co_await Serving(core_, side()).send_answer();
  end_request();
  co_return x.client_gone ? Next::close : Next::linger;
}

}  // namespace steelyard::proxy
