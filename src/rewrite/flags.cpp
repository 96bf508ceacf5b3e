#include "rewrite/flags.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"
#include "http/status.hpp"

namespace steelyard::rewrite {

namespace {

using Wrong = std::optional<expr::Complaint>;

struct Flag {
  std::string_view name, value;
};

expr::Complaint unknown_flag(std::string_view name) {
  return {"unknown flag '" + std::string(name) + "'", {}};
}

// Calls `each` with every flag until one is wrong.
template <class Each>
Wrong for_each_flag(std::string_view text, Each each) {
  if (text.empty()) return std::nullopt;
  if (text.size() < 2 || !text.starts_with('[') || !text.ends_with(']')) {
    return expr::Complaint{"bad flag delimiters",
                           "Flags are the third word, in brackets and without blanks: [L,R=301]. "
                           "Put words with blanks in quotes."};
  }
  for (const std::string_view item : split(text.substr(1, text.size() - 2), ',')) {
    const std::string_view trimmed = trim(item);
    const std::size_t equals = trimmed.find('=');
    Flag flag{trimmed.substr(0, equals), {}};
    if (equals != std::string_view::npos) flag.value = trimmed.substr(equals + 1);
    if (Wrong wrong = each(flag)) return wrong;
  }
  return std::nullopt;
}

std::uint32_t small_number(std::string_view text) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(parse_lax(text), 0, 1'000'000));
}

// What a flag of a rule is given to.
struct Context {
  Rule& rule;
  bool& ignores_case;
  std::vector<std::string>& remarks;
};

using Setter = Wrong (*)(Context&, const Flag&);

template <bool Rule::* field>
Wrong turn_on(Context& context, const Flag& /*flag*/) {
  context.rule.*field = true;
  return std::nullopt;
}

Wrong no_effect(Context& /*context*/, const Flag& /*flag*/) { return std::nullopt; }

Wrong ignore_case(Context& context, const Flag& /*flag*/) {
  context.ignores_case = true;
  return std::nullopt;
}

template <int status>
Wrong answer(Context& context, const Flag& /*flag*/) {
  context.rule.answers = true;
  context.rule.status = status;
  return std::nullopt;
}

Wrong redirect(Context& context, const Flag& flag) {
  Rule& rule = context.rule;
  rule.redirects = true;
  if (equals_ignoring_case(flag.value, "permanent")) rule.status = 301;
  if (equals_ignoring_case(flag.value, "temp")) rule.status = 302;
  if (equals_ignoring_case(flag.value, "seeother")) rule.status = 303;
  if (flag.value.empty() || !is_digit(flag.value.front())) return std::nullopt;
  const auto status = static_cast<int>(std::min<std::int64_t>(parse_lax(flag.value), 9999));
  if (http::reason_phrase(status).empty()) {
    return expr::Complaint{
        "invalid HTTP response code '" + std::string(flag.value) + "' for flag 'R'",
        "Write a status such as 301, 302, 303, 307 or 308."};
  }
  rule.status = status;
  if (status < 300 || status > 399) rule.answers = true;
  return std::nullopt;
}

Wrong skip(Context& context, const Flag& flag) {
  context.rule.skips = small_number(flag.value);
  return std::nullopt;
}

Wrong next_round(Context& context, const Flag& flag) {
  context.rule.next_round = true;
  if (!flag.value.empty()) context.rule.rounds_max = small_number(flag.value);
  return std::nullopt;
}

template <std::vector<Template> Rule::* list>
Wrong add_template(Context& context, const Flag& flag) {
  auto compiled = Template::compile(flag.value);
  if (!compiled) return std::move(compiled.error());
  (context.rule.*list).push_back(std::move(*compiled));
  return std::nullopt;
}

Wrong escape_references(Context& context, const Flag& flag) {
  context.rule.escaping.on = true;
  context.rule.escaping.only = flag.value;
  return std::nullopt;
}

Wrong escape_controls(Context& context, const Flag& /*flag*/) {
  context.rule.escaping.on = context.rule.escaping.controls_only = true;
  return std::nullopt;
}

