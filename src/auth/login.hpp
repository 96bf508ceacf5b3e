#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The question whether somebody is who they say, and its answer. Threads: values.

namespace steelyard::auth {

struct Login {
  std::string_view user, password;
  std::string_view user_file;
  std::string_view group_file;  // empty: nobody asks for groups
  bool is_certified = false;    // a certificate named the user: only the groups are asked for
};

struct Finding {
  enum class Verdict : std::uint8_t {
    right,
    wrong_password,
    unknown_user,
    no_file,     // it could not be read: `fault` says why
    overloaded,  // too many are being asked
  } verdict = Verdict::overloaded;
  std::string fault{};
  std::vector<std::string> groups{};  // the user's, of the group file; only when right
  std::string group_fault{};          // why it could not be read; empty: it could, or nobody asked
};

}  // namespace steelyard::auth
