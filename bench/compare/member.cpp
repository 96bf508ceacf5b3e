// The member behind every proxy in a comparison: an HTTP/1.1 server so cheap that it is never the
// bottleneck. Answers are built once; a request is one read, a scan of its head, and one send.
//
//   member --listeners N       listens on 127.0.0.1, 127.0.0.2, ... and prints one address a line,
//                              then "ready"
//
// GET /1k, /64k and /1m answer that many bytes. A POST's body is swallowed and the answer is that
// of its path. A chunked request body is refused (501): every proxy is expected to pass a length
// on. Each address counts as a member of its own, so that a thousand of them cost one thread.

#include <csignal>
#include <vector>

#include "net.hpp"

namespace steelyard::bench {
namespace {

constexpr std::size_t head_bytes_max = 16 * 1024;

struct Answer {
  std::string keep;   // the connection stays open
  std::string close;  // the client asked for the end of the connection
};

Answer build_answer(std::string_view status, std::size_t body_bytes) {
  const std::string head = "HTTP/1.1 " + std::string(status) +
                           "\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: member"
                           "\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                           std::to_string(body_bytes) + "\r\n";
  std::string body(body_bytes, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 26);
  return {.keep = head + "\r\n" + body, .close = head + "Connection: close\r\n\r\n" + body};
}

struct Answers {
  Answer small = build_answer("200 OK", 1024);
  Answer middle = build_answer("200 OK", 64 * 1024);
  Answer large = build_answer("200 OK", 1024 * 1024);
  Answer missing = build_answer("404 Not Found", 0);
  Answer unsupported = build_answer("501 Not Implemented", 0);

  const Answer& for_path(std::string_view path) const {
    if (path == "/1k") return small;
    if (path == "/64k") return middle;
    if (path == "/1m") return large;
    return missing;
  }
};

struct RequestHead {
  std::string_view path;
  std::size_t body_bytes = 0;
  bool chunked = false;
  bool close = false;
};

bool named(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         ::strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string_view value_of(std::string_view line) {
  auto value = line.substr(line.find(':') + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  return value;
}

void read_field(std::string_view line, RequestHead& head) {
  const char first = static_cast<char>(line.empty() ? 0 : line.front() | 0x20);
  if (first == 'c' && named(line, "content-length")) {
    head.body_bytes = std::strtoull(value_of(line).data(), nullptr, 10);
  } else if (first == 'c' && named(line, "connection")) {
    head.close = (value_of(line).front() | 0x20) == 'c';
  } else if (first == 't' && named(line, "transfer-encoding")) {
    head.chunked = true;
  }
}

// `text` ends with the empty line.
RequestHead read_head(std::string_view text) {
  RequestHead head;
  const auto line_end = text.find('\r');
  const auto line = text.substr(0, line_end);
  const auto path_begin = line.find(' ') + 1;
  head.path = line.substr(path_begin, line.find(' ', path_begin) - path_begin);
  for (auto rest = text.substr(line_end + 2); rest.size() > 2;) {
    const auto end = rest.find('\n');
    read_field(rest.substr(0, end - 1), head);
    rest.remove_prefix(end + 1);
  }
  return head;
}

class Connection {
 public:
  Connection(Fd fd, const Answers& answers) : fd_(std::move(fd)), answers_(answers) {}
  const Fd& fd() const { return fd_; }

  // Goes on as far as the socket allows; false when the connection is over.
  bool proceed() {
    while (true) {
      if (!unsent_.empty()) {
        if (!send_answer()) return !failed_;
        if (last_) return false;
      }
      if (take_request()) continue;
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

  // True when a whole request was taken from the input and `unsent_` holds its answer.
  bool take_request() {
    if (answer_ == nullptr) {
      const std::string_view text(input_, filled_);
      const auto end = text.find("\r\n\r\n");
      if (end == std::string_view::npos) {
        if (filled_ < sizeof input_) return false;
        begin_answer({.path = "", .close = true});
        drop_input(filled_);
      } else {
        begin_answer(read_head(text.substr(0, end + 4)));
        drop_input(end + 4);
      }
    }
    const auto swallowed = std::min(body_left_, filled_);
    body_left_ -= swallowed;
    drop_input(swallowed);
    if (body_left_ > 0) return false;
    unsent_ = last_ ? answer_->close : answer_->keep;
    answer_ = nullptr;
    return true;
  }

  void begin_answer(const RequestHead& head) {
    last_ = head.close || head.chunked;
    answer_ = head.chunked ? &answers_.unsupported : &answers_.for_path(head.path);
    body_left_ = head.body_bytes;
  }

  void drop_input(std::size_t bytes) {
    filled_ -= bytes;
    if (filled_ > 0) std::memmove(input_, input_ + bytes, filled_);
  }

  Fd fd_;
  const Answers& answers_;
  const Answer* answer_ = nullptr;  // of the request whose body is still coming
  std::string_view unsent_;
  std::size_t body_left_ = 0;
  std::size_t filled_ = 0;
  bool last_ = false;
  bool failed_ = false;
  char input_[head_bytes_max];
};

class Member {
 public:
  explicit Member(std::size_t listeners) : epoll_(new_epoll()) {
    for (std::size_t i = 0; i < listeners; ++i) {
      const auto host = "127.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
      listeners_.push_back(listen_on(host + ":0"));
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
