#include "apacheconf/proxy_parameters.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "apacheconf/files.hpp"
#include "apacheconf/health_parameters.hpp"
#include "balance/parameters.hpp"
#include "balance/scheme.hpp"
#include "balance/shown_url.hpp"
#include "base/text.hpp"
#include "expr/string_expression.hpp"

namespace steelyard::apacheconf {

namespace {

bool is_among(std::span<const std::string_view> keys, std::string_view key) {
  return std::ranges::any_of(
      keys, [&](std::string_view known) { return equals_ignoring_case(known, key); });
}

std::string suggestion(std::string_view key, std::span<const std::string_view> keys) {
  const std::string_view near = nearest(to_lower(key), {keys.begin(), keys.end()});
  return near.empty() ? std::string() : "Did you mean " + std::string(near) + "?";
}

std::string advice_on_balancer_key(std::string_view key) {
  if (is_among(balance::member_parameter_keys(), key) || balance::is_check_parameter(key)) {
    return std::string(key) + "= belongs to a member: write it behind the BalancerMember's URL.";
  }
  return suggestion(key, balance::balancer_parameter_keys());
}

std::string advice_on_member_key(std::string_view key) {
  if (is_among(balance::balancer_parameter_keys(), key)) {
    return std::string(key) +
           "= belongs to the balancer: write it in ProxySet inside <Proxy balancer://...>, or "
           "behind ProxyPass ... balancer://...";
  }
  return suggestion(key, balance::member_parameter_keys());
}

void complain_about(Scope& scope, const Parameter& parameter, const std::string& sentence,
                    const ParameterWording& wording, std::string advice) {
  std::string text = wording.prefix + sentence;
  if (wording.target.empty()) {
    advice = "It is about '" + parameter.text() + "'. " + advice;
  } else {
    text += ' ' + parameter.text() + "; " + wording.target;
  }
  scope.complain(std::move(text), std::string(trim(advice)));
}

struct WithoutEffect {
  std::string_view key, why;
};

// Parameters that only some protocols have.
struct OfProtocols {
  std::string_view key;
  bool (*fits)(std::string_view scheme);
  std::string_view advice;
};

bool is_http1(std::string_view scheme) {
  return scheme.starts_with("http") || scheme.starts_with("ws");
}

// Its value is not shown: it may be a secret.
void warn_of_protocol(Scope& scope, std::string_view scheme, const Parameter& parameter) {
  static constexpr std::array keys{
      OfProtocols{"upgrade", is_http1,
                  "Only http://, https://, ws:// and wss:// members change the protocol."},
      OfProtocols{"secret", [](std::string_view of) { return of == "ajp"; },
                  "Only ajp:// members are told one."},
      OfProtocols{
          "ping",
          [](std::string_view of) { return is_http1(of) || of == "ajp" || of.starts_with("h2"); },
          "Only http://, ws://, h2c:// (with and without TLS) and ajp:// members are asked."},
  };
  for (const OfProtocols& each : keys) {
    if (!equals_ignoring_case(each.key, parameter.key) || scheme.empty() || each.fits(scheme))
      continue;
    scope.warn(std::string(each.key) + "= has no effect on " + std::string(scheme) + ":// members",
               std::string(each.advice) + " Leave it out.");
  }
}

// Parameters of members that are checked and then mean nothing here.
void note_effect(Scope& scope, const balance::MemberSpec& spec, const Parameter& parameter) {
  static constexpr std::array keys{
      WithoutEffect{"iobuffersize", "buffers belong to the event loop and have one size"},
      WithoutEffect{"min", "connections are made when they are needed"},
  };
  for (const WithoutEffect& each : keys) {
    if (!equals_ignoring_case(each.key, parameter.key)) continue;
    if (each.key == "iobuffersize" && spec.scheme == "ajp") continue;  // how large a packet is
    scope.note(parameter.text() + " has no effect: " + std::string(each.why));
  }
}

std::string advice_on_unknown_policy(std::string_view name) {
  std::vector<std::string_view> names;
  std::string listed;
  for (const balance::PolicyTraits& policy : balance::all_policies()) {
    names.push_back(policy.name);
    if (!listed.empty()) listed += ", ";
    listed += policy.name;
  }
  const std::string_view near = nearest(to_lower(name), names);
  if (!near.empty()) return "Did you mean " + std::string(near) + "?";
  return "lbmethod is one of " + listed + '.';
}

// httpd knows a policy of its own only once its module is loaded. Empty: nothing is wrong with it.
std::string advice_on_policy(const Reading& reading, std::string_view name) {
  const auto policy = balance::policy_named(name);
  if (!policy) return advice_on_unknown_policy(name);
  return is_loaded(reading, *policy) ? std::string() : "Add the line: " + load_line_of(*policy);
}

// The expression is compiled again for each generation; here its faults are found. False after a
// complaint.
bool check_hash_key(Scope& scope, const Parameter& parameter, const ParameterWording& wording) {
  const auto key = expr::StringExpression::compile(parameter.value);
  if (!key) {
    complain_about(scope, parameter, "Cannot parse hashkey expression: " + key.error().text,
                   wording, key.error().advice);
    return false;
  }
  if (parameter.value.empty() || !key->is_constant()) return true;
  complain_about(scope, parameter, "hashkey is the same for every request", wording,
                 "Write an expression such as %{REMOTE_ADDR} or %{req:X-User}.");
  return false;
}

// False after a complaint.
bool check_scheme(Scope& scope, std::string_view name, std::string_view prefix) {
  const balance::Scheme* const scheme = balance::scheme_named(name);
  const std::string protocol = std::string(prefix) + "members of protocol " + std::string(name);
  if (scheme != nullptr && scheme->is_spoken) {
    const std::string_view module = scheme->module;
    if (module.empty() || scope.reading.has_module(module)) return true;
    const std::string word(module.substr(0, module.size() - std::string_view("_module").size()));
    scope.complain(
        protocol + ":// need a module that is not loaded",
        "Add the line: LoadModule " + std::string(module) + " modules/mod_" + word + ".so");
    return false;
  }
  scope.complain(protocol + ":// are not supported", "Members are spoken to by " +
                                                         std::string(balance::spoken_schemes()) +
                                                         ", also behind unix:/SOCKET|.");
  return false;
}

// "http://h$1:$2/x": only a request tells where it leads, so host and port stay empty.
bool has_pattern_authority(std::string_view url) {
  const std::size_t begin = url.find("://");
  if (begin == url.npos) return false;
  const std::string_view authority =
      url.substr(begin + 3, std::min(url.find('/', begin + 3), url.size()) - begin - 3);
  const std::size_t dollar = authority.find('$');
  return dollar != url.npos && dollar + 1 < authority.size() && is_digit(authority[dollar + 1]);
}

void read_pattern_url(balance::MemberSpec& spec, std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  const std::size_t path = url.find('/', scheme_end + 3);
  spec.scheme = to_lower(url.substr(0, scheme_end));
  spec.name = balance::without_password(spec.scheme + std::string(url.substr(scheme_end)));
  if (path != url.npos) spec.path_prefix = url.substr(path);
}

// httpd: a relative path lies in the runtime directory.
void place_socket(const Scope& scope, std::string& path) {
  if (path.empty() || path.starts_with('/')) return;
  const std::string& directory = scope.config.runtime_dir;
  path = join_path(directory.empty() ? scope.reading.resolve_path("run") : directory, path);
}

void read_check_parameter(Scope& scope, balance::MemberSpec& spec, const Parameter& parameter,
                          const ParameterWording& wording) {
  const auto result = set_check_parameter(scope, spec.check, parameter.key, parameter.value);
  if (result) {
    if (!wording.prefix.starts_with("BalancerMember")) {
      scope.note(parameter.text() + " has no effect: only members of balancers are checked");
    }
    return;
  }
  complain_about(scope, parameter, result.error(), wording,
                 advice_on_check_parameter(scope, parameter.key, parameter.value));
}

constexpr std::string_view status_letters =
    "Behind + (set) or - (clear) stand letters: D disabled, S stopped, I ignores errors, H hot "
    "standby, R hot spare, E in error, N draining, C check failed.";

std::string advice_on_url(std::string_view url) {
  if (url.ends_with(',') || url.ends_with(';')) return "Leave out the mark at its end.";
  if (url.find("://") != url.npos || url.starts_with("unix:")) return {};
  const std::size_t slash = url.find('/');
  const bool has_host = slash != 0 && url.substr(0, slash).find('.') != url.npos;
  const bool has_port = !url.starts_with('/') && url.find(':') != url.npos;
  if (!has_host && !has_port) return "A URL begins with its scheme: http://HOST:PORT.";
  return "Write its scheme: http://" + std::string(url) + '.';
}

}  // namespace

bool Parameters::add(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == word.npos) return false;
  Parameter parameter{std::string(word.substr(0, equals)), std::string(word.substr(equals + 1))};
  const auto same = std::ranges::find_if(
      all_, [&](const Parameter& old) { return equals_ignoring_case(old.key, parameter.key); });
  if (same != all_.end()) {
    *same = std::move(parameter);
  } else {
    all_.push_back(std::move(parameter));
  }
  return true;
}

