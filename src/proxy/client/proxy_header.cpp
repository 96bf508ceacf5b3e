#include <array>

#include "http/proxy_protocol.hpp"
#include "proxy/client/http1_connection.hpp"

// The header of the PROXY protocol in front of a client's first byte (httpd:
// RemoteIPProxyProtocol). Not a byte behind it is read: they may be a TLS handshake's.

namespace steelyard::proxy {

bool ClientConnection::expects_proxy_header() const {
  return core_.generation->config().proxy_protocol.expects_header(facts_.local, facts_.peer.ip);
}

// One time for all of it, as for a request's head: RequestReadTimeout's, else Timeout.
io::Task<ClientConnection::Next> ClientConnection::read_proxy_header() {
  const config::ClientSettings& settings = first_server().client;
  const Duration first = settings.read_header.first;
  const Instant deadline = core_.now() + (first.count() > 0 ? first : settings.timeout);
  std::array<char, http::proxy_header_bytes_max> received;
  std::size_t size = 0;
  while (true) {
    const auto header = http::read_proxy_header({received.data(), size});
    if (!header) {
      if (header.error().empty()) {
        tell_of_proxy_header(config::LogLevel::info,
                             "RemoteIPProxyProtocol: the connection does not begin with a PROXY "
                             "header");
      } else {
        tell_of_proxy_header(config::LogLevel::error, header.error());
      }
      co_return Next::close;
    }
    if (header->needed == 0) {
      facts_.announced = header->names_client ? header->client : facts_.peer;
      co_return Next::another;
    }
    CHECK(size + header->needed <= received.size());
    const io::IoResult result = stream_->read({received.data() + size, header->needed});
    if (result.status == io::IoStatus::ok) {
      size += result.bytes;
      continue;
    }
    if (result.status != io::IoStatus::would_block) {
      // Whoever only looks whether the port is open says nothing, and nothing is said of that.
      if (size != 0) {
        tell_of_proxy_header(config::LogLevel::error,
                             "AH10634: RemoteIPProxyProtocol: connection closed before a complete "
                             "header was received");
      }
      co_return Next::close;
    }
    io::Wait wait(timer_, deadline);
    if (co_await wait.readable(*stream_) == io::Woken::timed_out) {
      tell_of_proxy_header(config::LogLevel::error,
                           "AH10184: RemoteIPProxyProtocol: the header took too long");
      co_return Next::close;
    }
  }
}

void ClientConnection::tell_of_proxy_header(config::LogLevel level, std::string_view text) {
  const config::Server& server = first_server();
  if (level > server.log_levels.of("remoteip")) return;
  ErrorLine line;
  line.level = level;
  line.module = "remoteip";
  line.client = &facts_.peer;
  line.text = text;
  line.when = core_.parts.loop.wall_now();
  core_.parts.log.error(server.error_log, line);
}

}  // namespace steelyard::proxy
