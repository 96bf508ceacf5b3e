#include "proxy/backend/remote_tunnel.hpp"

#include "http/status.hpp"

namespace steelyard::proxy {

namespace {

// What the proxy says of itself and its reasons fits, or it is none.
constexpr std::size_t remote_head_bytes_max = 16 * 1024;

}  // namespace

std::string remote_tunnel_words(const Exchange& x, std::string_view place,
                                std::string_view credentials) {
  std::string text = "CONNECT ";
  text.append(place).append(" HTTP/1.0\r\n");
  if (!credentials.empty()) text.append("Proxy-Authorization: ").append(credentials).append("\r\n");
  return text + "Proxy-agent: " + x.generation->banner() + "\r\n\r\n";
}

std::string RemoteAnswer::objection() const {
  if (!fault.empty()) return fault;
  return http::is_success(head.status) ? "" : "it answered " + std::to_string(head.status);
}

io::Task<RemoteAnswer> ask_for_remote_tunnel(io::Stream& stream, std::string words,
                                             Patience patience, Arena& arena) {
  RemoteAnswer answer;
  // It is the first of what a fresh connection sends: there is room for it.
  const std::string_view piece = words;
  const io::IoResult written = stream.write(std::span(&piece, 1));
  if (written.status != io::IoStatus::ok || written.bytes != words.size())
    answer.fault = "the connection broke";
  http::ResponseHeadReader reader;
  bool is_here = false;
  while (answer.fault.empty() && !is_here) {
    if (!answer.said.make_room(1024, remote_head_bytes_max)) {
      answer.fault = "its answer is too long";
      break;
    }
    const io::IoResult result = stream.read(answer.said.room());
    if (result.status == io::IoStatus::would_block) {
      io::Wait wait(patience.timer, patience.deadline);
      if (co_await wait.readable(stream) == io::Woken::timed_out)
        answer.fault = "it did not answer";
      continue;
    }
    if (result.status != io::IoStatus::ok) {
      answer.fault = "it closed the connection";
      break;
    }
    answer.said.filled(result.bytes);
    const auto progress =
        reader.read(answer.said.data(), http::Method::connect, answer.head, arena);
    is_here = progress && *progress == http::ResponseProgress::complete;
    if (!progress || *progress == http::ResponseProgress::no_status_line)
      answer.fault = "its answer is not HTTP";
  }
  co_return answer;
}

}  // namespace steelyard::proxy
