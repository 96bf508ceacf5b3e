#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "apacheconf/scope.hpp"

// The one table of the configuration language. Each row is a directive: what it looks like, where
// it may stand, what it does, how it combines. Reading, `-L` and docs/directives.md all come from
// it.

namespace steelyard::apacheconf {

// Where a directive may stand: a set of these bits.
using Contexts = std::uint8_t;
inline constexpr Contexts in_main = 1;        // the main server
inline constexpr Contexts in_vhost = 2;       // <VirtualHost>
inline constexpr Contexts in_location = 4;    // <Location>, <LocationMatch>
inline constexpr Contexts in_proxy = 8;       // <Proxy>, <ProxyMatch>
inline constexpr Contexts in_directory = 16;  // <Directory>, <Files>, ... (checked, without effect)
inline constexpr Contexts in_condition = 32;  // <If>, <ElseIf>, <Else>
inline constexpr Contexts in_servers = in_main | in_vhost;
inline constexpr Contexts in_sections = in_location | in_proxy | in_directory | in_condition;
inline constexpr Contexts anywhere = in_servers | in_sections;

// The shape of the arguments, checked before the handler runs; httpd's sentence when it is wrong.
enum class Arguments : std::uint8_t {
  none,
  one,
  two,
  three,
  one_or_two,
  two_or_three,
  one_two_or_three,
  one_or_three,
  one_or_more,    // httpd: ITERATE
  two_or_more,    // httpd: ITERATE2
  flag,           // exactly on or off, any case: see is_on()
  raw,            // the handler looks at `text` or `words` itself
  section,        // a container: `text` is what stands before the last '>'
  empty_section,  // the same without argument: <RequireAll>
};

enum class Support : std::uint8_t {
  implemented,
  accepted_with_note,  // read and checked by its shape; `note` says what it means here
  refused,             // known to httpd: `note` says what it would have done and how to proceed
};

using Handler = void (*)(Scope&, const Statement&);

struct Directive {
  std::string_view name;  // httpd's spelling; sections begin with '<': "<RequireAll"
  Contexts contexts = anywhere;
  Arguments arguments = Arguments::raw;
  Handler handler = nullptr;     // null: nothing to do (accepted_with_note, refused)
  std::string_view merge = {};   // how nested levels combine, e.g. "the inner one counts"
  std::string_view help = {};    // one line; also the tail of "X takes one argument, ..."
  std::string_view module = {};  // identifier, e.g. "proxy_module"
  Support support = Support::implemented;
  std::string_view note = {};
};

// For Arguments::flag.
bool is_on(const Statement& statement);

}  // namespace steelyard::apacheconf
