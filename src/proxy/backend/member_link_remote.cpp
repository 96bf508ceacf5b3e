#include "http/response_head.hpp"
#include "proxy/backend/member_link.hpp"
#include "proxy/limits.hpp"

// A connection to a member through another proxy (ProxyRemote), as TLS needs it: CONNECT.

namespace steelyard::proxy {

namespace {

// What the proxy says of itself and its reasons fits, or it is none.
constexpr std::size_t remote_head_bytes_max = 16 * 1024;

std::string connect_words(const Exchange& x, const balance::MemberSpec& place,
                          const config::RemoteProxy& remote) {
  const bool v6 = place.host.find(':') != std::string::npos;
  std::string text = "CONNECT ";
  text += v6 ? '[' + place.host + ']' : place.host;
  text += ':' + std::to_string(place.port) + " HTTP/1.0\r\n";
  // httpd: what the client says to be let in by a proxy may be meant for that one.
  const std::string_view client =
      x.request.fields.value(http::FieldId::proxy_authorization).value_or(std::string_view());
  const std::string_view words =
      remote.authorization.empty() ? client : std::string_view(remote.authorization);
  if (!words.empty()) text.append("Proxy-Authorization: ").append(words).append("\r\n");
  return text + "Proxy-agent: " + x.generation->banner() + "\r\n\r\n";
}

// Empty: the proxy agreed, and nothing else came from it.
std::string objection_of(const http::ResponseHead& head, std::size_t bytes) {
  if (head.status / 100 != 2) return "it answered " + std::to_string(head.status);
  return head.head_bytes == bytes ? "" : "it said more than that it agrees";
}

}  // namespace

io::Task<Failure> MemberLink::ask_remote(Instant deadline) {
  io::Stream& stream = *connection_->stream;
  const balance::MemberSpec& place = plan_.lease.spec();
  const std::string words = connect_words(x_, place, *plan_.remote);
  // It is the first of what a fresh connection sends: there is room for it.
  const std::string_view piece = words;
  const io::IoResult written = stream.write(std::span(&piece, 1));
  std::string objection = written.status == io::IoStatus::ok && written.bytes == words.size()
                              ? ""
                              : "the connection broke";
  http::ResponseHeadReader reader;
  http::ResponseHead head;
  ReadBuffer buffer;
  bool is_here = false;
  while (objection.empty() && !is_here) {
    if (!buffer.make_room(1024, remote_head_bytes_max)) {
      objection = "its answer is too long";
      break;
    }
    const io::IoResult result = stream.read(buffer.room());
    if (result.status == io::IoStatus::would_block) {
      io::Wait wait(client_.timer, deadline);
      if (co_await wait.readable(stream) == io::Woken::timed_out) objection = "it did not answer";
      continue;
    }
    if (result.status != io::IoStatus::ok) {
      objection = "it closed the connection";
      break;
    }
    buffer.filled(result.bytes);
    const auto progress = reader.read(buffer.data(), http::Method::connect, head, x_.arena);
    is_here = progress && *progress == http::ResponseProgress::complete;
    if (!progress || *progress == http::ResponseProgress::no_status_line)
      objection = "its answer is not HTTP";
  }
  if (objection.empty()) objection = objection_of(head, buffer.data().size());
  if (objection.empty()) co_return Failure{};
  connection_.reset();
  co_return Failure{Party::backend, Cause::connect, false,
                    "attempt to connect to " + place.host + ':' + std::to_string(place.port) +
                        " via http CONNECT through " + plan_.remote->host + ':' +
                        std::to_string(plan_.remote->port) + " failed: " + objection};
}

}  // namespace steelyard::proxy
