#include "balance/config_text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "balance/editable.hpp"
#include "balance/numbers.hpp"
#include "base/text.hpp"

namespace steelyard::balance {

namespace {

using std::chrono::milliseconds;

// Words of a line, and what could not become one.
class Words {
 public:
  void add(std::string_view key, std::string_view value) {
    std::string text(key);
    text.append("=").append(value);
    if (is_sayable(text)) {
      words_.push_back(as_word(text));
    } else {
      left_out_.push_back(quoted(text));
    }
  }
  void add_number(std::string_view key, const std::optional<int>& number) {
    if (number) add(key, std::to_string(*number));
  }
  void add_switch(std::string_view key, const std::optional<bool>& on) {
    if (on) add(key, *on ? "On" : "Off");
  }
  void add_time(std::string_view key, const std::optional<milliseconds>& time) {
    if (time) add(key, std::to_string(time->count()) + "ms");
  }
  void add_unless_empty(std::string_view key, std::string_view value) {
    if (!value.empty()) add(key, value);
  }

  // Nothing expands variables but "${", and nothing keeps it from doing so; a line is a line.
  static bool is_sayable(std::string_view text) {
    return text.find("${") == text.npos &&
           std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  }
  static std::string as_word(std::string_view text) {
    const bool is_plain = std::ranges::all_of(text, [](char c) {
      return is_alnum(c) || std::string_view("-_.~:/?@!$&()*+,;=%|[]").contains(c);
    });
    return is_plain ? std::string(text) : quoted(text);
  }

  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  std::vector<std::string> words_, left_out_;
};

// What the manager can change, by the same texts.
template <class Spec>
void add_editable(Words& words, const Spec& spec, std::span<const std::string_view> fields) {
  const Spec usual;
  for (const std::string_view field : fields) {
    const std::string text = text_of(spec, field);
    if (field == "status" || field == "lbmethod" || text == text_of(usual, field)) continue;
    if constexpr (std::is_same_v<Spec, MemberSpec>) {
      words.add(field, field == "loadfactor" ? load_factor_for_httpd(spec.load_factor) : text);
    } else {
      words.add(field, text);
    }
  }
}

std::string rate_text(std::string_view count, milliseconds time) {
  return std::string(count) + '/' + std::to_string(time.count()) + "ms";
}

// Also what nobody would write, but could.
void add_status(Words& words, Status status) {
  constexpr auto others = std::to_array<std::pair<Flag, char>>({{Flag::initialised, 'O'},
                                                                {Flag::generic, 'G'},
                                                                {Flag::shutting_down, 'U'},
                                                                {Flag::in_error, 'E'},
                                                                {Flag::free_slot, 'F'},
                                                                {Flag::health_failed, 'C'}});
  std::string letters = letters_of(status);
  for (const auto& [flag, letter] : others) {
    if (status.has(flag)) letters += letter;
  }
  words.add_unless_empty("status", letters);
}

void add_check(Words& words, const CheckSpec& check) {
  words.add_time("hctimeout", check.timeout);
  words.add_unless_empty("hchost", check.host);
  if (check.port) words.add("hcport", std::to_string(*check.port));
  words.add_unless_empty("hcsni", check.sni);
  if (check.jitter.count() != 0) words.add_time("hcjitter", check.jitter);
  words.add_time("hcdowninterval", check.down_interval);
}

void add_connections(Words& words, const MemberSpec& spec) {
  const MemberSpec usual;
  const PoolSpec& pool = spec.pool;
  if (pool.connections_min != 0) words.add("min", std::to_string(pool.connections_min));
  words.add_number("max", pool.connections_max);
  words.add_number("smax", pool.connections_soft_max);
  if (pool.idle_max) words.add("ttl", std::to_string(pool.idle_max->count()));
  words.add_time("acquire", pool.acquire_wait);
  words.add_time("ping", spec.ping);
  words.add_time("tunneltimeout", spec.tunnel_idle);
  if (spec.tcp_keepalive) words.add("keepalive", "On");
  words.add_switch("disablereuse", spec.disable_reuse);
  if (spec.address_ttl) {
    words.add("addressttl", spec.address_ttl == address_ttl_for_ever
                                ? std::string("-1")
                                : std::to_string(spec.address_ttl->count()));
  }
  words.add_number("iobuffersize", spec.io_buffer_bytes);
  words.add_number("receivebuffersize", spec.receive_buffer_bytes);
  words.add_number("responsefieldsize", spec.response_field_bytes);
  if (spec.flush_packets == FlushPackets::on) words.add("flushpackets", "On");
  if (spec.flush_packets == FlushPackets::automatic) words.add("flushpackets", "auto");
  if (spec.flush_wait != usual.flush_wait)
    words.add("flushwait", std::to_string(spec.flush_wait.count()));
  words.add_unless_empty("flusher", spec.flusher);
  words.add_unless_empty("upgrade", spec.upgrade == "*" ? "ANY" : spec.upgrade);
  words.add_unless_empty("secret", spec.secret);
  if (spec.proxy_protocol != ProxyProtocol::none)
    words.add("proxyprotocol", spec.proxy_protocol == ProxyProtocol::v1 ? "v1" : "v2");
}

Words words_of(const MemberSpec& spec) {
  Words words;
  if (spec.meaning != NameMeaning::one_member) words.add("resolve", meaning_name(spec.meaning));
  add_editable(words, spec, editable_member_fields());
  add_status(words, spec.status);
  words.add_time("slowstart", spec.slow_start);
  add_connections(words, spec);
  add_check(words, spec.check);
  return words;
}

void add_stickiness(Words& words, const BalancerSpec& spec) {
  const StickySpec usual;
  const std::optional<char> separator = spec.sticky.separator;
  if (spec.separator_written || separator != usual.separator)
    words.add("stickysessionsep", separator ? std::string(1, *separator) : std::string("Off"));
  if (spec.cut_written || spec.sticky.cut_at_semicolon)
    words.add_switch("scolonpathdelim", spec.sticky.cut_at_semicolon);
}

void add_ejection(Words& words, const EjectionSpec& rules) {
  if (const auto& limit = rules.fail_limit)
    words.add("failcount", rate_text(std::to_string(limit->failures), limit->within));
  if (const auto& limit = rules.slow_limit)
    words.add("ejectslow", rate_text(load_factor_text(limit->factor_hundredths), limit->window));
  words.add_time("ejectmax", rules.longest);
  words.add_number("maxejected", rules.percent_max);
  words.add_switch("trial", rules.trial);
  words.add_number("minactive", rules.active_min);
}

Words words_of(const BalancerSpec& spec) {
  Words words;
  if (spec.policy) words.add("lbmethod", policy_name(*spec.policy));
  add_editable(words, spec, editable_balancer_fields());
  add_stickiness(words, spec);
  std::string statuses;
  for (const int status : spec.fail_on_status)
    statuses += (statuses.empty() ? "" : ",") + std::to_string(status);
  words.add_unless_empty("failonstatus", statuses);
  words.add_switch("failontimeout", spec.fail_on_timeout);
  words.add_switch("forcerecovery", spec.force_recovery);
  if (spec.nonce) words.add("nonce", spec.nonce->empty() ? "None" : *spec.nonce);
  words.add_number("growth", spec.growth);
  if (spec.hash_key) words.add("hashkey", *spec.hash_key);
  if (spec.hash_bound)
    words.add("hashbound", *spec.hash_bound == 0 ? "Off" : std::to_string(*spec.hash_bound));
  words.add_time("slowstart", spec.slow_start);
  if (spec.reentry) words.add("reentry", *spec.reentry == Reentry::keep ? "keep" : "current");
  if (spec.repeat) words.add("repeaton", text_of(*spec.repeat));
  if (const auto& queue = spec.queue) {
    words.add("queue", queue->requests_max == 0
                           ? std::string("Off")
                           : rate_text(std::to_string(queue->requests_max), queue->time_max));
  }
  add_ejection(words, spec.ejection);
  return words;
}

// The block while it grows, and the comments above it.
class Block {
 public:
  void add_member(const MemberSpec& spec) {
    const bool on_socket = !spec.unix_socket_path.empty();
    const std::string url =
        on_socket ? "unix:" + spec.unix_socket_path + '|' + spec.name : spec.name;
    // A word with '=' is a parameter wherever it stands.
    if (url.contains('=') || !Words::is_sayable(url))
      return leave_out(spec.name, "a member's URL cannot be written like this");
    const Words words = words_of(spec);
    lines_ += "    BalancerMember " + Words::as_word(url);
    for (const std::string& word : words.words()) lines_ += ' ' + word;
    lines_ += '\n';
    if (spec.userinfo.contains(':')) leave_out(spec.name, "the password in its URL");
    leave_out_all(spec.name, words);
  }
  void add_parameters(const BalancerSpec& spec) {
    const Words words = words_of(spec);
    for (const std::string& word : words.words()) lines_ += "    ProxySet " + word + '\n';
    leave_out_all(spec.name, words);
  }
  void leave_out(const std::string& of, std::string_view what) {
    comments_.append("# Left out, of ").append(quoted(of)).append(": ").append(what).append("\n");
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return comments_ + "<Proxy " + Words::as_word(name) + ">\n" + lines_ + "</Proxy>\n";
  }

