#include "apacheconf/scope.hpp"

#include <set>

#include "apacheconf/arguments.hpp"
#include "apacheconf/files.hpp"
#include "apacheconf/modules.hpp"
#include "apacheconf/odd_characters.hpp"
#include "apacheconf/summary.hpp"
#include "apacheconf/tables.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view unknown_tail =
    ", perhaps misspelled or defined by a module not included in the server configuration";

// A note that would say the same each time is given once.
struct NotesGiven {
  std::set<const Directive*> directives;
};

// One complaint a module: the first line that needs it, and how many more do.
struct MissingModules {
  struct Need {
    std::size_t diagnostic = 0;
    std::size_t further_lines = 0;
  };
  std::map<std::string_view, Need> needs;
};

// One complaint for all lines that would do the same: the first, and where the others stand.
struct RefusedGroups {
  struct Group {
    std::size_t diagnostic = 0;
    std::size_t further_lines = 0;
    std::string places;
  };
  std::map<std::string_view, Group> by_help;
};

Contexts context_of(SectionKind kind) {
  switch (kind) {
    case SectionKind::server:
      return in_main;
    case SectionKind::virtual_host:
      return in_vhost;
    case SectionKind::location:
    case SectionKind::location_match:
      return in_location;
    case SectionKind::proxy:
    case SectionKind::proxy_match:
      return in_proxy;
    case SectionKind::directory:
      return in_directory;
    case SectionKind::condition:
      return in_condition;
    case SectionKind::limit:
      return in_sections;
  }
  return 0;
}

// Empty when the directive may stand here.
std::string check_context(const Directive& directive, const Frame& frame) {
  const Contexts here = context_of(frame.kind);
  if ((directive.contexts & here) != 0) return {};
  const std::string name(directive.name);
  const bool in_section = (here & in_sections) != 0;
  if (in_section && (directive.contexts & in_sections) == 0) {
    return name + " not allowed in " + frame.name + " context";
  }
  if (!in_section && (directive.contexts & in_servers) == 0) return name + " not allowed here";
  const std::string closed = directive.name.starts_with('<') ? name + '>' : name;
  return closed + " cannot occur within " + frame.name + " section";
}

// nullptr: none is near.
const Directive* nearest_directive(std::string_view name) {
  std::vector<std::string> lower;
  std::vector<std::string_view> candidates;
  for (const Directive* directive : all_directives()) {
    if (directive->support != Support::refused) lower.push_back(to_lower(directive->name));
  }
  candidates.assign(lower.begin(), lower.end());
  const std::string_view near = nearest(to_lower(name), candidates);
  return near.empty() ? nullptr : find_directive(near);
}

std::string suggest(std::string_view name, const Directive* meant) {
  if (std::string cause = odd_characters(name); !cause.empty()) return cause;
  if (meant == nullptr) return {};
  return "Did you mean " + std::string(meant->name) + (meant->name.starts_with('<') ? ">?" : "?");
}

std::string module_path(const Module& module) {
  std::string path(module.file);
  path.resize(path.size() - 2);  // ".c"
  return "modules/" + path + ".so";
}

}  // namespace

void Reading::add_source(std::shared_ptr<const Source> source) {
  const std::string* const key = &source->name;
  sources_[key] = std::move(source);
}

void Reading::tell(Severity severity, const config::Place& place, std::string&& text,
                   std::string&& advice) {
  Diagnostic diagnostic{severity, place, {}, std::move(text), std::move(advice), order};
  const auto known = sources_.find(place.file.get());
  std::shared_ptr<const Source> source = known == sources_.end() ? nullptr : known->second;
  while (source && source->from) {
    if (!source->is_macro) {
      diagnostic.trail.push_back(
          {std::shared_ptr<const std::string>(source->from, &source->from->name),
           source->from_line});
    }
    source = source->from;
  }
  diagnostics.push_back(std::move(diagnostic));
}

void Reading::complain_at(const config::Place& place, std::string text, std::string advice) {
  tell(Severity::fault, place, std::move(text), std::move(advice));
}

void Reading::warn_at(const config::Place& place, std::string text, std::string advice) {
  tell(Severity::warning, place, std::move(text), std::move(advice));
}

void Reading::note_at(const config::Place& place, std::string text) {
  tell(Severity::note, place, std::move(text), {});
}

bool Reading::has_module(std::string_view name) const {
  const Module* const module = find_module(name);
  if (module && module->kind == Module::Kind::built_in) return true;
  const std::string_view identifier = module ? module->identifier : name;
  return std::find(config->modules.begin(), config->modules.end(), identifier) !=
         config->modules.end();
}

bool Reading::has_module_of(const Directive& directive) const {
  return has_module(directive.module) ||
         (!directive.other_module.empty() && has_module(directive.other_module));
}

std::string Reading::resolve_path(std::string_view path) const {
  return join_path(server_root, path);
}

Scope::Scope(Reading& of, config::Server& about, const Frame& frame)
    : reading(of),
      config(*of.config),
      server(about),
      in_main_server(&about == of.config->servers.front().get()),
      frame_(&frame) {}

config::Place Scope::place() const { return statement_ ? statement_->place() : config::Place(); }

void Scope::complain(std::string text, std::string advice) {
  if (advice.empty() && statement_) advice = odd_characters(statement_->text);
  reading.complain_at(place(), std::move(text), std::move(advice));
}

void Scope::warn(std::string text, std::string advice) {
  reading.warn_at(place(), std::move(text), std::move(advice));
}

