#include "proxy/rewriting.hpp"

#include <algorithm>

#include "balance/shown_url.hpp"
#include "base/text.hpp"
#include "config/alias_pattern.hpp"
#include "rewrite/engine.hpp"

namespace steelyard::proxy {

namespace {

using config::LogLevel;
using rewrite::Outcome;

constexpr std::string_view log_module = "rewrite";

class ExchangeSubject final : public rewrite::Subject {
 public:
  ExchangeSubject(Exchange& x, Shard::Core& core) : x_(x), core_(core) {}

  const expr::Facts& facts() const override { return x_; }
  std::string_view origin() override { return x_.origin(); }
  bool is_own_address(std::string_view host, std::uint16_t port) const override;
  std::optional<std::string_view> look_up(std::string_view name, std::string_view key) override;
  void set_text(std::string_view text) override { x_.rewritten.write().text = text; }
  void set_query(std::optional<std::string_view> query) override;
  std::optional<std::string_view> query() const override {
    return x_.has_query ? std::optional(x_.query) : std::nullopt;
  }
  void set_variable(std::string_view name, std::string_view value) override {
    x_.environment.set(name, value);
  }
  void unset_variable(std::string_view name) override { x_.environment.unset(name); }
  bool add_cookie(std::string_view name, std::string_view line) override;
  void vary_by(std::string_view names) override {
    core_.heed(x_, log_module, "a RewriteRule", {.vary = names});
  }
  bool traces(int level) const override { return core_.wants(x_, level_of(level), log_module); }
  void trace(int level, std::string_view text) override {
    // A line of it tells of one URL, perhaps a member's.
    core_.log(x_, level_of(level), log_module, balance::without_password(text));
  }
  void complain(std::string_view text) override {
    if (core_.wants(x_, LogLevel::error, log_module))
      core_.log(x_, LogLevel::error, log_module, text);
  }

 private:
  static LogLevel level_of(int level) {
    return static_cast<LogLevel>(static_cast<int>(LogLevel::trace1) + level - 1);
  }

