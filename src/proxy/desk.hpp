// Requests about the server itself (balancer-manager, server-status, ...) are answered at a desk
// with a thread of its own: however long a page takes, no shard waits for it. A shard hands in the
// question and its exchange sleeps until the answer is there.
//
// Threads: ask() is called on shards; answers are given on any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.hpp"
#include "config/path_settings.hpp"
#include "http/error_page.hpp"
#include "http/method.hpp"
#include "proxy/feed.hpp"
#include "proxy/generation.hpp"

namespace steelyard::proxy {

// A question needs nothing of its exchange, which may end before it is answered.
struct DeskQuestion {
  config::Responder responder = config::Responder::none;
  std::shared_ptr<const Generation> generation;
  std::uint32_t server = 0;  // the virtual host: Server::index
  http::Method method = http::Method::get;
  std::string path;                  // decoded, with what follows the handler's own path
  std::optional<std::string> query;  // none: there was no '?'
  std::string body;                  // the first desk_body_bytes_max() of it
  bool body_is_cut = false;          // there was more
  std::vector<std::pair<std::string, std::string>> fields;  // of the request
  std::string scheme;                                       // "http"
  std::string public_name;  // of the server, as UseCanonicalName says
  std::uint16_t public_port = 0;
  Endpoint client, local;  // of the client's connection
  std::string user;        // who, if somebody found out; empty else
  http::Signature signature = http::Signature::off;
  std::shared_ptr<const std::atomic<bool>> given_up{};  // by who asked; null: never

  [[nodiscard]] bool is_given_up() const { return given_up != nullptr && *given_up; }
  // The first of that name, in any case.
  [[nodiscard]] const std::string* field(std::string_view name) const;
};

struct DeskAnswer {
  int status = 503;
  std::string content_type{};  // empty: the standard page of the status
  std::string body{};
  std::vector<std::pair<std::string, std::string>> fields{};
  std::shared_ptr<Feed> feed{};  // what follows the body, if anything does
};

class Desk {
 public:
  using Reply = std::function<void(DeskAnswer)>;

  virtual ~Desk() = default;
  // `reply` is called once, unless the question is given up or the desk closed before.
  virtual void ask(DeskQuestion question, Reply reply) = 0;
};

// How much of a body counts. httpd's manager reads 1024 bytes of a form.
[[nodiscard]] std::size_t desk_body_bytes_max(config::Responder responder);

}  // namespace steelyard::proxy
