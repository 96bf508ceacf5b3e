#include "io/linux/ares_resolver.hpp"

#include <ares.h>
#include <netdb.h>
#include <sys/epoll.h>

#include <algorithm>
#include <coroutine>
#include <string>

#include "base/check.hpp"
#include "io/linux/socket_address.hpp"
#include "io/linux/srv_reply.hpp"

namespace steelyard::io {

namespace {

constexpr int tries = 2;
constexpr int try_timeout_ms = 1500;

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
  explicit Question(std::size_t& open) : open_questions(open) { ++open; }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  ~Question() = default;
  std::size_t& open_questions;  // of its channel
  Answer answer;
  std::coroutine_handle<> asker;
  bool answered = false;
  bool abandoned = false;
};

template <class Answer>
void settle(Question<Answer>* question) {
  question->answered = true;
  --question->open_questions;
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

std::string fault_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return "no such name";
    case ARES_ENODATA:
      return "the name has no such records";
    case ARES_ETIMEOUT:
      return "no name server answered in time";
    case ARES_ECONNREFUSED:
      return "no name server could be reached";
    case ARES_ESERVFAIL:
      return "the name server failed";
    default:
      return ares_strerror(status);
  }
}

void take_ttl(NameReply& reply, int seconds) {
  // The hosts file's entries say 0.
  if (seconds <= 0 && !reply.ttl) return;
  const Duration ttl = std::chrono::seconds(seconds);
  reply.ttl = std::min<Duration>(reply.ttl.value_or(ttl), ttl);
}

void on_addresses(void* argument, int status, int /*timeouts*/, ares_addrinfo* info) {
  auto* question = static_cast<Question<NameReply>*>(argument);
  NameReply& reply = question->answer;
  if (status == ARES_SUCCESS) {
    for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
      if (reply.addresses.size() >= NameReply::records_max) break;
      const IpAddress ip = to_endpoint(*node->ai_addr).ip;
      take_ttl(reply, node->ai_ttl);
      if (std::ranges::find(reply.addresses, ip) == reply.addresses.end())
        reply.addresses.push_back(ip);
    }
    for (const ares_addrinfo_cname* alias = info->cnames; alias != nullptr; alias = alias->next)
      take_ttl(reply, alias->ttl);
  }
  if (reply.addresses.empty())
    reply.fault = fault_of(status == ARES_SUCCESS ? ARES_ENODATA : status);
  if (info != nullptr) ares_freeaddrinfo(info);
  settle(question);
}

void on_services(void* argument, int status, int /*timeouts*/, unsigned char* bytes, int length) {
  auto* question = static_cast<Question<NameReply>*>(argument);
  if (status == ARES_SUCCESS) {
    auto reply = read_srv_reply({bytes, static_cast<std::size_t>(length)});
    if (reply) question->answer = std::move(*reply);
    status = reply ? ARES_ENODATA : ARES_EBADRESP;
  }
  if (question->answer.services.empty()) question->answer.fault = fault_of(status);
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
  Channel(EpollLoop& loop, const std::vector<Endpoint>& servers) : loop_(loop), clock_(*this) {
    ares_options options{};
    options.tries = tries;
    options.timeout = try_timeout_ms;
    options.sock_state_cb = &Channel::on_socket;
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_TRIES | ARES_OPT_TIMEOUTMS | ARES_OPT_SOCK_STATE_CB;
    usable_ = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS &&
              ares_init_options(&channel_, &options, mask) == ARES_SUCCESS;
    std::string list;
    for (const Endpoint& server : servers) list += (list.empty() ? "" : ",") + server.text();
    if (usable_ && !list.empty())
      CHECK(ares_set_servers_ports_csv(channel_, list.c_str()) == ARES_SUCCESS);
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
  std::size_t open_questions = 0;
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

AresResolver::AresResolver(EpollLoop& loop)
    : loop_(loop), channel_(std::make_unique<Channel>(loop, std::vector<Endpoint>())) {}

AresResolver::~AresResolver() = default;

void AresResolver::use_servers(const std::vector<Endpoint>& servers) {
  std::erase_if(left_, [](const auto& channel) { return channel->open_questions == 0; });
  left_.push_back(std::exchange(channel_, std::make_unique<Channel>(loop_, servers)));
}

Task<NameReply> AresResolver::ask(std::string name, NameQuestion asked) {
  if (!channel_->usable()) {
    NameReply reply;
    reply.fault = "the resolver could not be set up";
    co_return reply;
  }
  AnswerAwaiter<NameReply> awaiter(new Question<NameReply>(channel_->open_questions));
  if (asked == NameQuestion::services) {
    constexpr int class_internet = 1;
    constexpr int type_srv = 33;
    ares_search(channel_->handle(), name.c_str(), class_internet, type_srv, &on_services,
                awaiter.question);
  } else {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_->handle(), name.c_str(), nullptr, &hints, &on_addresses,
                     awaiter.question);
  }
  if (!awaiter.await_ready()) channel_->keep_time();
  co_return co_await awaiter;
}

Task<std::string> AresResolver::name_of(IpAddress address) {
  if (!channel_->usable()) co_return std::string();
  AnswerAwaiter<std::string> awaiter(new Question<std::string>(channel_->open_questions));
  const SocketAddress socket_address = to_socket_address({address, 0});
  ares_getnameinfo(channel_->handle(), socket_address.pointer(), socket_address.size,
                   ARES_NI_LOOKUPHOST | ARES_NI_NAMEREQD, &on_name, awaiter.question);
  if (!awaiter.await_ready()) channel_->keep_time();
  co_return co_await awaiter;
}

}  // namespace steelyard::io
