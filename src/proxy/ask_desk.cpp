#include "proxy/ask_desk.hpp"

#include "base/text.hpp"
#include "proxy/awaited.hpp"
#include "proxy/desk.hpp"
#include "proxy/limits.hpp"
#include "proxy/small_body.hpp"

namespace steelyard::proxy {

namespace {

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
  question.scheme = x.scheme();
  question.public_name = x.public_name();
  question.public_port = x.public_port();
  question.client = x.client_endpoint();
  question.user = x.guest->visitor.user.value_or("");
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
  const auto awaited = Awaited<DeskAnswer>::make(core.parts.loop);
  DeskQuestion question = question_of(x, std::move(read));
  question.given_up = Awaited<DeskAnswer>::given_up(awaited);
  desk->ask(std::move(question), [awaited](DeskAnswer answer) {
    Awaited<DeskAnswer>::give(awaited, std::move(answer));
  });
  const auto answer =
      co_await Awaited<DeskAnswer>::wait(awaited, client.timer, core.now() + desk_patience);
  if (!answer) co_return LocalAnswer{.status = 503};
  co_return into_local(x, *answer);
}

}  // namespace steelyard::proxy
