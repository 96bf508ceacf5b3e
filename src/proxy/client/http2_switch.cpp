#include <string>

#include "base/base64_url.hpp"
#include "http/token_list.hpp"
#include "io/next_turn.hpp"
#include "proxy/client/http1_connection.hpp"
#include "proxy/client/http2_session.hpp"
#include "tls/hosts.hpp"

// How a connection comes to speak HTTP/2: the client chose it in the handshake (ALPN), says so with
// its first bytes (prior knowledge), or asks for it with an HTTP/1 request (Upgrade: h2c).

namespace steelyard::proxy {

namespace {

using config::ClientProtocol;

constexpr std::string_view preface_text = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

bool ClientConnection::idle() const {
  if (life_.done()) return false;
  if (session_ != nullptr) return session_->is_idle();
  return workspace_ == nullptr && stream_->settle();
}

void ClientConnection::drain() {
  if (session_ != nullptr) session_->drain();
}

void ClientConnection::say_goodbye() {
  if (session_ != nullptr) session_->say_goodbye();
}

bool ClientConnection::has_chosen_http2() const {
  return facts_.tls != nullptr && tls::chosen_protocol(*facts_.tls) == "h2";
}

ClientConnection::Preface ClientConnection::look_for_preface() const {
  const config::ClientSettings& client = first_server().client;
  const bool is_tls = facts_.tls != nullptr;
  if (!client.protocols.has(is_tls ? ClientProtocol::h2 : ClientProtocol::h2c))
    return Preface::none;
  if (!client.http2.direct.value_or(!is_tls)) return Preface::none;
  const std::string_view said = workspace_->client_head.data();
  if (said.starts_with(preface_text)) return Preface::whole;
  return preface_text.starts_with(said) ? Preface::part : Preface::none;
}

// httpd: only in the clear, and not with a body, which would have to be kept meanwhile.
bool ClientConnection::asks_for_http2() {
  const http::RequestHead& head = exchange().request;
  if (!head.connection.upgrade || facts_.tls != nullptr || core_.draining) return false;
  if (head.version != http::http_1_1 || head.body.has_bytes() || !head.host_parts) return false;
  // What follows a CONNECT is the tunnel's.
  if (head.method_id == http::Method::connect) return false;
  const config::VirtualHostGroup& group = core_.generation->hosts().group(facts_.local);
  const config::ClientSettings& client = group.choose(head.host_parts->host).client;
  if (!client.protocols.has(ClientProtocol::h2c) || !client.http2.upgrade.value_or(true))
    return false;
  const auto wanted = head.fields.value(http::FieldId::upgrade);
  const auto settings = head.fields.value(http::FieldId::http2_settings);
  if (!wanted || !settings || !http::has_token(*wanted, "h2c")) return false;
  const auto payload = decode_base64_url(*settings);
  // More than the library takes is somebody's joke; six bytes each (RFC 9113 6.5.1).
  constexpr std::size_t settings_max = 32;
  return payload && payload->size() % 6 == 0 && payload->size() / 6 <= settings_max;
}

io::Task<ClientConnection::Next> ClientConnection::speak_http2() {
  session_ = std::make_unique<Http2Session>(core_, *stream_, facts_);
  if (workspace_) {
    session_->feed(workspace_->client_head.data());
    core_.give_back(std::move(workspace_));
  }
  co_return co_await run_session();
}

io::Task<ClientConnection::Next> ClientConnection::switch_to_http2() {
  const std::string_view pieces[] = {
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"};
  const io::IoResult said = stream_->write(pieces);
  // Half of the word would garble what follows.
  if (said.status != io::IoStatus::ok || said.bytes != pieces[0].size()) co_return Next::close;
  const http::RequestHead& head = exchange().request;
  const auto payload = decode_base64_url(*head.fields.value(http::FieldId::http2_settings));
  ReadBuffer& buffer = workspace_->client_head;
  const std::string ahead(buffer.data().substr(head.head_bytes));
  session_ = std::make_unique<Http2Session>(core_, *stream_, facts_);
  if (!session_->upgrade(*payload, std::move(workspace_))) co_return Next::close;
  session_->feed(ahead);
  co_return co_await run_session();
}

io::Task<ClientConnection::Next> ClientConnection::run_session() {
  Http2Session& session = *session_;
  if (core_.draining) session.drain();
  while (true) {
    const auto received = session.receive();
    if (session.is_over()) break;
    if (received == Http2Session::Received::others_turn) {
      co_await io::NextTurn(core_.parts.loop);
      continue;
    }
    io::Wait wait(timer_, session.deadline());
    session.wait_for_client(wait);
    session.sleep_in(wait);
    const io::Woken woken = co_await wait;
    session.wake_up();
    if (woken == io::Woken::timed_out) session.time_is_up();
    if (session.is_over()) break;
  }
  co_return session.lingers() ? Next::linger : Next::close;
}

}  // namespace steelyard::proxy
