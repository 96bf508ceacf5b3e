// The JSON API (SetHandler steelyard-api): what operators see and change, for programs.
//
// It shows the balancers of the virtual host that serves the request, as the balancer-manager does.
// The table of resources in api.cpp is all there is; the OpenAPI document is made of it.
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "io/loop.hpp"
#include "manage/api_request.hpp"
#include "manage/changes_book.hpp"
#include "manage/live.hpp"
#include "manage/naming.hpp"
#include "manage/operations.hpp"
#include "proxy/desk.hpp"

namespace steelyard::manage {

struct ApiParts {
  io::Loop& loop;
  ChangesBook& book;
  // What was ordered, for the log of the virtual host.
  std::function<void(const proxy::DeskQuestion&, const std::string&)> log;
  std::function<void()> members_changed;  // names and checks have to be looked after anew
  std::function<void()> drain_ordered;    // it may be over already
};

class Api {
 public:
  explicit Api(ApiParts parts);

  proxy::DeskAnswer answer(const proxy::DeskQuestion& question);

  // There is another configuration, or the server stops: those who listen have to ask again.
  void end_feeds() { live_.end_all(); }
  // The OpenAPI document as it is served behind `place`, the path in front of /v1.
  static std::string document(std::string_view place);

 private:
  struct Subject;  // api_call.hpp, as the next two
  struct Call;
  struct Reply;
  struct Operation;
  struct Resource;
  using Answer = std::expected<Reply, Problem>;

  static std::span<const Resource> resources();
  static std::optional<Problem> check_parameters(const ApiRequest& request,
                                                 const Resource& resource);

  Answer list_balancers(const Call& call);
  Answer show_balancer(const Call& call);
  Answer change_balancer(const Call& call);
  Answer list_members(const Call& call);
  Answer show_member(const Call& call);
  Answer add_member(const Call& call);
  Answer change_member(const Call& call);
  Answer remove_member(const Call& call);
  Answer show_drain(const Call& call);
  Answer order_drain(const Call& call);
  Answer undrain(const Call& call);
  Answer list_events(const Call& call);
  Answer listen(const Call& call);
  Answer show_cluster(const Call& call);
  Answer list_changes(const Call& call);  // api_changes.cpp, as the next two
  Answer undo(const Call& call);
  Answer show_export(const Call& call);
  Answer show_root(const Call& call);
  Answer show_document(const Call& call);

  Answer member_answer(const Call& call, const NamedBalancer& balancer,
                       std::string_view member) const;
  std::expected<void, Problem> change(const Call& call, const NamedBalancer& balancer,
                                      const balance::ChangeOrder& order) const;
  [[nodiscard]] Operations::By by(const Call& call, std::string reason) const;

  const ApiParts parts_;
  const Operations operations_;
  Live live_;
};

}  // namespace steelyard::manage
