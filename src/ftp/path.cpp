#include "ftp/path.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ftp/argument.hpp"
#include "http/percent.hpp"

namespace steelyard::ftp {

namespace {

constexpr std::string_view wildcards = "*?[{~";

// httpd: a first slash written as %2f.
bool take_root(std::string_view& path) {
  if (!starts_with_ignoring_case(path, "%2f")) return false;
  path.remove_prefix(3);
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return true;
}

bool read_type(std::string_view words, Path& plan) {
  constexpr std::string_view key = "type=";
  if (!words.starts_with(key) || words.size() == key.size() || !is_alpha(words[key.size()]))
    return true;
  const char letter = ascii_upper(words[key.size()]);
  plan.wants_list = letter == 'D';
  // httpd asks for the size of what may turn out to be no directory in ASCII then.
  plan.type = plan.wants_list ? 'A' : letter;
  return std::string_view("AEI").find(plan.type) != std::string_view::npos;
}

}  // namespace

bool is_pattern(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\') {
      ++i;
    } else if (wildcards.find(name[i]) != wildcards.npos) {
      return true;
    }
  }
  return false;
}

namespace {
constexpr std::size_t directories_max = 100;
}  // namespace

std::expected<Path, PathFault> read_path(std::string_view path, PathRules rules) {
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  const std::size_t semicolon = path.find(';');
  Path plan;
  if (semicolon != path.npos && !read_type(path.substr(semicolon + 1), plan))
    return std::unexpected(PathFault::bad_type);
  path = path.substr(0, semicolon);
  plan.from_root = rules.is_encoded && take_root(path);
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    std::string word = rules.is_encoded ? http::percent_decoded(part) : std::string(part);
    if (!is_one_argument(word)) return std::unexpected(PathFault::bad_byte);
    if (word.find('/') != word.npos) return std::unexpected(PathFault::slash);
    if (slash == path.npos) {
      plan.name = std::move(word);
      break;
    }
    // Each is a command, and costs the server's time.
    if (plan.directories.size() >= directories_max) return std::unexpected(PathFault::bad_byte);
    plan.directories.push_back(std::move(word));
    path.remove_prefix(slash + 1);
  }
  plan.is_listable = plan.name.empty() || (rules.lists_on_wildcard && is_pattern(plan.name));
  plan.wants_list = plan.wants_list || plan.is_listable;
  return plan;
}

std::string_view type_words(std::string_view path) {
  const std::size_t semicolon = path.find(';');
  return semicolon == path.npos ? std::string_view() : path.substr(semicolon + 1);
}

std::string escape_wildcards(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    if (wildcards.find(c) != wildcards.npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace steelyard::ftp
