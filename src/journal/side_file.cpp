#include "journal/side_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "journal/seal.hpp"

namespace steelyard::journal {

namespace {

// The first line of the file: the seal over what is behind it.
std::string head_of(std::string_view text) {
  return fmt::format("{:016x}\n", static_cast<std::uint64_t>(Seal().over(text).value()));
}

std::unexpected<Fault> fail_by_system(const std::string& path, int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  const bool is_read_only = error == EROFS || error == EACCES;
  return fail(is_full        ? Fault::Kind::full
              : is_read_only ? Fault::Kind::read_only
                             : Fault::Kind::unavailable,
              path + ": " + std::strerror(error));
}

class File {
 public:
  File(const std::string& path, int flags) : number_(::open(path.c_str(), flags, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(number_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  [[nodiscard]] bool sync() const { return ::fsync(number_) == 0; }

 private:
  int number_;
};

}  // namespace

std::expected<void, Fault> replace_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  {
    const File file(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
    if (!file.is_open() || !file.write(head_of(text)) || !file.write(text) || !file.sync())
      return fail_by_system(fresh, errno);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_by_system(path, errno);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const File holder(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!holder.is_open() || !holder.sync()) return fail_by_system(folder, errno);
  return {};
}

std::expected<std::optional<std::string>, Fault> read_whole_file(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return std::nullopt;
    return fail_by_system(path, errno);
  }
  if (!S_ISREG(found.st_mode)) return fail(Fault::Kind::not_ours, path + " is no regular file");
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return fail_by_system(path, EIO);
  const std::size_t end = all.find('\n');
  const std::string text = end == all.npos ? std::string() : all.substr(end + 1);
  if (end == all.npos || all.substr(0, end + 1) != head_of(text))
    return fail(Fault::Kind::corrupt, path + " is damaged");
  return text;
}

}  // namespace steelyard::journal
