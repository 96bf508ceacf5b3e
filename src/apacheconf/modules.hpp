#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

// httpd's modules as far as a configuration can name them.

namespace steelyard::apacheconf {

struct Module {
  enum class Kind : std::uint8_t {
    built_in,     // part of every Debian apache2, and of us
    implemented,  // its directives work after its LoadModule line
    inert,        // serves files or users: its directives are accepted where noted
    foreign,      // known, but not done here
  };
  std::string_view identifier;  // "proxy_module"
  std::string_view file;        // "mod_proxy.c", what <IfModule> and -l may say
  Kind kind = Kind::foreign;
  std::string_view note = {};  // what its absence means
};

std::span<const Module> known_modules();
// By identifier or file name, exactly as written; nullptr: never heard of.
const Module* find_module(std::string_view name);
// "modules/mod_proxy.so": "mod_proxy.c".
std::string source_of(std::string_view file);
// By what a LoadModule line has as file; nullptr: never heard of.
const Module* module_of_file(std::string_view file);

// What LoadModule lines called which file's module: <IfModule mod_evasive24.c> asks for that of
// LoadModule evasive20_module modules/mod_evasive24.so. A part of the Reading.
struct ModuleFiles {
  std::map<std::string, std::string> identifiers;  // by "mod_evasive24.c"
};

// What <IfVersion> compares with: the httpd whose behaviour is the contract.
struct HttpdVersion {
  int major = 2, minor = 4, patch = 71;
};
inline constexpr HttpdVersion httpd_version{};
std::string httpd_version_text();  // "2.4.71"

}  // namespace steelyard::apacheconf
