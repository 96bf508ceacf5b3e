// BalancerMember, ProxySet and the parameters of <Proxy URL key=value ...>.

#include <algorithm>

#include "apacheconf/proxy_draft.hpp"
#include "apacheconf/proxy_handlers.hpp"
#include "apacheconf/proxy_parameters.hpp"
#include "balance/check_fit.hpp"
#include "balance/parameters.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view member_prefix = "BalancerMember ";

const balance::MemberSpec* find_covering_member(const BalancerDraft& balancer,
                                                std::string_view url) {
  const balance::MemberSpec* best = nullptr;
  for (const balance::MemberSpec& member : balancer.spec.members) {
    if (best != nullptr && member.name.size() <= best->name.size()) continue;
    if (is_covered_by(url, member.name)) best = &member;
  }
  return best;
}

// A repeated line is harmless; one that loses a member is not.
void tell_of_sharing(Scope& scope, const balance::MemberSpec& kept,
                     const balance::MemberSpec& lost) {
  std::string text =
      "Sharing worker '" + kept.name + "' instead of creating new worker '" + lost.name + "'";
  if (kept.unix_socket_path != lost.unix_socket_path) {
    scope.warn(std::move(text),
               "Sockets are told apart by the URL behind '|': give each its own "
               "name, as in unix:/run/b.sock|http://b");
  } else if (kept.name != lost.name) {
    scope.warn(std::move(text),
               "A URL that begins like an earlier one is the same member; write "
               "the longer URL first.");
  } else {
    scope.note(std::move(text));
  }
}

void complain_of_unfit_check(Scope& scope, const balance::MemberSpec& spec) {
  if (auto objection = balance::objection_to_check(spec))
    scope.complain(std::move(objection->text), std::move(objection->advice));
}

void warn_of_unchecked_socket(Scope& scope, const balance::MemberSpec& spec) {
  if (spec.unix_socket_path.empty() || spec.check.method == balance::CheckMethod::none) return;
  if (balance::is_checked_on_its_socket(spec)) return;
  scope.warn("Health checks of " + spec.name + " go to " + spec.host + ':' +
                 std::to_string(spec.check.port.value_or(spec.port)) + " and not to its socket",
             "Let the member listen there too, or leave hcmethod out.");
}

void add_member(Scope& scope, BalancerDraft& balancer, std::string_view url,
                const Parameters& parameters) {
  balance::MemberSpec spec;
  if (!read_backend_url(scope, spec, url, member_prefix)) {
    check_parameters(scope, parameters, member_prefix);
    return;
  }
  if (const balance::MemberSpec* same = find_covering_member(balancer, spec.name)) {
    tell_of_sharing(scope, *same, spec);
    warn_of_ignored(scope, parameters, same->name);
    return;
  }
  set_parameters(scope, spec, parameters, {std::string(member_prefix), {}});
  warn_of_unchecked_socket(scope, spec);
  complain_of_unfit_check(scope, spec);
  balancer.spec.members.push_back(std::move(spec));
  balancer.member_places.push_back(scope.statement().place());
}

// The words of a BalancerMember line in their roles.
struct MemberLine {
  std::string balancer, url;
  Parameters parameters;
};

// False after a complaint. Words with '=' are parameters wherever they stand, a URL too (httpd).
bool sort_words(Scope& scope, const Statement& statement, MemberLine& line) {
  const bool in_section = !scope.at_server_level();
  for (const std::string& word : statement.words) {
    if (line.parameters.add(word)) continue;
    if (line.balancer.empty()) {
      line.balancer = word;
    } else if (line.url.empty()) {
      line.url = word;
    } else if (in_section) {
      scope.complain("BalancerMember can not have a balancer name when defined in a location");
      return false;
    } else {
      scope.complain("Invalid BalancerMember parameter. Parameter must be in the form 'key=value'",
                     without_equals(word));
      return false;
    }
  }
  return true;
}

}  // namespace

