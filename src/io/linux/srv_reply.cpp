#include "io/linux/srv_reply.hpp"

#include <ares.h>

#include <algorithm>

namespace steelyard::io {

namespace {

// RFC 1035 4.1: a header of fixed size, questions, answers.
constexpr std::size_t header_bytes = 12;
constexpr std::size_t question_rest_bytes = 4;  // type and class
constexpr std::size_t record_rest_bytes = 10;   // type, class, TTL, length of the data
constexpr std::size_t service_bytes = 6;        // priority, weight, port; the target follows
constexpr unsigned type_cname = 5;
constexpr unsigned type_srv = 33;

class Message {
 public:
  explicit Message(std::span<const unsigned char> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool has(std::size_t count) const { return bytes_.size() - at_ >= count; }
  [[nodiscard]] std::size_t at() const { return at_; }
  void go_to(std::size_t at) { at_ = at; }
  // The caller has asked has().
  unsigned number(std::size_t byte_count) {
    unsigned value = 0;
    for (std::size_t i = 0; i < byte_count; ++i) value = value << 8 | bytes_[at_ + i];
    at_ += byte_count;
    return value;
  }
  // Undoes compression. No value: it is malformed.
  std::optional<std::string> name() {
    if (!has(1)) return std::nullopt;
    char* text = nullptr;
    long length = 0;
    const int status = ares_expand_name(bytes_.data() + at_, bytes_.data(),
                                        static_cast<int>(bytes_.size()), &text, &length);
    if (status != ARES_SUCCESS) return std::nullopt;
    std::string name = text;
    ares_free_string(text);
    at_ += static_cast<std::size_t>(length);
    return at_ <= bytes_.size() ? std::optional(std::move(name)) : std::nullopt;
  }

 private:
  std::span<const unsigned char> bytes_;
  std::size_t at_ = 0;
};

bool take_record(Message& message, NameReply& reply) {
  if (!message.name() || !message.has(record_rest_bytes)) return false;
  const unsigned type = message.number(2);
  message.number(2);  // class
  const std::chrono::seconds ttl(message.number(4));
  const std::size_t length = message.number(2);
  if (!message.has(length)) return false;
  const std::size_t end = message.at() + length;
  if (type == type_srv || type == type_cname) {
    reply.ttl = std::min<Duration>(reply.ttl.value_or(ttl), ttl);
  }
  if (type == type_srv) {
    if (length <= service_bytes) return false;
    ServiceRecord service;
    service.priority = static_cast<std::uint16_t>(message.number(2));
    service.weight = static_cast<std::uint16_t>(message.number(2));
    service.port = static_cast<std::uint16_t>(message.number(2));
    auto target = message.name();
    if (!target || message.at() != end) return false;
    service.target = std::move(*target);
    const bool is_real = !service.target.empty() && service.port != 0;
    if (is_real && reply.services.size() < NameReply::records_max) {
      reply.services.push_back(std::move(service));
    }
  }
  message.go_to(end);
  return true;
}

}  // namespace

std::optional<NameReply> read_srv_reply(std::span<const unsigned char> bytes) {
  Message message(bytes);
  if (!message.has(header_bytes)) return std::nullopt;
  message.go_to(4);
  const unsigned questions = message.number(2);
  const unsigned answers = message.number(2);
  message.go_to(header_bytes);
  for (unsigned i = 0; i < questions; ++i) {
    if (!message.name() || !message.has(question_rest_bytes)) return std::nullopt;
    message.number(question_rest_bytes);
  }
  NameReply reply;
  for (unsigned i = 0; i < answers; ++i) {
    if (!take_record(message, reply)) return std::nullopt;
  }
  return reply;
}

}  // namespace steelyard::io