void set_parameters(Scope& scope, balance::BalancerSpec& spec, const Parameters& parameters,
                    const ParameterWording& wording) {
  for (const Parameter& parameter : parameters) {
    if (equals_ignoring_case(parameter.key, "lbmethod")) {
      std::string advice = advice_on_policy(scope.reading, parameter.value);
      if (!advice.empty()) {
        complain_about(scope, parameter, "unknown lbmethod", wording, std::move(advice));
        continue;
      }
    }
    if (equals_ignoring_case(parameter.key, "hashkey") &&
        !check_hash_key(scope, parameter, wording)) {
      continue;
    }
    const auto result = balance::set_balancer_parameter(spec, parameter.key, parameter.value);
    if (result) continue;
    const bool unknown = result.error() == balance::unknown_balancer_parameter;
    complain_about(scope, parameter, result.error(), wording,
                   unknown ? advice_on_balancer_key(parameter.key) : std::string());
  }
}

void set_parameters(Scope& scope, balance::MemberSpec& spec, const Parameters& parameters,
                    const ParameterWording& wording) {
  for (const Parameter& parameter : parameters) {
    if (balance::is_check_parameter(parameter.key)) {
      read_check_parameter(scope, spec, parameter, wording);
      continue;
    }
    const auto result = balance::set_member_parameter(spec, parameter.key, parameter.value);
    if (result) {
      note_effect(scope, spec, parameter);
      warn_of_protocol(scope, spec.scheme, parameter);
      continue;
    }
    const bool unknown = result.error() == balance::unknown_member_parameter;
    complain_about(scope, parameter, result.error(), wording,
                   unknown ? advice_on_member_key(parameter.key)
                   : equals_ignoring_case(parameter.key, "status") ? std::string(status_letters)
                                                                   : std::string());
  }
}

