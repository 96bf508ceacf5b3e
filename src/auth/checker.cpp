#include "auth/checker.hpp"

#include <utility>
#include <vector>

#include "auth/password.hpp"

namespace steelyard::auth {

namespace {

using Verdict = Finding::Verdict;

template <class Looked>
void add_groups(const Looked& groups, std::string_view user, Finding& finding) {
  if (groups.file == nullptr) {
    finding.group_fault = groups.fault;
  } else {
    finding.groups = groups.file->groups_of(user);
  }
}

}  // namespace

template <class File>
std::optional<Checker::Looked<File>> Checker::find_fresh(const Shelf<File>& shelf,
                                                         std::string_view path, Instant now) const {
  const std::lock_guard hold(lock_);
  const auto found = shelf.find(std::string(path));
  if (found == shelf.end()) return std::nullopt;
  found->second.used = now;
  if (now - found->second.at >= fresh_time) return std::nullopt;
  return found->second;
}

template <class File>
Checker::Looked<File> Checker::look(Shelf<File>& shelf, std::string_view path, Instant now) {
  if (auto fresh = find_fresh(shelf, path, now)) return *fresh;
  return look_again(shelf, std::string(path), now);
}

template <class File>
Checker::Looked<File> Checker::look_again(Shelf<File>& shelf, const std::string& path,
                                          Instant now) {
  Looked<File> looked{.file = nullptr, .fault = {}, .stamp = {}, .at = now, .used = now};
  const auto stamp = files_.stamp_of(path);
  if (stamp) {
    looked.stamp = *stamp;
    const std::lock_guard hold(lock_);
    const auto found = shelf.find(path);
    if (found != shelf.end() && found->second.stamp == stamp.value()) {
      found->second.at = now;
      return found->second;
    }
  }
  const auto text = stamp ? files_.read(path) : std::unexpected(stamp.error());
  if (text) {
    looked.file = std::make_shared<const File>(File::read(*text));
  } else {
    looked.fault = text.error();
    looked.stamp.reset();
  }
  // What takes long to be freed is freed outside of the lock, which shards take.
  Shelf<File> others;
  Looked<File> before;
  const std::lock_guard hold(lock_);
  if (shelf.size() >= files_max) others.swap(shelf);
  Looked<File>& place = shelf[path];
  if (place.used > Instant()) looked.used = place.used;
  before = std::exchange(place, looked);
  return looked;
}

template <class File>
void Checker::refresh(Shelf<File>& shelf, Instant now) {
  std::vector<std::string> wanted;
  {
    const std::lock_guard hold(lock_);
    for (const auto& [path, looked] : shelf)
      if (now - looked.used < use_time) wanted.push_back(path);
  }
  for (const std::string& path : wanted) look_again(shelf, path, now);
}

void Checker::refresh(Instant now) {
  refresh(users_, now);
  refresh(groups_, now);
}

std::optional<Finding> Checker::known(const Login& login, Instant now) const {
  Finding finding{.verdict = Verdict::right};
  if (!login.is_certified) {
    auto opinion = known_password(login, now);
    if (!opinion || opinion->verdict != Verdict::right) return opinion;
    finding = std::move(*opinion);
  }
  if (login.group_file.empty()) return finding;
  const auto groups = find_fresh(groups_, login.group_file, now);
  if (!groups) return std::nullopt;
  add_groups(*groups, login.user, finding);
  return finding;
}

std::optional<Finding> Checker::known_password(const Login& login, Instant now) const {
  const auto users = find_fresh(users_, login.user_file, now);
  if (!users) return std::nullopt;
  if (users->file == nullptr) return Finding{.verdict = Verdict::no_file, .fault = users->fault};
  const std::string* const kept = users->file->password_of(login.user);
  if (kept == nullptr || !verified_.has(login.user, login.password, *kept)) return std::nullopt;
  return Finding{.verdict = Verdict::right};
}

Finding Checker::check(const Login& login, Instant now) {
  Finding finding{.verdict = Verdict::right};
  if (!login.is_certified) finding = check_password(login, now);
  if (finding.verdict == Verdict::right && !login.group_file.empty())
    add_groups(look(groups_, login.group_file, now), login.user, finding);
  return finding;
}

Finding Checker::check_password(const Login& login, Instant now) {
  const auto users = look(users_, login.user_file, now);
  if (users.file == nullptr) return {.verdict = Verdict::no_file, .fault = users.fault};
  const std::string* const kept = users.file->password_of(login.user);
  if (kept == nullptr) {
    // As long as for anybody, so that nobody learns names by the clock.
    const std::string* const other = users.file->any_password();
    if (other != nullptr) (void)fits(login.password, *other);
    return {.verdict = Verdict::unknown_user};
  }
  if (!verified_.has(login.user, login.password, *kept)) {
    if (!fits(login.password, *kept)) return {.verdict = Verdict::wrong_password};
    verified_.add(login.user, login.password, *kept);
  }
  return {.verdict = Verdict::right};
}

}  // namespace steelyard::auth