 private:
  void leave_out_all(const std::string& of, const Words& words) {
    for (const std::string& word : words.left_out())
      leave_out(of, word + " cannot be written in a configuration file");
  }

  std::string comments_, lines_;
};

// httpd takes a member whose URL begins with an earlier one's for that one ("Sharing worker"): the
// longer URL comes first.
std::vector<const MemberSpec*> in_writing_order(const std::vector<MemberSpec>& members) {
  std::vector<const MemberSpec*> ordered;
  for (const MemberSpec& member : members) {
    const auto shorter = std::ranges::find_if(
        ordered, [&member](const MemberSpec* each) { return member.name.starts_with(each->name); });
    ordered.insert(shorter, &member);
  }
  return ordered;
}

void add_spec(Block& block, const BalancerSpec& spec) {
  for (const MemberSpec* member : in_writing_order(spec.members)) block.add_member(*member);
  block.add_parameters(spec);
}

}  // namespace

std::string config_text(const BalancerSpec& spec) {
  Block block;
  add_spec(block, spec);
  return block.text(spec.name);
}

std::string config_text(const std::shared_ptr<const BalancerSpec>& configured,
                        const Overlay& overlay) {
  const auto spec = laid_over(configured, overlay);
  Block block;
  for (const MemberEdits& edits : overlay.members) {
    const bool is_configured = std::ranges::find(configured->members, edits.member,
                                                 &MemberSpec::name) != configured->members.end();
    if (edits.membership == Membership::added || is_configured) continue;
    if (edits.membership == Membership::removed)
      block.leave_out(edits.member, "that it was removed: a name leads to it");
    for (const Edit& edit : edits.edits)
      block.leave_out(edits.member, edit.field + '=' + quoted(edit.value) + ": a name leads to it");
  }
  add_spec(block, *spec);
  return block.text(spec->name);
}

}  // namespace steelyard::balance
