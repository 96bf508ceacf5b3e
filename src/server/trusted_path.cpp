#include "server/trusted_path.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>

#include "base/text.hpp"

namespace steelyard::server {

namespace {

constexpr int links_max = 40;  // the kernel's own limit

class Walk {
 public:
  Walk(TrustedFile kind, const Suspect& suspect) : kind_(kind), suspect_(suspect) {}

  std::expected<Descriptor, int> open(const std::string& path) {
    if (!begin_at_root()) return std::unexpected(errno);
    put_in_front(path);
    while (!names_.empty()) {
      if (const int error = take_name(); error != 0) return std::unexpected(error);
      if (file_.is_open()) return std::move(file_);
    }
    return std::unexpected(EISDIR);
  }

  std::expected<TrustedPlace, int> find_place(const std::string& path) {
    if (!begin_at_root()) return std::unexpected(errno);
    put_in_front(path);
    while (names_.size() > 1) {
      if (const int error = take_name(); error != 0) return std::unexpected(error);
    }
    if (names_.empty()) return std::unexpected(EISDIR);
    if (!is_trusted(nullptr)) return std::unexpected(EACCES);
    return TrustedPlace{std::move(at_), std::move(names_.front())};
  }

 private:
  bool begin_at_root() {
    at_ = Descriptor(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return at_.is_open();
  }

  void put_in_front(std::string_view path) {
    auto at = names_.begin();
    for (const std::string_view name : split(path, '/')) {
      if (name.empty() || name == ".") continue;
      at = std::next(names_.insert(at, std::string(name)));
    }
  }

  int take_name() {
    const std::string name = std::move(names_.front());
    names_.pop_front();
    Descriptor entry(::openat(at_.number(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!entry.is_open() && (errno != ENOENT || !names_.empty())) return errno;
    return step(name, std::move(entry));
  }

  // 0: at_, names_ or file_ moved on.
  int step(const std::string& name, Descriptor entry) {
    struct stat found{};
    if (entry.is_open() && ::fstat(entry.number(), &found) != 0) return errno;
    if (!is_trusted(entry.is_open() ? &found : nullptr)) return EACCES;
    if (S_ISLNK(found.st_mode)) return follow(entry);
    if (names_.empty()) return open_file(name);
    if (!S_ISDIR(found.st_mode)) return ENOTDIR;
    at_ = Descriptor(::openat(entry.number(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return at_.is_open() ? 0 : errno;
  }

  // Where everybody may write but the sticky bit holds (/tmp), others' directories stay in place.
  bool is_trusted(const struct stat* entry) const {
    struct stat holder{};
    if (!at_.is_open() || ::fstat(at_.number(), &holder) != 0) return false;
    if (!may_change(holder)) return true;
    const bool sticky = (holder.st_mode & S_ISVTX) != 0 && holder.st_uid != suspect_.user;
    return sticky && entry != nullptr && entry->st_uid != suspect_.user && !names_.empty();
  }

  bool may_change(const struct stat& directory) const {
    if (directory.st_uid == suspect_.user || (directory.st_mode & S_IWOTH) != 0) return true;
    if ((directory.st_mode & S_IWGRP) == 0) return false;
    // With an access control list the group's bits are the bound of what the list may grant.
    return std::ranges::find(suspect_.groups, directory.st_gid) != suspect_.groups.end() ||
           ::fgetxattr(at_.number(), "system.posix_acl_access", nullptr, 0) > 0;
  }

  int follow(const Descriptor& link) {
    if (++links_ > links_max) return ELOOP;
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(link.number(), "", target, sizeof target);
    if (size < 0) return errno;
    const std::string_view text(target, static_cast<std::size_t>(size));
    put_in_front(text);
    return text.starts_with('/') && !begin_at_root() ? errno : 0;
  }

  int open_file(const std::string& name) {
    const int purpose = kind_ == TrustedFile::log ? O_WRONLY | O_APPEND | O_CREAT : O_RDONLY;
    const int flags = purpose | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
    Descriptor file(::openat(at_.number(), name.c_str(), flags, 0644));
    struct stat found{};
    if (!file.is_open() || ::fstat(file.number(), &found) != 0) return errno;
    if (!S_ISREG(found.st_mode)) return EACCES;
    file_ = std::move(file);
    return 0;
  }

  TrustedFile kind_;
  const Suspect& suspect_;
  Descriptor at_, file_;
  std::deque<std::string> names_;  // still to be walked
  int links_ = 0;
};

}  // namespace

std::expected<Descriptor, int> open_trusted(const std::string& path, TrustedFile kind,
                                            const Suspect& suspect) {
  return Walk(kind, suspect).open(std::filesystem::absolute(path));
}

std::expected<TrustedPlace, int> find_trusted_place(const std::string& path,
                                                    const Suspect& suspect) {
  return Walk(TrustedFile::log, suspect).find_place(std::filesystem::absolute(path));
}

}  // namespace steelyard::server
