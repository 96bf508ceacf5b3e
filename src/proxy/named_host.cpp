#include "proxy/named_host.hpp"

#include <array>

#include "base/text.hpp"
#include "tls/hosts.hpp"

namespace steelyard::proxy {

namespace {

constexpr std::string_view name_wanted =
    "Reason: The client software did not provide a hostname using Server Name Indication (SNI), "
    "which is required to access this server.<br />\n";

void tell(Exchange& x, Shard::Core& core, std::string_view text) {
  if (core.wants(x, config::LogLevel::error, "ssl"))
    core.log(x, config::LogLevel::error, "ssl", text);
}

std::string_view policy_name(config::SniPolicy policy) {
  constexpr std::array<std::string_view, 4> names{"strict", "secure", "authonly", "insecure"};
  return names[static_cast<std::size_t>(policy)];
}

Routing refusal(int status, std::string_view html_note = {}) {
  Routing routing{Routing::Kind::answer, status, {}, {}};
  routing.html_note = html_note;
  return routing;
}

}  // namespace

std::optional<Routing> check_named_host(Exchange& x, Shard::Core& core) {
  const tls::Hosts* const hosts = x.generation->tls();
  if (hosts == nullptr) return std::nullopt;
  // A reload may ask for certificates of clients that are connected already.
  if (x.server->tls.verify == config::PeerVerify::require &&
      x.tls_variable("SSL_CLIENT_VERIFY").value_or("") != "SUCCESS") {
    return refusal(421);
  }
  const config::VirtualHostGroup& group = x.generation->hosts().group(x.client->local);
  const std::string_view named = tls::named_host(*x.client->tls);
  if (!named.empty() && equals_ignoring_case(named, x.host_name)) return std::nullopt;
  if (!named.empty() && x.host_name.empty()) {
    tell(x, core,
         x.arena.join("AH02031: Hostname ", named,
                      " provided via SNI, but no hostname provided in HTTP request"));
    return refusal(400);
  }
  // httpd: only where several hosts share the address.
  const bool is_strict = x.server->tls.strict_sni || group.first().tls.strict_sni;
  if (named.empty() && is_strict && group.tells_names_apart()) {
    tell(x, core, "AH02033: No hostname was provided via SNI for a name based virtual host");
    return refusal(403, name_wanted);
  }
  const config::Server* const known = named.empty() ? nullptr : group.find(named);
  const config::Server& shown = known != nullptr ? *known : group.first();
  if (hosts->may_ask(shown, *x.server)) return std::nullopt;
  tell(x, core,
       x.arena.join("AH02032: Hostname ", named.empty() ? std::string_view(shown.name) : named,
                    named.empty() ? " (default host as no SNI was provided)" : " provided via SNI",
                    x.arena.join(" and hostname ", x.host_name,
                                 " provided via HTTP have no compatible SSL setup for policy '",
                                 policy_name(x.server->tls.sni_policy), "'")));
  return refusal(421);
}

}  // namespace steelyard::proxy
