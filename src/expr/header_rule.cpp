#include "expr/header_rule.hpp"

#include <cstddef>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "expr/group_text.hpp"
#include "http/syntax.hpp"
#include "http/token_list.hpp"

namespace steelyard::expr {
namespace {

bool is_valid_value(std::string_view value) { return http::first_control(value) == value.size(); }

// httpd: whole elements, quotes respected, case counts.
bool has_element(std::string_view list, std::string_view wanted) {
  for (const std::string_view element : http::tokens(list)) {
    if (element == wanted) return true;
  }
  return false;
}

// Joins the first row of that name, or is one.
void add_to_list(http::FieldList& fields, std::string_view name, std::string_view text,
                 Arena& arena) {
  const http::Field* const first = fields.find(name);
  if (first == nullptr) {
    fields.add(name, text);
    return;
  }
  const auto index = static_cast<std::size_t>(first - &fields[0]);
  fields.set_value(index, arena.join(first->value, ", ", text));
}

// Why the request ends in a 500.
void tell_spoilt(const HeaderWork& work, std::string_view name) {
  if (work.remarks == nullptr) return;
  work.remarks->fault = work.arena.join(name, " would hold what no field can, a line end perhaps");
}

}  // namespace

// Empty when an expression could not be evaluated (httpd).
std::string_view HeaderRule::value(const HeaderWork& work, const Facts& facts) const {
  if (!expression_) return text_.write(facts, work.arena);
  Evaluation evaluation{facts, work.arena};
  const std::string_view text = expression_->evaluate(evaluation);
  if (evaluation.fault.empty()) return text;
  evaluation.vary = {};  // httpd: values do not count
  if (work.remarks != nullptr) evaluation.tell(*work.remarks);
  return {};
}

// httpd: a condition that cannot be evaluated is none. An answer that depends on request fields
// says so in Vary.
bool HeaderRule::is_meant(const HeaderWork& work, const Facts& facts) const {
  if (!condition_) return true;
  Evaluation evaluation{facts, work.arena};
  const bool holds = condition_->holds(evaluation).value_or(true);
  if (table_ != HeaderTable::request && !evaluation.vary.empty()) {
    http::FieldList& answer = work.normal_fields != nullptr ? *work.normal_fields : work.fields;
    add_to_list(answer, "Vary", evaluation.vary, work.arena);
    evaluation.vary = {};
  }
  if (work.remarks != nullptr) evaluation.tell(*work.remarks);
  return holds;
}

bool HeaderRule::apply(const HeaderWork& work, const Facts& facts) const {
  if (!is_meant(work, facts)) return true;
  if (is_content_type_ && table_ != HeaderTable::request) return change_content_type(work, facts);
  return change(work, facts);
}

bool HeaderRule::change(const HeaderWork& work, const Facts& facts) const {
  switch (action_) {
    case Action::unset:
      work.fields.remove(name_);
      return true;
    case Action::echo:
      return echo(work, facts);
    case Action::note:
      note(work, facts);
      return true;
    case Action::edit:
    case Action::edit_all:
      return edit(work, facts);
    case Action::setifempty:
      if (work.fields.find(name_) != nullptr) return true;
      break;
    default:
      break;
  }
  const std::string_view text = value(work, facts);
  if (!name_is_token_ || !is_valid_value(text)) {
    tell_spoilt(work, name_);
    return false;
  }
  switch (action_) {
    case Action::append:
    case Action::merge:
      return join(work, text);
    case Action::set:
      work.fields.set(name_, text);
      return true;
    default:
      work.fields.add(name_, text);
      return true;
  }
}

// httpd knows the Content-Type twice: the value that is sent, changed by set, edit and unset, and
// the row of the table, which the sent value overwrites.
bool HeaderRule::change_content_type(const HeaderWork& work, const Facts& facts) const {
  const bool replaces =
      action_ == Action::set || action_ == Action::edit || action_ == Action::edit_all;
  const bool is_always = table_ == HeaderTable::response_always && work.normal_fields != nullptr;
  const http::FieldList& sent = is_always ? *work.normal_fields : work.fields;
  if (is_always && replaces) {
    return change({*work.normal_fields, work.notes, work.arena, nullptr, work.remarks}, facts);
  }
  const bool adds = action_ == Action::add || action_ == Action::append ||
                    action_ == Action::merge || action_ == Action::setifempty;
  if (adds && sent.has(http::FieldId::content_type)) return true;
  return change(work, facts);
}

bool HeaderRule::join(const HeaderWork& work, std::string_view text) const {
  const http::Field* first = work.fields.find(name_);
  const bool is_there =
      first != nullptr && action_ == Action::merge && has_element(first->value, text);
  if (!is_there) add_to_list(work.fields, name_, text, work.arena);
  return true;
}

bool HeaderRule::echo(const HeaderWork& work, const Facts& facts) const {
  for (std::size_t i = 0; i < facts.request_header_count(); ++i) {
    const std::string_view name = facts.request_header_name(i);
    if (regex_->search(name)) work.fields.add(name, facts.request_header_value(i));
  }
  return true;
}

void HeaderRule::note(const HeaderWork& work, const Facts& facts) const {
  const std::string_view name = value(work, facts);
  if (const http::Field* field = work.fields.find(name_)) {
    work.notes.set(name, field->value);
  } else {
    work.notes.unset(name);
  }
}

// httpd: all rows of the name, changed or not, move behind the others.
bool HeaderRule::edit(const HeaderWork& work, const Facts& facts) const {
  http::FieldList& fields = work.fields;
  if (fields.find(name_) == nullptr) return true;
  const std::string_view replacement = value(work, facts);
  const std::size_t old_size = fields.size();
  bool is_clean = true;
  for (std::size_t i = 0; i < old_size; ++i) {
    const http::Field row = fields[i];
    if (!equals_ignoring_case(row.name, name_)) continue;
    const auto text = edited(row.value, replacement, work.arena);
    if (text && is_valid_value(*text)) {
      fields.add(row.name, *text, row.id);
    } else {
      tell_spoilt(work, name_);
      is_clean = false;
    }
    if (!text && work.remarks != nullptr) work.remarks->fault = "an edited value is too long";
  }
  std::size_t index = 0;
  fields.remove_if([this, &index, old_size](const http::Field& row) {
    return index++ < old_size && equals_ignoring_case(row.name, name_);
  });
  return is_clean;
}

// Where a pattern matches nothing at all, one byte is kept and the search goes on behind it.
// Nothing when it is too long.
std::optional<std::string_view> HeaderRule::edited(std::string_view text,
                                                   std::string_view replacement,
                                                   Arena& arena) const {
  RegexMatch match;
  if (!regex_->search(text, match)) return text;
  ArenaText out(arena, text.size() + replacement.size(), edited_bytes_max);
  std::size_t at = 0;
  while (!out.cut()) {
    out.append(text.substr(at, match.offset - at));
    append_with_groups(replacement, match, out);
    at = match.offset + match.groups[0].size();
    if (action_ == Action::edit || at >= text.size()) break;
    if (match.groups[0].empty()) out.append(text[at++]);
    if (!regex_->search(text, match, at)) break;
  }
  out.append(text.substr(at));
  const std::string_view result = out.finish();
  if (out.cut()) return std::nullopt;
  return result;
}

bool apply(std::span<const HeaderRule> rules, const HeaderWork& work, const Facts& facts) {
  bool is_clean = true;
  for (const HeaderRule& rule : rules) is_clean = rule.apply(work, facts) && is_clean;
  return is_clean;
}

}  // namespace steelyard::expr
