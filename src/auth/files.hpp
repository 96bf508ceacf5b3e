#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// What AuthUserFile and AuthGroupFile name (mod_authn_file, mod_authz_groupfile):
//
//   user:password[:...]        # of a name that stands there twice, the first line counts
//   group: user user "a user"  # of a group that does, all
//
// Both are read as httpd reads configuration files: blanks around a line do not count, `#` begins a
// comment, a backslash at its end continues it; a line that is too long is where reading ends.
//
// Threads: immutable once read.

namespace steelyard::auth {

inline constexpr std::size_t line_bytes_max = 8191;
inline constexpr std::size_t file_bytes_max = std::size_t{16} << 20;

class UserFile {
 public:
  static UserFile read(std::string_view text);

  // What is kept of the user's password; null: no such user.
  const std::string* password_of(std::string_view user) const;
  // That of some user, for checking passwords of users who are none as long as others; null: there
  // is no user at all.
  const std::string* any_password() const;
  std::size_t size() const { return passwords_.size(); }

 private:
  std::unordered_map<std::string, std::string> passwords_;
  std::string first_;  // the user of the first line
};

class GroupFile {
 public:
  static GroupFile read(std::string_view text);

  // Of which groups the user is one; those of a name may stand there more than once.
  std::vector<std::string> groups_of(std::string_view user) const;

 private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::vector<std::size_t>> groups_;  // of a user: rows of names_
};

}  // namespace steelyard::auth
