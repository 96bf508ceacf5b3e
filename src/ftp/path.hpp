#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

// The path of an FTP URL (RFC 1738 3.2.2): which directories to walk through, and what to ask for
// there (httpd's rules).
//
//   /pub/my%20dir/a.txt;type=i   →   CWD pub, CWD my dir, TYPE I, RETR a.txt
//   /%2fetc/                     →   CWD /, CWD etc, LIST
//
// Invariant: no word holds a control byte, a byte above 0x7e or a '/': each stays one argument of
// one command. Threads: pure.

namespace steelyard::ftp {

enum class PathFault : std::uint8_t {
  bad_byte,  // CR, LF and the like; bytes above 0x7e
  bad_type,  // ;type= with another letter than a, e, i or d
  slash,     // %2f elsewhere than at the front
};

struct PathRules {
  bool lists_on_wildcard = true;  // ProxyFtpListOnWildcard
  bool is_encoded = true;         // percent signs are escapes
};

struct Path {
  bool from_root = false;  // leave the directory that the login leads to
  std::vector<std::string> directories;
  std::string name;          // of a file, or a pattern of names; empty: the directory itself
  char type = 'I';           // A, E or I
  bool wants_list = false;   // said so (;type=d), or there is nothing else to ask for
  bool is_listable = false;  // `name` is a pattern or nothing: it can only be listed
};

// `path` begins with '/' and has no query.
std::expected<Path, PathFault> read_path(std::string_view path, PathRules rules);

// ";type=x" of a path that is refused for it, for the page; without the semicolon.
std::string_view type_words(std::string_view path);

// Has one of `*?[{~` that no backslash stands before (httpd).
bool is_pattern(std::string_view name);

// httpd puts a backslash before `*?[{~` for servers that expand names (ProxyFtpEscapeWildcards).
std::string escape_wildcards(std::string_view name);

}  // namespace steelyard::ftp
