#include "proxy/detour.hpp"

#include <algorithm>
#include <array>

#include "balance/scheme.hpp"
#include "config/forward_proxy.hpp"
#include "proxy/decision_log.hpp"

namespace steelyard::proxy {

namespace {

using config::DirectHost;
using config::ForwardProxy;

// NoProxy has networks, and only the addresses of a name tell whether it is in one.
bool needs_addresses(const ForwardProxy& forward, std::string_view host) {
  return !IpAddress::parse(host) && !host.empty() &&
         std::ranges::any_of(forward.direct_hosts, [](const DirectHost& direct) {
           return direct.kind == DirectHost::Kind::network;
         });
}

io::Task<bool> goes_directly(const ForwardProxy& forward, Shard::Core& core,
                             std::string_view host) {
  if (is_direct(forward, host)) co_return true;
  if (!needs_addresses(forward, host)) co_return false;
  const auto addresses = co_await core.parts.dialer.resolver().addresses(std::string(host));
  co_return std::ranges::any_of(
      addresses, [&](const IpAddress& address) { return is_direct(forward, address.text()); });
}

// "host:21" says nothing that the scheme does not.
std::string_view without_usual_port(std::string_view scheme, std::string_view authority) {
  const std::string_view usual = scheme == "ftp"                  ? ":21"
                                 : balance::is_tls_scheme(scheme) ? ":443"
                                                                  : ":80";
  if (authority.ends_with(usual)) authority.remove_suffix(usual.size());
  return authority;
}

}  // namespace

io::Task<const config::RemoteProxy*> Detour::next(const Exchange& x, Shard::Core& core,
                                                  std::string_view url) {
  const ForwardProxy& forward = *x.server->proxy.forward;
  const std::span<const config::RemoteProxy> remotes = forward.remotes;
  const std::size_t found = asked_ + find_remote(remotes.subspan(asked_), url);
  if (found == remotes.size()) co_return nullptr;
  // httpd asks for the host that the client named, whatever the member is called.
  if (!decided_) direct_ = co_await goes_directly(forward, core, x.host_name);
  decided_ = true;
  if (direct_) co_return nullptr;
  asked_ = found + 1;
  co_return &remotes[found];
}

io::Task<> take_detour(Exchange& x, Shard::Core& core, Detour& detour, AttemptPlan& plan) {
  const balance::MemberSpec& spec = plan.lease.spec();
  const std::string_view scheme = spec.scheme;
  constexpr std::array<std::string_view, 5> known{"http", "https", "ftp", "ws", "wss"};
  const bool is_known = std::ranges::find(known, scheme) != known.end();
  if (!is_known || !spec.unix_socket_path.empty() || x.server->proxy.forward->remotes.empty())
    co_return;
  BackendTarget& target = plan.target;
  const std::string_view host = without_usual_port(scheme, target.url_host);
  const std::string_view url =
      x.arena.join(scheme, "://", host, target.path, target.has_query ? "?" : "", target.query);
  plan.remote = co_await detour.next(x, core, url);
  if (plan.remote == nullptr) co_return;
  // Its connections are not told apart from the member's own, so none is kept.
  plan.reuses = false;
  if (balance::is_tls_scheme(scheme)) co_return;
  target.url_host = host;
  target.asked_scheme = scheme;
  target.asked_with = plan.remote->authorization;
}

bool goes_another_way(Exchange& x, Shard::Core& core, const AttemptPlan& plan,
                      const Failure& failure, int& attempts) {
  const http::BodyFraming& body = x.request.body;
  const bool has_body = body.kind == http::BodyFraming::Kind::chunked || body.length > 0;
  const bool goes_on = plan.remote != nullptr && !x.head_sent && failure.party == Party::backend &&
                       status_of(failure) == 502 && !has_body;
  if (!goes_on) return false;
  log_failure(x, core, failure, plan.lease);
  --attempts;
  return true;
}

}  // namespace steelyard::proxy
