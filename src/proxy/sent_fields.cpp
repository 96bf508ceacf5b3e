#include "proxy/sent_fields.hpp"

#include <chrono>

#include "http/date.hpp"
#include "http/token_list.hpp"
#include "proxy/exchange.hpp"

namespace steelyard::proxy {

namespace {

using http::FieldId;

std::optional<std::string_view> in_tables(const Exchange& x, std::string_view name) {
  const auto first = x.always.value(name);
  return first ? first : x.normal.value(name);
}

// httpd: its own is the time of the request.
std::string_view own_date(const Exchange& x) {
  http::DateText text;
  return x.arena.copy(text.at(std::chrono::floor<std::chrono::seconds>(x.began)));
}

// httpd: each stream counts as a connection that closes, though nothing on the wire says so.
std::string_view connection_of_stream(const Exchange& x) {
  const std::string_view ruled = in_tables(x, "Connection").value_or("");
  if (http::has_token(ruled, "close")) return ruled;
  return ruled.empty() ? "close" : x.arena.join(ruled, ", close");
}

}  // namespace

std::optional<std::string_view> told_by_others(const Exchange& x, FieldId id) {
  if (x.own_answer && !x.proxied) return std::nullopt;
  const auto first = x.always.value(id);
  return first ? first : x.normal.value(id);
}

std::optional<std::string_view> sent_field(const Exchange& x, std::string_view name) {
  const FieldId id = http::field_id(name);
  const bool comes_first = id == FieldId::date || id == FieldId::server;
  if (x.client->http2_stream == 0)
    return comes_first ? std::optional<std::string_view>() : in_tables(x, name);
  if (!x.head_sent || (!comes_first && id != FieldId::connection)) return in_tables(x, name);
  if (id == FieldId::connection) return connection_of_stream(x);
  if (const auto told = told_by_others(x, id)) return told;
  return id == FieldId::date ? own_date(x) : std::string_view(x.generation->banner());
}

}  // namespace steelyard::proxy
