// What the operations of the JSON API share: one call, its reply, and words for failures.
//
// Threads: values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "manage/api.hpp"
#include "manage/api_objects.hpp"
#include "manage/control_request.hpp"

namespace steelyard::manage {

Problem problem_of(const ControlFault& fault);
std::unexpected<Problem> refuse_call(int status, std::string detail);

// Empty text is an empty object.
std::expected<ApiJson, Problem> read_json_object(const std::string& body);

// For the log, and why (X-Reason) for the journal.
std::string who_of(const proxy::DeskQuestion& question);
std::string reason_of(const proxy::DeskQuestion& question);

// What most resources are about.
struct Api::Subject {
  NamedBalancer balancer;
  balance::MemberView member;
};

struct Api::Call {
  const proxy::DeskQuestion& question;
  const ApiRequest& request;
  const std::vector<NamedBalancer>& balancers;
  Moment moment;

  std::expected<NamedBalancer, Problem> balancer() const {
    auto found = find_balancer(balancers, request.parameter("balancer"));
    if (!found) return std::unexpected(problem_of(found.error()));
    return *found;
  }
  // All of the virtual host, or the one that is named.
  std::expected<std::vector<NamedBalancer>, Problem> wanted_balancers() const;
  std::expected<balance::MemberView, Problem> member(const NamedBalancer& balancer) const {
    auto found = find_member(balancer, request.parameter("member"));
    if (!found) return std::unexpected(problem_of(found.error()));
    return *found;
  }
  std::expected<Subject, Problem> subject() const;
  // The same for a change: what the client knows of the member must still be so.
  std::expected<Subject, Problem> subject_of_change() const;
};

struct Api::Reply {
  int status = 200;
  ApiJson object{};
  std::string tag{};
  std::string text{};                   // instead of the object
  std::shared_ptr<proxy::Feed> feed{};  // the same
  std::string content_type = "application/json";
};

}  // namespace steelyard::manage
