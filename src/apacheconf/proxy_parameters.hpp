#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apacheconf/scope.hpp"
#include "balance/spec.hpp"

// The key=value words of ProxyPass, BalancerMember, ProxySet and <Proxy> lines.

namespace steelyard::apacheconf {

struct Parameter {
  std::string key, value;
  std::string text() const { return key + '=' + value; }
};

// Advice about a word that is no parameter.
std::string without_equals(std::string_view word);

// In order; a key that comes again replaces the earlier one, whatever its case.
class Parameters {
 public:
  // False when the word has no '='.
  bool add(std::string_view word);
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  std::vector<Parameter> all_;
};

// How complaints about parameters read: "ProxyPass <sentence>", or with a target
// "ProxySet: <sentence> key=value; target".
struct ParameterWording {
  std::string prefix;
  std::string target;
};

void set_parameters(Scope& scope, balance::BalancerSpec& spec, const Parameters& parameters,
                    const ParameterWording& wording);
void set_parameters(Scope& scope, balance::MemberSpec& spec, const Parameters& parameters,
                    const ParameterWording& wording);
// For a line whose URL is wrong already.
void check_parameters(Scope& scope, const Parameters& parameters, std::string_view prefix);
// They say nothing because the URL belongs to a member or backend that exists already.
void warn_of_ignored(Scope& scope, const Parameters& parameters, std::string_view worker);

// Whether $1... in host or port stand for what a regex route found.
enum class UrlKind : std::uint8_t { plain, pattern };
// Fills the identity of `spec`. False after a complaint: not a URL, or a protocol that members
// cannot be spoken to in.
bool read_backend_url(Scope& scope, balance::MemberSpec& spec, std::string_view url,
                      std::string_view prefix, UrlKind kind = UrlKind::plain);
// "LoadModule lbmethod_bytraffic_module modules/mod_lbmethod_bytraffic.so"
std::string load_line_of(balance::Policy policy);
bool is_loaded(const Reading& reading, balance::Policy policy);

}  // namespace steelyard::apacheconf
