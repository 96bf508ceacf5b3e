#include "health/target_rules.hpp"

#include "config/fcgi_settings.hpp"

namespace steelyard::health {

namespace {

cgi::BackendType fcgi_backend_of(const config::Server& server, std::string_view url) {
  auto backend = server.defaults.fcgi_backend;
  for (const config::Section& section : server.proxies) {
    if (section.settings.fcgi_backend && section.covers_url(url))
      backend = section.settings.fcgi_backend;
  }
  return backend == config::FcgiBackend::generic ? cgi::BackendType::generic
                                                 : cgi::BackendType::fpm;
}

}  // namespace

CheckPlan plan_for(const TargetRules& rules) {
  const balance::MemberSpec& member = rules.member;
  const config::Server& server = *rules.server;
  CheckPlan plan{.member = member,
                 .server = server,
                 .condition = rules.condition,
                 .connect_timeout = {},
                 .read_timeout = {},
                 .tls = nullptr};
  const tls::Hosts* const hosts = rules.generation ? rules.generation->tls() : nullptr;
  if (rules.generation) plan.software = rules.generation->banner();
  // As for a request: with a path, so that <Proxy balancer://name/*> covers it.
  const std::string url = rules.balancer + "/";
  plan.fcgi_backend = fcgi_backend_of(server, url);
  if (hosts != nullptr) plan.tls = hosts->backend_of(server, url).get();
  plan.read_timeout = member.timeout ? Duration(*member.timeout)
                                     : server.proxy.timeout.value_or(server.client.timeout);
  plan.connect_timeout =
      member.connection_timeout ? Duration(*member.connection_timeout) : plan.read_timeout;
  return plan;
}

}  // namespace steelyard::health