Wrong escape_blank(Context& context, const Flag& /*flag*/) {
  context.rule.escaping.blank_is_plus = false;
  return std::nullopt;
}

Wrong spare_characters(Context& context, const Flag& flag) {
  if (flag.value.empty()) {
    return expr::Complaint{"flag 'BNE' wants a list of characters (i.e. [BNE=...])", {}};
  }
  context.rule.escaping.on = true;
  context.rule.escaping.except = flag.value;
  return std::nullopt;
}

Wrong set_handler(Context& context, const Flag& flag) {
  context.rule.handler = flag.value;
  return std::nullopt;
}

Wrong set_media_type(Context& context, const Flag& flag) {
  context.remarks.emplace_back("RewriteRule: flag 'T' has no effect: " + std::string(flag.value) +
                               " is for files, and a member names the type of what it sends");
  return std::nullopt;
}

struct Known {
  std::string_view brief, full;  // the same when there is only one name
  Setter set;
};

constexpr auto known_flags = std::to_array<Known>({
    {"B", "backrefescaping", escape_references},
    {"BCTLS", "BCTLS", escape_controls},
    {"BNE", "BNE", spare_characters},
    {"BNP", "backrefernoplus", escape_blank},
    {"C", "chain", turn_on<&Rule::chained>},
    {"CO", "cookie", add_template<&Rule::cookies>},
    {"DPI", "discardpath", no_effect},  // there is no PATH_INFO
    {"E", "env", add_template<&Rule::variables>},
    {"END", "END", turn_on<&Rule::ends>},
    {"F", "forbidden", answer<403>},
    {"G", "gone", answer<410>},
    {"H", "handler", set_handler},
    {"L", "last", turn_on<&Rule::last>},
    {"N", "next", next_round},
    {"NC", "nocase", ignore_case},
    {"NE", "noescape", turn_on<&Rule::unescaped>},
    {"NS", "nosubreq", no_effect},  // there are no sub-requests
    {"P", "proxy", turn_on<&Rule::proxies>},
    {"PT", "passthrough", turn_on<&Rule::passes_through>},
    {"QSA", "qsappend", turn_on<&Rule::adds_query>},
    {"QSD", "qsdiscard", turn_on<&Rule::drops_query>},
    {"QSL", "qslast", turn_on<&Rule::splits_at_last>},
    {"R", "redirect", redirect},
    {"S", "skip", skip},
    {"T", "type", set_media_type},
    {"UNC", "UNC", turn_on<&Rule::keeps_slashes>},
    {"UnsafeAllow3F", "UnsafeAllow3F", turn_on<&Rule::allows_question_mark>},
    {"UnsafePrefixStat", "UnsafePrefixStat", no_effect},  // no file is served
});

}  // namespace

std::optional<expr::Complaint> read_flags(std::string_view flags, RuleCondition& condition) {
  return for_each_flag(flags, [&condition](const Flag& flag) -> Wrong {
    const auto is = [&flag](std::string_view brief, std::string_view full) {
      return equals_ignoring_case(flag.name, brief) || equals_ignoring_case(flag.name, full);
    };
    if (is("NC", "nocase")) {
      condition.ignores_case = true;
    } else if (is("OR", "ornext")) {
      condition.or_next = true;
    } else if (is("NV", "novary")) {
      condition.no_vary = true;
    } else {
      return unknown_flag(flag.name);
    }
    return std::nullopt;
  });
}

std::optional<expr::Complaint> read_flags(std::string_view flags, Rule& rule, bool& ignores_case,
                                          std::vector<std::string>& remarks) {
  Context context{rule, ignores_case, remarks};
  return for_each_flag(flags, [&context](const Flag& flag) -> Wrong {
    const auto* const known = std::ranges::find_if(known_flags, [&flag](const Known& row) {
      return equals_ignoring_case(flag.name, row.brief) ||
             equals_ignoring_case(flag.name, row.full);
    });
    if (known == known_flags.end()) return unknown_flag(flag.name);
    return known->set(context, flag);
  });
}

}  // namespace steelyard::rewrite
