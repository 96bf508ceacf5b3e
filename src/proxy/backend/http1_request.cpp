#include "proxy/backend/http1_request.hpp"

#include "http/connection_fields.hpp"
#include "http/connection_names.hpp"
#include "proxy/backend/forwarded_fields.hpp"
#include "proxy/trace.hpp"

namespace steelyard::proxy {

using http::FieldId;

namespace {

constexpr http::FieldIdSet left_out =
    http::request_hop_by_hop.with({FieldId::host});  // which is written first

void append_client_fields(Exchange& x, ForwardedFields& added, bool expects, http::HeadText& out) {
  const http::ConnectionNames named(x.request.fields);
  const bool traces = is_traced(x);
  for (const http::Field& field : x.request.fields) {
    if (left_out.contains(field.id)) continue;
    if (field.id == FieldId::expect && !expects &&
        (x.request.expects_continue || field.value.empty()))
      continue;
    if (!named.empty() && named.contains(field.name)) continue;
    if (traces && is_trace_field(field.name)) continue;
    std::string_view* addition = added.of(field.id);
    if (addition == nullptr) {
      out.append_field(field);
    } else if (field.id == FieldId::via && added.block_via) {
      continue;
    } else if (addition->empty()) {
      out.append_field(field);
    } else {
      out.append_field(field.name, field.value, *addition);
      *addition = {};
    }
  }
}

void append_own_fields(const Exchange& x, const ForwardedFields& added, bool expects,
                       http::HeadText& out) {
  if (!added.via.empty() && !added.block_via) out.append_field("Via", added.via);
  if (expects && !x.request.fields.has(FieldId::expect)) out.append_field("Expect", "100-Continue");
  if (x.server->proxy.max_forwards >= 0 && !x.request.fields.has(FieldId::max_forwards))
    out.append_field("Max-Forwards", std::to_string(x.server->proxy.max_forwards));
  if (!added.proxy_authorization.empty())
    out.append_field("Proxy-Authorization", added.proxy_authorization);
  if (!added.forwarded_for.empty()) out.append_field("X-Forwarded-For", added.forwarded_for);
  if (!added.forwarded_host.empty()) out.append_field("X-Forwarded-Host", added.forwarded_host);
  if (!added.forwarded_server.empty())
    out.append_field("X-Forwarded-Server", added.forwarded_server);
}

void append_framing(const BodyPlan& body, const RequestRules& rules, http::HeadText& out) {
  if (body.kind == BodyPlan::Kind::length) {
    out.append("Content-Length: ").append(body.length).append("\r\n");
  } else if (body.kind == BodyPlan::Kind::chunked) {
    out.append_field("Transfer-Encoding", "chunked");
  }
  if (!rules.upgrade.empty()) {
    out.append("Connection: Upgrade\r\n");
    out.append_field("Upgrade", rules.upgrade);
  } else if (!rules.version_1_0) {
    out.append(rules.keeps_connection ? "Connection: Keep-Alive\r\n" : "Connection: close\r\n");
  }
}

}  // namespace

void write_request_head(Exchange& x, const BackendTarget& target, const BodyPlan& body,
                        const RequestRules& rules, http::HeadText& out) {
  out.append(x.request.method).append(" ");
  if (!target.asked_scheme.empty())
    out.append(target.asked_scheme).append("://").append(target.url_host);
  out.append(target.path);
  if (target.has_query) out.append("?").append(target.query);
  out.append(rules.version_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  const bool preserves_host = x.settings->preserve_host.value_or(false);
  std::string_view host = target.url_host;
  if (preserves_host)  // as RequestHeader left it
    host = x.request.fields.value(FieldId::host).value_or(x.server->name);
  out.append_field("Host", host);
  ForwardedFields added(x, rules.via);
  added.proxy_authorization = target.asked_with;
  append_client_fields(x, added, body.expects_continue, out);
  append_own_fields(x, added, body.expects_continue, out);
  if (is_traced(x)) append_trace_fields(x, out);
  append_framing(body, rules, out);
  out.append("\r\n");
}

}  // namespace steelyard::proxy
