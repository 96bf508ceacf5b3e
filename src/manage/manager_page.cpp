// The page without its forms. Line ends, quotes and cells stand where httpd has them, as people
// search this page with regular expressions.
#include "manage/manager_page.hpp"

#include <fmt/format.h>

#include <cmath>

#include "balance/status.hpp"
#include "manage/manager_changes.hpp"

namespace steelyard::manage {

namespace {

using balance::MemberSpec;
using balance::MemberView;

constexpr Markup::Literal head(
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" "
    "\"http://www.w3.org/TR/html4/strict.dtd\">\n"
    "<html><head><title>Balancer Manager</title>\n"
    "<style type='text/css'>\n"
    "table { border-collapse: collapse; }\n"
    "td, th { border: 1px dotted gray; padding: 2px 4px; text-align: center; }\n"
    "th { background-color: lightgray; }\n"
    "</style>\n</head>\n<body><h1>Load Balancer Manager for ");

constexpr Markup::Literal balancer_columns(
    "\n\n<table><tr><th>MaxMembers</th><th>StickySession</th><th>DisableFailover</th>"
    "<th>Timeout</th><th>FailoverAttempts</th><th>Method</th><th>Path</th><th>Active</th></tr>\n");

constexpr Markup::Literal member_columns(
    "<table><tr><th>Worker URL</th><th>Route</th><th>RouteRedir</th><th>Factor</th><th>Set</th>"
    "<th>Status</th><th>Elected</th><th>Busy</th><th>Load</th><th>To</th><th>From</th>");

constexpr Markup::Literal check_columns(
    "<th>HC Method</th><th>HC Interval</th><th>Passes</th><th>Fails</th><th>HC uri</th>"
    "<th>HC Expr</th>");

void write_about(Markup& out, const ManagerView& view) {
  out.tags(head).text(view.question.public_name).tags("</h1>\n\n");
  for (const std::string& trouble : view.troubles)
    out.tags("<p><strong>").text(trouble).tags(".</strong></p>\n");
  if (view.offers_live_page) {
    out.tags("<p><a href=\"");
    write_own_path(out, view);
    out.tags("?live\">Live page</a></p>\n");
  }
  out.tags("<dl><dt>Server Version: ").text(view.banner).tags("</dt>\n");
  out.tags("<dt>Server Built: ").text(view.built).tags("</dt>\n");
  out.tags("<dt>Balancer changes will ")
      .either(view.server.persists_changes, "", "NOT ")
      .tags("be persisted on restart.</dt>");
  out.tags("<dt>Balancers are ").either(view.server.inherits_balancers, "", "NOT ");
  out.tags("inherited from main server.</dt>");
  out.tags("<dt>ProxyPass settings are ").either(view.server.inherits_routes, "", "NOT ");
  out.tags("inherited from main server.</dt></dl>\n");
}

void write_stickiness(Markup& out, const balance::StickySpec& sticky) {
  if (!sticky.enabled()) {
    out.tags(" (None) ");
    return;
  }
  out.text(sticky.cookie_name);
  if (sticky.url_name != sticky.cookie_name) out.tags("|").text(sticky.url_name);
}

void write_balancer(Markup& out, const ManagerView& view, const BalancerView& balancer) {
  out.tags("<hr />\n<h3>LoadBalancer Status for <a href=\"");
  write_own_path(out, view);
  out.tags("?b=").url(balancer.short_name()).tags("&amp;nonce=").url(balancer.nonce);
  out.tags("\">").text(balancer.name).tags("</a> [").text(balancer.id).tags("]</h3>\n");
  out.tags(balancer_columns);
  out.tags("<tr><td>").number(balancer.slots).tags(" [").number(balancer.members.size());
  out.tags(" Used]</td>\n<td>");
  write_stickiness(out, balancer.spec->sticky);
  out.tags("</td><td>").either(balancer.spec->nofailover.value_or(false), "On", "Off");
  out.tags("</td>\n<td>").number(balancer.spec->timeout.value_or(std::chrono::seconds(0)).count());
  out.tags("</td><td>").number(balancer.spec->effective_maxattempts());
  out.tags("</td>\n<td>").text(policy_name(balancer.spec->effective_policy()));
  out.tags("</td>\n<td>").text(balancer.path).tags("</td>\n<td>Yes</td>\n</tr>\n");
  out.tags("</table>\n<br />\n\n");
}

void write_checks(Markup& out, const MemberView& member) {
  const balance::CheckSpec& check = member.spec->check;
  out.tags("<td>").text(check_method_name(check.method));
  out.tags("</td><td>").number(check.interval.count()).tags("ms");
  out.tags("</td><td>").number(check.passes).tags(" (").number(member.check_counts.passed);
  out.tags(")</td><td>").number(check.fails).tags(" (").number(member.check_counts.failed);
  out.tags(")</td><td>").text(check.uri).tags("</td><td>").text(check.expression).tags("</td>");
}

void write_member(Markup& out, const ManagerView& view, const BalancerView& balancer,
                  const MemberView& member) {
  const MemberSpec& spec = *member.spec;
  out.tags("<tr>\n<td><a href=\"");
  write_own_path(out, view);
  out.tags("?b=").url(balancer.short_name()).tags("&amp;w=").url(spec.name);
  out.tags("&amp;nonce=").url(balancer.nonce).tags("\">");
  write_name(out, spec);
  out.tags("</a></td><td>").text(spec.tag).tags("</td><td>").text(spec.redirect_tag);
  out.tags("</td><td>").text(fmt::format("{:.2f}", spec.load_factor / 100.0));
  out.tags("</td><td>").number(spec.lbset);
  out.tags("</td><td>").text(display_text(member.status));
  out.tags("</td><td>").number(member.elected);
  out.tags("</td><td>").number(member.busy);
  out.tags("</td><td>").number(member.credit);
  out.tags("</td><td>").text(human_size(static_cast<std::uint64_t>(member.transferred_bytes)));
  out.tags("</td><td>").text(human_size(static_cast<std::uint64_t>(member.read_bytes)));
  out.tags("</td>");
  if (has_checks(view.question.generation->config())) write_checks(out, member);
  out.tags("</tr>\n");
}

void write_expressions(Markup& out, const ManagerView& view) {
  const config::HealthConditions& conditions = view.server.health_conditions;
  if (conditions.begin() == conditions.end()) return;
  out.tags("\n\n<table><tr><th colspan='2'>Health check cond. expressions:</th></tr>\n");
  out.tags("<tr><th>Expr name</th><th>Expression</th></tr>\n");
  for (const auto& [name, condition] : conditions) {
    out.tags("<tr><td>").text(name).tags("</td><td>").text(condition.text()).tags("</td></tr>\n");
  }
  out.tags("</table><hr/>\n");
}

void write_signature(Markup& out, const ManagerView& view) {
  const proxy::DeskQuestion& question = view.question;
  if (question.signature == http::Signature::off) return;
  const bool links = question.signature == http::Signature::email;
  const std::string& admin = view.server.admin;
  out.tags("<address>").text(view.banner).tags(" Server at ");
  if (links) out.tags("<a href=\"mailto:").text(admin.empty() ? "[no address given]" : admin);
  out.either(links, "\">", "").text(question.public_name).either(links, "</a>", "");
  out.tags(" Port ").number(question.public_port).tags("</address>\n");
}

}  // namespace

void write_own_path(Markup& out, const ManagerView& view) {
  std::string_view path = view.question.path;
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  out.tags("/").url(path);
}

void write_name(Markup& out, const MemberSpec& spec) {
  const bool is_socket = !spec.unix_socket_path.empty();
  out.either(is_socket, "<i>", "").text(shown_name(spec)).either(is_socket, "</i>", "");
}

std::string manager_page(const ManagerView& view) {
  Markup out;
  const bool with_checks = has_checks(view.question.generation->config());
  write_about(out, view);
  for (const BalancerView& balancer : view.balancers) {
    write_balancer(out, view, balancer);
    out.tags(member_columns);
    if (with_checks) out.tags(check_columns);
    out.tags("</tr>\n");
    for (const MemberView& member : balancer.members) write_member(out, view, balancer, member);
    out.tags("</table>\n");
  }
  out.tags("<hr />\n");
  if (with_checks) write_expressions(out, view);
  write_manager_form(out, view);
  write_signature(out, view);
  out.tags("</body></html>\n");
  return out.take();
}

}  // namespace steelyard::manage
