#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "balance/balancer.hpp"
#include "proxy/core.hpp"
#include "proxy/failure.hpp"

// The choice of a member and what became of it, told in the error log.

namespace steelyard::proxy {

// What lbmethod=heartbeat chooses by; null for other policies. A storage file that cannot be read
// is told in the log.
std::shared_ptr<const heartbeat::Servers> heard_servers(Exchange& x, Shard::Core& core,
                                                        const Group& group);

// Chooses, and at LogLevel debug tells how the decision was made: what the client asked for, every
// candidate with its state and score, who was chosen and why.
balance::Decision decide(Exchange& x, Shard::Core& core, const Group& group,
                         balance::ChoiceRequest request);

void log_events(Exchange& x, Shard::Core& core, const Group& group,
                const balance::Decision& decision);
void log_no_member(Exchange& x, Shard::Core& core, const Group& group,
                   const balance::Decision& decision);
// `how`: "waited 2.000 s for a member". Every member is named with the reason why it was none.
void log_waited_in_vain(Exchange& x, Shard::Core& core, const Group& group, std::string_view how);
// The same, seldom: whoever comes while the line is full is turned away at once.
void log_line_full(Exchange& x, Shard::Core& core, const Group& group);
// What went wrong with a member, for people: httpd's words behind what the system said.
std::string words_of(const Failure& failure);
// Why a tunnel ended; `why` is asked only if somebody wants to know.
void log_tunnel_end(const Exchange& x, Shard::Core& core, config::LogLevel level,
                    const std::function<std::string()>& why);
void log_failure(Exchange& x, Shard::Core& core, const Failure& failure,
                 const balance::Lease& lease);
void log_member_in_error(Exchange& x, Shard::Core& core, const Group& group,
                         const balance::Lease& lease);
void log_slow_members(Exchange& x, Shard::Core& core, const std::string& balancer,
                      const std::vector<balance::SlowEjection>& ejected);
void log_answer_mark(Exchange& x, Shard::Core& core, const Group& group,
                     const balance::Lease& lease, balance::AnswerMark mark, int status);

}  // namespace steelyard::proxy
