// ProxyStatus: balancers and their members on the status page, in httpd's columns and lines.
#include "balance/member_view.hpp"
#include "manage/status_view.hpp"

namespace steelyard::manage {

namespace {

using balance::MemberView;

// In four characters, as httpd's pages show traffic: "  0 ", " 15K", "1.2M".
std::string traffic_text(std::int64_t bytes) {
  constexpr std::uint64_t unit_ends = 973;  // from here on the next unit is shorter
  constexpr std::string_view units = "KMGTPE";
  auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
  if (size < unit_ends) return fmt::format("{:3} ", size);
  std::uint64_t rest = 0;
  std::size_t unit = 0;
  for (;; ++unit) {
    rest = size & 1023U;
    size >>= 10U;
    if (size < unit_ends) break;
  }
  if (size < 9 || (size == 9 && rest < unit_ends)) {
    const std::uint64_t tenths = (rest * 5 + 256) / 512;
    return fmt::format("{}.{}{}", size + tenths / 10, tenths % 10, units[unit]);
  }
  return fmt::format("{:3}{}", rest >= 512 ? size + 1 : size, units[unit]);
}

std::string session_names(const balance::StickySpec& sticky) {
  if (!sticky.enabled()) return " - ";
  if (sticky.cookie_name == sticky.url_name) return sticky.cookie_name;
  return sticky.cookie_name + " | " + sticky.url_name;
}

void append_member(Markup& out, const MemberView& view) {
  const balance::MemberSpec& spec = *view.spec;
  out.tags("<tr>\n<td>").text(spec.scheme).tags("</td><td>").text(spec.host);
  out.tags("</td><td>").text(balance::display_text(view.status)).tags("</td><td>").text(spec.tag);
  out.tags("</td><td>").text(spec.redirect_tag).tags("</td><td>");
  out.text(fmt::format("{:.2f}", spec.load_factor / double{balance::load_factor_unit}));
  out.tags("</td><td>").number(spec.lbset).tags("</td><td>").number(view.elected);
  out.tags("</td><td>").number(view.busy).tags("</td><td>");
  out.text(traffic_text(view.transferred_bytes)).tags("</td><td>");
  out.text(traffic_text(view.read_bytes)).tags("</td>\n</tr>\n");
}

void append_balancer(Markup& out, const proxy::Group& group) {
  std::shared_ptr<const balance::BalancerSpec> held;
  const balance::BalancerSpec& spec = group.current(held);
  out.tags("<hr />\n<h1>Proxy LoadBalancer Status for ").text(spec.name).tags("</h1>\n\n\n\n");
  out.tags("<table border=\"0\"><tr><th>SSes</th><th>Timeout</th><th>Method</th></tr>\n<tr><td>");
  out.text(session_names(spec.sticky)).tags("</td><td>");
  out.number(spec.timeout.value_or(std::chrono::seconds(0)).count()).tags("</td><td>");
  out.text(balance::policy_name(spec.effective_policy())).tags("</td></tr>\n</table>\n\n\n");
  out.tags(
      "<table border=\"0\"><tr><th>Sch</th><th>Host</th><th>Stat</th><th>Route</th>"
      "<th>Redir</th><th>F</th><th>Set</th><th>Acc</th><th>Busy</th><th>Wr</th><th>Rd</th></tr>\n");
  for (const MemberView& view : group.state->members()) append_member(out, view);
  out.tags("</table>\n");
}

}  // namespace

void append_balancer_tables(Markup& out, const StatusView& view) {
  const auto& balancers = view.question.generation->groups_of(view.server).balancers;
  if (balancers.empty()) return;
  for (const proxy::Group& group : balancers) append_balancer(out, group);
  out.tags(
      "<hr /><table>\n"
      "<tr><th>SSes</th><td>Sticky session name</td></tr>\n"
      "<tr><th>Timeout</th><td>Balancer Timeout</td></tr>\n"
      "<tr><th>Sch</th><td>Connection scheme</td></tr>\n"
      "<tr><th>Host</th><td>Backend Hostname</td></tr>\n"
      "<tr><th>Stat</th><td>Worker status</td></tr>\n"
      "<tr><th>Route</th><td>Session Route</td></tr>\n"
      "<tr><th>Redir</th><td>Session Route Redirection</td></tr>\n"
      "<tr><th>F</th><td>Load Balancer Factor</td></tr>\n"
      "<tr><th>Acc</th><td>Number of uses</td></tr>\n"
      "<tr><th>Wr</th><td>Number of bytes transferred</td></tr>\n"
      "<tr><th>Rd</th><td>Number of bytes read</td></tr>\n"
      "</table>\n");
}

void append_balancer_lines(std::string& out, const StatusView& view) {
  constexpr std::int64_t kibibyte = 1024;
  std::size_t balancer = 0;
  for (const proxy::Group& group : view.question.generation->groups_of(view.server).balancers) {
    const std::string start = fmt::format("ProxyBalancer[{}]", balancer++);
    out += fmt::format("{}Name: {}\n", start, group.spec->name);
    std::size_t member = 0;
    for (const MemberView& each : group.state->members()) {
      const std::string worker = fmt::format("{}Worker[{}]", start, member++);
      out += fmt::format("{}Name: {}\n", worker, each.spec->name);
      out += fmt::format("{}Status: {}\n", worker, balance::display_text(each.status));
      out += fmt::format("{}Elected: {}\n", worker, each.elected);
      out += fmt::format("{}Busy: {}\n", worker, each.busy);
      out += fmt::format("{}Sent: {}K\n", worker, each.transferred_bytes / kibibyte);
      out += fmt::format("{}Rcvd: {}K\n", worker, each.read_bytes / kibibyte);
    }
  }
}

}  // namespace steelyard::manage
