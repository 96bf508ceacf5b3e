#include "rewrite/engine.hpp"

#include <compare>
#include <string>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/syntax.hpp"
#include "rewrite/asking.hpp"
#include "rewrite/cookie.hpp"
#include "rewrite/expansion.hpp"

namespace steelyard::rewrite {

namespace {

constexpr std::string_view proxy_prefix = "proxy:";

// httpd: several slashes in front are one, unless the substitution is written with them.
std::string_view with_one_slash(std::string_view text, const Rule& rule) {
  if (rule.keeps_slashes || rule.substitution.text().starts_with("//")) return text;
  while (text.starts_with("//")) text.remove_prefix(1);
  return text;
}

class Run {
 public:
  Run(const Scene& scene, Subject& subject, Arena& arena)
      : scene_(scene),
        subject_(subject),
        arena_(arena),
        fill_(subject, arena, run_bytes_max),
        first_query_(subject.query()) {
    fill_.is_traced = subject.traces(1);
    set_text(scene.text);
  }

  Outcome go();

 private:
  enum class Verdict : std::uint8_t { no_match, matched, changed, over };

  std::string_view asked_text() const;
  void set_text(std::string_view text);
  bool conditions_hold(const Rule& rule);
  Verdict apply(const Rule& rule);
  Verdict substitute(const Rule& rule);
  Verdict end_with(int status, std::string_view why);
  void set_variables(const Rule& rule);
  bool set_cookies(const Rule& rule);
  void split_query(const Rule& rule);
  std::string_view qualified(std::string_view text);
  void reduce_own_url();
  bool follow(const Rule& rule, std::size_t& next);
  Outcome finish();
  std::string_view location();

  template <class... Parts>
  void trace(int level, Parts... parts) {
    if (fill_.is_traced && subject_.traces(level)) subject_.trace(level, arena_.join(parts...));
  }

