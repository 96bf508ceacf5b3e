#include "proxy/backend/interim.hpp"

#include "base/text.hpp"
#include "proxy/body_gathering.hpp"
#include "proxy/limits.hpp"
#include "proxy/reply.hpp"

namespace steelyard::proxy {

std::optional<Failure> pass_interim(Exchange& x, const ClientSide& client, int& count) {
  const bool is_continue = x.response.status == 100;
  const auto policy = x.environment.find("proxy-interim-response");
  const bool suppressed = policy && !equals_ignoring_case(*policy, "RFC");
  const bool wanted = is_continue ? x.request.expects_continue : true;
  if (wanted && !suppressed && x.request.version.minor >= 1) {
    http::HeadText& text = client.workspace.to_client;
    write_interim_head(x, text);
    if (!tell_client(x, client, text.view())) return Failure{Party::client, Cause::gone, true};
    if (is_continue) x.request.expects_continue = false;  // it has been told
  }
  if (++count > interim_responses_max) {
    return Failure{Party::backend, Cause::bad_message, false,
                   "Too many (10) interim responses from origin server"};
  }
  x.response.clear();
  return std::nullopt;
}

}  // namespace steelyard::proxy
