// Where answers pass through the filter DEFLATE, and how it works (mod_deflate, mod_filter,
// mod_mime). Other filters would change bodies and are refused.
#include <algorithm>
#include <array>
#include <utility>

#include "apacheconf/choices.hpp"
#include "apacheconf/listed.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"
#include "config/compression.hpp"

namespace steelyard::apacheconf {

namespace {

using config::Compression;
using config::DeflateSettings;

constexpr std::string_view wrap =
    "Remove it, or keep it for httpd inside <IfModule !steelyard_module>.";

// Each is said once, at the first line that asks for it.
struct FilterWarnings {
  bool brotli = false, unloaded = false;
};

void warn_of_brotli(Scope& scope, const Statement& statement) {
  if (scope.frame().is_inert) return;
  if (std::exchange(scope.reading.part<FilterWarnings>().brotli, true)) return;
  scope.warn(statement.name + ' ' + statement.words[0] +
                 ": answers are not compressed by brotli, where httpd would do so",
             "Write DEFLATE, for gzip, or let members compress. " + std::string(wrap));
}

// False after a warning.
bool has_deflate(Scope& scope, const Statement& statement) {
  if (scope.frame().is_inert || scope.reading.has_module("deflate_module")) return true;
  if (!std::exchange(scope.reading.part<FilterWarnings>().unloaded, true))
    scope.warn(statement.name + " DEFLATE: answers pass uncompressed",
               "Add the line: LoadModule deflate_module modules/mod_deflate.so");
  return false;
}

// "DEFLATE;INCLUDES": whether the one filter that there is stands among them.
bool names_deflate(Scope& scope, const Statement& statement) {
  bool is_named = false;
  for (const std::string_view filter : split(statement.words[0], ';')) {
    if (filter.empty() || equals_ignoring_case(filter, "none")) continue;
    if (equals_ignoring_case(filter, "DEFLATE")) {
      is_named = has_deflate(scope, statement);
    } else if (equals_ignoring_case(filter, "BROTLI_COMPRESS")) {
      warn_of_brotli(scope, statement);
    } else if (equals_ignoring_case(filter, "INCLUDES")) {
      scope.warn(statement.name +
                     " INCLUDES: pages of members pass as they are, where httpd would "
                     "fill in what Options +Includes allows",
                 std::string(wrap));
    } else {
      scope.complain_unless_inert(statement.name + ' ' + std::string(filter) +
                                      " is not supported: it would change bodies on their way",
                                  "Only DEFLATE is. " + std::string(wrap));
    }
  }
  return is_named;
}

template <class Change>
void change_compression(Scope& scope, const Change& change) {
  auto& current = scope.settings().compression;
  Compression changed = current == nullptr ? Compression() : *current;
  change(changed);
  current = std::make_shared<const Compression>(std::move(changed));
}

void set_filter(Scope& scope, const Statement& statement) {
  const bool on = names_deflate(scope, statement);
  change_compression(scope, [on](Compression& it) { it.all = on; });
}

void add_types(Scope& scope, const Statement& statement) {
  if (!names_deflate(scope, statement)) return;
  change_compression(scope, [&](Compression& it) {
    it.types.insert(it.types.end(), statement.words.begin() + 1, statement.words.end());
  });
}

void name_ending(Scope& scope, std::string_view word, bool on) {
  if (word.starts_with('.')) word.remove_prefix(1);
  change_compression(scope, [&](Compression& it) { it.endings[to_lower(word)] = on; });
}

void add_endings(Scope& scope, const Statement& statement) {
  if (!names_deflate(scope, statement)) return;
  for (std::size_t i = 1; i < statement.words.size(); ++i)
    name_ending(scope, statement.words[i], true);
}

void remove_endings(Scope& scope, const Statement& statement) {
  for (const std::string& word : statement.words) name_ending(scope, word, false);
}

template <class Change>
void change_deflate(Scope& scope, const Change& change) {
  auto& current = scope.server.deflate;
  DeflateSettings changed = current == nullptr ? DeflateSettings() : *current;
  change(changed);
  current = std::make_shared<const DeflateSettings>(std::move(changed));
}

std::optional<std::int8_t> read_level(Scope& scope, const Statement& statement,
                                      std::uint64_t most) {
  const auto level = parse_unsigned(statement.words[0]);
  if (level && *level >= 1 && *level <= most) return static_cast<std::int8_t>(*level);
  scope.complain(
      statement.name + ' ' + statement.words[0] + " is not between 1 and " + std::to_string(most),
      "Write a number from 1 to " + std::to_string(most) + '.');
  return std::nullopt;
}

void compression_level(Scope& scope, const Statement& statement) {
  if (const auto level = read_level(scope, statement, 9))
    change_deflate(scope, [&](DeflateSettings& it) { it.level = *level; });
}

void window_size(Scope& scope, const Statement& statement) {
  constexpr std::int8_t least = 9;  // zlib's
  if (const auto bits = read_level(scope, statement, 15))
    change_deflate(scope, [&](DeflateSettings& it) { it.window_bits = std::max(*bits, least); });
}

void memory_level(Scope& scope, const Statement& statement) {
  if (const auto level = read_level(scope, statement, 9))
    change_deflate(scope, [&](DeflateSettings& it) { it.memory_level = *level; });
}

void alter_etag(Scope& scope, const Statement& statement) {
  using EntityTag = DeflateSettings::EntityTag;
  static constexpr Choices<EntityTag, 3> choices{
      "DeflateAlterETAG accepts only 'NoChange', 'AddSuffix', and 'Remove'",
      {{{"AddSuffix", EntityTag::suffix},
        {"NoChange", EntityTag::kept},
        {"Remove", EntityTag::removed}}}};
  change_deflate(scope, [&](DeflateSettings& it) {
    choices.choose(scope, statement.words[0], it.entity_tag);
  });
}

void filter_note(Scope& scope, const Statement& statement) {
  static constexpr Choices<std::string DeflateSettings::*, 3> choices{
      "Unknown note type: there are Input, Output and Ratio",
      {{{"Ratio", &DeflateSettings::ratio_note},
        {"Input", &DeflateSettings::input_note},
        {"Output", &DeflateSettings::output_note}}}};
  auto which = &DeflateSettings::ratio_note;
  if (statement.words.size() > 1) choices.choose(scope, statement.words[0], which);
  change_deflate(scope, [&](DeflateSettings& it) { it.*which = statement.words.back(); });
}

constexpr Directive of_server(std::string_view name, Handler handler, std::string_view help,
                              Arguments arguments = Arguments::one) {
  return {.name = name,
          .contexts = in_servers,
          .arguments = arguments,
          .handler = handler,
          .merge = "a virtual host that has any Deflate line has none of the main server's",
          .help = help,
          .module = "deflate_module",
          .support = Support::implemented,
          .note = {}};
}

constexpr Directive of_filter(std::string_view name, Handler handler, std::string_view help,
                              std::string_view merge, std::string_view module) {
  return {.name = name,
          .contexts = anywhere,
          .arguments = Arguments::two_or_more,
          .handler = handler,
          .merge = merge,
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {}};
}

std::vector<Directive> make_table() {
  std::vector<Directive> table = expand_lists(
      {{"deflate_module", "DeflateBufferSize", "how much is compressed at a time", "16 KiB are"},
       {"deflate_module",
        "DeflateInflateLimitRequestBody DeflateInflateRatioLimit DeflateInflateRatioBurst",
        "how far bodies of requests may unfold", "bodies of requests pass as they are"}},
      Support::accepted_with_note);
  for (Directive& row : table)
    row.contexts = row.name == "DeflateBufferSize" ? in_servers : anywhere;
  table.insert(
      table.end(),
      {of_server("DeflateCompressionLevel", compression_level,
                 "how hard it is tried: 1, fast, to 9, small; zlib's 6 where nothing is said"),
       of_server("DeflateWindowSize", window_size,
                 "how far back likeness is seen, as a power of two: 1 to 15; below 9 it is 9"),
       of_server("DeflateMemLevel", memory_level, "memory for finding it: 1 to 9"),
       of_server("DeflateAlterETag", alter_etag,
                 "the ETag of a compressed answer: AddSuffix (\"tag-gzip\"), NoChange, Remove"),
       of_server("DeflateFilterNote", filter_note,
                 "a note for logs: [Input|Output|Ratio] NAME; bytes before, after, and percent",
                 Arguments::one_or_two),
       of_filter("AddOutputFilterByType", add_types,
                 "DEFLATE and the types of those answers with status 200 that are compressed",
                 "the innermost ones that name types count", "filter_module"),
       of_filter("AddOutputFilter", add_endings,
                 "DEFLATE and the endings of the names whose answers are compressed",
                 "they add up, each ending by its innermost line", "mime_module")});
  Directive set = of_filter("SetOutputFilter", set_filter,
                            "DEFLATE: answers are compressed for clients that take gzip; or none",
                            "the innermost one counts", "core_module");
  set.arguments = Arguments::one;
  Directive remove =
      of_filter("RemoveOutputFilter", remove_endings,
                "endings of names for which AddOutputFilter around it does not count",
                "they add up, each ending by its innermost line", "mime_module");
  remove.arguments = Arguments::one_or_more;
  table.push_back(set);
  table.push_back(remove);
  return table;
}

}  // namespace

std::span<const Directive> compression_directives() {
  static const std::vector<Directive> table = make_table();
  return table;
}

}  // namespace steelyard::apacheconf
