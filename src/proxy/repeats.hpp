#pragma once

#include <optional>
#include <vector>

#include "proxy/client_side.hpp"
#include "proxy/core.hpp"
#include "proxy/failure.hpp"
#include "proxy/request_body.hpp"

// repeaton=: other members are asked what the ones before may have acted on already. Of requests
// with an idempotent method, while their body is kept and nothing of an answer went to the client.
//
// Invariants: 1. nobody is asked twice, and not more members than maxattempts= allows.
//             2. an answer is thrown away only when the next member is chosen.
// Threads: the shard's.

namespace steelyard::proxy {

class Repeats {
 public:
  // All outlive it. `group` is a balancer's.
  Repeats(Exchange& x, Shard::Core& core, const ClientSide& client, const RequestBody& body,
          const Group& group, const balance::RepeatSpec& spec);

  // An attempt begins.
  void note_asked(const balance::Lease& lease) { asked_.emplace_back(&lease.member()); }
  // There may be an attempt after the one that was noted last.
  [[nodiscard]] bool may_follow() const;

  // A head of an answer is here. The failure that stands for it, if another member is asked
  // instead of passing it on.
  Failure pass_over(balance::ChoiceRequest& request);
  // An attempt failed; nothing of an answer went to the client. True: another member is asked.
  bool follow(const Failure& failure, balance::ChoiceRequest& request);

  // The same when the member said that it did not look at the request: whatever is listed, and
  // whatever the method is.
  bool follow_refusal(balance::ChoiceRequest& request) {
    return has_next() || choose_another(request);
  }

  // Chosen by one of those, until it was taken.
  [[nodiscard]] bool has_next() const { return next_.has_value(); }
  balance::Decision take_next();
  [[nodiscard]] bool has_begun() const { return begun_; }

 private:
  bool choose_another(balance::ChoiceRequest& request);
  [[nodiscard]] bool is_listed(const Failure& failure) const;

  Exchange& x_;
  Shard::Core& core_;
  const ClientSide& client_;
  const RequestBody& body_;
  const Group& group_;
  const balance::RepeatSpec& spec_;
  std::vector<balance::MemberRef> asked_;
  std::optional<balance::Decision> next_;
  bool begun_ = false;
};

}  // namespace steelyard::proxy
