#include "apacheconf/contested_lines.hpp"

#include <algorithm>
#include <array>

#include "apacheconf/tables.hpp"
#include "apacheconf/words.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using Weight = ContestedLines::Weight;

constexpr std::size_t names_max = 8;

constexpr auto of_variables = std::to_array<std::string_view>({"Define", "UnDefine"});

bool is_among(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::any_of(
      names, [&](std::string_view each) { return equals_ignoring_case(each, name); });
}

std::string first_word(std::string_view argument) {
  std::string word;
  take_word(argument, word);
  return word;
}

// Whether they count decides who is let in, where a request goes or whether it is taken at all.
bool is_decisive(std::string_view name, std::string_view first) {
  static constexpr auto access = std::to_array<std::string_view>({
      "Require",
      "<RequireAll",
      "<RequireAny",
      "<RequireNone",
      "Order",
      "Allow",
      "Deny",
      "Satisfy",
      "AllowMethods",
      "SSLRequire",
      "SSLRequireSSL",
      "SSLVerifyClient",
      "SecRule",
      "SecAction",
      "ProxyBlock",
      "AllowCONNECT",
      "NoProxy",
      "RemoteIPHeader",
      "RemoteIPInternalProxy",
      "RemoteIPInternalProxyList",
      "RemoteIPTrustedProxy",
      "RemoteIPTrustedProxyList",
  });
  static constexpr auto ways = std::to_array<std::string_view>({
      "RewriteRule",     "RewriteCond",   "RewriteMap",       "ProxyPass",         "ProxyPassMatch",
      "BalancerMember",  "ProxyRemote",   "ProxyRemoteMatch", "JkMount",           "JkMountFile",
      "Redirect",        "RedirectMatch", "RedirectTemp",     "RedirectPermanent", "<VirtualHost",
      "Listen",          "ServerName",    "ServerAlias",      "ServerPath",        "Include",
      "IncludeOptional", "Use",
  });
  static constexpr auto unless_off = std::to_array<std::string_view>({
      "SSLEngine",
      "SSLProxyEngine",
      "SecRuleEngine",
      "AuthType",
      "ProxyRequests",
      "RemoteIPProxyProtocol",
  });
  if (is_among(name, access) || is_among(name, ways)) return true;
  if (starts_with_ignoring_case(name, "RPAF")) return true;  // whose address counts
  if (equals_ignoring_case(name, "SetHandler")) return starts_with_ignoring_case(first, "proxy:");
  const bool is_off = equals_ignoring_case(first, "off") || equals_ignoring_case(first, "none");
  if (is_among(name, unless_off)) return !is_off;
  return starts_with_ignoring_case(name, "Auth") && !is_off;
}

// httpd acts on them while it reads, whatever section they stand in.
bool holds_everywhere(std::string_view name) {
  return is_among(name, of_variables) || equals_ignoring_case(name, "LoadModule");
}

Weight weigh(std::string_view name, std::string_view first) {
  if (is_decisive(name, first)) return Weight::decisive;
  const Directive* const directive = find_directive(name);
  if (name.starts_with('<')) return Weight::nothing;  // what counts is what stands inside
  const bool does_nothing =
      directive != nullptr && directive->support == Support::accepted_with_note;
  return does_nothing ? Weight::without_effect : Weight::noticeable;
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_max); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > names_max ? text + ", ..." : text;
}

}  // namespace

bool covers_files(std::string_view tag) {
  static constexpr auto sections =
      std::to_array<std::string_view>({"Directory", "DirectoryMatch", "Files", "FilesMatch"});
  return is_among(tag, sections);
}

void ContestedLines::add(std::string_view name, std::string_view argument, Place place) {
  if (place == Place::files && !holds_everywhere(name)) return;
  std::string first = first_word(argument);
  const Weight weight = weigh(name, first);
  if (is_among(name, of_variables) && std::ranges::find(variables_, first) == variables_.end()) {
    variables_.push_back(std::move(first));
  }
  if (weight < weight_ || weight == Weight::nothing) return;
  if (weight > weight_) names_.clear();
  weight_ = weight;
  std::string shown(name.substr(name.starts_with('<') ? 1 : 0));
  if (equals_ignoring_case(name, "Listen")) shown.append(" ").append(argument);
  const bool is_new = std::ranges::none_of(
      names_, [&](const std::string& each) { return equals_ignoring_case(each, shown); });
  if (is_new) names_.push_back(std::move(shown));
}

std::string ContestedLines::names() const { return join(names_); }

std::string ContestedLines::variables() const { return join(variables_); }

}  // namespace steelyard::apacheconf
