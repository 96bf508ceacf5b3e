#include "proxy/repeats.hpp"

#include <fmt/format.h>

#include <utility>

#include "proxy/decision_log.hpp"
#include "proxy/line_wait.hpp"

namespace steelyard::proxy {

using balance::Outcome;

Repeats::Repeats(Exchange& x, Shard::Core& core, const ClientSide& client, const RequestBody& body,
                 const Group& group, const balance::RepeatSpec& spec)
    : x_(x), core_(core), client_(client), body_(body), group_(group), spec_(spec) {}

bool Repeats::may_follow() const {
  return group_.state->has_attempt_left(static_cast<int>(asked_.size()));
}

Failure Repeats::pass_over(balance::ChoiceRequest& request) {
  const int status = x_.response.status;
  if (!spec_.has(status) || !choose_another(request)) return {};
  return {Party::backend, Cause::unwanted, true,
          fmt::format("answered {}, another member is asked", status), status};
}

bool Repeats::follow(const Failure& failure, balance::ChoiceRequest& request) {
  return has_next() || (is_listed(failure) && choose_another(request));
}

// Whoever was asked before is free for others: the next answer may take long.
balance::Decision Repeats::take_next() {
  let_go_of_members(x_);
  return std::exchange(next_, std::nullopt).value();
}

// No error is forgotten for it, and nobody waited for.
bool Repeats::choose_another(balance::ChoiceRequest& request) {
  if (!body_.can_rewind() || !may_follow() || has_left(client_, body_)) return false;
  balance::ChoiceRequest another = request;
  another.now = core_.now();
  another.attempt = balance::Attempt::in_line;
  another.tried = asked_;
  another.repeats = true;
  another.random = ++request.random;
  balance::Decision next = decide(x_, core_, group_, another);
  if (next.outcome != Outcome::picked) return false;
  // A trial would wait for the client.
  if (next.lease.is_trial() && body_.announced() && !body_.received_all()) return false;
  next_ = std::move(next);
  begun_ = true;
  return true;
}

bool Repeats::is_listed(const Failure& failure) const {
  switch (failure.cause) {
    case Cause::closed:
    case Cause::bad_message:
    case Cause::cut_short:
    case Cause::handshake:
      return spec_.after_error;
    case Cause::timed_out:
    case Cause::write_timed_out:
      return spec_.after_timeout;
    default:
      return true;  // nothing of it was sent
  }
}

}  // namespace steelyard::proxy
