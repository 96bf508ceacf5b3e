#include "journal/folder.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace steelyard::journal {

namespace {

constexpr mode_t only_the_owner = 0600;
constexpr mode_t only_the_owner_inside = 0700;
constexpr mode_t others = S_IWGRP | S_IWOTH;
// Names with the same second.
constexpr int set_aside_tries = 100;

std::unexpected<Fault> fail_by_system(const std::string& what, int error) {
  const auto kind = error == EROFS                       ? Fault::Kind::read_only
                    : error == ENOSPC || error == EDQUOT ? Fault::Kind::full
                                                         : Fault::Kind::unavailable;
  return fail(kind, fmt::format("{}: ({}){}", what, error, std::strerror(error)));
}

class Folder {
 public:
  explicit Folder(const char* path)
      : number_(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        error_(number_ < 0 ? errno : 0) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    if (number_ >= 0) ::close(number_);
  }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] int error() const { return error_; }

 private:
  int number_, error_;
};

// What the last part of a path lies in, and that part.
std::pair<std::string, std::string> split_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

// A new name is only there after a power cut once its folder was written.
std::expected<void, Fault> keep_names_in(const std::string& folder) {
  const Folder open(folder.c_str());
  if (open.error() != 0) return fail_by_system(folder, open.error());
  if (::fsync(open.number()) != 0) return fail_by_system(folder, errno);
  return {};
}

bool is_only_root_s(const struct stat& found) {
  return found.st_uid == 0 && (found.st_mode & others) == 0;
}

}  // namespace

std::expected<void, Fault> provide_folder(const std::string& folder) {
  if (::mkdir(folder.c_str(), only_the_owner_inside) == 0) {
    if (auto kept = keep_names_in(split_path(folder).first); !kept) return kept;
  } else if (errno != EEXIST && errno != EROFS) {
    return fail_by_system("could not make " + folder, errno);
  }
  struct stat found{};
  if (::stat(folder.c_str(), &found) != 0) return fail_by_system(folder, errno);
  if (!S_ISDIR(found.st_mode)) return fail(Fault::Kind::not_ours, folder + " is no directory");
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return fail(Fault::Kind::untrusted,
                folder + " belongs to somebody else than the server's user or root");
  }
  if ((found.st_mode & others) != 0) {
    return fail(Fault::Kind::untrusted,
                folder + " can be written to by others: chmod go-w, or name another directory");
  }
  return {};
}

bool is_in_memory(std::string folder) {
  struct statfs system{};
  constexpr std::array<decltype(system.f_type), 2> kinds{TMPFS_MAGIC, RAMFS_MAGIC};
  if (::statfs(folder.c_str(), &system) != 0) {
    // Not made yet.
    folder = split_path(std::move(folder)).first;
    if (::statfs(folder.c_str(), &system) != 0) return false;
  }
  return std::ranges::find(kinds, system.f_type) != kinds.end();
}

std::expected<void, Fault> provide_folder_for(const std::string& folder, uid_t user, gid_t group) {
  const auto [holder_path, name] = split_path(folder);
  const Folder holder(holder_path.c_str());
  struct stat found{};
  if (holder.error() != 0 || ::fstat(holder.number(), &found) != 0)
    return fail_by_system(holder_path, holder.error() != 0 ? holder.error() : errno);
  if (!is_only_root_s(found)) return {};
  if (::mkdirat(holder.number(), name.c_str(), only_the_owner_inside) != 0) {
    if (errno == EEXIST) return {};
    return fail_by_system("could not make " + folder, errno);
  }
  // Nobody but root could have put something else there meanwhile.
  if (::fchownat(holder.number(), name.c_str(), user, group, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_by_system("could not give away " + folder, errno);
  if (::fsync(holder.number()) != 0) return fail_by_system(folder, errno);
  return {};
}

std::expected<void, Fault> provide_file(const std::string& path) {
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  if (const int made = ::open(path.c_str(), flags, only_the_owner); made >= 0) {
    ::close(made);
    return keep_names_in(split_path(path).first);
  }
  // Not opened when it is there: closing would give away the locks that this process has on it.
  const int error = errno;
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return fail_by_system("could not make " + path, error);
  if (!S_ISREG(found.st_mode)) return fail(Fault::Kind::not_ours, path + " is no regular file");
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return fail(Fault::Kind::untrusted,
                path + " belongs to somebody else than the server's user or root");
  }
  const bool is_open_to_others = (found.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  if (is_open_to_others && ::chmod(path.c_str(), only_the_owner) != 0 && errno != EROFS)
    return fail_by_system("could not close " + path + " to others", errno);
  return {};
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{.device = found.st_dev, .number = found.st_ino};
}

std::expected<std::string, Fault> set_aside(const std::string& path, WallTime now) {
  const auto second = std::chrono::time_point_cast<std::chrono::seconds>(now);
  const std::string base = fmt::format("{}.corrupt-{:%Y%m%dT%H%M%SZ}", path, second);
  for (int number = 1; number <= set_aside_tries; ++number) {
    std::string name = number == 1 ? base : fmt::format("{}-{}", base, number);
    struct stat found{};
    if (::lstat(name.c_str(), &found) == 0) continue;
    // What lies beside the file first: left behind, it would be applied to the fresh one.
    for (const char* beside : {"-journal", "-wal"}) {
      if (::rename((path + beside).c_str(), (name + beside).c_str()) != 0 && errno != ENOENT)
        return fail_by_system("could not set aside " + path + beside, errno);
    }
    if (::rename(path.c_str(), name.c_str()) != 0)
      return fail_by_system("could not set aside " + path, errno);
    if (auto kept = keep_names_in(split_path(path).first); !kept)
      return std::unexpected(std::move(kept.error()));
    return name;
  }
  return fail(Fault::Kind::corrupt, path + ": too many files were set aside within a second");
}

}  // namespace steelyard::journal
