// The member of the `ajp` scenario: a servlet container's AJP13 connector reduced to what GET needs
// (https://tomcat.apache.org/connectors-doc/ajp/ajpv13a.html). Answers are built once.
//
//   ajp_member --listeners N   listens on 127.0.0.1, 127.0.0.2, ... and prints one address a line,
//                              then "ready"
//
// /1k and /64k answer that many bytes, everything else 404. A CPING gets its CPONG. Anything but
// these two kinds of packets ends the connection: no scenario sends bodies.

#include <csignal>
#include <optional>
#include <vector>

#include "net.hpp"

namespace steelyard::bench {
namespace {

constexpr std::size_t packet_bytes_max = 8192;
constexpr std::size_t chunk_bytes_max = packet_bytes_max - 8;

void put_number(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out.append(text) += '\0';
}

std::string packet(const std::string& payload) {
  std::string out = "AB";
  put_number(out, payload.size());
  return out + payload;
}

std::string build_answer(std::size_t status, std::string_view reason, std::size_t body_bytes) {
  constexpr char send_headers = 4, send_body_chunk = 3;
  constexpr std::size_t content_type = 0xa001, content_length = 0xa003;
  std::string head(1, send_headers);
  put_number(head, status);
  put_text(head, reason);
  put_number(head, 2);
  put_number(head, content_type);
  put_text(head, "application/octet-stream");
  put_number(head, content_length);
  put_text(head, std::to_string(body_bytes));
  std::string out = packet(head);
  for (std::size_t begin = 0; begin < body_bytes; begin += chunk_bytes_max) {
    const std::size_t bytes = std::min(chunk_bytes_max, body_bytes - begin);
    std::string chunk(1, send_body_chunk);
    put_number(chunk, bytes);
    for (std::size_t i = begin; i < begin + bytes; ++i) chunk += static_cast<char>('a' + i % 26);
    out += packet(chunk + '\0');
  }
  return out + packet("\x05\x01");  // the end; the connection may be used again
}

struct Answers {
  std::string small = build_answer(200, "OK", 1024);
  std::string middle = build_answer(200, "OK", 64 * 1024);
  std::string missing = build_answer(404, "Not Found", 0);
  std::string pong = packet("\x09");

  std::string_view for_path(std::string_view path) const {
    if (path == "/1k") return small;
    return path == "/64k" ? middle : missing;
  }
};

std::size_t number_at(std::string_view text, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(text[at])) << 8 |
         static_cast<unsigned char>(text[at + 1]);
}

// The text that begins there, and where the one behind it does; nothing when it is cut off.
std::optional<std::string_view> text_at(std::string_view payload, std::size_t& at) {
  if (payload.size() < at + 2) return std::nullopt;
  const std::size_t bytes = number_at(payload, at);
  if (payload.size() < at + 2 + bytes + 1) return std::nullopt;
  const auto text = payload.substr(at + 2, bytes);
  at += 2 + bytes + 1;
  return text;
}

class Connection {
 public:
  Connection(Fd fd, const Answers& answers) : fd_(std::move(fd)), answers_(answers) {}
  const Fd& fd() const { return fd_; }

  // Goes on as far as the socket allows; false when the connection is over.
  bool proceed() {
    while (true) {
      if (!unsent_.empty() && !send_answer()) return !failed_;
      if (take_packet()) continue;
      if (failed_) return false;
      const auto got = ::recv(fd_.raw(), input_ + filled_, sizeof input_ - filled_, 0);
      if (got < 0) return would_block();
      if (got == 0) return false;
      filled_ += static_cast<std::size_t>(got);
    }
  }

 private:
  // True when all of the answer has left.
  bool send_answer() {
    const auto sent = ::send(fd_.raw(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      failed_ = !would_block();
      return false;
    }
    unsent_.remove_prefix(static_cast<std::size_t>(sent));
    return unsent_.empty();
  }

  // True when a whole packet was taken from the input and `unsent_` holds its answer.
  bool take_packet() {
    const std::string_view text(input_, filled_);
    if (text.size() < 4) return false;
    const std::size_t bytes = number_at(text, 2);
    failed_ = !text.starts_with("\x12\x34") || bytes == 0 || bytes + 4 > sizeof input_;
    if (failed_ || text.size() < 4 + bytes) return false;
    const auto answer = answer_to(text.substr(4, bytes));
    failed_ = !answer;
    if (failed_) return false;
    unsent_ = *answer;
    filled_ -= 4 + bytes;
    if (filled_ > 0) std::memmove(input_, input_ + 4 + bytes, filled_);
    return true;
  }

  std::optional<std::string_view> answer_to(std::string_view payload) const {
    constexpr char forward_request = 2, ping = 10;
    if (payload[0] == ping) return answers_.pong;
    if (payload[0] != forward_request) return std::nullopt;
    std::size_t at = 2;  // behind the method
    if (!text_at(payload, at)) return std::nullopt;
    const auto path = text_at(payload, at);
    return path ? std::optional(answers_.for_path(*path)) : std::nullopt;
  }

  Fd fd_;
  const Answers& answers_;
  std::string_view unsent_;
  std::size_t filled_ = 0;
  bool failed_ = false;
  char input_[packet_bytes_max];
};

class Member {
 public:
  explicit Member(std::size_t listeners) : epoll_(new_epoll()) {
    for (std::size_t i = 0; i < listeners; ++i) {
      listeners_.push_back(listen_on("127.0.0." + std::to_string(i % 250 + 1) + ":0"));
      std::printf("%s\n", text_of(local_address(listeners_.back())).c_str());
    }
    for (auto& listener : listeners_) watch(epoll_, listener.raw(), EPOLLIN, &listener);
    std::printf("ready\n");
    std::fflush(stdout);
  }

  [[noreturn]] void run() {
    Events events;
    while (true) {
      for (const epoll_event& event : events.take(epoll_, nullptr)) {
        void* owner = event.data.ptr;
        if (owner >= listeners_.data() && owner < listeners_.data() + listeners_.size()) {
          accept_all(*static_cast<Fd*>(owner));
        } else if (auto* connection = static_cast<Connection*>(owner); !connection->proceed()) {
          delete connection;
        }
      }
    }
  }

 private:
  void accept_all(const Fd& listener) {
    while (true) {
      Fd fd(::accept4(listener.raw(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.open()) return;
      send_without_delay(fd.raw());
      // Freed when the peer closes; at the program's end the kernel takes all of it.
      auto* connection = new Connection(std::move(fd), answers_);
      watch(epoll_, connection->fd().raw(), EPOLLIN | EPOLLOUT | EPOLLET, connection);
    }
  }

  Answers answers_;
  Fd epoll_;
  std::vector<Fd> listeners_;
};

}  // namespace
}  // namespace steelyard::bench

int main(int count, char** words) {
  const steelyard::bench::Options options(count, words);
  steelyard::bench::Member(options.number("--listeners", 1)).run();
}
