// <IfModule>, <IfDefine>, <IfFile>, <IfDirective>, <IfSection>, <IfVersion>.
#include <array>
#include <charconv>
#include <compare>

#include "apacheconf/composer.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/words.hpp"
#include "base/regex.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using Parts = std::array<int, 3>;

std::optional<Parts> parse_version(std::string_view text) {
  Parts parts{};
  std::size_t i = 0;
  for (std::string_view piece : split(text, '.')) {
    const std::optional<std::uint64_t> number = parse_unsigned(piece);
    if (i == parts.size() || !number || *number > 1'000'000) return std::nullopt;
    parts[i++] = static_cast<int>(*number);
  }
  return parts;
}

bool holds(std::string_view operation, std::strong_ordering order) {
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  if (operation == ">") return order > 0;
  if (operation == ">=") return order >= 0;
  return order == 0;
}

bool is_loaded(const config::Config& config, std::string_view identifier) {
  return std::find(config.modules.begin(), config.modules.end(), identifier) !=
         config.modules.end();
}

// True for what is done here and for what is without effect here, so that the lines inside can be
// executed; each tells by itself when it is not supported.
bool module_acts(const config::Config& config, std::string_view name) {
  const Module* const module = find_module(name);
  if (!module) return false;
  if (module->kind == Module::Kind::built_in) return true;
  return module->kind != Module::Kind::foreign && is_loaded(config, module->identifier);
}

// "mod_jk.c" belongs to "jk_module" as far as names tell.
std::string identifier_of(std::string_view name) {
  if (const Module* const module = find_module(name)) return std::string(module->identifier);
  if (!name.starts_with("mod_") || !name.ends_with(".c")) return std::string(name);
  return std::string(name.substr(4, name.size() - 6)) + "_module";
}

// Without the ! of a negation.
std::string asked_for(std::string_view argument) {
  std::string word;
  take_word(argument, word);
  if (word.starts_with('!')) word.erase(0, 1);
  return word;
}

bool directive_exists(const Reading& reading, std::string_view name) {
  const Directive* const directive = find_directive(name);
  return directive && directive->support != Support::refused && reading.has_module_of(*directive);
}

}  // namespace

std::optional<bool> Composer::decide(const std::string& tag, std::string_view argument) {
  if (equals_ignoring_case(tag, "IfVersion")) return decide_version(argument);
  std::string word;
  if (!take_word(argument, word)) return std::nullopt;
  const bool negated = word.starts_with('!');
  if (negated) word.erase(0, 1);
  bool is_so = false;
  if (equals_ignoring_case(tag, "IfModule")) {
    is_so = module_acts(*reading_.config, word);
  } else if (equals_ignoring_case(tag, "IfDefine")) {
    is_so = std::any_of(defines_.begin(), defines_.end(),
                        [&](const Define& each) { return each.name == word; });
  } else if (equals_ignoring_case(tag, "IfFile")) {
    is_so = files_.exists(reading_.resolve_path(word));
  } else if (equals_ignoring_case(tag, "IfSection")) {
    is_so = directive_exists(reading_, '<' + word);
  } else {
    is_so = directive_exists(reading_, word);
  }
  return is_so != negated;
}

std::optional<Composer::Absence> Composer::absence(std::string_view tag,
                                                   std::string_view argument) const {
  const std::string word = asked_for(argument);
  const config::Config& config = *reading_.config;
  if (equals_ignoring_case(tag, "IfModule")) {
    const auto& files = reading_.part<ModuleFiles>().identifiers;
    const auto file = files.find(word);
    const std::string identifier = file != files.end() ? file->second : identifier_of(word);
    const bool lacks = is_loaded(config, identifier) && !module_acts(config, word);
    return lacks ? std::optional<Absence>({word, identifier}) : std::nullopt;
  }
  const bool is_section = equals_ignoring_case(tag, "IfSection");
  if (!is_section && !equals_ignoring_case(tag, "IfDirective")) return std::nullopt;
  const Directive* const directive = find_directive(is_section ? '<' + word : word);
  const bool lacks = directive != nullptr && directive->support == Support::refused &&
                     reading_.has_module(directive->module);
  if (!lacks) return std::nullopt;
  const bool loads = is_loaded(config, directive->module);
  return Absence{word, loads ? std::string(directive->module) : std::string()};
}

bool Composer::httpd_executes(const std::string& tag, std::string_view argument) {
  const bool is_so = decide(tag, argument).value_or(false);
  return is_so != absence(tag, argument).has_value();
}

// <IfModule steelyard_module>, <IfDirective SteelyardShards>, with or without !.
bool Composer::asks_for_us(std::string_view tag, std::string_view argument) {
  const std::string word = asked_for(argument);
  if (equals_ignoring_case(tag, "IfModule")) {
    return word == "steelyard_module" || word == "mod_steelyard.c";
  }
  if (!equals_ignoring_case(tag, "IfDirective")) return false;
  const Directive* const directive = find_directive(word);
  return directive != nullptr && directive->module == "steelyard_module";
}

std::optional<bool> Composer::decide_version(std::string_view argument) {
  std::vector<std::string> words = split_into_words(argument);
  if (words.empty()) return std::nullopt;
  std::string operation = words.size() > 1 ? words[0] : "=";
  std::string wanted = words.back();
  if (words.size() == 1 && !is_digit(wanted.front()) && wanted.front() != '/') {
    operation = wanted;
    wanted.clear();
  }
  const std::string written = operation;
  const bool negated = operation.starts_with('!');
  if (negated) operation.erase(0, 1);
  if (operation == "==") operation = "=";
  const bool slashes = operation == "=" && wanted.starts_with('/');
  if (operation == "~" || slashes) {
    if (slashes && (wanted.size() < 2 || !wanted.ends_with('/'))) {
      complain("Missing delimiting / of regular expression.");
      return std::nullopt;
    }
    const std::string pattern = slashes ? wanted.substr(1, wanted.size() - 2) : wanted;
    const std::expected<Regex, std::string> regex = Regex::compile(pattern);
    if (!regex) {
      complain("Unable to compile regular expression: " + regex.error());
      return std::nullopt;
    }
    return regex->search(httpd_version_text()) != negated;
  }
  if (operation != "=" && operation != "<" && operation != ">" && operation != "<=" &&
      operation != ">=") {
    complain("unrecognized operator '" + written + "'", "Write one of = > >= < <= ~, or ! before.");
    return std::nullopt;
  }
  const std::optional<Parts> parts = parse_version(wanted);
  if (!parts) {
    complain(
        "Version appears to be invalid. It must have the format major[.minor[.patch]] where "
        "major, minor and patch are numbers.",
        "This program answers as httpd " + httpd_version_text() + '.');
    return std::nullopt;
  }
  const Parts ours{httpd_version.major, httpd_version.minor, httpd_version.patch};
  return holds(operation, ours <=> *parts) != negated;
}

}  // namespace steelyard::apacheconf
