#include "expr/require_node.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "expr/client_network.hpp"
#include "expr/host_name.hpp"

namespace steelyard::expr {
namespace {

struct RefusedProvider {
  std::string_view name, lets_in, advice;
};

// Those that look at nothing but their words.
constexpr std::pair<std::string_view, RequireNode::Kind> plain_providers[] = {
    {"host", RequireNode::Kind::host},  {"local", RequireNode::Kind::local},
    {"env", RequireNode::Kind::env},    {"method", RequireNode::Kind::method},
    {"ssl", RequireNode::Kind::tls},    {"ssl-verify-client", RequireNode::Kind::tls_verified},
    {"user", RequireNode::Kind::user},  {"valid-user", RequireNode::Kind::valid_user},
    {"group", RequireNode::Kind::group}};

constexpr std::string_view no_users =
    "users and groups come from files here: write AuthUserFile, AuthGroupFile and Require user or "
    "Require group";
constexpr std::string_view no_files = "no files are served here: write Require ip or Require env";

// httpd's other providers, and what serves the same end.
constexpr RefusedProvider refused_providers[] = {
    {"dbm-group", "users of these groups", no_users},
    {"dbm-file-group", "users of the file's group", no_users},
    {"dbd-group", "users of these groups", no_users},
    {"ldap-user", "these users of a directory", no_users},
    {"ldap-group", "users of these groups of a directory", no_users},
    {"ldap-dn", "this user of a directory", no_users},
    {"ldap-attribute", "users with this attribute", no_users},
    {"ldap-filter", "users that a directory finds so", no_users},
    {"ldap-search", "requests that a directory finds something for", no_users},
    {"file-owner", "the owner of the file", no_files},
    {"file-group", "users of the file's group", no_files},
    {"forward-dns", "clients with the address of these names",
     "write the addresses of the names: Require ip 192.0.2.1"},
};

std::unexpected<Complaint> refused(std::string text, std::string advice) {
  return std::unexpected(Complaint{std::move(text), std::move(advice)});
}

std::string advice_for(std::string_view provider) {
  const std::string_view like =
      nearest(to_lower(provider), {"all", "ip", "host", "local", "env", "method", "expr", "ssl",
                                   "user", "valid-user", "group"});
  return like.empty() ? "known are: all, ip, host, local, env, method, expr, ssl, user, "
                        "valid-user, group"
                      : "did you mean '" + std::string(like) + "'?";
}

bool asks_user(RequireNode::Kind kind) {
  return kind == RequireNode::Kind::valid_user || kind == RequireNode::Kind::user ||
         kind == RequireNode::Kind::group;
}

}  // namespace

std::string_view container_name(RequireNode::Kind kind) {
  if (kind == RequireNode::Kind::all) return "<RequireAll>";
  return kind == RequireNode::Kind::any ? "<RequireAny>" : "<RequireNone>";
}

std::expected<RequireNode, Complaint> RequireNode::parse(std::span<const std::string> words,
                                                         const MethodLimit& limit) {
  RequireNode node(Kind::nobody);
  node.limit_ = limit;
  if (!words.empty() && equals_ignoring_case(words[0], "not")) {
    node.is_negated_ = true;
    words = words.subspan(1);
  }
  const std::string provider = words.empty() ? std::string() : words[0];
  if (!words.empty()) words = words.subspan(1);
  if (Outcome outcome = node.read_provider(provider, words); !outcome) {
    return std::unexpected(std::move(outcome.error()));
  }
  return node;
}

RequireNode::Outcome RequireNode::read_provider(std::string_view provider,
                                                std::span<const std::string> words) {
  if (provider == "all") {
    const bool is_granted = words.size() == 1 && equals_ignoring_case(words[0], "granted");
    const bool is_denied = words.size() == 1 && equals_ignoring_case(words[0], "denied");
    kind_ = is_granted ? Kind::everybody : Kind::nobody;
    if (is_granted || is_denied) return {};
    return refused("Argument for 'Require all' must be 'granted' or 'denied'",
                   "write Require all granted");
  }
  words_.assign(words.begin(), words.end());
  if (provider == "ip") return read_networks(words);
  if (provider == "expr") return read_condition(words);
  for (const auto& [name, kind] : plain_providers) {
    if (provider != name) continue;
    kind_ = kind;
    return kind == Kind::user || kind == Kind::group ? read_names(words) : Outcome();
  }
  for (const RefusedProvider& known : refused_providers) {
    if (provider != known.name) continue;
    return refused("Require " + std::string(provider) + " is not supported: it would let in only " +
                       std::string(known.lets_in),
                   std::string(known.advice));
  }
  return refused("Unknown Authz provider: " + std::string(provider), advice_for(provider));
}

RequireNode::Outcome RequireNode::read_networks(std::span<const std::string> words) {
  kind_ = Kind::ip;
  const std::string form =
      "write 10.1.2.3, 10.1, 10.1.0.0/16, 10.1.0.0/255.255.0.0 or 2001:db8::/32";
  if (words.empty() || words[0].empty()) return refused("'require ip' requires an argument", form);
  for (const std::string& word : words) {
    const std::string claim = "ip address '" + word + "' appears to be invalid";
    if (!looks_like_address(word)) return refused(claim, form);
    auto network = parse_client_network(word);
    if (!network) return refused(claim + ": " + network.error(), form);
    networks_.push_back(*network);
  }
  return {};
}

RequireNode::Outcome RequireNode::read_names(std::span<const std::string> words) {
  for (const std::string& word : words) {
    auto name = StringExpression::compile(word);
    if (!name) {
      return refused("Cannot parse expression in require line: " + name.error().text,
                     name.error().advice);
    }
    names_.push_back(std::move(*name));
  }
  return {};
}

void RequireNode::describe(const std::string& indent, std::vector<std::string>& lines) const {
  if (is_container()) {
    lines.push_back(indent + std::string(container_name(kind_)));
    for (const RequireNode& child : children_) child.describe(indent + "  ", lines);
    return;
  }
  std::string text = indent + limit_.describe() + (is_negated_ ? "Require not " : "Require ");
  if (kind_ == Kind::everybody) text += "all granted";
  if (kind_ == Kind::nobody) text += "all denied";
  if (kind_ == Kind::ip) text += "ip";
  if (kind_ == Kind::condition) text += "expr";
  for (const auto& [name, kind] : plain_providers) {
    if (kind_ == kind) text += name;
  }
  for (const IpNetwork& network : networks_) text += ' ' + network.text();
  if (kind_ != Kind::ip) {
    const bool is_quoted = kind_ == Kind::condition;
    for (const std::string& word : words_) text += ' ' + (is_quoted ? quoted(word) : word);
  }
  lines.push_back(std::move(text));
}

RequireNode::Outcome RequireNode::read_condition(std::span<const std::string> words) {
  kind_ = Kind::condition;
  auto condition = Condition::compile(words.empty() ? std::string_view() : words.front());
  if (!condition) {
    return refused("Cannot parse expression in require line: " + condition.error().text,
                   condition.error().advice);
  }
  condition_ = std::move(*condition);
  condition_asks_user_ = to_upper(condition_->text()).contains("%{REMOTE_USER}");
  return {};
}

bool RequireNode::applies_to(std::string_view method) const {
  if (!is_container()) return limit_.covers(method);
  return std::ranges::any_of(
      children_, [method](const RequireNode& child) { return child.applies_to(method); });
}

Verdict RequireNode::judge(Evaluation& evaluation, Kind around) const {
  if (!applies_to(evaluation.facts.text(TextFact::method))) {
    return around == Kind::all ? Verdict::granted : Verdict::denied;
  }
  if (is_container()) {
    return judge_children([&](const RequireNode& child) { return child.judge(evaluation, kind_); });
  }
  if (kind_ == Kind::condition) return judge_condition(evaluation);
  if (asks_user(kind_)) return judge_user(evaluation);
  return verdict_of(provides(evaluation.facts));
}

Verdict RequireNode::judge_stranger(std::string_view method, Kind around) const {
  if (!applies_to(method)) return around == Kind::all ? Verdict::granted : Verdict::denied;
  if (is_container()) {
    return judge_children(
        [&](const RequireNode& child) { return child.judge_stranger(method, kind_); });
  }
  return verdict_of(kind_ == Kind::everybody || (kind_ == Kind::method && names_method(method)));
}

Verdict RequireNode::verdict_of(bool is_granted) const {
  if (is_negated_) return is_granted ? Verdict::denied : Verdict::neutral;
  return is_granted ? Verdict::granted : Verdict::denied;
}

Verdict RequireNode::verdict_of(Verdict found) const {
  if (!is_negated_) return found;
  return found == Verdict::granted ? Verdict::denied : Verdict::neutral;
}

Verdict RequireNode::judge_user(Evaluation& evaluation) const {
  const Visitor* const visitor = evaluation.facts.visitor();
  if (visitor == nullptr || !visitor->user) return verdict_of(Verdict::needs_user);
  return verdict_of(kind_ == Kind::valid_user || is_one_of_names(evaluation, *visitor));
}

bool RequireNode::is_one_of_names(Evaluation& evaluation, const Visitor& visitor) const {
  const auto is_meant = [&](std::string_view name) {
    return kind_ == Kind::user ? name == *visitor.user : visitor.is_in_group(name);
  };
  return std::ranges::any_of(names_, [&](const StringExpression& name) {
    if (name.is_constant()) return is_meant(name.evaluate(evaluation));
    // What is computed may be several names.
    return std::ranges::any_of(split_words(name.evaluate(evaluation)), is_meant);
  });
}

// Each line starts without groups (httpd).
Verdict RequireNode::judge_condition(Evaluation& evaluation) const {
  Evaluation own{evaluation.facts, evaluation.arena};
  own.vary = evaluation.vary;
  const auto holds = condition_->evaluate(own);
  evaluation.vary = own.vary;
  if (holds && !*holds && condition_asks_user_) return verdict_of(Verdict::needs_user);
  if (holds) return verdict_of(*holds);
  evaluation.fault = holds.error();
  return Verdict::failed;
}

// httpd: only as far as the verdict is open, so that a later line that would fail does not. A
// verdict that a user might change is kept unless one that decides comes.
template <class Judge>
Verdict RequireNode::judge_children(Judge judge_child) const {
  const Verdict decisive = kind_ == Kind::all ? Verdict::denied : Verdict::granted;
  const Verdict weaker = kind_ == Kind::all ? Verdict::granted : Verdict::denied;
  Verdict result = Verdict::neutral;
  for (const RequireNode& child : children_) {
    const Verdict verdict = judge_child(child);
    if (verdict == Verdict::failed) return verdict;
    if (verdict == Verdict::neutral) continue;
    const bool outweighs = result == weaker && verdict == Verdict::needs_user;
    if (result == Verdict::neutral || outweighs || verdict == decisive) result = verdict;
    if (result == decisive) break;
  }
  if (kind_ != Kind::none) return result;
  return result == Verdict::granted ? Verdict::denied : Verdict::neutral;
}

bool RequireNode::provides(const Facts& facts) const {
  switch (kind_) {
    case Kind::everybody:
      return true;
    case Kind::ip:
      return std::ranges::any_of(networks_, [client = facts.client_address()](const auto& network) {
        return network.contains(client);
      });
    case Kind::host:
      return std::ranges::any_of(
          words_, [name = facts.text(TextFact::client_host)](const std::string& domain) {
            return is_in_domain(name, domain);
          });
    case Kind::local:
      return facts.client_address().is_loopback() ||
             facts.client_address() == facts.local_address();
    case Kind::env:
      return std::ranges::any_of(
          words_, [&facts](const std::string& name) { return facts.variable(name).has_value(); });
    case Kind::method:
      return names_method(facts.text(TextFact::method));
    case Kind::tls:
      return facts.number(NumberFact::is_tls) != 0;
    case Kind::tls_verified:
      return facts.tls_variable("SSL_CLIENT_VERIFY").value_or("") == "SUCCESS";
    default:
      return false;
  }
}

bool RequireNode::names_method(std::string_view method) const {
  return std::ranges::any_of(words_, [wanted = head_as_get(method)](const std::string& name) {
    return head_as_get(name) == wanted;
  });
}

bool RequireNode::needs_client_host() const {
  if (kind_ == Kind::host) return true;
  return std::ranges::any_of(children_, &RequireNode::needs_client_host);
}

bool RequireNode::needs_groups() const {
  if (kind_ == Kind::group) return true;
  return std::ranges::any_of(children_, &RequireNode::needs_groups);
}

}  // namespace steelyard::expr
