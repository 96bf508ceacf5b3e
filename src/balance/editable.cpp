#include "balance/editable.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "balance/numbers.hpp"
#include "balance/parameters.hpp"
#include "balance/policy.hpp"

namespace steelyard::balance {

namespace {

using Result = std::expected<void, std::string>;

// What a value has to look like where nobody guesses what was meant.
enum class Shape : std::uint8_t { text, whole, decimal, time };

// A field of a Spec: reading it, and making it what holds when nothing is said. Setting it is its
// parameter's business.
template <class Spec>
struct Field {
  std::string_view name;
  Shape shape;
  std::string (*read)(const Spec& spec);
  void (*clear)(Spec& spec, const Spec& usual);
};

std::string milliseconds_text(std::chrono::milliseconds time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  return whole == time ? std::to_string(whole.count()) + "s" : std::to_string(time.count()) + "ms";
}

std::string switch_text(std::optional<bool> value) {
  if (!value) return {};
  return *value ? "On" : "Off";
}

template <class Number>
std::string number_text(const std::optional<Number>& value) {
  return value ? std::to_string(*value) : std::string();
}

std::string seconds_text(const std::optional<std::chrono::seconds>& value) {
  return value ? std::to_string(value->count()) : std::string();
}

constexpr auto member_fields = std::to_array<Field<MemberSpec>>({
    {"connectiontimeout", Shape::time,
     [](const MemberSpec& spec) {
       return spec.connection_timeout ? milliseconds_text(*spec.connection_timeout) : "";
     },
     [](MemberSpec& spec, const MemberSpec& usual) {
       spec.connection_timeout = usual.connection_timeout;
     }},
    {"hcexpr", Shape::text, [](const MemberSpec& spec) { return spec.check.expression; },
     [](MemberSpec& spec, const MemberSpec& usual) {
       spec.check.expression = usual.check.expression;
     }},
    {"hcfails", Shape::whole,
     [](const MemberSpec& spec) { return std::to_string(spec.check.fails); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.check.fails = usual.check.fails; }},
    {"hcinterval", Shape::time,
     [](const MemberSpec& spec) { return milliseconds_text(spec.check.interval); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.check.interval = usual.check.interval; }},
    {"hcmethod", Shape::text,
     [](const MemberSpec& spec) { return std::string(check_method_name(spec.check.method)); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.check.method = usual.check.method; }},
    {"hcpasses", Shape::whole,
     [](const MemberSpec& spec) { return std::to_string(spec.check.passes); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.check.passes = usual.check.passes; }},
    {"hcshare", Shape::text,
     [](const MemberSpec& spec) { return switch_text(spec.check.is_shared); },
     [](MemberSpec& spec, const MemberSpec& usual) {
       spec.check.is_shared = usual.check.is_shared;
     }},
    {"hcuri", Shape::text, [](const MemberSpec& spec) { return spec.check.uri; },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.check.uri = usual.check.uri; }},
    {"lbset", Shape::whole, [](const MemberSpec& spec) { return std::to_string(spec.lbset); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.lbset = usual.lbset; }},
    {"loadfactor", Shape::decimal,
     [](const MemberSpec& spec) { return load_factor_text(spec.load_factor); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.load_factor = usual.load_factor; }},
    {"redirect", Shape::text, [](const MemberSpec& spec) { return spec.redirect_tag; },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.redirect_tag = usual.redirect_tag; }},
    {"retry", Shape::whole,
     [](const MemberSpec& spec) { return std::to_string(spec.retry.count()); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.retry = usual.retry; }},
    {"route", Shape::text, [](const MemberSpec& spec) { return spec.tag; },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.tag = usual.tag; }},
    {"status", Shape::text, [](const MemberSpec& spec) { return letters_of(spec.status); },
     [](MemberSpec& spec, const MemberSpec& usual) {
       spec.status = spec.status.without(operator_flags).with(usual.status);
     }},
    {"timeout", Shape::whole, [](const MemberSpec& spec) { return seconds_text(spec.timeout); },
     [](MemberSpec& spec, const MemberSpec& usual) { spec.timeout = usual.timeout; }},
});

