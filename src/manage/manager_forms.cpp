// The two forms of the balancer-manager: one for a member, one for a balancer.
#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "balance/editable.hpp"
#include "manage/manager_changes.hpp"
#include "manage/manager_page.hpp"

namespace steelyard::manage {

namespace {

using balance::CheckMethod;
using balance::Flag;
using balance::MemberView;

// Its address is the one that was asked for, whole.
void open_form(Markup& out, const ManagerView& view) {
  const proxy::DeskQuestion& question = view.question;
  const bool v6 = question.public_name.contains(':') && !question.public_name.starts_with('[');
  out.tags("<form method='POST' enctype='application/x-www-form-urlencoded' action=\"");
  out.text(question.scheme).tags("://");
  out.either(v6, "[", "").text(question.public_name).either(v6, "]", "");
  const std::uint16_t usual_port = question.scheme == "https" ? 443 : 80;
  if (question.public_port != usual_port) out.tags(":").number(question.public_port);
  write_own_path(out, view);
  out.tags("\">\n");
}

void close_form(Markup& out, const BalancerView& balancer) {
  out.tags("<input type=hidden name='b' id='b' value=\"").url(balancer.short_name());
  out.tags("\">\n<input type=hidden name='nonce' id='nonce' value='").text(balancer.nonce);
  out.tags("'>\n</form>\n<hr />\n");
}

// Two buttons of which one is pressed. `name` is the program's own.
void write_switch(Markup& out, std::string_view name, bool is_on) {
  const auto button = [&](std::string_view label, char value, bool is_pressed) {
    const std::string_view digit(&value, 1);
    out.tags("<label for='").text(name).text(digit).tags("'>").text(label).tags("</label> ");
    out.tags("<input name='").text(name).tags("' id='").text(name).text(digit);
    out.tags("' value='").text(digit).tags("' type=radio").either(is_pressed, " checked>", ">");
  };
  button("On", '1', is_on);
  out.tags(" <br/> ");
  button("Off", '0', !is_on);
}

void write_status(Markup& out, balance::Status status, bool with_checks) {
  struct Row {
    Flag flag;
    std::string_view name, title;
  };
  constexpr auto rows = std::to_array<Row>({{Flag::ignore_errors, "w_status_I", "Ignore Errors"},
                                            {Flag::draining, "w_status_N", "Draining Mode"},
                                            {Flag::disabled, "w_status_D", "Disabled"},
                                            {Flag::standby, "w_status_H", "Hot Standby"},
                                            {Flag::spare, "w_status_R", "Hot Spare"},
                                            {Flag::health_failed, "w_status_C", "HC Fail"},
                                            {Flag::stopped, "w_status_S", "Stopped"}});
  const auto is_shown = [&](const Row& row) {
    return with_checks || row.flag != Flag::health_failed;
  };
  out.tags("<tr><td>Status:</td><td><table><tr>");
  for (const Row& row : rows) {
    if (is_shown(row)) out.tags("<th>").text(row.title).tags("</th>");
  }
  out.tags("</tr>\n<tr>");
  for (const Row& row : rows) {
    if (!is_shown(row)) continue;
    out.tags("<td>");
    write_switch(out, row.name, status.has(row.flag));
    out.tags("</td>\n");
  }
  out.tags("</tr></table></td></tr>\n");
}

void write_option(Markup& out, std::string_view value, bool is_chosen) {
  out.tags("<option value='").text(value).tags("' ").either(is_chosen, "selected", "");
  out.tags(" >").text(value).tags("</option>\n");
}

void write_number(Markup& out, Markup::Literal title, std::string_view name, std::int64_t number) {
  out.tags("<tr><td>").tags(title).tags("</td><td><input name='").text(name).tags("' id='");
  out.text(name).tags("' type='text' value='").number(number).tags("'></td></tr>\n");
}

void write_checks(Markup& out, const ManagerView& view, const balance::CheckSpec& check) {
  out.tags("<tr><td colspan='2'>\n<table align='center'>");
  out.tags("<tr><th>Health Check param</th><th>Value</th></tr>\n");
  out.tags("<tr><td>Method</td><td><select name='w_hm'>\n");
  for (const CheckMethod method :
       {CheckMethod::none, CheckMethod::tcp, CheckMethod::options, CheckMethod::head,
        CheckMethod::get, CheckMethod::cping, CheckMethod::options11, CheckMethod::head11,
        CheckMethod::get11}) {
    if (method == CheckMethod::cping && !has_pings(view.question.generation->config())) continue;
    write_option(out, check_method_name(method), method == check.method);
  }
  out.tags("</select>\n</td></tr>\n<tr><td>Expr</td><td><select name='w_he'>\n");
  for (const auto& [name, condition] : view.server.health_conditions)
    write_option(out, name, name == check.expression);
  out.tags("</select>\n</td></tr>\n");
  write_number(out, "Interval (ms)", "w_hi", check.interval.count());
  write_number(out, "Passes trigger", "w_hp", check.passes);
  write_number(out, "Fails trigger)", "w_hf", check.fails);
  out.tags("<tr><td>HC uri</td><td><input name='w_hu' id='w_hu' type='text' value=\"");
  out.text(check.uri).tags("\"></td></tr>\n</table>\n</td></tr>\n");
}

void write_member_form(Markup& out, const ManagerView& view, const BalancerView& balancer,
                       const MemberView& member) {
  const balance::MemberSpec& spec = *member.spec;
  const bool with_checks = has_checks(view.question.generation->config());
  out.tags("<h3>Edit worker settings for ");
  write_name(out, spec);
  out.tags("</h3>\n");
  open_form(out, view);
  out.tags("<table><tr><td>Load factor:</td><td><input name='w_lf' id='w_lf' type=text value='");
  out.text(fmt::format("{:.2f}", spec.load_factor / 100.0)).tags("'></td></tr>\n");
  out.tags("<tr><td>LB Set:</td><td><input name='w_ls' id='w_ls' type=text value='");
  out.number(spec.lbset).tags("'></td></tr>\n");
  out.tags("<tr><td>Route:</td><td><input name='w_wr' id='w_wr' type=text value=\"");
  out.text(spec.tag).tags("\"></td></tr>\n");
  out.tags("<tr><td>Route Redirect:</td><td><input name='w_rr' id='w_rr' type=text value=\"");
  out.text(spec.redirect_tag).tags("\"></td></tr>\n");
  write_status(out, member.status, with_checks);
  if (with_checks) write_checks(out, view, spec.check);
  out.tags("<tr><td colspan='2'><input type=submit value='Submit'></td></tr>\n</table>\n");
  out.tags("<input type=hidden name='w' id='w' value=\"").url(spec.name).tags("\">\n");
  close_form(out, balancer);
}

void write_policies(Markup& out, const ManagerView& view, const balance::BalancerSpec& spec) {
  out.tags("<tr><td>LBmethod:</td><td>\n<select name='b_lbm' id='b_lbm'>");
  for (const std::string_view name : loaded_policies(view.question.generation->config())) {
    const bool is_chosen = name == policy_name(spec.effective_policy());
    out.tags("<option value='").text(name).either(is_chosen, "' selected >", "'>").text(name);
    out.tags("\n");
  }
  out.tags("</select>\n</td></tr>\n");
}

void write_balancer_form(Markup& out, const ManagerView& view, const BalancerView& balancer) {
  const balance::BalancerSpec& spec = *balancer.spec;
  out.tags("<h3>Edit balancer settings for ").text(balancer.name).tags("</h3>\n");
  open_form(out, view);
  out.tags("<table>\n");
  write_policies(out, view, spec);
  out.tags("<tr><td>Timeout:</td><td><input name='b_tmo' id='b_tmo' type=text value='");
  out.number(spec.timeout.value_or(std::chrono::seconds(0)).count()).tags("'></td></tr>\n");
  out.tags("<tr><td>Failover Attempts:</td><td><input name='b_max' id='b_max' type=text value='");
  out.number(spec.effective_maxattempts()).tags("'></td></tr>\n");
  out.tags("<tr><td>Disable Failover:</td><td>");
  write_switch(out, "b_sforce", spec.nofailover.value_or(false));
  out.tags("</td>\n</tr>\n");
  out.tags("<tr><td>Sticky Session:</td><td><input name='b_ss' id='b_ss' size=64 type=text ");
  out.tags("value =\"").text(balance::text_of(spec, "stickysession"));
  out.tags("\">&nbsp;&nbsp;&nbsp;&nbsp;(Use '-' to delete)</td></tr>\n");
  if (balancer.has_room()) {
    out.tags("<tr><td>Add New Worker:</td><td><input name='b_nwrkr' id='b_nwrkr' size=32 ");
    out.tags("type=text>&nbsp;&nbsp;&nbsp;&nbsp;Are you sure? <input name='b_wyes' id='b_wyes' ");
    out.tags("type=checkbox value='1'></td></tr>");
  }
  out.tags("<tr><td colspan=2><input type=submit value='Submit'></td></tr>\n</table>\n");
  close_form(out, balancer);
}

}  // namespace

void write_manager_form(Markup& out, const ManagerView& view) {
  if (!view.balancer) return;
  const BalancerView& balancer = view.balancers[*view.balancer];
  if (view.member) return write_member_form(out, view, balancer, balancer.members[*view.member]);
  write_balancer_form(out, view, balancer);
}

}  // namespace steelyard::manage
