// The directive table as text: -L and docs/directives.md.
#include <map>

#include "apacheconf/modules.hpp"
#include "apacheconf/summary.hpp"
#include "apacheconf/tables.hpp"

namespace steelyard::apacheconf {

std::string contexts_text(Contexts contexts) {
  struct Part {
    Contexts bit;
    std::string_view text;
  };
  if (contexts == anywhere) return "anywhere";
  std::string text;
  for (const Part& part :
       {Part{in_main, "main server"}, Part{in_vhost, "VirtualHost"}, Part{in_location, "Location"},
        Part{in_proxy, "Proxy"}, Part{in_directory, "Directory"}, Part{in_condition, "If"}}) {
    if ((contexts & part.bit) == 0) continue;
    if (!text.empty()) text += ", ";
    text += part.text;
  }
  return text;
}

namespace {

std::string shown_name(const Directive& directive) {
  std::string name(directive.name);
  return name.starts_with('<') ? name + '>' : name;
}

std::string file_of(std::string_view identifier) {
  const Module* const module = find_module(identifier);
  return std::string(module ? module->file : identifier);
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*') out += '\\';
    out += c;
  }
  return out;
}

using ByModule = std::map<std::string, std::vector<const Directive*>>;

ByModule rows_of(Support support) {
  ByModule rows;
  for (const Directive* directive : all_directives()) {
    if (directive->support == support) {
      rows[std::string(directive->module)].push_back(directive);
    }
  }
  return rows;
}

void append_implemented(std::string& out) {
  for (const auto& [module, rows] : rows_of(Support::implemented)) {
    out += "\n### " + module + "\n\n| directive | where | what | when levels combine |\n";
    out += "|---|---|---|---|\n";
    for (const Directive* row : rows) {
      out += "| `" + shown_name(*row) + "` | " + contexts_text(row->contexts) + " | " +
             cell(row->help) + " | " + cell(row->merge) + " |\n";
    }
  }
}

void append_noted(std::string& out) {
  for (const auto& [module, rows] : rows_of(Support::accepted_with_note)) {
    out += "\n### " + module + "\n\n| directive | what httpd does | what it means here |\n";
    out += "|---|---|---|\n";
    for (const Directive* row : rows) {
      out += "| `" + shown_name(*row) + "` | " + cell(row->help) + " | " + cell(row->note) + " |\n";
    }
  }
}

void append_refused(std::string& out) {
  std::map<std::pair<std::string_view, std::string_view>, std::string> names;
  std::vector<const Directive*> firsts;
  for (const Directive* directive : all_directives()) {
    if (directive->support != Support::refused) continue;
    std::string& list = names[{directive->help, directive->note}];
    if (list.empty()) firsts.push_back(directive);
    list += (list.empty() ? "`" : ", `") + shown_name(*directive) + '`';
  }
  for (const Directive* first : firsts) {
    out += "\n**It would " + cell(first->help) + ".** " + cell(first->note) + "\n\n" +
           names[{first->help, first->note}] + '\n';
  }
}

}  // namespace

std::string list_directives() {
  std::string out;
  for (const Directive* directive : all_directives()) {
    out += std::string(directive->name) + " (" + file_of(directive->module) + ")\n\t";
    if (directive->support == Support::refused) {
      out += "Not supported: it would " + std::string(directive->help) + "\n";
      continue;
    }
    out += std::string(directive->help) + '\n';
    if (directive->support == Support::accepted_with_note) {
      out += "\tAccepted: " + std::string(directive->note) + '\n';
    }
    out += "\tAllowed in: " + contexts_text(directive->contexts) + '\n';
  }
  return out;
}

std::string directives_page() {
  std::string out =
      "# Directives\n\n"
      "Made from the directive table (`src/apacheconf/`); `steelyard -L` prints the same.\n"
      "A directive works once its module's `LoadModule` line was read, as in httpd.\n\n"
      "## Implemented\n";
  append_implemented(out);
  out +=
      "\n## Accepted\n\n"
      "Read without complaint, so that an existing configuration loads; `-t -v` prints a note.\n";
  append_noted(out);
  out +=
      "\n## Refused\n\n"
      "Known to httpd, not done here: a configuration that has one does not load.\n";
  append_refused(out);
  return out;
}

}  // namespace steelyard::apacheconf
