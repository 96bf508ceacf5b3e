#include "proxy/connect_request.hpp"

#include <algorithm>

#include "config/forward_proxy.hpp"
#include "proxy/backend/member_link.hpp"
#include "proxy/backend/tunnel.hpp"
#include "proxy/decision_log.hpp"
#include "proxy/detour.hpp"
#include "proxy/passing_group.hpp"
#include "proxy/timeline.hpp"

namespace steelyard::proxy {

namespace {

constexpr std::string_view blocked_words = "Connect to remote machine blocked";

// What the client gets when no connection was made (httpd).
ForwardEnd end_of(Exchange& x, const Failure& failure) {
  x.failed = {failure.party, failure.cause};
  ForwardEnd end;
  end.status = failure.cause == Cause::no_such_name ? 502 : status_of(failure);
  end.proxy_error = x.arena.copy(reason_of(failure));
  return end;
}

balance::MemberSpec place_of(const Exchange& x) {
  balance::MemberSpec place;
  place.scheme = "http";  // nothing is said but what the client says
  place.host = std::string(x.host_name);
  place.port = *x.request.host_parts->port;
  return place;
}

// Through another proxy it is that one's answer which the client gets.
void begin_tunnel(Exchange& x, Workspace& workspace, const config::RemoteProxy* remote) {
  x.status = 200;
  const std::string& banner = x.generation->banner();
  if (remote == nullptr) {
    const std::string_view head = x.arena.join(
        "HTTP/1.0 200 Connection Established\r\nProxy-agent: ", std::string_view(banner),
        "\r\n\r\n");
    return open_tunnel(x, workspace, head);
  }
  const std::string_view credentials = remote->authorization;
  const std::string_view head = x.arena.join(
      "CONNECT ", x.route.url, " HTTP/1.0\r\n",
      credentials.empty() ? "" : "Proxy-Authorization: ", credentials,
      credentials.empty() ? "" : "\r\n", "Proxy-agent: ", std::string_view(banner), "\r\n\r\n");
  open_tunnel(x, workspace, {}, head);
}

// One way to the place: through a proxy, or directly.
class Way {
 public:
  Way(Exchange& x, Shard::Core& core, const ClientSide& client, const Group& group,
      const balance::Lease& lease, const config::RemoteProxy* remote)
      : x_(x),
        core_(core),
        client_(client),
        lease_(lease),
        plan_{*group.state,
              lease_,
              {.url_host = lease_.member().authority(), .path = {}, .query = {}},
              times_for(x, lease_.spec())},
        link_(x, core, client, plan_) {
    plan_.reuses = false;
    plan_.transient = true;
    plan_.remote = remote;
    note_attempt(x, core, {group, lease_, balance::Reason::none, std::nullopt, {}});
  }
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;

  io::Task<Failure> open() {
    Failure failure = co_await link_.connect();
    if (failure) {
      log_failure(x_, core_, failure, lease_);
      close_attempt(x_, core_, failure, 0);
    }
    co_return failure;
  }
  std::unique_ptr<Tunnel> begin() {
    begin_tunnel(x_, client_.workspace, plan_.remote);
    close_attempt(x_, core_, Failure{}, x_.status);
    return std::make_unique<Tunnel>(link_.release(), plan_.times.tunnel);
  }

 private:
  Exchange& x_;
  Shard::Core& core_;
  const ClientSide& client_;
  const balance::Lease& lease_;
  AttemptPlan plan_;
  MemberLink link_;
};

}  // namespace

io::Task<ForwardEnd> connect_elsewhere(Exchange& x, Shard::Core& core, ClientSide client) {
  const config::ForwardProxy& forward = *x.server->proxy.forward;
  // Before its name is looked up, which httpd does first.
  if (!may_connect_to(forward, *x.request.host_parts->port) || is_blocked(x, x.host_name))
    co_return ForwardEnd{.status = 403, .proxy_error = blocked_words};
  const std::unique_ptr<Group> group = make_passing_group(place_of(x));
  Detour detour;
  while (true) {
    const config::RemoteProxy* const remote = co_await detour.next(x, core, x.route.url);
    balance::ChoiceRequest request{.session = {}, .now = core.now()};
    balance::Decision decision = group->state->choose(request);
    x.leases.push_back(std::move(decision.lease));
    Way way(x, core, client, *group, x.leases.back(), remote);
    const Failure failure = co_await way.open();
    if (!failure) co_return ForwardEnd{.tunnel = way.begin()};
    // httpd: the place itself is asked if no proxy is there.
    if (remote == nullptr || failure.party != Party::backend) co_return end_of(x, failure);
  }
}

}  // namespace steelyard::proxy
