#include "io/linux/ares_resolver.hpp"

#include <ares.h>
#include <netdb.h>
#include <sys/epoll.h>

#include <coroutine>

#include "base/check.hpp"
#include "io/linux/socket_address.hpp"

namespace steelyard::io {

namespace {

constexpr int tries = 2;
constexpr int try_timeout_ms = 2000;

// The library's sockets: it closes them itself, so the descriptor is let go of, not closed.
class ChannelSocket final : public WatchedDescriptor {
 public:
  ChannelSocket(EpollLoop& loop, int fd, ares_channel channel)
      : WatchedDescriptor(loop, fd), channel_(channel) {}
  ~ChannelSocket() override {
    loop_->forget(*this);
    fd_ = -1;
  }
  void listen_for(bool readable, bool writable) {
    const std::uint32_t events =
        (readable ? std::uint32_t{EPOLLIN} : 0) | (writable ? std::uint32_t{EPOLLOUT} : 0);
    loop_->watch_level(*this, events, watched_);
    watched_ = true;
  }

 private:
  void on_events(std::uint32_t events) override {
    const ares_socket_t read = (events & ~std::uint32_t{EPOLLOUT}) != 0 ? fd_ : ARES_SOCKET_BAD;
    const ares_socket_t write = (events & EPOLLOUT) != 0 ? fd_ : ARES_SOCKET_BAD;
    ares_process_fd(channel_, read, write);  // may destroy this
  }
  ares_channel channel_;
  bool watched_ = false;
};

// One question. It outlives the coroutine that asked when that one is cancelled.
template <class Answer>
struct Question {
  Answer answer;
  std::coroutine_handle<> asker;
  bool answered = false;
  bool abandoned = false;
};

template <class Answer>
void settle(Question<Answer>* question) {
  question->answered = true;
  if (question->abandoned) {
    delete question;
  } else if (question->asker) {
    std::exchange(question->asker, nullptr).resume();
  }
}

// Parks the asker; a cancelled asker leaves the question to the library's callback.
template <class Answer>
struct AnswerAwaiter {
  Question<Answer>* question;
  explicit AnswerAwaiter(Question<Answer>* asked) : question(asked) {}
  AnswerAwaiter(const AnswerAwaiter&) = delete;
  AnswerAwaiter& operator=(const AnswerAwaiter&) = delete;
  ~AnswerAwaiter() {
    if (question == nullptr) return;
    if (question->answered) {
      delete question;
    } else {
      question->abandoned = true;
    }
  }
  bool await_ready() const { return question->answered; }
  void await_suspend(std::coroutine_handle<> handle) { question->asker = handle; }
  Answer await_resume() { return std::move(question->answer); }
};

void on_addresses(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
  auto* question = static_cast<Question<std::vector<IpAddress>>*>(argument);
  if (status == ARES_SUCCESS) {
    for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next)
      question->answer.push_back(to_endpoint(*node->ai_addr).ip);
  }
  if (info != nullptr) ares_freeaddrinfo(info);
  settle(question);
}

void on_name(void* argument, int status, int /*timeouts*/, char* node, char* /*service*/) {
  auto* question = static_cast<Question<std::string>*>(argument);
  if (status == ARES_SUCCESS && node != nullptr) question->answer = node;
  settle(question);
}

}  // namespace

class AresResolver::Channel {
 public:
  explicit Channel(EpollLoop& loop) : loop_(loop), clock_(*this) {
    ares_options options{};
    options.tries = tries;
    options.timeout = try_timeout_ms;
    options.sock_state_cb = &Channel::on_socket;
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS | ARES_OPT_SOCK_STATE_CB;
    usable_ = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS &&
              ares_init_options(&channel_, &options, mask) == ARES_SUCCESS;
  }
  ~Channel() {
    if (usable_) ares_destroy(channel_);
    sockets_.clear();
    ares_library_cleanup();
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  bool usable() const { return usable_; }
  ares_channel handle() const { return channel_; }
  // While questions are open the library wants to look at its timeouts.
  void keep_time() {
    timeval longest{1, 0}, wait{};
    const timeval* next = ares_timeout(channel_, &longest, &wait);
    clock_.arm(loop_.timers(), loop_.now() + std::chrono::seconds(next->tv_sec) +
                                   std::chrono::microseconds(next->tv_usec));
  }

 private:
  class Clock final : public Timer {
   public:
    explicit Clock(Channel& channel) : channel_(channel) {}

   private:
    void expired() override {
      ares_process_fd(channel_.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      if (!channel_.sockets_.empty()) channel_.keep_time();
    }
    Channel& channel_;
  };

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    auto& channel = *static_cast<Channel*>(self);
    if (readable == 0 && writable == 0) {
      channel.sockets_.erase(fd);
      return;
    }
    auto& socket = channel.sockets_[fd];
    if (!socket) socket = std::make_unique<ChannelSocket>(channel.loop_, fd, channel.channel_);
    socket->listen_for(readable != 0, writable != 0);
  }

  EpollLoop& loop_;
  ares_channel channel_ = nullptr;
  bool usable_ = false;
  Clock clock_;
  std::unordered_map<int, std::unique_ptr<ChannelSocket>> sockets_;
};

AresResolver::AresResolver(EpollLoop& loop) : channel_(std::make_unique<Channel>(loop)) {}

AresResolver::~AresResolver() = default;

Task<std::vector<IpAddress>> AresResolver::addresses(std::string name) {
  using Answer = std::vector<IpAddress>;
  if (!channel_->usable()) co_return Answer{};
  AnswerAwaiter<Answer> awaiter(new Question<Answer>);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel_->handle(), name.c_str(), nullptr, &hints, &on_addresses,
                   awaiter.question);
  if (!awaiter.await_ready()) channel_->keep_time();
  co_return co_await awaiter;
}

Task<std::string> AresResolver::name_of(IpAddress address) {
  if (!channel_->usable()) co_return std::string();
  AnswerAwaiter<std::string> awaiter(new Question<std::string>);
  const SocketAddress socket_address = to_socket_address({address, 0});
  ares_getnameinfo(channel_->handle(), socket_address.pointer(), socket_address.size,
                   ARES_NI_LOOKUPHOST | ARES_NI_NAMEREQD, &on_name, awaiter.question);
  if (!awaiter.await_ready()) channel_->keep_time();
  co_return co_await awaiter;
}

}  // namespace steelyard::io
