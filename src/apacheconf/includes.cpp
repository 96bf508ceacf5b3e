// Include and IncludeOptional: a file, every file below a directory, or a pattern whose wildcards
// may stand in any component of the path.
#include "apacheconf/composer.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

// A leading dot is only matched by a leading dot.
bool name_matches(std::string_view pattern, std::string_view name) {
  return name.starts_with('.') <= pattern.starts_with('.') && matches_glob(pattern, name);
}

// "b.conf line 2 -> c.conf line 1 -> b.conf", the shortest circle that ends in `path`; empty when
// the includes are deep but not circular.
std::string circle(const std::shared_ptr<const Source>& from, std::uint32_t line,
                   const std::string& path) {
  std::string chain = path;
  std::shared_ptr<const Source> source = from;
  std::uint32_t at = line;
  while (source) {
    chain.insert(0, source->name + " line " + std::to_string(at) + " -> ");
    if (source->name == path) return chain;
    at = source->from_line;
    source = source->from;
  }
  return {};
}

}  // namespace

void Composer::include(Stream& stream, const Statement& statement, Statements& into) {
  const Missing missing =
      equals_ignoring_case(statement.name, "IncludeOptional") ? Missing::accepted : Missing::fault;
  const std::string path = reading_.resolve_path(statement.words[0]);
  if (!has_wildcards(path)) {
    include_path(stream, path, missing, into);
    return;
  }
  include_glob(stream, "/", std::string_view(path).substr(1), missing, into);
}

void Composer::include_path(Stream& stream, const std::string& path, Missing missing,
                            Statements& into) {
  if (!files_.is_directory(path)) {
    include_file(stream, path, missing, into);
    return;
  }
  if (too_deep(stream, path)) return;
  const std::expected<std::vector<std::string>, std::string> names = files_.list(path);
  if (!names) {
    complain("Could not open config directory " + path + ": " + names.error());
    return;
  }
  ++stream.depth;
  for (const std::string& name : *names) {
    include_path(stream, join_path(path, name), missing, into);
  }
  --stream.depth;
}

void Composer::include_file(Stream& stream, const std::string& path, Missing missing,
                            Statements& into) {
  if (too_deep(stream, path)) return;
  const std::expected<std::string, std::string> text = files_.read(path);
  if (text) {
    run_text(path, *text, stream.source, &stream, into);
    stream_ = &stream;
  } else if (missing == Missing::fault || files_.exists(path)) {
    complain("Could not open configuration file " + path + ": " + text.error(),
             "Write IncludeOptional if the file may be missing.");
  }
}

void Composer::include_glob(Stream& stream, const std::string& root, std::string_view rest,
                            Missing missing, Statements& into) {
  std::string at = root;
  std::string_view component;
  do {  // components without wildcards need no listing
    const std::size_t slash = rest.find('/');
    component = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (!has_wildcards(component)) at = join_path(at, component);
  } while (!has_wildcards(component) && !rest.empty());
  if (!has_wildcards(component)) {
    if (missing == Missing::fault || files_.exists(at)) include_path(stream, at, missing, into);
    return;
  }
  const std::expected<std::vector<std::string>, std::string> names = files_.list(at);
  if (!names) {
    if (missing == Missing::fault) {
      complain("Include/IncludeOptional: Could not open directory " + at + ": " + names.error(),
               "Write IncludeOptional if the directory may be missing.");
    }
    return;
  }
  bool found = false;
  for (const std::string& name : *names) {
    const std::string path = join_path(at, name);
    const bool fits = name_matches(component, name) && (rest.empty() || files_.is_directory(path));
    if (!fits || exhausted_) continue;
    found = true;
    if (rest.empty()) {
      include_path(stream, path, missing, into);
    } else {
      include_glob(stream, path, rest, missing, into);
    }
  }
  if (!found && missing == Missing::fault && !exhausted_) {
    complain("Include/IncludeOptional: No matches for the wildcard '" + std::string(component) +
                 "' in '" + at + "', failing",
             "Write IncludeOptional if it may match nothing.");
  }
}

bool Composer::too_deep(const Stream& stream, const std::string& path) {
  if (exhausted_) return true;
  if (stream.depth < options_.limits.include_depth_max) return false;
  const std::string chain = circle(stream.source, stream.line, path);
  complain("Exceeded maximum include depth of " +
               std::to_string(options_.limits.include_depth_max) +
               ", There appears to be a recursion.",
           chain.empty() ? std::string() : "The circle is: " + chain);
  exhausted_ = true;  // each further branch of the circle would say the same
  return true;
}

}  // namespace steelyard::apacheconf
