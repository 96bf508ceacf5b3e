#include "manage/manager_form.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "http/percent.hpp"

namespace steelyard::manage {

namespace {

constexpr std::array<std::string_view, 4> selecting{"w", "b", "nonce", "xml"};

}  // namespace

std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return {};
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

std::string percent_decoded(std::string_view text) {
  std::string decoded = http::percent_decoded(text);
  decoded.resize(std::min(decoded.find('\0'), decoded.size()));
  return decoded;
}

ManagerForm ManagerForm::read(const proxy::DeskQuestion& question) {
  ManagerForm form;
  if (question.method == http::Method::post) {
    form.take(question.body, Kept::all);
  } else if (question.query) {
    form.take(*question.query, Kept::what_selects);
  }
  return form;
}

void ManagerForm::take(std::string_view text, Kept kept) {
  for (const std::string_view piece : split(text, '&')) {
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    std::string name = percent_decoded(piece.substr(0, equals));
    const bool selects = std::ranges::find(selecting, name) != selecting.end();
    if (kept == Kept::what_selects && !selects) continue;
    const std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    values_.insert_or_assign(std::move(name), percent_decoded(percent_decoded(value)));
  }
}

const std::string* ManagerForm::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found != values_.end() ? &found->second : nullptr;
}

std::string foreign_source(const proxy::DeskQuestion& question) {
  std::string_view asked = question.public_name;
  if (asked.starts_with('[') && asked.ends_with(']')) asked = asked.substr(1, asked.size() - 2);
  const auto is_asked = [&](std::string_view url) {
    return equals_ignoring_case(host_of(url), asked);
  };
  const std::string* const referer = question.field("Referer");
  if (referer == nullptr) return "it has no Referer";
  if (!is_asked(*referer)) return "its Referer is " + quoted(*referer);
  if (question.method != http::Method::post) return {};
  if (const std::string* const origin = question.field("Origin"); origin && !is_asked(*origin))
    return "its Origin is " + quoted(*origin);
  const std::string* const site = question.field("Sec-Fetch-Site");
  if (site && equals_ignoring_case(*site, "cross-site")) return "its Sec-Fetch-Site is cross-site";
  return {};
}

}  // namespace steelyard::manage