constexpr auto balancer_fields = std::to_array<Field<BalancerSpec>>({
    {"lbmethod", Shape::text,
     [](const BalancerSpec& spec) { return std::string(policy_name(spec.effective_policy())); },
     [](BalancerSpec& spec, const BalancerSpec& usual) { spec.policy = usual.policy; }},
    {"maxattempts", Shape::whole,
     [](const BalancerSpec& spec) { return number_text(spec.maxattempts); },
     [](BalancerSpec& spec, const BalancerSpec& usual) { spec.maxattempts = usual.maxattempts; }},
    {"nofailover", Shape::text,
     [](const BalancerSpec& spec) { return switch_text(spec.nofailover); },
     [](BalancerSpec& spec, const BalancerSpec& usual) { spec.nofailover = usual.nofailover; }},
    {"stickysession", Shape::text,
     [](const BalancerSpec& spec) {
       const StickySpec& sticky = spec.sticky;
       const bool one_name = sticky.url_name == sticky.cookie_name;
       return sticky.cookie_name + (one_name ? "" : "|" + sticky.url_name);
     },
     [](BalancerSpec& spec, const BalancerSpec& usual) {
       spec.sticky.cookie_name = usual.sticky.cookie_name;
       spec.sticky.url_name = usual.sticky.url_name;
     }},
    {"timeout", Shape::whole, [](const BalancerSpec& spec) { return seconds_text(spec.timeout); },
     [](BalancerSpec& spec, const BalancerSpec& usual) { spec.timeout = usual.timeout; }},
});

template <class Spec, std::size_t count>
constexpr std::array<std::string_view, count> names_of(const std::array<Field<Spec>, count>& rows) {
  std::array<std::string_view, count> names;
  for (std::size_t i = 0; i < count; ++i) names[i] = rows[i].name;
  return names;
}

constexpr auto member_names = names_of(member_fields);
constexpr auto balancer_names = names_of(balancer_fields);