void Scope::note(std::string text) { reading.note_at(place(), std::move(text)); }

void Scope::complain_unless_inert(std::string text, std::string advice) {
  if (!frame_->is_inert) return complain(std::move(text), std::move(advice));
  note(text + "; no files are served, so it acts on nothing here");
}

void Scope::execute(const Statement& statement) {
  const Statement* const outer = std::exchange(statement_, &statement);
  reading.order = statement.order;
  execute_one(statement);
  statement_ = outer;
  if (outer) reading.order = outer->order;
}

void Scope::execute(const std::vector<Statement>& statements) {
  for (const Statement& statement : statements) execute(statement);
}

void Scope::execute(const std::vector<Statement>& statements, Frame frame) {
  const Frame* const outer = frame_;
  frame.is_inert = frame.is_inert || outer->is_inert;
  frame_ = &frame;
  execute(statements);
  if (frame.kind != SectionKind::limit) finish_settings(*this);
  frame_ = outer;
}

void Scope::execute_host(const Statement& host, const std::function<void()>& begin) {
  statement_ = &host;
  reading.order = host.order;
  begin();
  execute(host.children);
  finish_settings(*this);
}

void Scope::complain_about_module(const Directive& directive) {
  auto& needs = reading.part<MissingModules>().needs;
  const Module* const module = find_module(directive.module);
  if (module && module->kind == Module::Kind::foreign) {
    complain("Invalid command '" + statement_->name + "'" + std::string(unknown_tail),
             "Leave it out: " + std::string(module->identifier) + " is not part of this program; " +
                 std::string(module->note) + '.');
    return;
  }
  const std::string line = "LoadModule " + std::string(directive.module) + ' ' +
                           (module ? module_path(*module) : std::string("modules/..."));
  const auto [entry, is_first] = needs.try_emplace(directive.module);
  if (is_first) {
    entry->second.diagnostic = reading.diagnostics.size();
    complain("Invalid command '" + statement_->name + "'" + std::string(unknown_tail),
             "Add this line before it: " + line);
    return;
  }
  const std::size_t further = ++entry->second.further_lines;
  reading.diagnostics[entry->second.diagnostic].advice =
      "Add this line before it: " + line + "\n(" + std::to_string(further) + " more line" +
      (further > 1 ? "s need" : " needs") + " the same module)";
}

void Scope::refuse(const Directive& directive, const std::string& name) {
  constexpr std::size_t places_max = 8;
  if (frame_->is_inert) {
    return complain_unless_inert(
        name + " is not supported: it would " + std::string(directive.help), {});
  }
  const auto [entry, is_first] = reading.part<RefusedGroups>().by_help.try_emplace(directive.help);
  RefusedGroups::Group& group = entry->second;
  if (is_first) {
    group.diagnostic = reading.diagnostics.size();
    complain(name + " is not supported: it would " + std::string(directive.help),
             std::string(directive.note));
  } else {
    const config::Place& first = reading.diagnostics[group.diagnostic].place;
    const bool is_same_file = *first.file == *place().file;
    if (++group.further_lines <= places_max) {
      group.places += (group.places.empty() ? "" : ", ") +
                      (is_same_file ? std::string() : *place().file + ':') +
                      std::to_string(place().line);
    } else if (group.further_lines == places_max + 1) {
      group.places += ", ...";
    }
    reading.diagnostics[group.diagnostic].advice =
        std::string(directive.note) + "\n(and " + std::to_string(group.further_lines) +
        " more line" + (group.further_lines > 1 ? "s" : "") + ": " + group.places + ')';
  }
}

// The tag is at fault and nothing will act; what stands inside has faults of its own to tell. Of
// sections that servers have, which need nothing around them.
void Scope::look_inside(const Directive& meant, const Statement& statement) {
  const bool has_argument = meant.arguments != Arguments::section || !statement.text.empty();
  if (!statement.is_section() || !has_argument || (meant.contexts & in_servers) == 0) return;
  if (meant.handler && reading.has_module_of(meant)) meant.handler(*this, statement);
}

void Scope::execute_one(const Statement& statement) {
  const Directive* const directive = find_directive(statement.name);
  if (!directive) {
    if (const Directive* const family = find_family(statement.name))
      return refuse(*family, statement.name);
    const Directive* const meant = nearest_directive(statement.name);
    complain("Invalid command '" + statement.name + "'" + std::string(unknown_tail),
             suggest(statement.name, meant));
    if (meant) look_inside(*meant, statement);
    return;
  }
  const std::string name = std::string(directive->name) + (statement.is_section() ? ">" : "");
  if (directive->support == Support::refused) {
    refuse(*directive, name);
    return;
  }
  if (!reading.has_module_of(*directive)) {
    complain_about_module(*directive);
    return;
  }
  if (const std::string wrong = check_context(*directive, *frame_); !wrong.empty()) {
    complain(wrong, "It may stand in: " + contexts_text(directive->contexts) + '.');
    look_inside(*directive, statement);
    return;
  }
  if (const std::string wrong = check_arguments(*directive, statement); !wrong.empty()) {
    complain(wrong);
    look_inside(*directive, statement);
    return;
  }
  if (directive->handler) directive->handler(*this, statement);
  if (directive->support == Support::accepted_with_note &&
      reading.part<NotesGiven>().directives.insert(directive).second) {
    note(name + ": " + std::string(directive->note));
  }
}

}  // namespace steelyard::apacheconf
