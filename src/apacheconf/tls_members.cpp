// Members that speak TLS where SSLProxyEngine does not let us.
#include "apacheconf/proxy_draft.hpp"
#include "apacheconf/tables.hpp"
#include "balance/scheme.hpp"

namespace steelyard::apacheconf {

namespace {

using config::Server;

bool is_enabled(const Server& server, const std::string& url) {
  bool enabled = server.tls_backend.engine.value_or(false);
  for (const config::Section& section : server.proxies) {
    if (section.tls_backend && section.tls_backend->engine && section.covers_url(url))
      enabled = *section.tls_backend->engine;
  }
  return enabled;
}

// httpd answers 500 at run time.
void warn(Reading& reading, const Server& server, const std::string& url,
          const balance::MemberSpec& member, const config::Place& place) {
  if (!balance::is_tls_scheme(member.scheme) || is_enabled(server, url)) return;
  reading.warn_at(place,
                  "Requests to " + member.name + " will end with 500, as SSLProxyEngine is not On",
                  "Add SSLProxyEngine On to the server, or to the <Proxy> section.");
}

}  // namespace

void finish_tls_members(Reading& reading) {
  ProxyDrafts& drafts = reading.part<ProxyDrafts>();
  for (const auto& server : reading.config->servers) {
    const ServerDraft& draft = drafts.servers[server.get()];
    for (const auto& balancer : draft.balancers) {
      const auto& members = balancer->spec.members;
      for (std::size_t i = 0; i < members.size(); ++i) {
        const bool has_place = i < balancer->member_places.size();
        warn(reading, *server, balancer->spec.name, members[i],
             has_place ? balancer->member_places[i] : balancer->place);
      }
    }
    for (const BackendDraft& backend : draft.backends)
      warn(reading, *server, backend.spec.name, backend.spec, backend.place);
  }
}

}  // namespace steelyard::apacheconf
