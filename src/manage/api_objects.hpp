// What the JSON API shows: balancers, members, their changes and history.
//
// Pure, but for what it reads of balancers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "balance/drain.hpp"
#include "balance/health_log.hpp"
#include "balance/member_view.hpp"
#include "balance/overlay.hpp"
#include "manage/api_request.hpp"
#include "manage/control_answers.hpp"
#include "manage/naming.hpp"

namespace steelyard::manage {

using ApiJson = nlohmann::ordered_json;

ApiJson balancer_object(const NamedBalancer& balancer, const balance::BalancerSpec& spec,
                        const balance::Overlay& overlay);
// How many there are of the member; null: nobody counts them. Looks at each one.
ApiJson sessions_of(const NamedBalancer& balancer, const balance::MemberView& view,
                    const Moment& moment);
// `sessions`: as they were counted a while ago; null: they are counted now.
ApiJson member_object(const NamedBalancer& balancer, const balance::MemberView& view,
                      const balance::Overlay& overlay, const Moment& moment,
                      const ApiJson* sessions = nullptr);
ApiJson drain_object(const balance::Drain& drain, const Moment& moment);
ApiJson events_object(const std::vector<balance::HealthEvent>& events, const Moment& moment);

// A quoted tag over what can be changed: it stays while nobody changes anything, whatever happens
// to requests.
std::string tag_of(const balance::BalancerSpec& spec);
std::string tag_of(const balance::MemberSpec& spec);

ApiJson problem_object(const Problem& problem);
// Names of a configuration may hold any bytes.
std::string text_of(const ApiJson& object);

}  // namespace steelyard::manage
