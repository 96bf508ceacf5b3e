#include "proxy/connect_request.hpp"

#include <algorithm>

#include "config/forward_proxy.hpp"
#include "http/hop_by_hop.hpp"
#include "http/status.hpp"
#include "proxy/backend/member_link.hpp"
#include "proxy/backend/remote_tunnel.hpp"
#include "proxy/backend/tunnel.hpp"
#include "proxy/decision_log.hpp"
#include "proxy/detour.hpp"
#include "proxy/passing_group.hpp"
#include "proxy/reply.hpp"
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

// What is said to another proxy that is asked for the tunnel.
std::string words_for(const Exchange& x, const config::RemoteProxy& remote) {
  return remote_tunnel_words(x, x.route.url, remote.authorization);
}

void begin_tunnel(Exchange& x, Workspace& workspace, const config::RemoteProxy* remote) {
  x.status = 200;
  // Through another proxy it is that one's answer which the client gets.
  if (remote != nullptr) return open_tunnel(x, workspace, {}, words_for(x, *remote));
  const std::string_view head = x.arena.join("HTTP/1.0 200 Connection Established\r\nProxy-agent: ",
                                             std::string_view(x.generation->banner()), "\r\n\r\n");
  open_tunnel(x, workspace, head);
}

// The same for a client whose stream begins with a head: with what the other proxy said. RFC 9110
// 9.3.6: a length would be the tunnel's.
void begin_granted_tunnel(Exchange& x, Workspace& workspace, RemoteAnswer& answer) {
  x.status = answer.head.status;
  http::FieldList& fields = answer.head.fields;
  http::remove_response_hop_by_hop(fields);
  fields.remove(http::FieldId::content_length);
  http::HeadText& head = workspace.to_client;
  std::swap(x.response, answer.head);
  write_interim_head(x, head);
  std::swap(x.response, answer.head);
  head.append(answer.first_words());
  open_tunnel(x, workspace, head.view());
  head.release();
}

// The status is passed on, unless it asks for what the client cannot give: who lets us in there is
// ProxyRemote's to say.
Failure refusal_of(const RemoteAnswer& answer) {
  constexpr int bad_gateway = 502;
  const int status = answer.fault.empty() ? answer.head.status : bad_gateway;
  const bool asks_who = status == 401 || status == 407;
  const bool is_error = status >= 400 && status < 600 && !http::reason_phrase(status).empty();
  return {Party::backend, Cause::bad_message, true,
          "another proxy made no tunnel: " + answer.objection(),
          is_error && !asks_who ? status : bad_gateway};
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
    // A stream begins with a head of ours, so that of the other proxy has to be here (HTTP/1's
    // client reads it itself).
    if (!failure && plan_.remote != nullptr && speaks_http2(x_)) failure = co_await ask_remote();
    if (failure) {
      log_failure(x_, core_, failure, lease_);
      close_attempt(x_, core_, failure, remote_answer_ ? remote_answer_->head.status : 0);
    }
    co_return failure;
  }
  // The other proxy was there, and has the last word.
  bool was_refused() const { return remote_answer_.has_value(); }

  std::unique_ptr<Tunnel> begin() {
    if (remote_answer_) {
      begin_granted_tunnel(x_, client_.workspace, *remote_answer_);
    } else {
      begin_tunnel(x_, client_.workspace, plan_.remote);
    }
    close_attempt(x_, core_, Failure{}, x_.status);
    const auto abandoned = speaks_http2(x_) ? Tunnel::Abandoned::resets : Tunnel::Abandoned::closes;
    return std::make_unique<Tunnel>(link_.release(), plan_.times.tunnel, abandoned);
  }

 private:
  io::Task<Failure> ask_remote() {
    remote_answer_ = co_await ask_for_remote_tunnel(
        link_.stream(), words_for(x_, *plan_.remote),
        {client_.timer, core_.now() + plan_.times.backend}, x_.arena);
    co_return remote_answer_->objection().empty() ? Failure{} : refusal_of(*remote_answer_);
  }

  Exchange& x_;
  Shard::Core& core_;
  const ClientSide& client_;
  const balance::Lease& lease_;
  AttemptPlan plan_;
  MemberLink link_;
  std::optional<RemoteAnswer> remote_answer_;
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
    if (remote == nullptr || failure.party != Party::backend || way.was_refused())
      co_return end_of(x, failure);
  }
}

}  // namespace steelyard::proxy