  const Scene& scene_;
  Subject& subject_;
  Arena& arena_;
  Expansion fill_;
  std::optional<std::string_view> first_query_;
  std::string_view text_, handler_;
  bool changed_ = false, proxies_ = false, passes_ = false, unescaped_ = false, ends_ = false;
  int redirect_status_ = 0;  // of the last rule that made a redirect
  int status_ = 0;           // the answer, once a rule gave it
  std::uint32_t rounds_ = 0;
};

void Run::set_text(std::string_view text) {
  text_ = text;
  fill_.text = text;
  subject_.set_text(text);
}

// A proxied URL is seen whole, a path without its section's.
std::string_view Run::asked_text() const {
  const std::string& directory = scene_.rules.directory;
  const bool is_below =
      scene_.in_section && !text_.starts_with(proxy_prefix) && text_.starts_with(directory);
  return is_below ? text_.substr(directory.size()) : text_;
}

// httpd: of conditions joined by [OR] the last one decides only when it is not joined further; a
// chain of them that ends with the list is no obstacle.
bool Run::conditions_hold(const Rule& rule) {
  const auto& conditions = rule.conditions;
  std::string_view vary;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    fill_.set_vary(vary);
    const bool holds = condition_holds(conditions[i], fill_, subject_, arena_);
    if (conditions[i].or_next) {
      if (!holds) continue;
      while (i < conditions.size() && conditions[i].or_next) ++i;
    } else if (!holds) {
      return false;
    }
    vary = fill_.vary();
  }
  fill_.set_vary(vary);
  return true;
}

Run::Verdict Run::end_with(int status, std::string_view why) {
  status_ = status;
  subject_.complain(why);
  return Verdict::over;
}

void Run::set_variables(const Rule& rule) {
  for (const Template& source : rule.variables) {
    const std::string_view text = fill_.fill(source);
    if (text.starts_with('!')) {
      subject_.unset_variable(text.substr(1));
      trace(5, "variable ", text.substr(1), " is unset");
      continue;
    }
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view name = text.substr(0, colon);
    const std::string_view value = text.substr(std::min(colon + 1, text.size()));
    if (name.empty()) continue;
    subject_.set_variable(name, value);
    trace(5, "variable ", name, " is '", value, "'");
  }
}

// False when one holds bytes that no field can.
bool Run::set_cookies(const Rule& rule) {
  for (const Template& source : rule.cookies) {
    const auto cookie = make_cookie(fill_.fill(source), subject_.facts().now(), arena_);
    if (!cookie) continue;
    if (http::first_control(cookie->line) != cookie->line.size()) return false;
    const bool is_new = subject_.add_cookie(cookie->name, cookie->line);
    trace(5, is_new ? "cookie '" : "there is a cookie of that name already: '", cookie->line, "'");
  }
  return true;
}

Run::Verdict Run::apply(const Rule& rule) {
  const std::string_view asked = asked_text();
  trace(3, "pattern '", rule.negated ? "!" : "", rule.written, "' is asked about '", asked, "'");
  RegexMatch match;
  if (rule.regex->search(asked, match) == rule.negated) return Verdict::no_match;
  fill_.rule_groups = rule.negated ? RegexMatch() : match;
  fill_.condition_groups = RegexMatch();
  fill_.set_vary({});
  const bool hold = conditions_hold(rule);
  // Conditions that were asked about half a text say nothing, and the rule may be a guard.
  if (fill_.is_exhausted()) return end_with(500, "rules make more text than one request may");
  if (!hold) return Verdict::no_match;
  std::string_view replaced;
  if (!rule.keeps_text) {
    replaced = fill_.fill(rule.substitution, &rule.escaping);
    trace(2, "'", asked, "' becomes '", replaced, "'");
  }
  const bool is_unsafe = !rule.keeps_text && fill_.has_foreign_question_mark();
  set_variables(rule);
  if (!set_cookies(rule)) return end_with(500, "a cookie holds bytes that no field can");
  if (!fill_.vary().empty()) subject_.vary_by(fill_.vary());
  if (!rule.handler.empty()) handler_ = rule.handler;
  if (fill_.is_exhausted()) return end_with(500, "rules make more text than one request may");
  if (rule.keeps_text) {
    if (!rule.answers) return Verdict::matched;
    status_ = rule.status;
    trace(2, "the answer is ", arena_.decimal(static_cast<std::uint64_t>(status_)));
    return Verdict::over;
  }
  if (is_unsafe && !rule.allows_question_mark)
    return end_with(403, "AH10508: Unsafe URL with %3f URL rewritten without UnsafeAllow3F");
  set_text(with_one_slash(replaced, rule));
  return substitute(rule);
}

// The text is what the substitution made.
Run::Verdict Run::substitute(const Rule& rule) {
  const bool is_relative = !text_.starts_with('/') && scheme_bytes(text_) == 0;
  if (scene_.in_section && is_relative && !scene_.text.starts_with(proxy_prefix))
    set_text(arena_.join(std::string_view(scene_.rules.directory), text_));
  split_query(rule);
  if (text_.size() > scene_.text_bytes_max)
    return end_with(500, "a rule makes a path that is too long");
  changed_ = true;
  unescaped_ = rule.unescaped;
  if (rule.proxies) {
    set_text(qualified(text_));
    proxies_ = true;
    trace(2, "it is proxied to ", text_);
    return Verdict::changed;
  }
  if (rule.redirects) {
    set_text(qualified(text_));
  } else {
    reduce_own_url();
  }
  if (scheme_bytes(text_) != 0) {
    redirect_status_ = rule.status;
    trace(2, "it is a redirect to ", text_);
  }
  return Verdict::changed;
}

void Run::split_query(const Rule& rule) {
  if (!may_have_query(text_)) {
    subject_.set_query(std::nullopt);
    return;
  }
  if (rule.drops_query) subject_.set_query(std::nullopt);
  const std::size_t mark = rule.splits_at_last ? text_.rfind('?') : text_.find('?');
  if (mark == std::string_view::npos) return;
  std::string_view query = text_.substr(mark + 1);
  set_text(text_.substr(0, mark));
  if (rule.adds_query) {
    const auto before = subject_.query();
    if (query.empty()) {
      query = before.value_or(std::string_view());
    } else {
      query = arena_.join(query, "&", before.value_or(std::string_view()));
    }
  }
  if (query.ends_with('&')) query.remove_suffix(1);
  subject_.set_query(query.empty() ? std::nullopt : std::optional(query));
  trace(3, "the path is '", text_, "', the query '", query, "'");
}

std::string_view Run::qualified(std::string_view text) {
  if (scheme_bytes(text) != 0) return text;
  return arena_.join(subject_.origin(), text.starts_with('/') ? "" : "/", text);
}

// A URL of the virtual host itself is a path.
void Run::reduce_own_url() {
  const auto url = split_http_url(text_);
  if (!url || !subject_.is_own_address(url->host, url->port)) return;
  trace(3, text_, " is here, so it is the path ", url->path);
  set_text(url->path);
}

// What comes after a rule that matched. False: nothing does. `next`: the number of the next rule.
bool Run::follow(const Rule& rule, std::size_t& next) {
  if (rule.passes_through) {  // httpd: [END] does not count beside it
    passes_ = true;
    return false;
  }
  if (rule.ends) ends_ = true;
  if (rule.ends || rule.last || rule.proxies) return false;
  if (rule.next_round) {
    if (++rounds_ >= rule.rounds_max) {
      end_with(500, "AH02596: the rules began anew too often ([N])");
      return false;
    }
    next = 0;
    return true;
  }
  next += rule.skips;
  return true;
}

Outcome Run::go() {
  const auto& rules = scene_.rules.rules;
  std::size_t next = 0;
  while (next < rules.size()) {
    const Rule& rule = *rules[next++];
    switch (apply(rule)) {
      case Verdict::no_match:
        // The rest of its chain does not count either.
        if (rule.chained) {
          while (next < rules.size() && rules[next]->chained) ++next;
          ++next;
        }
        continue;
      case Verdict::over:
        if (rule.ends) ends_ = true;
        return finish();
      case Verdict::matched:
      case Verdict::changed:
        if (!follow(rule, next)) return finish();
    }
  }
  return finish();
}

std::string_view Run::location() {
  const auto query = subject_.query();
  const std::string_view url = unescaped_ ? text_ : escape_url(text_, arena_);
  if (!query) return url;
  // httpd: a query that rules left alone is escaped already.
  const bool is_kept = unescaped_ || query == first_query_;
  return arena_.join(url, "?", is_kept ? *query : escape_path(*query, arena_));
}

Outcome Run::finish() {
  Outcome outcome{.handler = handler_};
  outcome.ends = ends_;
  outcome.unescaped = unescaped_;
  if (status_ != 0) {
    outcome.kind = Outcome::Kind::status;
    outcome.status = status_;
    return outcome;
  }
  if (!changed_) return outcome;
  outcome.text = text_;
  if (proxies_) {
    outcome.kind = Outcome::Kind::proxy;
  } else if (passes_ && !scene_.in_section) {
    outcome.kind = Outcome::Kind::pass;
  } else if (scheme_bytes(text_) != 0) {
    outcome.kind = Outcome::Kind::redirect;
    outcome.status = redirect_status_ == 0 ? 302 : redirect_status_;
    outcome.text = location();
    trace(1, "redirect to ", outcome.text);
    return outcome;
  } else {
    outcome.kind = Outcome::Kind::path;
  }
  const std::string_view query = subject_.query().value_or(std::string_view());
  if (http::first_blank_or_control(query) != query.size()) {
    subject_.complain("AH10410: Rewritten query string contains control characters or spaces");
    return Outcome{.kind = Outcome::Kind::status, .status = 403};
  }
  trace(1, "the result is ", text_);
  return outcome;
}

}  // namespace

Outcome run_rules(const Scene& scene, Subject& subject, Arena& arena) {
  return Run(scene, subject, arena).go();
}

}  // namespace steelyard::rewrite