void check_parameters(Scope& scope, const Parameters& parameters, std::string_view prefix) {
  balance::MemberSpec forgotten;
  set_parameters(scope, forgotten, parameters, {std::string(prefix), {}});
}

void warn_of_ignored(Scope& scope, const Parameters& parameters, std::string_view worker) {
  for (const Parameter& parameter : parameters) {
    scope.warn("Ignoring parameter '" + parameter.text() + "' for worker '" + std::string(worker) +
                   "' because of worker sharing",
               "The first line whose URL begins the same way decides; write the longer URL first.");
  }
}

std::string without_equals(std::string_view word) {
  if (word.starts_with('#')) return "A comment has a line of its own: here # is text.";
  return "'" + std::string(word) + "' has no '='.";
}

bool read_backend_url(Scope& scope, balance::MemberSpec& spec, std::string_view url,
                      std::string_view prefix, UrlKind kind) {
  if (kind == UrlKind::pattern && has_pattern_authority(url)) {
    read_pattern_url(spec, url);
  } else if (const auto read = balance::parse_member_url(spec, url); !read) {
    scope.complain(std::string(prefix) + read.error(), advice_on_url(url));
    return false;
  }
  place_socket(scope, spec.unix_socket_path);
  return check_scheme(scope, spec.scheme, prefix);
}

std::string load_line_of(balance::Policy policy) {
  const std::string name(balance::policy_name(policy));
  return "LoadModule lbmethod_" + name + "_module modules/mod_lbmethod_" + name + ".so";
}

bool is_loaded(const Reading& reading, balance::Policy policy) {
  if (balance::traits_of(policy).origin == balance::PolicyOrigin::extension) return true;
  return reading.has_module("lbmethod_" + std::string(balance::policy_name(policy)) + "_module");
}

}  // namespace steelyard::apacheconf
