#include "proxy/backend/forwarded_fields.hpp"

namespace steelyard::proxy {

using http::FieldId;

ForwardedFields::ForwardedFields(const Exchange& x, std::string_view own_via) : via(own_via) {
  block_via = x.server->proxy.via == config::ProxySettings::Via::block;
  // httpd: who asks through a forward proxy is not told on.
  if (x.route.is_forward || !x.settings->add_headers.value_or(true)) return;
  forwarded_for = x.client_ip();
  // What RequestHeader made of Host counts, as in httpd.
  forwarded_host = x.request.fields.value(FieldId::host).value_or(std::string_view());
  forwarded_server = x.server->name;
}

std::string_view* ForwardedFields::of(FieldId id) {
  switch (id) {
    case FieldId::x_forwarded_for:
      return &forwarded_for;
    case FieldId::x_forwarded_host:
      return &forwarded_host;
    case FieldId::x_forwarded_server:
      return &forwarded_server;
    case FieldId::via:
      return &via;
    case FieldId::proxy_authorization:
      return &proxy_authorization;
    default:
      return nullptr;
  }
}

}  // namespace steelyard::proxy
