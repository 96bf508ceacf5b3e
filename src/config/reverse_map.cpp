#include "config/reverse_map.hpp"

#include <array>
#include <vector>

#include "base/text.hpp"
#include "config/interpolate.hpp"
#include "config/target.hpp"
#include "http/cookie.hpp"

namespace steelyard::config {

namespace {

struct Texts {
  std::string_view internal;
  std::string_view external;
};

Texts texts_of(const ReverseMap& map, const expr::Environment* environment, Arena& arena) {
  if (!map.interpolate || environment == nullptr) return {map.internal, map.external};
  return {interpolate(map.internal, *environment, arena),
          interpolate(map.external, *environment, arena)};
}

// httpd: anything that begins with a scheme and a colon.
bool is_url(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') return i > 0;
    if (!is_alnum(c) && c != '+' && c != '-' && c != '.') return false;
  }
  return false;
}

std::string_view make_absolute(std::string_view mapped, std::string_view origin, Arena& arena) {
  return is_url(mapped) ? mapped : arena.join(origin, mapped);
}

// A target that is a path compares with the path of the value.
std::string_view path_of(std::string_view value) {
  const std::size_t scheme_end = value.find("://");
  if (scheme_end == value.npos) return value;
  const std::size_t path = value.find('/', scheme_end + 3);
  return path == value.npos ? value : value.substr(path);
}

// The value as the client shall see it, empty when the entry does not fit.
std::string_view map_plain(const Texts& texts, std::string_view value, Arena& arena) {
  if (texts.internal.empty()) return {};
  const std::string_view compared = texts.internal.front() == '/' ? path_of(value) : value;
  if (!starts_with_ignoring_case(compared, texts.internal)) return {};
  return arena.join(texts.external, compared.substr(texts.internal.size()));
}

// balancer://x/p stands for every member's URL followed by /p.
std::string_view map_member(const Texts& texts, std::string_view member_url, std::string_view value,
                            Arena& arena) {
  const std::size_t path_begin = texts.internal.find('/', std::string_view("balancer://").size());
  std::string_view path =
      path_begin == texts.internal.npos ? std::string_view() : texts.internal.substr(path_begin);
  if (path == "/") path = {};
  if (!path.empty() && member_url.ends_with('/')) member_url.remove_suffix(1);
  if (!starts_with_ignoring_case(value, member_url)) return {};
  std::string_view rest = value.substr(member_url.size());
  if (!rest.starts_with(path)) return {};
  rest.remove_prefix(path.size());
  // "/" and "/x" shall not become "//x".
  const bool would_double = path.empty() && texts.external == "/" && rest.starts_with('/');
  return would_double ? rest : arena.join(texts.external, rest);
}

std::string_view map_entry(const ReverseContext& context, const Texts& texts,
                           std::string_view value, Arena& arena) {
  const auto number = starts_with_ignoring_case(texts.internal, "balancer://")
                          ? find_balancer(context.server, texts.internal)
                          : std::nullopt;
  if (!number) return map_plain(texts, value, arena);
  for (const balance::MemberSpec& member : context.server.balancers[*number]->members) {
    const std::string_view mapped = map_member(texts, member.name, value, arena);
    if (!mapped.empty()) return mapped;
  }
  return {};
}

// The cookie maps as http/cookie.hpp wants them. Few; more than fit cost an allocation.
class CookieMappings {
 public:
  CookieMappings(const std::vector<ReverseMap>& maps, const expr::Environment* environment,
                 Arena& arena) {
    if (maps.size() > few_.size()) many_.resize(maps.size());
    http::CookieMapping* next = many_.empty() ? few_.data() : many_.data();
    view_ = {next, maps.size()};
    for (const ReverseMap& map : maps) {
      const Texts texts = texts_of(map, environment, arena);
      *next++ = {texts.internal, texts.external};
    }
  }
  CookieMappings(const CookieMappings&) = delete;
  CookieMappings& operator=(const CookieMappings&) = delete;

  std::span<const http::CookieMapping> view() const { return view_; }

 private:
  std::array<http::CookieMapping, 16> few_;
  std::vector<http::CookieMapping> many_;
  std::span<const http::CookieMapping> view_;
};

}  // namespace

std::string_view map_response_url(const ReverseContext& context, std::string_view value,
                                  Arena& arena) {
  for (const ReverseMap& map : context.settings.reverse_urls) {
    const Texts texts = texts_of(map, context.environment, arena);
    const std::string_view mapped = map_entry(context, texts, value, arena);
    if (!mapped.empty()) return make_absolute(mapped, context.origin, arena);
  }
  return value;
}

std::string_view map_set_cookie(const ReverseContext& context, std::string_view value,
                                Arena& arena) {
  const PathSettings& settings = context.settings;
  if (settings.reverse_cookie_paths.empty() && settings.reverse_cookie_domains.empty()) {
    return value;
  }
  const CookieMappings paths(settings.reverse_cookie_paths, context.environment, arena);
  const CookieMappings domains(settings.reverse_cookie_domains, context.environment, arena);
  return http::rewrite_set_cookie(value, paths.view(), domains.view(), arena);
}

}  // namespace steelyard::config
