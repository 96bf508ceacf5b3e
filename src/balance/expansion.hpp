// One configured member that stands for many (resolve=each, resolve=srv) and the members its name
// leads to.
//
//   BalancerMember http://app.example:8080 resolve=each    name    http://10.0.0.5:8080, ...
//     10.0.0.5, 10.0.0.6                                   tag     10-0-0-5-8080
//   BalancerMember http://_http._tcp.app.example resolve=srv
//     10 60 8080 a.example., 20 0 8080 b.example.          name    http://a.example:8080, ...
//                                                          lbset 0, 1; loadfactor by weight
//
// Pure. Until there is an answer the configured member stands for itself, and is down: a balancer
// with members in its configuration always has members.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balance/spec.hpp"
#include "base/ip.hpp"

namespace steelyard::balance {

// Members that one name may become; what is beyond that is left out, the same ones every time.
inline constexpr std::size_t members_of_name_max = 256;

struct Service {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string host;  // lower case, without the dot at its end
  friend auto operator<=>(const Service&, const Service&) = default;
};

// What a name led to: never empty.
struct NameAnswer {
  std::vector<IpAddress> addresses;  // resolve=each
  std::vector<Service> services;     // resolve=srv
};

using NameAnswers = std::map<std::pair<NameMeaning, std::string>, NameAnswer>;

// `configured` itself when none of its members has resolve=.
std::shared_ptr<const BalancerSpec> expand(const std::shared_ptr<const BalancerSpec>& configured,
                                           const NameAnswers& answers);
// Answers that no member of `configured` asks for any more go.
void forget_unasked(NameAnswers& answers, const BalancerSpec& configured);

// route= of a member with resolve=: %a address, %h first label of the host, %p port, %% a percent
// sign; dots and colons become '-'. False: nothing in it varies, or an unknown letter follows %.
bool is_tag_pattern(std::string_view text);

}  // namespace steelyard::balance
