#include "manage/manager_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "balance/edits.hpp"
#include "base/sip_hash.hpp"
#include "base/text.hpp"
#include "config/target.hpp"

namespace steelyard::manage {

namespace {

// As httpd's: a hash of the virtual host, then the name with '_' for what is no letter or digit.
std::string id_of(const config::Server& server, std::string_view short_name) {
  std::string host = server.name;
  for (const config::HostAddress& address : server.addresses) {
    host += fmt::format(" {}:{}", address.ip ? address.ip->text() : "*", address.port.value_or(0));
  }
  std::string id = fmt::format("p{:08x}_", sip_hash({}, host) & 0xffffffff);
  for (const char c : short_name) id += is_alnum(c) ? c : '_';
  return id;
}

std::string path_to(const config::Server& server, std::size_t balancer) {
  std::string path = "/";
  const auto note = [&](const config::Route& route) {
    if (route.balancer != balancer) return;
    path = !route.path.empty() ? route.path : !route.location.empty() ? route.location : path;
  };
  for (const config::Route& route : server.routes) note(route);
  for (const config::Section& section : server.locations) {
    if (section.settings.route) note(*section.settings.route);
  }
  return path;
}

}  // namespace

std::string shown_name(const balance::MemberSpec& member) {
  if (member.unix_socket_path.empty()) return member.name;
  return "unix:" + member.unix_socket_path + '|' + member.name;
}

const balance::MemberView* find_covering(const std::vector<balance::MemberView>& members,
                                         std::string_view url) {
  const balance::MemberView* best = nullptr;
  for (const balance::MemberView& view : members) {
    if (!config::covers_backend(view.spec->name, url)) continue;
    if (best == nullptr || view.spec->name.size() > best->spec->name.size()) best = &view;
  }
  return best;
}

BalancerView view_balancer(const config::Server& server, std::size_t index,
                           const proxy::Group& group) {
  BalancerView view{.name = group.state->name(),
                    .spec = group.state->spec(),
                    .nonce = {},
                    .id = {},
                    .path = path_to(server, index),
                    .slots = 0,
                    .members = group.state->members()};
  // Parameters of a virtual host that the state, which hosts may share, does not know.
  if (!group.state->is_altered()) view.spec = group.spec;
  view.id = id_of(server, view.short_name());
  const auto configured = balance::Edits(*group.state).configured();
  view.slots = static_cast<int>(configured->members.size()) + balance::growth_of(*group.spec);
  return view;
}

std::string human_size(std::uint64_t bytes) {
  // From here on the next unit is shorter.
  constexpr double unit_ends = 973;
  constexpr std::string_view units = " KMGTPE";
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= unit_ends && unit + 1 < units.size(); ++unit) size /= 1024;
  if (unit == 0) return fmt::format("{:3} ", bytes);
  if (size < 9.95) return fmt::format("{:.1f}{}", std::floor(size * 10 + 0.5) / 10, units[unit]);
  return fmt::format("{:3.0f}{}", std::floor(size + 0.5), units[unit]);
}

}  // namespace steelyard::manage
