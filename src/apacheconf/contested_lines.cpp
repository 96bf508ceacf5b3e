#include "apacheconf/contested_lines.hpp"

#include <algorithm>
#include <array>

#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using Weight = ContestedLines::Weight;

constexpr std::size_t names_max = 8;

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(
      names, [&](std::string_view each) { return equals_ignoring_case(each, name); });
}

// Whether they count decides who is let in, where a request goes or whether it is taken at all.
bool is_decisive(std::string_view name, std::string_view argument) {
  static constexpr auto always = std::to_array<std::string_view>({
      "Require",      "<RequireAll",   "<RequireAny",    "<RequireNone",
      "Order",        "Allow",         "Deny",           "Satisfy",
      "AllowMethods", "SSLRequire",    "SSLRequireSSL",  "SSLVerifyClient",
      "SecRule",      "SecAction",     "RewriteRule",    "RewriteCond",
      "RewriteMap",   "ProxyPass",     "ProxyPassMatch", "BalancerMember",
      "Redirect",     "RedirectMatch", "RedirectTemp",   "RedirectPermanent",
      "<VirtualHost", "Listen",        "Include",        "IncludeOptional",
      "Use",
  });
  static constexpr auto unless_off =
      std::to_array<std::string_view>({"SSLEngine", "SSLProxyEngine", "SecRuleEngine", "AuthType"});
  if (is_among(name, always)) return true;
  const bool is_off =
      equals_ignoring_case(argument, "off") || equals_ignoring_case(argument, "none");
  if (is_among(name, unless_off)) return !is_off;
  return starts_with_ignoring_case(name, "Auth") && !is_off;
}

Weight weigh(std::string_view name, std::string_view argument) {
  if (is_decisive(name, argument)) return Weight::decisive;
  const Directive* const directive = find_directive(name);
  if (name.starts_with('<')) return Weight::nothing;  // what counts is what stands inside
  const bool does_nothing =
      directive != nullptr && directive->support == Support::accepted_with_note;
  return does_nothing ? Weight::without_effect : Weight::noticeable;
}

}  // namespace

void ContestedLines::add(std::string_view name, std::string_view argument) {
  const Weight weight = weigh(name, argument);
  if (weight < weight_ || weight == Weight::nothing) return;
  if (weight > weight_) names_.clear();
  weight_ = weight;
  std::string shown(name.substr(name.starts_with('<') ? 1 : 0));
  if (equals_ignoring_case(name, "Listen")) shown.append(" ").append(argument);
  const bool is_new = std::ranges::none_of(
      names_, [&](const std::string& each) { return equals_ignoring_case(each, shown); });
  if (is_new) names_.push_back(std::move(shown));
}

std::string ContestedLines::names() const {
  std::string text;
  for (std::size_t i = 0; i < std::min(names_.size(), names_max); ++i) {
    text += (i == 0 ? "" : ", ") + names_[i];
  }
  return names_.size() > names_max ? text + ", ..." : text;
}

}  // namespace steelyard::apacheconf
