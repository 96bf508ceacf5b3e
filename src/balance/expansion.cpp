#include "balance/expansion.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "balance/parameters.hpp"

namespace steelyard::balance {

namespace {

constexpr std::size_t tag_length_max = 63;  // as route= itself
constexpr std::string_view tag_of_address = "%a-%p";
constexpr std::string_view tag_of_service = "%h-%p";

std::string without_separators(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '.' || c == ':'; }, '-');
  return text;
}

std::string make_tag(std::string_view pattern, const MemberSpec& member) {
  std::string tag;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      tag += pattern[i];
      continue;
    }
    const char what = pattern[++i];
    if (what == 'a' && member.address) tag += without_separators(member.address->text());
    if (what == 'a' && !member.address) tag += without_separators(member.host);
    if (what == 'h') tag += member.host.substr(0, member.host.find('.'));
    if (what == 'p') tag += std::to_string(member.port);
    if (what == '%') tag += '%';
  }
  tag.resize(std::min(tag.size(), tag_length_max));
  return tag;
}

void place_addresses(const MemberSpec& configured, std::vector<IpAddress> addresses,
                     std::vector<MemberSpec>& members) {
  std::ranges::sort(addresses);
  const auto twins = std::ranges::unique(addresses);
  addresses.erase(twins.begin(), twins.end());
  if (addresses.size() > members_of_name_max) addresses.resize(members_of_name_max);
  for (const IpAddress& address : addresses) {
    MemberSpec member = configured;
    member.meaning = NameMeaning::one_member;
    member.address = address;
    member.name = member_url(member, address.text());
    member.tag = make_tag(configured.tag.empty() ? tag_of_address : configured.tag, member);
    members.push_back(std::move(member));
  }
}

// RFC 2782: the lowest priority first, and by weight among equals; loadfactor has two decimals
// from 0.01 to 100 of httpd's unit, weights have 16 bits.
int load_factor_of(const Service& service, int heaviest) {
  constexpr int most = 100 * load_factor_unit;
  if (heaviest <= 100) return std::max<int>(service.weight, 1) * load_factor_unit;
  return std::max(service.weight * most / heaviest, 1);
}

void place_services(const MemberSpec& configured, std::vector<Service> services,
                    std::vector<MemberSpec>& members) {
  // Another weight is no reason to stand elsewhere.
  std::ranges::sort(services, {}, [](const Service& service) {
    return std::tie(service.priority, service.host, service.port);
  });
  if (services.size() > members_of_name_max) services.resize(members_of_name_max);
  std::map<std::uint16_t, int> heaviest;  // by priority
  for (const Service& service : services) {
    int& most = heaviest[service.priority];
    most = std::max<int>(most, service.weight);
  }
  for (const Service& service : services) {
    MemberSpec member = configured;
    member.meaning = NameMeaning::one_member;
    member.host = service.host;
    member.port = service.port;
    member.name = member_url(member, service.host);
    const auto set = std::distance(heaviest.begin(), heaviest.find(service.priority));
    member.lbset = static_cast<int>(std::min<std::ptrdiff_t>(configured.lbset + set, lbset_max));
    member.load_factor = load_factor_of(service, heaviest[service.priority]);
    member.tag = make_tag(configured.tag.empty() ? tag_of_service : configured.tag, member);
    members.push_back(std::move(member));
  }
}

}  // namespace

std::shared_ptr<const BalancerSpec> expand(const std::shared_ptr<const BalancerSpec>& configured,
                                           const NameAnswers& answers) {
  const auto stands_for_one = [](const MemberSpec& member) {
    return member.meaning == NameMeaning::one_member;
  };
  if (std::ranges::all_of(configured->members, stands_for_one)) return configured;
  auto expanded = std::make_shared<BalancerSpec>(*configured);
  expanded->members.clear();
  for (const MemberSpec& member : configured->members) {
    const auto answer = answers.find({member.meaning, member.host});
    if (stands_for_one(member)) {
      expanded->members.push_back(member);
    } else if (answer == answers.end()) {
      expanded->members.push_back(member);
      MemberSpec& waiting = expanded->members.back();
      waiting.status = waiting.status.with(Flag::nameless);
    } else if (member.meaning == NameMeaning::addresses) {
      place_addresses(member, answer->second.addresses, expanded->members);
    } else {
      place_services(member, answer->second.services, expanded->members);
    }
  }
  return expanded;
}

void forget_unasked(NameAnswers& answers, const BalancerSpec& configured) {
  std::set<std::pair<NameMeaning, std::string>> asked;
  for (const MemberSpec& member : configured.members) asked.emplace(member.meaning, member.host);
  std::erase_if(answers, [&](const auto& entry) { return !asked.contains(entry.first); });
}

bool is_tag_pattern(std::string_view text) {
  bool varies = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (++i == text.size()) return false;
    const char what = text[i];
    if (what != 'a' && what != 'h' && what != 'p' && what != '%') return false;
    varies = varies || what != '%';
  }
  return varies;
}

}  // namespace steelyard::balance
