// Input: an Authorization field in the first line, a password file or group file in the rest. What
// is read is bounded by what there was, says the same when it is written again, and no text that is
// no form of a password lets anybody in.
#include <string>
#include <string_view>

#include "auth/files.hpp"
#include "auth/password.hpp"
#include "base/base64.hpp"
#include "base/check.hpp"
#include "fuzz.hpp"
#include "http/basic_credentials.hpp"

namespace steelyard {
namespace {

void check_field(std::string_view value) {
  CHECK(from_loose_base64(value).size() <= value.size() * 3 / 4);
  if (const auto strict = from_base64(value)) {
    CHECK(*strict == from_loose_base64(value) && base64(*strict) == value);
  }
  const auto read = http::read_basic_credentials(value);
  if (!read) return;
  CHECK(!read->user.contains(':') && !read->user.contains('\0'));
  CHECK(!read->password.contains('\0'));
  const auto again =
      http::read_basic_credentials(http::write_basic_credentials(read->user, read->password));
  CHECK(again && again->user == read->user && again->password == read->password);
}

// crypt(3) may take long for what the file's owner asks for; here only its own short forms are
// asked.
bool is_cheap(std::string_view kept) {
  return !kept.starts_with('$') || kept.starts_with("$apr1$");
}

void check_users(std::string_view text) {
  const auth::UserFile file = auth::UserFile::read(text);
  CHECK(file.size() <= text.size());
  CHECK((file.any_password() == nullptr) == (file.size() == 0));
  for (const std::string_view user : {std::string_view("bob"), std::string_view()}) {
    const std::string* const kept = file.password_of(user);
    if (kept == nullptr) continue;
    CHECK(kept->size() <= auth::line_bytes_max && !kept->contains(':'));
    // A text of itself would be a readable password.
    if (is_cheap(*kept)) CHECK(!auth::fits(*kept, *kept));
  }
}

void check_groups(std::string_view text) {
  for (const std::string& group : auth::GroupFile::read(text).groups_of("bob"))
    CHECK(group.size() <= auth::line_bytes_max && !group.contains(':'));
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::string_view field = input.substr(0, input.find('\n'));
  check_field(field);
  input.remove_prefix(field.size());
  if (!input.empty()) input.remove_prefix(1);
  check_users(input);
  check_groups(input);
}

}  // namespace steelyard
