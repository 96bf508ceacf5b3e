// What etcd answers, read. Every length, number and kind is looked at: who answers may be anybody.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "cluster/etcd_words.hpp"
#include "cluster/limits.hpp"

namespace steelyard::cluster {

namespace {

using json = nlohmann::json;

constexpr int status_ok = 200;
constexpr std::size_t fault_text_bytes_max = 300;

std::unexpected<EtcdFault> no_answer(std::string_view what) {
  return std::unexpected(EtcdFault{.code = 0, .text = "no answer of etcd's: " + std::string(what)});
}

const json* find(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

const json& part(const json& object, const char* name) {
  static const json none;
  const json* const found = find(object, name);
  return found != nullptr ? *found : none;
}

// A text of digits, or a number. What is not there is 0, as nothing else is left out.
std::optional<std::int64_t> number(const json& object, const char* name) {
  const json* const found = find(object, name);
  if (found == nullptr) return 0;
  std::optional<std::uint64_t> value;
  if (found->is_number_unsigned()) value = found->get<std::uint64_t>();
  if (found->is_string()) value = parse_unsigned(found->get_ref<const std::string&>());
  if (!value || *value > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

bool is_true(const json& object, const char* name) {
  const json& value = part(object, name);
  return value.is_boolean() && value.get<bool>();
}

std::optional<std::string> bytes(const json& object, const char* name) {
  const json* const found = find(object, name);
  if (found == nullptr) return std::string();
  if (!found->is_string()) return std::nullopt;
  return from_base64(found->get_ref<const std::string&>());
}

// What an answer has in common with all others; the error is etcd's own.
EtcdAnswer<json> read(int status, std::string_view body) {
  if (status != status_ok) return std::unexpected(answer::fault(status, body));
  if (body.size() > answer_bytes_max) return no_answer("it is too long");
  // A stream of one line ends in a newline.
  json object = json::parse(body, nullptr, false);
  if (!object.is_object()) return no_answer("it is no JSON object");
  return object;
}

std::optional<KeyValue> key_value(const json& object) {
  auto key = bytes(object, "key");
  auto value = bytes(object, "value");
  const auto revision = number(object, "mod_revision");
  if (!key || key->empty() || !value || !revision) return std::nullopt;
  return KeyValue{.key = std::move(*key), .value = std::move(*value), .revision = *revision};
}

// False: something among them is none.
bool add_keys(const json& list, std::vector<KeyValue>& keys) {
  if (list.is_null()) return true;
  if (!list.is_array()) return false;
  for (const json& each : list) {
    auto one = key_value(each);
    if (!one) return false;
    keys.push_back(std::move(*one));
  }
  return true;
}

EtcdAnswer<Lease> lease_of(const json& object) {
  const auto id = number(object, "ID");
  const auto lifetime = number(object, "TTL");
  const auto revision = number(part(object, "header"), "revision");
  if (!id || *id == 0 || !lifetime || !revision) return no_answer("a lease without its numbers");
  return Lease{.id = *id, .lifetime_seconds = *lifetime, .revision = *revision};
}

bool add_event(const json& event, WatchLine& line) {
  auto one = key_value(part(event, "kv"));
  if (!one) return false;
  const json& type = part(event, "type");
  one->is_gone = type.is_string() && type.get_ref<const std::string&>() == "DELETE";
  line.revision = std::max(line.revision, one->revision);
  line.events.push_back(std::move(*one));
  return true;
}

// An error in a stream is an object with a message and a code of its own.
EtcdFault fault_of(const json& object, std::string_view otherwise) {
  EtcdFault fault{.code = 0, .text = std::string(otherwise)};
  if (const auto code = number(object, "code"); code && *code <= 100)
    fault.code = static_cast<int>(*code);
  if (fault.code == 0) {
    if (const auto code = number(object, "grpc_code"); code && *code <= 100)
      fault.code = static_cast<int>(*code);
  }
  const json* text = find(object, "message");
  if (text == nullptr) text = find(object, "error");
  if (text != nullptr && text->is_string()) {
    fault.text = text->get<std::string>().substr(0, fault_text_bytes_max);
    constexpr std::string_view own_name = "etcdserver: ";
    if (fault.text.starts_with(own_name)) fault.text.erase(0, own_name.size());
  }
  return fault;
}

}  // namespace

bool EtcdFault::asks_for_login() const {
  return code == unauthenticated || text.contains("invalid auth token") ||
         text.contains("user name is empty") || text.contains("revision of auth store is old");
}

namespace answer {

EtcdFault fault(int status, std::string_view body) {
  const std::string otherwise = fmt::format("status {}", status);
  if (body.size() > answer_bytes_max) return {.code = 0, .text = otherwise};
  // Gateways of some versions put trailers behind the object.
  const std::size_t end = body.rfind('}');
  const json object = json::parse(body.substr(0, end == body.npos ? 0 : end + 1), nullptr, false);
  return fault_of(object, otherwise);
}

EtcdAnswer<std::string> login(int status, std::string_view body) {
  const auto object = read(status, body);
  if (!object) return std::unexpected(object.error());
  const json& token = part(*object, "token");
  const bool is_text = token.is_string() && !token.get_ref<const std::string&>().empty();
  if (!is_text) return no_answer("a login without a token");
  const auto& text = token.get_ref<const std::string&>();
  // It becomes a header field.
  const bool is_plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_plain || text.size() > 8192) return no_answer("a token that no field can hold");
  return text;
}

EtcdAnswer<Lease> grant(int status, std::string_view body) {
  const auto object = read(status, body);
  if (!object) return std::unexpected(object.error());
  return lease_of(*object);
}

EtcdAnswer<Lease> keep_alive(int status, std::string_view body) {
  const auto object = read(status, body);
  if (!object) return std::unexpected(object.error());
  if (const json* const error = find(*object, "error"))
    return std::unexpected(fault_of(*error, "the lease could not be kept alive"));
  return lease_of(part(*object, "result"));
}

EtcdAnswer<void> put(int status, std::string_view body) {
  const auto object = read(status, body);
  if (!object) return std::unexpected(object.error());
  return {};
}

EtcdAnswer<Range> range(int status, std::string_view body) {
  const auto object = read(status, body);
  if (!object) return std::unexpected(object.error());
  Range range;
  const auto revision = number(part(*object, "header"), "revision");
  if (!revision || *revision == 0 || !add_keys(part(*object, "kvs"), range.keys))
    return no_answer("a range without its keys or its revision");
  range.revision = *revision;
  range.has_more = is_true(*object, "more");
  return range;
}

EtcdAnswer<Written> transaction(int status, std::string_view body) {
  const auto object = read(status, body);
  if (!object) return std::unexpected(object.error());
  Written written;
  const auto revision = number(part(*object, "header"), "revision");
  if (!revision || *revision == 0) return no_answer("a transaction without a revision");
  written.revision = *revision;
  written.done = is_true(*object, "succeeded");
  if (written.done) return written;
  const json& responses = part(*object, "responses");
  if (!responses.is_array()) return no_answer("a transaction without its answers");
  for (const json& each : responses) {
    if (!add_keys(part(part(each, "response_range"), "kvs"), written.in_the_way))
      return no_answer("a transaction without its keys");
  }
  return written;
}

EtcdAnswer<WatchLine> watch(std::string_view text) {
  const auto object = read(status_ok, text);
  if (!object) return std::unexpected(object.error());
  if (const json* const error = find(*object, "error"))
    return std::unexpected(fault_of(*error, "the watch was refused"));
  const json& result = part(*object, "result");
  if (!result.is_object()) return no_answer("a line of a watch without a result");
  WatchLine line{.is_created = is_true(result, "created")};
  const auto compacted = number(result, "compact_revision");
  if (!compacted) return no_answer("a watch without its numbers");
  line.is_compacted = *compacted != 0;
  if (is_true(result, "canceled")) {
    const json& reason = part(result, "cancel_reason");
    line.cancelled = reason.is_string() ? reason.get<std::string>().substr(0, fault_text_bytes_max)
                                        : std::string();
    if (line.cancelled.empty()) line.cancelled = "etcd ended the watch";
  }
  const json& events = part(result, "events");
  if (!events.is_null() && !events.is_array()) return no_answer("events that are no list");
  for (const json& event : events) {
    if (!add_event(event, line)) return no_answer("an event without its key or revision");
  }
  return line;
}

}  // namespace answer

}  // namespace steelyard::cluster
