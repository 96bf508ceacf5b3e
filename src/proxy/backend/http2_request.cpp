#include "proxy/backend/http2_request.hpp"

#include "balance/scheme.hpp"
#include "base/text.hpp"
#include "http/connection_fields.hpp"
#include "http/connection_names.hpp"
#include "proxy/backend/forwarded_fields.hpp"
#include "proxy/trace.hpp"

namespace steelyard::proxy {

using http::FieldId;

namespace {

constexpr http::FieldIdSet left_out =
    http::request_hop_by_hop.with({FieldId::host});  // which is :authority

std::string_view lower(std::string_view name, Arena& arena) {
  char* const room = arena.take(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) room[i] = ascii_lower(name[i]);
  return {room, name.size()};
}

void add_client_fields(Exchange& x, ForwardedFields& added, http::FieldList& out) {
  const http::ConnectionNames named(x.request.fields);
  const bool traces = is_traced(x);
  for (const http::Field& field : x.request.fields) {
    if (left_out.contains(field.id)) continue;
    if (!named.empty() && named.contains(field.name)) continue;
    if (traces && is_trace_field(field.name)) continue;
    std::string_view* const addition = field.id == FieldId::via ? nullptr : added.of(field.id);
    std::string_view value = field.value;
    if (addition != nullptr && !addition->empty()) {
      value = value.empty() ? *addition : x.arena.join(value, ", ", *addition);
      *addition = {};
    }
    out.add(lower(field.name, x.arena), value, field.id);
  }
}

// The lines of a text, as fields.
void add_lines(std::string_view text, Arena& arena, http::FieldList& out) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos)
      out.add(lower(line.substr(0, colon), arena), arena.copy(line.substr(colon + 2)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  }
}

void add_length(const RequestBody& body, Arena& arena, http::FieldList& out) {
  if (!body.announced()) return;
  if (body.framing().kind == http::BodyFraming::Kind::length) {
    out.add("content-length", arena.decimal(body.framing().length));
  } else if (body.received_all()) {
    out.add("content-length", arena.decimal(body.received()));
  }
}

}  // namespace

void write_http2_head(const Dialect::Matter& matter, http::FieldList& out) {
  Exchange& x = matter.x;
  const BackendTarget& target = matter.plan.target;
  const bool preserves = x.settings->preserve_host.value_or(false);
  const bool is_tls = balance::is_tls_scheme(matter.plan.lease.spec().scheme);
  std::string_view authority = target.url_host;
  if (preserves) authority = x.request.fields.value(FieldId::host).value_or(x.server->name);
  out.add(":method", x.request.method);
  out.add(":scheme", is_tls ? "https" : "http");
  out.add(":authority", authority);
  out.add(":path", target.has_query ? x.arena.join(target.path, "?", target.query) : target.path);
  ForwardedFields added(x, {});
  add_client_fields(x, added, out);
  if (!added.forwarded_for.empty()) out.add("x-forwarded-for", added.forwarded_for);
  if (!added.forwarded_host.empty()) out.add("x-forwarded-host", added.forwarded_host);
  if (!added.forwarded_server.empty()) out.add("x-forwarded-server", added.forwarded_server);
  // httpd says so of every request; servers of gRPC refuse one that does not.
  out.add("te", "trailers");
  if (is_traced(x)) {
    http::HeadText& text = matter.client.workspace.to_backend;
    text.clear();
    append_trace_fields(x, text);
    add_lines(text.view(), x.arena, out);
  }
  add_length(matter.body, x.arena, out);
}

void write_http2_trailers(Exchange& x, http::FieldList& out) {
  for (const http::Field& field : *x.request_trailers) {
    if (!left_out.contains(field.id) && !field.name.starts_with(':'))
      out.add(lower(field.name, x.arena), field.value, field.id);
  }
}

}  // namespace steelyard::proxy
