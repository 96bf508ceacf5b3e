#include "proxy/named_host.hpp"

#include <array>

#include "base/text.hpp"
#include "tls/hosts.hpp"
#include "tls/inquiry.hpp"

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

constexpr int misdirected = 421;

Routing refusal(int status, std::string_view html_note = {}) {
  Routing routing{Routing::Kind::answer, status, {}, {}};
  routing.html_note = html_note;
  return routing;
}

bool has_verified_certificate(Exchange& x) {
  return x.tls_variable("SSL_CLIENT_VERIFY").value_or("") == "SUCCESS";
}

// A reload may ask for certificates of clients that are connected already, or about them. httpd
// ends their connections. `shown`: the host that the handshake was for; another host's rules hold
// for it by SSLVHostSNIPolicy, and those of a path see to what they ask for themselves.
bool is_outdated(Exchange& x, const tls::Hosts& hosts, const config::Server& shown) {
  if (shown.tls.verify == config::PeerVerify::require && !has_verified_certificate(x)) return true;
  SSL& ssl = *x.client->tls->ssl();
  return !tls::Inquiry::is_settled(ssl, hosts.context_of(shown)) &&
         !tls::Inquiry::is_settled(ssl, hosts.context_of(*x.server));
}

}  // namespace

std::optional<Routing> check_named_host(Exchange& x, Shard::Core& core) {
  const tls::Hosts* const hosts = x.generation->tls();
  if (hosts == nullptr) return std::nullopt;
  const config::VirtualHostGroup& group = x.generation->hosts().group(x.client->local);
  const std::string_view named = tls::named_host(*x.client->tls);
  const bool is_same = !named.empty() && equals_ignoring_case(named, x.host_name);
  const config::Server* const known = named.empty() || is_same ? nullptr : group.find(named);
  const config::Server& shown = is_same ? *x.server : known != nullptr ? *known : group.first();
  if (is_outdated(x, *hosts, shown)) {
    x.keep_client = false;
    x.notes.set(outdated_note, "1");
    if (core.wants(x, config::LogLevel::info, "ssl")) {
      core.log(x, config::LogLevel::info, "ssl",
               "the connection is older than what is asked of its client's certificate");
    }
    return refusal(misdirected);
  }
  if (x.server->tls.verify == config::PeerVerify::require && !has_verified_certificate(x))
    return refusal(misdirected);
  if (is_same) return std::nullopt;
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
  if (hosts->may_ask(shown, *x.server)) return std::nullopt;
  tell(x, core,
       x.arena.join("AH02032: Hostname ", named.empty() ? std::string_view(shown.name) : named,
                    named.empty() ? " (default host as no SNI was provided)" : " provided via SNI",
                    x.arena.join(" and hostname ", x.host_name,
                                 " provided via HTTP have no compatible SSL setup for policy '",
                                 policy_name(x.server->tls.sni_policy), "'")));
  return refusal(misdirected);
}

}  // namespace steelyard::proxy
