#include "proxy/ask_desk.hpp"

#include "base/text.hpp"
#include "proxy/desk.hpp"
#include "proxy/limits.hpp"
#include "proxy/small_body.hpp"

namespace steelyard::proxy {

namespace {

// Shared with an answer that is on its way from another thread.
struct Pending {
  io::Loop* loop;
  io::Wait* wait = nullptr;  // the loop's thread only
  std::optional<DeskAnswer> answer{};
  std::atomic<bool> given_up{false};
};

// Whoever asked may be gone before the answer is there. What was not begun by then is not done.
class Asleep {
 public:
  Asleep(Pending& pending, io::Wait& wait) : pending_(pending) { pending_.wait = &wait; }
  Asleep(const Asleep&) = delete;
  Asleep& operator=(const Asleep&) = delete;
  ~Asleep() {
    pending_.wait = nullptr;
    pending_.given_up = true;
  }

 private:
  Pending& pending_;
};

DeskQuestion question_of(const Exchange& x, SmallBody read) {
  DeskQuestion question;
  question.responder = x.responder;
  question.generation = x.generation;
  question.server = x.server->index;
  question.method = x.request.method_id;
  question.path = x.path;
  if (x.has_query) question.query = std::string(x.query);
  question.body = std::move(read.text);
  question.body_is_cut = read.is_cut;
  question.fields.reserve(x.request.fields.size());
  for (const http::Field& field : x.request.fields)
    question.fields.emplace_back(field.name, field.value);
  // httpd: ServerName may say what a proxy in front of this server speaks.
  question.scheme = x.server->name_scheme.empty() ? x.text(expr::TextFact::scheme)
                                                  : std::string_view(x.server->name_scheme);
  question.public_name = x.public_name();
  question.public_port = x.public_port();
  question.client = x.client_endpoint();
  question.signature = x.settings->signature.value_or(http::Signature::off);
  question.local = x.client->local;
  return question;
}

LocalAnswer into_local(Exchange& x, const DeskAnswer& answer) {
  LocalAnswer local{.status = answer.status};
  if (answer.content_type.empty()) return local;
  local.has_text = true;
  local.text = x.arena.copy(answer.body);
  local.content_type = x.arena.copy(answer.content_type);
  local.feed = answer.feed;
  for (const auto& [name, value] : answer.fields)
    local.fields.emplace_back(x.arena.copy(name), x.arena.copy(value));
  return local;
}

}  // namespace

const std::string* DeskQuestion::field(std::string_view name) const {
  for (const auto& [each, value] : fields) {
    if (equals_ignoring_case(each, name)) return &value;
  }
  return nullptr;
}

std::size_t desk_body_bytes_max(config::Responder responder) {
  return responder == config::Responder::api ? api_body_bytes_max : form_bytes_max;
}

io::Task<LocalAnswer> ask_desk(Exchange& x, Shard::Core& core, ClientSide client,
                               RequestBody& body) {
  SmallBody read =
      co_await read_small_body(x, core, client, body, desk_body_bytes_max(x.responder));
  if (read.status != 0) co_return LocalAnswer{.status = read.status};
  Desk* const desk = core.parts.group.desk;
  if (desk == nullptr) co_return LocalAnswer{.status = 503};
  const auto pending = std::make_shared<Pending>(&core.parts.loop);
  DeskQuestion question = question_of(x, std::move(read));
  question.given_up = {pending, &pending->given_up};
  desk->ask(std::move(question), [pending](DeskAnswer answer) {
    pending->loop->post([pending, answer = std::move(answer)] {
      pending->answer = answer;
      if (pending->wait != nullptr) pending->wait->wake(io::Woken::ready);
    });
  });
  io::Wait wait(client.timer, core.now() + desk_patience);
  {
    const Asleep asleep(*pending, wait);
    co_await wait;
  }
  if (!pending->answer) co_return LocalAnswer{.status = 503};
  co_return into_local(x, *pending->answer);
}

}  // namespace steelyard::proxy