template <class Spec, std::size_t count>
const Field<Spec>* find(const std::array<Field<Spec>, count>& rows, std::string_view name) {
  for (const Field<Spec>& row : rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

template <class Spec, std::size_t count>
std::string read(const std::array<Field<Spec>, count>& rows, const Spec& spec,
                 std::string_view name) {
  const Field<Spec>* const row = find(rows, name);
  return row != nullptr ? row->read(spec) : std::string();
}

Result unknown(std::string_view field) {
  return std::unexpected(std::string(field) + " cannot be changed while the program runs");
}

// Of the other kind of object, maybe: whoever asks has left the member out, or named one too many.
template <class Spec, class Other, std::size_t count, std::size_t other_count>
Result check_name(const std::array<Field<Spec>, count>& rows,
                  const std::array<Field<Other>, other_count>& others, std::string_view field,
                  std::string_view advice) {
  if (find(rows, field) != nullptr) return {};
  if (find(others, field) == nullptr) return unknown(field);
  return std::unexpected(std::string(field).append(advice));
}

bool is_exact_time(std::string_view text) {
  constexpr auto units = std::to_array<std::string_view>({"", "ms", "s", "mi", "min", "h"});
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits != 0 && std::ranges::find(units, text.substr(digits)) != units.end();
}

// Empty: nothing is wrong with it.
std::string_view fault_of(Shape shape, std::string_view text) {
  switch (shape) {
    case Shape::whole:
      return parse_strictly(text) ? "" : " must be a whole number";
    case Shape::decimal:
      return parse_hundredths(text) ? "" : " must be a number";
    case Shape::time:
      return is_exact_time(text) ? "" : " must be a time, as in 5, 500ms, 5s or 2min";
    case Shape::text:
      break;
  }
  return {};
}

template <class Spec, std::size_t count>
Result check_exactly(const std::array<Field<Spec>, count>& rows, std::string_view field,
                     std::string_view text) {
  const Field<Spec>* const row = find(rows, field);
  if (row == nullptr) return unknown(field);
  if (text.empty()) return {};
  if (std::ranges::any_of(text, is_unprintable))
    return std::unexpected(std::string(field) + " must not hold control characters");
  if (const std::string_view fault = fault_of(row->shape, text); !fault.empty())
    return std::unexpected(std::string(field).append(fault));
  return {};
}

// Not as a configuration's: a text of ours stands for one number, however often it is read.
Result set_factor(MemberSpec& spec, std::string_view text) {
  const auto factor = parse_exact_load_factor(text);
  if (!factor) return std::unexpected("LoadFactor must be a number between 1..100");
  spec.load_factor = *factor;
  return {};
}

std::string policy_words() {
  std::string words;
  for (const PolicyTraits& each : all_policies())
    words += (words.empty() ? "" : ", ") + std::string(each.name);
  return words;
}

// The letters of the wish and nothing else: no signs, and not what was found out about the member.
Result set_wish(MemberSpec& spec, std::string_view text) {
  Status wish;
  const bool has_signs = text.find_first_of("+-") != std::string_view::npos;
  if (has_signs || !apply_status_text(wish, text) || wish != wish.only(operator_flags)) {
    return std::unexpected("status must be letters out of D, S, N, H, R and I");
  }
  spec.status = spec.status.without(operator_flags).with(wish);
  return {};
}

}  // namespace

std::span<const std::string_view> editable_member_fields() { return member_names; }
std::span<const std::string_view> editable_balancer_fields() { return balancer_names; }

std::string text_of(const MemberSpec& spec, std::string_view field) {
  return read(member_fields, spec, field);
}

std::string text_of(const BalancerSpec& spec, std::string_view field) {
  return read(balancer_fields, spec, field);
}

Result set_text(MemberSpec& spec, std::string_view field, std::string_view text) {
  const Field<MemberSpec>* const row = find(member_fields, field);
  if (row == nullptr) return unknown(field);
  if (text.empty()) {
    row->clear(spec, MemberSpec());
    return {};
  }
  if (field == "status") return set_wish(spec, text);
  if (field == "loadfactor") return set_factor(spec, text);
  if (field == "hcexpr") {
    spec.check.expression = text;
    return {};
  }
  if (is_check_parameter(field)) return set_check_parameter(spec.check, field, text);
  return set_member_parameter(spec, field, text);
}

Result set_text(BalancerSpec& spec, std::string_view field, std::string_view text) {
  const Field<BalancerSpec>* const row = find(balancer_fields, field);
  if (row == nullptr) return unknown(field);
  if (text.empty()) {
    row->clear(spec, BalancerSpec());
    return {};
  }
  return set_balancer_parameter(spec, field, text);
}

Result set_exactly(MemberSpec& spec, std::string_view field, std::string_view text) {
  const auto named = check_name(member_fields, balancer_fields, field,
                                " is the balancer's: it is changed without naming a member");
  if (!named) return named;
  if (auto checked = check_exactly(member_fields, field, text); !checked) return checked;
  return set_text(spec, field, text);
}

Result set_exactly(BalancerSpec& spec, std::string_view field, std::string_view text) {
  const auto named =
      check_name(balancer_fields, member_fields, field, " is a member's: name the member");
  if (!named) return named;
  if (auto checked = check_exactly(balancer_fields, field, text); !checked) return checked;
  if (field == "lbmethod" && !text.empty() && !policy_named(text))
    return std::unexpected("unknown lbmethod: there is " + policy_words());
  return set_text(spec, field, text);
}

std::string letters_of(Status wish) {
  struct Letter {
    Flag flag;
    char letter;
  };
  constexpr auto letters = std::to_array<Letter>({{Flag::disabled, 'D'},
                                                  {Flag::stopped, 'S'},
                                                  {Flag::draining, 'N'},
                                                  {Flag::standby, 'H'},
                                                  {Flag::spare, 'R'},
                                                  {Flag::ignore_errors, 'I'}});
  std::string text;
  for (const Letter& each : letters) {
    if (wish.has(each.flag)) text += each.letter;
  }
  return text;
}

}  // namespace steelyard::balance
