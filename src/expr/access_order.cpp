#include "expr/access_order.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "expr/client_network.hpp"
#include "expr/host_name.hpp"

namespace steelyard::expr {
namespace {

std::unexpected<Complaint> refused(std::string text, std::string advice) {
  return std::unexpected(Complaint{std::move(text), std::move(advice)});
}

bool any_covers(std::span<const AccessSource> sources, const Facts& facts) {
  return std::ranges::any_of(sources,
                             [&facts](const AccessSource& source) { return source.covers(facts); });
}

}  // namespace

std::expected<AccessSource, Complaint> AccessSource::parse(const std::string& word) {
  AccessSource source;
  if (equals_ignoring_case(word, "all")) return source;
  if (starts_with_ignoring_case(word, "env=")) {
    source.kind = Kind::environment;
    source.condition.wants_absence = word.substr(4).starts_with('!');
    source.condition.name = word.substr(source.condition.wants_absence ? 5 : 4);
    return source;
  }
  if (looks_like_address(word)) {
    auto network = parse_client_network(word);
    if (!network) {
      return refused(network.error(),
                     "'" + word + "': write 10.1.2.3, 10.1, 10.1.0.0/16 or a name");
    }
    source.kind = Kind::network;
    source.network = *network;
    return source;
  }
  if (word.contains('/')) {
    return refused("An IP address was expected", "'" + word + "': only addresses take a mask");
  }
  source.kind = Kind::host;
  source.host = word;
  return source;
}

bool AccessSource::covers(const Facts& facts) const {
  if (!limit.covers(facts.text(TextFact::method))) return false;
  switch (kind) {
    case Kind::all:
      return true;
    case Kind::environment:
      return condition.holds(facts);
    case Kind::network:
      return network.contains(facts.client_address());
    case Kind::host:
      return is_in_domain(facts.text(TextFact::client_host), host);
  }
  return false;
}

std::string AccessSource::describe() const {
  switch (kind) {
    case Kind::all:
      return "all";
    case Kind::environment:
      return condition.describe();
    case Kind::network:
      return network.text();
    case Kind::host:
      return host;
  }
  return {};
}

void AccessOrder::describe(std::vector<std::string>& lines) const {
  for (const auto& [limit, value] : sequences_) {
    const auto row =
        std::ranges::find(sequence_names, value, &std::pair<std::string_view, Sequence>::second);
    lines.push_back(limit.describe() + "Order " + std::string(row->first));
  }
  const auto add_sources = [&lines](std::string_view line, const Sources& sources) {
    for (const AccessSource& source : sources) {
      lines.push_back(source.limit.describe() + std::string(line) + source.describe());
    }
  };
  add_sources("Allow from ", allowed_);
  add_sources("Deny from ", denied_);
  for (const auto& [limit, any] : any_) {
    lines.push_back(limit.describe() + (any ? "Satisfy Any" : "Satisfy All"));
  }
}

AccessOrder::Result AccessOrder::set_order(std::span<const std::string> words,
                                           const MethodLimit& limit) {
  if (words.size() != 1) {
    return refused("order takes one argument, 'allow,deny', 'deny,allow', or 'mutual-failure'",
                   "write it without blanks: Order deny,allow");
  }
  for (const auto& [name, value] : sequence_names) {
    if (!equals_ignoring_case(words[0], name)) continue;
    sequences_.push_back({limit, value});
    return {};
  }
  return refused("unknown order", "write Order deny,allow or Order allow,deny");
}

AccessOrder::Result AccessOrder::set_satisfy(std::span<const std::string> words,
                                             const MethodLimit& limit) {
  const bool any = words.size() == 1 && equals_ignoring_case(words[0], "any");
  const bool all = words.size() == 1 && equals_ignoring_case(words[0], "all");
  if (!any && !all) return refused("Satisfy either 'any' or 'all'.", "write Satisfy Any");
  any_.push_back({limit, any});
  return {};
}

AccessOrder::Result AccessOrder::allow(std::span<const std::string> words,
                                       const MethodLimit& limit) {
  return add(words, limit, "allow", allowed_);
}

AccessOrder::Result AccessOrder::deny(std::span<const std::string> words,
                                      const MethodLimit& limit) {
  return add(words, limit, "deny", denied_);
}

AccessOrder::Result AccessOrder::add(std::span<const std::string> words, const MethodLimit& limit,
                                     std::string_view directive, Sources& sources) {
  if (words.size() < 2) {
    return refused(std::string(directive) +
                       " requires at least two arguments, 'from' followed by hostnames or "
                       "IP-address wildcards",
                   "write " + std::string(directive) + " from all");
  }
  if (!equals_ignoring_case(words[0], "from")) {
    return refused("allow and deny must be followed by 'from'",
                   "write " + std::string(directive) + " from " + words[0]);
  }
  for (const std::string& word : words.subspan(1)) {
    auto source = AccessSource::parse(word);
    if (!source) return std::unexpected(std::move(source.error()));
    source->limit = limit;
    sources.push_back(std::move(*source));
  }
  return {};
}

AccessOrder::Sequence AccessOrder::sequence(std::string_view method) const {
  for (auto each = sequences_.rbegin(); each != sequences_.rend(); ++each) {
    if (each->limit.covers(method)) return each->value;
  }
  return Sequence::deny_allow;
}

bool AccessOrder::grants(const Facts& facts) const {
  return grants(facts.text(TextFact::method), any_covers(allowed_, facts),
                any_covers(denied_, facts));
}

bool AccessOrder::grants_strangers(std::string_view method) const {
  const auto covers = [method](const AccessSource& source) {
    return source.kind == AccessSource::Kind::all && source.limit.covers(method);
  };
  return grants(method, std::ranges::any_of(allowed_, covers),
                std::ranges::any_of(denied_, covers));
}

bool AccessOrder::grants(std::string_view method, bool is_allowed, bool is_denied) const {
  switch (sequence(method)) {
    case Sequence::deny_allow:
      return is_allowed || !is_denied;
    case Sequence::allow_deny:
    case Sequence::mutual_failure:
      return is_allowed && !is_denied;
  }
  return false;
}

bool AccessOrder::satisfies_any(std::string_view method) const {
  for (auto each = any_.rbegin(); each != any_.rend(); ++each) {
    if (each->limit.covers(method)) return each->value;
  }
  return false;
}

bool AccessOrder::needs_client_host() const {
  const auto is_host = [](const AccessSource& source) {
    return source.kind == AccessSource::Kind::host;
  };
  return std::ranges::any_of(allowed_, is_host) || std::ranges::any_of(denied_, is_host);
}

}  // namespace steelyard::expr
