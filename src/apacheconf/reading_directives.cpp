// What takes effect while lines are read (composer.hpp); the rows are here for their shape and
// help. Only what the first phase could not take, e.g. Use without mod_macro, is executed as a
// statement.
#include <array>

#include "apacheconf/tables.hpp"

namespace steelyard::apacheconf {

namespace {

constexpr std::string_view at_once = "takes effect where it stands, for all that follows";

constexpr Directive row(std::string_view name, Arguments arguments, std::string_view help,
                        std::string_view module = "core_module") {
  return {.name = name,
          .contexts = anywhere,
          .arguments = arguments,
          .handler = nullptr,
          .merge = at_once,
          .help = help,
          .module = module,
          .support = Support::implemented,
          .note = {}};
}

constexpr auto directives = std::to_array<Directive>({
    row("Include", Arguments::one,
        "Name(s) of the config file(s) to be included; fails if the wildcard does not match at "
        "least one file"),
    row("IncludeOptional", Arguments::one,
        "Name or pattern of the config file(s) to be included; ignored if the file does not exist "
        "or the pattern does not match any files"),
    row("Define", Arguments::one_or_two,
        "Define a variable, optionally to a value.  Same as passing -D to the command line."),
    row("UnDefine", Arguments::one, "Undefine the existence of a variable. Undo a Define."),
    row("ServerRoot", Arguments::one,
        "Common directory of server-related files (logs, confs, etc.)"),
    row("LoadModule", Arguments::two,
        "a module name and the name of a shared object file to load it from", "so_module"),
    row("LoadFile", Arguments::one_or_more,
        "shared object file or library to load into the server at runtime", "so_module"),
    row("<IfModule", Arguments::section, "lines for when a module is, or with ! is not, active"),
    row("<IfDefine", Arguments::section, "lines for when a name is, or with ! is not, defined"),
    row("<IfFile", Arguments::section, "lines for when a file does, or with ! does not, exist"),
    row("<IfDirective", Arguments::section,
        "lines for when a directive is, or with ! is not, known"),
    row("<IfSection", Arguments::section, "lines for when a section is, or with ! is not, known"),
    row("<IfVersion", Arguments::section, "lines for some versions of httpd: [op] version",
        "version_module"),
    row("<Macro", Arguments::section, "lines with parameters, for Use", "macro_module"),
    row("Use", Arguments::one_or_more, "the lines of a macro, with its parameters replaced",
        "macro_module"),
    row("UndefMacro", Arguments::one, "forget a macro", "macro_module"),
});

}  // namespace

std::span<const Directive> reading_directives() { return directives; }

}  // namespace steelyard::apacheconf
