#include "base/text.hpp"
#include "config/dump_writer.hpp"

namespace steelyard::config {

namespace {

using balance::FlushPackets;

std::string load_factor_text(int factor) {
  const int rest = factor % balance::load_factor_unit;
  return std::to_string(factor / balance::load_factor_unit) + (rest < 10 ? ".0" : ".") +
         std::to_string(rest);
}

std::string sticky_text(const balance::StickySpec& sticky) {
  std::string text =
      "cookie " + quoted(sticky.cookie_name) + " url " + quoted(sticky.url_name) + " separator ";
  text += sticky.separator ? std::string(1, *sticky.separator) : std::string("none");
  return sticky.cut_at_semicolon ? text + " cut-at-semicolon" : text;
}

std::string statuses_text(const std::vector<int>& statuses) {
  std::string text;
  for (const int status : statuses) text += (text.empty() ? "" : " ") + std::to_string(status);
  return text;
}

void dump_pool(DumpWriter& out, const balance::PoolSpec& pool) {
  out.number_unless("connections-min", pool.connections_min, 0);
  out.number("connections-max", pool.connections_max);
  out.number("connections-soft-max", pool.connections_soft_max);
  out.milliseconds("idle-max", pool.idle_max);
  out.milliseconds("acquire-wait", pool.acquire_wait);
}

void dump_connections(DumpWriter& out, const balance::MemberSpec& spec) {
  dump_pool(out, spec.pool);
  out.milliseconds("timeout", spec.timeout);
  out.milliseconds("connection-timeout", spec.connection_timeout);
  out.milliseconds("ping", spec.ping);
  out.milliseconds("tunnel-timeout", spec.tunnel_idle);
  if (spec.tcp_keepalive) out.line("tcp-keepalive", "on");
  out.flag("disable-reuse", spec.disable_reuse);
  if (spec.address_ttl == balance::address_ttl_for_ever) {
    out.line("address-ttl", "for-ever");
  } else {
    out.milliseconds("address-ttl", spec.address_ttl);
  }
  out.number("io-buffer-bytes", spec.io_buffer_bytes);
  out.number("receive-buffer-bytes", spec.receive_buffer_bytes);
  out.number("response-field-bytes", spec.response_field_bytes);
  if (spec.flush_packets == FlushPackets::on) out.line("flush-packets", "on");
  if (spec.flush_packets == FlushPackets::automatic) out.line("flush-packets", "auto");
  out.text_unless_empty("upgrade", spec.upgrade);
}

void dump_check(DumpWriter& out, const balance::CheckSpec& check) {
  if (check == balance::CheckSpec()) return;
  out.line("check", check_method_name(check.method));
  out.indent();
  out.milliseconds("interval", check.interval);
  out.number_unless("passes", check.passes, 1);
  out.number_unless("fails", check.fails, 1);
  out.text_unless_empty("uri", check.uri);
  out.text_unless_empty("expression", check.expression);
  out.milliseconds("timeout", check.timeout);
  out.text_unless_empty("host", check.host);
  out.number("port", check.port);
  out.text_unless_empty("sni", check.sni);
  if (check.jitter.count() != 0) out.milliseconds("jitter", check.jitter);
  out.milliseconds("down-interval", check.down_interval);
  if (check.is_shared) out.line("shared", "on");
  out.unindent();
}

std::string bound_text(int percent) {
  return percent == 0 ? std::string("off") : std::to_string(percent) + "%";
}

void dump_ejection(DumpWriter& out, const balance::BalancerSpec& spec) {
  const balance::EjectionSpec& rules = spec.ejection;
  if (rules.fail_limit) {
    out.number("fail-count", rules.fail_limit->failures);
    out.milliseconds("fail-within", rules.fail_limit->within);
  }
  if (rules.slow_limit) {
    out.line("eject-slow-factor", load_factor_text(rules.slow_limit->factor_hundredths));
    out.milliseconds("eject-slow-window", rules.slow_limit->window);
  }
  if (spec.ejects()) out.milliseconds("eject-max", rules.effective_longest());
  if (rules.is_sparing()) out.number("max-ejected-percent", rules.effective_percent_max());
  if (spec.gives_trials() || rules.trial) out.line("trial", spec.gives_trials() ? "on" : "off");
  out.number("min-active", rules.active_min);
}

void dump_extensions(DumpWriter& out, const balance::BalancerSpec& spec) {
  if (traits_of(spec.effective_policy()).by_key()) {
    out.line("hash-key", quoted(spec.effective_hash_key()));
    out.line("hash-bound", bound_text(spec.effective_hash_bound()));
  }
  out.milliseconds("slow-start", spec.slow_start);
  if (spec.reentry == balance::Reentry::current) out.line("reentry", "current");
  if (spec.repeat && spec.repeat->any()) out.line("repeat-on", text_of(*spec.repeat));
  if (const auto queue = spec.effective_queue()) {
    out.line("queue", std::to_string(queue->requests_max) + " for " +
                          std::to_string(queue->time_max.count()) + "ms");
  }
  dump_ejection(out, spec);
}

}  // namespace

void dump_member(DumpWriter& out, std::string_view key, const balance::MemberSpec& spec) {
  out.line(key, spec.name);
  out.indent();
  out.text_unless_empty("socket", spec.unix_socket_path);
  if (spec.meaning != balance::NameMeaning::one_member) {
    out.line("resolve", balance::meaning_name(spec.meaning));
  }
  if (spec.proxy_protocol != balance::ProxyProtocol::none) {
    out.line("proxy-protocol", spec.proxy_protocol == balance::ProxyProtocol::v1 ? "v1" : "v2");
  }
  if (spec.load_factor != balance::load_factor_unit) {
    out.line("load-factor", load_factor_text(spec.load_factor));
  }
  out.number_unless("lbset", spec.lbset, 0);
  if (spec.status.bits() != 0) out.line("status", trim(display_text(spec.status)));
  out.text_unless_empty("tag", spec.tag);
  out.text_unless_empty("redirect-tag", spec.redirect_tag);
  out.number_unless("retry-seconds", spec.retry.count(), 60);
  out.milliseconds("slow-start", spec.slow_start);
  dump_connections(out, spec);
  dump_check(out, spec.check);
  out.unindent();
}

void dump_balancer(DumpWriter& out, const balance::BalancerSpec& spec) {
  out.line("balancer", spec.name);
  out.indent();
  out.line("policy", policy_name(spec.effective_policy()));
  dump_extensions(out, spec);
  if (spec.sticky.enabled()) out.line("sticky", sticky_text(spec.sticky));
  out.flag("nofailover", spec.nofailover);
  out.milliseconds("timeout", spec.timeout);
  out.number("maxattempts", spec.effective_maxattempts());
  if (!spec.fail_on_status.empty()) out.line("fail-on-status", statuses_text(spec.fail_on_status));
  out.flag("fail-on-timeout", spec.fail_on_timeout);
  out.flag("force-recovery", spec.force_recovery);
  out.number("growth", spec.growth);
  for (const balance::MemberSpec& member : spec.members) dump_member(out, "member", member);
  out.unindent();
}

}  // namespace steelyard::config
