#include "proxy/backend/member_link.hpp"
#include "proxy/backend/remote_tunnel.hpp"

// A connection to a member through another proxy (ProxyRemote), as TLS needs it: CONNECT.

namespace steelyard::proxy {

namespace {

std::string connect_words(const Exchange& x, const balance::MemberSpec& place,
                          const config::RemoteProxy& remote) {
  const bool v6 = place.host.find(':') != std::string::npos;
  const std::string host = v6 ? '[' + place.host + ']' : place.host;
  // httpd: what the client says to be let in by a proxy may be meant for that one.
  const std::string_view client =
      x.request.fields.value(http::FieldId::proxy_authorization).value_or(std::string_view());
  const std::string_view words =
      remote.authorization.empty() ? client : std::string_view(remote.authorization);
  return remote_tunnel_words(x, host + ':' + std::to_string(place.port), words);
}

}  // namespace

io::Task<Failure> MemberLink::ask_remote(Instant deadline) {
  const balance::MemberSpec& place = plan_.lease.spec();
  const RemoteAnswer answer =
      co_await ask_for_remote_tunnel(*connection_->stream, connect_words(x_, place, *plan_.remote),
                                     {client_.timer, deadline}, x_.arena);
  std::string objection = answer.objection();
  if (objection.empty() && !answer.first_words().empty())
    objection = "it said more than that it agrees";
  if (objection.empty()) co_return Failure{};
  connection_.reset();
  co_return Failure{Party::backend, Cause::connect, false,
                    "attempt to connect to " + place.host + ':' + std::to_string(place.port) +
                        " via http CONNECT through " + plan_.remote->host + ':' +
                        std::to_string(plan_.remote->port) + " failed: " + objection};
}

}  // namespace steelyard::proxy
