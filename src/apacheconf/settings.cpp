// Define, UnDefine and ${NAME}; LoadModule; ServerRoot: what takes effect while lines are read.
#include "apacheconf/composer.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

// Debian's apache2ctl reads a file of shell variables beside the configuration before it starts
// httpd. It is a script: nobody runs one because a configuration was looked at.
std::string Composer::where_defined(std::string_view variable) const {
  const std::string path = join_path(options_.server_root, "envvars");
  const auto text = files_.read(path);
  if (!text || text->find("export " + std::string(variable) + "=") == std::string::npos) return "";
  return " " + path + " sets it: run \". " + path + "\" in the shell first, as apache2ctl does.";
}

std::string Composer::expand(std::string_view text) {
  std::string result;
  while (true) {
    const std::size_t start = text.find("${");
    const std::size_t end = start == std::string_view::npos ? start : text.find('}', start + 2);
    if (end == std::string_view::npos) break;
    const std::string_view name = text.substr(start + 2, end - start - 2);
    result.append(text.substr(0, start));
    const auto defined = std::find_if(defines_.begin(), defines_.end(), [&](const Define& each) {
      return each.value && each.name == name;
    });
    std::optional<std::string> value;
    if (defined != defines_.end()) {
      value = defined->value;
    } else if (reading_.environment) {
      value = reading_.environment(name);
    }
    if (value) {
      result.append(*value);
    } else {
      result.append(text.substr(start, end + 1 - start));
      if (name.find(':') == std::string_view::npos) {
        warn("Config variable ${" + std::string(name) + "} is not defined",
             "It stays in the text as it is written." + where_defined(name));
      }
    }
    text.remove_prefix(end + 1);
    if (result.size() > line_bytes_max) break;
  }
  result.append(text);
  expanded_bytes_ += result.size();
  if (result.size() > line_bytes_max || expanded_bytes_ > options_.limits.expanded_bytes_max) {
    complain("Line too long: its variables expand to too much text; nothing further is read");
    exhausted_ = true;
  }
  return result;
}

void Composer::define(const Statement& statement) {
  const std::string& name = statement.words[0];
  if (name.find(':') != std::string::npos) {
    complain("Variable name must not contain ':'");
    return;
  }
  const auto same = [&](const Define& each) { return each.name == name; };
  const auto found = std::find_if(defines_.begin(), defines_.end(), same);
  Define& slot = found == defines_.end() ? defines_.emplace_back() : *found;
  slot.name = name;
  if (statement.words.size() > 1) slot.value = statement.words[1];
}

void Composer::undefine(const Statement& statement) {
  if (statement.words[0].find(':') != std::string::npos) {
    complain("Variable name must not contain ':'");
    return;
  }
  std::erase_if(defines_, [&](const Define& each) { return each.name == statement.words[0]; });
}

void Composer::load_module(const Statement& statement) {
  if (equals_ignoring_case(statement.name, "LoadFile")) return;
  std::string identifier = statement.words[0];
  if (const Module* const module = module_of_file(statement.words[1]);
      module && module->identifier != identifier) {
    complain("Can't locate API module structure `" + identifier + "' in file " + statement.words[1],
             "That file has " + std::string(module->identifier) + '.');
    identifier = module->identifier;  // for the lines that need it
  }
  std::vector<std::string>& loaded = reading_.config->modules;
  if (std::find(loaded.begin(), loaded.end(), identifier) != loaded.end()) {
    warn("module " + identifier + " is already loaded, skipping");
    return;
  }
  loaded.push_back(identifier);
  reading_.part<ModuleFiles>().identifiers[source_of(statement.words[1])] = identifier;
  const Module* const module = find_module(identifier);
  if (module && module->kind <= Module::Kind::implemented) return;
  std::string note = "LoadModule " + identifier + ": not part of this program";
  if (module && !module->note.empty()) note += "; " + std::string(module->note);
  reading_.note_at(here(), note);
}

void Composer::set_server_root(const Statement& statement) {
  const std::string root = reading_.resolve_path(statement.words[0]);
  if (!files_.is_directory(root)) {
    complain("ServerRoot must be a valid directory", root + " is none.");
    return;
  }
  reading_.server_root = root;
}

}  // namespace steelyard::apacheconf