void handle_balancer_member(Scope& scope, const Statement& statement) {
  MemberLine line;
  if (!scope.at_server_level()) line.balancer = scope.frame().argument;
  if (!sort_words(scope, statement, line)) return;
  if (line.balancer.empty()) {
    scope.complain("BalancerMember must define balancer name when outside <Proxy > section");
    return;
  }
  if (line.url.empty()) {
    const bool url_has_equals = std::ranges::any_of(
        statement.words, [](const std::string& word) { return word.find("://") < word.find('='); });
    scope.complain("BalancerMember must define remote proxy server",
                   url_has_equals ? "A word with '=' is taken for a parameter, so a member's URL "
                                    "cannot hold one."
                                  : "Write BalancerMember balancer://NAME http://HOST:PORT.");
    return;
  }
  BalancerDraft* const balancer = provide_balancer(scope, line.balancer, member_prefix);
  if (balancer != nullptr) add_member(scope, *balancer, line.url, line.parameters);
}

void set_target_parameters(Scope& scope, std::string_view target, const Parameters& parameters,
                           const ParameterWording& wording) {
  ServerDraft& server = draft_of(scope);
  const bool is_section = wording.prefix.starts_with('<');
  const std::string prefix = is_section ? "<Proxy " : "ProxySet ";
  if (is_balancer_url(target)) {
    BalancerDraft* const balancer = provide_balancer(scope, target, prefix);
    if (balancer != nullptr) set_parameters(scope, balancer->spec, parameters, wording);
    return;
  }
  BackendDraft fresh{{}, scope.statement().place()};
  if (!read_backend_url(scope, fresh.spec, target, prefix)) return;
  balance::MemberSpec* backend = server.find_backend(fresh.spec.name);
  if (backend == nullptr) backend = &server.backends.emplace_back(std::move(fresh)).spec;
  set_parameters(scope, *backend, parameters, wording);
}

void handle_proxy_set(Scope& scope, const Statement& statement) {
  const bool in_section =
      scope.frame().kind == SectionKind::proxy || scope.frame().kind == SectionKind::proxy_match;
  const std::string first = statement.words.empty() ? std::string() : statement.words.front();
  const std::string target = in_section ? scope.frame().argument : first;
  if (!in_section) {
    ServerDraft& server = draft_of(scope);
    if (is_balancer_url(target) && server.find_balancer(target) == nullptr) {
      scope.complain("ProxySet can not find '" + target + "' Balancer.",
                     "Name it first in a <Proxy> section, BalancerMember or ProxyPass line.");
      return;
    }
    balance::MemberSpec spec;
    const bool is_url = balance::parse_member_url(spec, target).has_value();
    if (!is_balancer_url(target) && (!is_url || server.find_backend(spec.name) == nullptr)) {
      scope.complain("ProxySet can not find '" + target + "' Worker.",
                     "Name it first in a ProxyPass line.");
      return;
    }
  }
  Parameters parameters;
  for (std::size_t i = in_section ? 0 : 1; i < statement.words.size(); ++i) {
    if (parameters.add(statement.words[i])) continue;
    scope.complain("Invalid ProxySet parameter. Parameter must be in the form 'key=value'",
                   without_equals(statement.words[i]));
    return;
  }
  set_target_parameters(scope, target, parameters, {"ProxySet: ", target});
}

void finish_proxy_section(Scope& scope) {
  const std::vector<std::string>& words = scope.statement().words;
  Parameters parameters;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (parameters.add(words[i])) continue;
    scope.complain("Invalid Proxy parameter. Parameter must be in the form 'key=value'",
                   without_equals(words[i]));
    return;
  }
  if (words.size() < 2) return;
  const std::string& target = scope.frame().argument;
  if (scope.frame().section->kind != config::Section::Kind::prefix) {
    scope.complain("<Proxy> arguments are not supported for wildchar url.",
                   "Write the parameters in a section that names one URL.");
    return;
  }
  set_target_parameters(scope, target, parameters, {"<Proxy ", target});
}

}  // namespace steelyard::apacheconf