  Exchange& x_;
  Shard::Core& core_;
};

bool ExchangeSubject::is_own_address(std::string_view host, std::uint16_t port) const {
  const config::Server& server = *x_.server;
  // httpd: a server whose port nobody wrote has none.
  if (port != server.name_port.value_or(0)) return false;
  const auto is_host = [host](std::string_view name) { return equals_ignoring_case(name, host); };
  return is_host(server.name) || std::ranges::any_of(server.aliases, is_host) ||
         std::ranges::any_of(server.wild_aliases, [host](const std::string& pattern) {
           return config::matches_alias(pattern, host);
         });
}

std::optional<std::string_view> ExchangeSubject::look_up(std::string_view name,
                                                         std::string_view key) {
  const auto& maps = x_.server->rewrite_maps;
  const rewrite::Map* const map = maps ? maps->find(name) : nullptr;
  if (map == nullptr) return std::nullopt;
  if (!map->has_file()) return rewrite::convert(map->kind, key, x_.arena);
  const expr::LocalFiles* const files = x_.local_files();
  if (files == nullptr) return std::nullopt;
  std::string_view fault;
  const auto value = core_.map_texts.find(map->path, key, *files, x_.arena, fault);
  if (!fault.empty()) {
    core_.log_seldom(
        x_, core_.failed_maps, LogLevel::error, log_module,
        x_.arena.join("RewriteMap ", name, ": ", std::string_view(map->path), " ", fault));
  }
  if (!value || map->kind == rewrite::Map::Kind::text) return value;
  return rewrite::pick_part(*value, core_.parts.random());
}

void ExchangeSubject::set_query(std::optional<std::string_view> query) {
  x_.has_query = query.has_value();
  if (!query) {
    x_.query = {};
  } else if (query->data() != x_.query.data() || query->size() != x_.query.size()) {
    x_.query = x_.arena.join("?", *query).substr(1);  // its '?' stands in front of it
  }
}

bool ExchangeSubject::add_cookie(std::string_view name, std::string_view line) {
  auto& cookies = x_.rewritten.write().cookies;
  if (std::ranges::any_of(cookies, [name](const auto& known) { return known.first == name; }))
    return false;
  cookies.emplace_back(name, line);
  return true;
}

Routing answer(int status, std::string_view location = {}) {
  Routing routing{Routing::Kind::answer, status, location, {}};
  routing.author = Routing::Author::rewriting;
  return routing;
}

// SCRIPT_URL and SCRIPT_URI: what the client asked for, whatever rules make of it.
void name_first_url(Exchange& x) {
  const auto before = x.environment.find("REDIRECT_SCRIPT_URL");
  const std::string_view path = before.value_or(x.path);
  x.environment.set("SCRIPT_URL", path);
  x.environment.set("SCRIPT_URI", x.arena.join(x.origin(), path));
}

Outcome run(Exchange& x, Shard::Core& core, const rewrite::RuleSet& rules, std::string_view text,
            bool in_section) {
  ExchangeSubject subject(x, core);
  const std::size_t text_bytes_max = 2 * x.server->client.limits.line_bytes_max;
  const rewrite::Scene scene{rules, text, in_section, text_bytes_max};
  const Outcome outcome = rewrite::run_rules(scene, subject, x.arena);
  if (outcome.ends) x.rewritten.write().ended = true;
  if (!outcome.handler.empty()) x.rewritten.write().handler = outcome.handler;
  return outcome;
}

// Most exchanges are touched by no rule: nothing is made for them.
void put_text(Exchange& x, std::string_view text) {
  if (!text.empty() || !x.rewritten->text.empty()) x.rewritten.write().text = text;
}

void proxy_to(Exchange& x, const Outcome& outcome) {
  const bool has_user = outcome.text.find('@') != std::string_view::npos;
  x.route = {.kind = config::RouteMatch::Kind::proxied,
             .url = has_user ? x.arena.copy(balance::without_password(outcome.text)) : outcome.text,
             .canonical = outcome.unescaped};
}

// What a section's rules see: the URL that the request is proxied to, or where httpd would look for
// a file.
std::string_view section_text(Exchange& x) {
  if (x.proxied) return x.arena.join("proxy:", x.route.url);
  const std::string_view path = x.rewritten->is_local ? x.rewritten->text : x.path;
  return x.arena.join(std::string_view(x.server->document_root), path);
}

// The path that a section's rules made, as clients would ask for it. Empty: it is none.
std::string_view path_for_client(Exchange& x, const rewrite::RuleSet& rules,
                                 std::string_view text) {
  std::string_view root = x.server->document_root;
  while (root.ends_with('/')) root.remove_suffix(1);
  if (!rules.base.empty() && text.starts_with(rules.directory)) {
    const std::string_view rest = text.substr(rules.directory.size());
    text = x.arena.join(std::string_view(rules.base), rules.base.ends_with('/') ? "" : "/", rest);
  } else if (!root.empty() && text.starts_with(root) && text.substr(root.size()).starts_with('/')) {
    text.remove_prefix(root.size());
  }
  return text.starts_with('/') ? text : std::string_view();
}

}  // namespace

std::optional<Routing> rewrite_path(Exchange& x, Shard::Core& core) {
  const rewrite::RuleSet& rules = *x.server->rewriting;
  name_first_url(x);
  if (rules.rules.empty()) return std::nullopt;
  const bool is_routed = x.route.kind == config::RouteMatch::Kind::proxied;
  const Outcome outcome =
      run(x, core, rules, is_routed ? x.arena.join("proxy:", x.route.url) : x.path, false);
  switch (outcome.kind) {
    case Outcome::Kind::status:
      return answer(outcome.status);
    case Outcome::Kind::redirect:
      return answer(outcome.status, outcome.text);
    case Outcome::Kind::proxy:
      proxy_to(x, outcome);
      return std::nullopt;
    case Outcome::Kind::path:
      x.rewritten.write().is_local = true;
      x.route = {.kind = config::RouteMatch::Kind::excluded};
      return std::nullopt;
    case Outcome::Kind::pass:
      if (!outcome.text.starts_with('/')) return answer(400);
      x.path = outcome.text;
      x.route = {};
      break;
    case Outcome::Kind::nothing:
      break;
  }
  put_text(x, {});
  return std::nullopt;
}

SectionRewriting rewrite_in_sections(Exchange& x, Shard::Core& core) {
  const rewrite::RuleSet& rules = *x.settings->rewriting;
  if (!rules.is_on() || rules.rules.empty() || x.rewritten->ended) return {};
  const std::string_view first = section_text(x);
  const std::string_view before = x.rewritten->text;
  const Outcome outcome = run(x, core, rules, first, true);
  put_text(x, before);
  SectionRewriting result;
  switch (outcome.kind) {
    case Outcome::Kind::status:
      result.answer = answer(outcome.status);
      break;
    case Outcome::Kind::redirect:
      result.answer = answer(outcome.status, outcome.text);
      break;
    case Outcome::Kind::proxy:
      proxy_to(x, outcome);
      x.backend_url = {};
      x.proxied = result.proxies = true;
      break;
    case Outcome::Kind::path:
    case Outcome::Kind::pass: {
      if (outcome.text == first) break;
      const std::string_view path = path_for_client(x, rules, outcome.text);
      if (path.empty()) {
        result.answer = answer(400);
        break;
      }
      // httpd: it is decoded once more there.
      result.elsewhere = x.arena.join(path, x.has_query ? "?" : "", x.query);
      break;
    }
    case Outcome::Kind::nothing:
      break;
  }
  return result;
}

config::Responder responder_named(std::string_view handler) {
  using config::Responder;
  for (const Responder known : {Responder::heartbeat, Responder::balancer_manager,
                                Responder::server_status, Responder::metrics, Responder::api}) {
    if (config::handler_name(known) == handler) return known;
  }
  return Responder::none;
}

}  // namespace steelyard::proxy
