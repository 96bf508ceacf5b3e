// The balancer-manager for scripts. Indents and missing line ends are httpd's: it is read by
// patterns, too.
#include <fmt/format.h>

#include "balance/status.hpp"
#include "http/date.hpp"
#include "manage/manager_page.hpp"

namespace steelyard::manage {

namespace {

using balance::MemberSpec;
using balance::MemberView;
using std::chrono::milliseconds;

constexpr Markup::Literal balancer_indent("      ");
constexpr Markup::Literal member_indent("          ");

// One element of a line; `name` is the program's own.
class Element {
 public:
  Element(Markup& out, Markup::Literal indent, Markup::Literal name) : out_(out), name_(name) {
    out_.tags(indent).tags("<httpd:").tags(name_).tags(">");
  }
  Markup& close() { return out_.tags("</httpd:").tags(name_).tags(">"); }
  void text(std::string_view text) {
    out_.text(text);
    close().tags("\n");
  }
  void number(std::integral auto number) {
    out_.number(number);
    close().tags("\n");
  }

 private:
  Markup& out_;
  const Markup::Literal name_;
};

// httpd prints what is left of such times without their seconds.
std::int64_t below_a_second(milliseconds time) { return time.count() % 1000; }

std::string date_of(std::chrono::system_clock::time_point when) {
  std::string text(http::date_bytes, '\0');
  http::write_date(std::chrono::floor<std::chrono::seconds>(when),
                   std::span<char, http::date_bytes>(text.data(), http::date_bytes));
  return text;
}

// What is there only when somebody configured it.
void write_connection_options(Markup& out, const MemberSpec& spec) {
  const auto at = [&](Markup::Literal name) { return Element(out, member_indent, name); };
  if (spec.timeout) at("timeout").number(spec.timeout->count());
  if (spec.pool.acquire_wait) at("acquire").number(below_a_second(*spec.pool.acquire_wait));
  if (spec.receive_buffer_bytes) at("recv_buffer_size").number(*spec.receive_buffer_bytes);
  if (spec.io_buffer_bytes) at("io_buffer_size").number(*spec.io_buffer_bytes);
  if (spec.tcp_keepalive) at("keepalive").text("On");
}

// httpd tells of these for AJP alone.
void write_ajp_options(Markup& out, const MemberSpec& spec) {
  using balance::FlushPackets;
  const auto at = [&](Markup::Literal name) { return Element(out, member_indent, name); };
  const bool by_time = spec.flush_packets == FlushPackets::automatic;
  at("flushpackets").text(by_time ? "Auto" : spec.flush_packets == FlushPackets::on ? "On" : "Off");
  if (by_time) at("flushwait").number(std::chrono::microseconds(spec.flush_wait).count());
  if (!spec.ping) return;
  Element ping = at("ping");
  out.number(below_a_second(*spec.ping));
  ping.close();
}

void write_member(Markup& out, const ManagerView& view, const MemberView& member) {
  const MemberSpec& spec = *member.spec;
  const auto at = [&](Markup::Literal name) { return Element(out, member_indent, name); };
  const std::string factor = fmt::format("{:.2f}", spec.load_factor / 100.0);
  const int connections_max = spec.pool.connections_max.value_or(0);
  out.tags("        <httpd:worker>\n");
  at("name").text(shown_name(spec));
  at("scheme").text(spec.scheme);
  at("hostname").text(spec.host);
  at("loadfactor").text(factor);
  at("port").number(spec.port);
  at("min").number(spec.pool.connections_min);
  at("smax").number(spec.pool.connections_soft_max.value_or(connections_max));
  at("max").number(connections_max);
  at("ttl").number(spec.pool.idle_max.value_or(std::chrono::seconds(0)).count());
  write_connection_options(out, spec);
  at("status").text(display_text(member.status));
  if (member.error_time)
    at("error_time")
        .text(date_of(view.wall - std::chrono::duration_cast<WallTime::duration>(
                                      view.now - *member.error_time)));
  at("retries").number(member.retries);
  at("lbstatus").number(member.credit);
  at("loadfactor").text(factor);
  at("transferred").number(member.transferred_bytes);
  at("read").number(member.read_bytes);
  at("elected").number(member.elected);
  at("route").text(spec.tag);
  at("redirect").text(spec.redirect_tag);
  at("busy").number(member.busy);
  at("lbset").number(spec.lbset);
  if (spec.scheme == "ajp") write_ajp_options(out, spec);
  if (spec.disable_reuse)
    Element(out, balancer_indent, "disablereuse").text(*spec.disable_reuse ? "On" : "Off");
  if (spec.connection_timeout)
    at("connectiontimeout").number(below_a_second(*spec.connection_timeout));
  if (spec.retry != MemberSpec().retry) at("retry").number(spec.retry.count());
  out.tags("        </httpd:worker>\n");
}

void write_balancer(Markup& out, const ManagerView& view, const BalancerView& balancer) {
  const balance::BalancerSpec& spec = *balancer.spec;
  const auto at = [&](Markup::Literal name) { return Element(out, balancer_indent, name); };
  const bool is_sticky = spec.sticky.enabled();
  out.tags("    <httpd:balancer>\n");
  at("name").text(balancer.name);
  at("nonce").text(balancer.nonce);
  if (is_sticky) {
    at("stickysession").text(spec.sticky.cookie_name);
    at("nofailover").text(spec.nofailover.value_or(false) ? "On" : "Off");
  }
  Element timeout = at("timeout");
  out.number(spec.timeout.value_or(std::chrono::seconds(0)).count());
  timeout.close();
  if (spec.maxattempts || balancer.members.size() > 1)
    at("maxattempts").number(spec.effective_maxattempts());
  at("lbmethod").text(policy_name(spec.effective_policy()));
  if (is_sticky) at("scolonpathdelim").text(spec.sticky.cut_at_semicolon ? "On" : "Off");
  out.tags("      <httpd:workers>\n");
  for (const MemberView& member : balancer.members) write_member(out, view, member);
  out.tags("      </httpd:workers>\n    </httpd:balancer>\n");
}

}  // namespace

std::string manager_xml(const ManagerView& view) {
  Markup out;
  out.tags("<?xml version='1.0' encoding='UTF-8' ?>\n");
  out.tags("<httpd:manager xmlns:httpd='http://httpd.apache.org'>\n  <httpd:balancers>\n");
  for (const BalancerView& balancer : view.balancers) write_balancer(out, view, balancer);
  out.tags("  </httpd:balancers>\n</httpd:manager>");
  return out.take();
}

}  // namespace steelyard::manage
