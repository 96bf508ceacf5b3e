#include "io/linux/temporary_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace steelyard::io {

namespace {

class TemporaryFile final : public SpillFile {
 public:
  explicit TemporaryFile(int fd) : fd_(fd) {}
  ~TemporaryFile() override { ::close(fd_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool append(std::string_view bytes) override {
    std::uint64_t at = size_;
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      at += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    size_ = at;
    return true;
  }

  std::size_t read(std::uint64_t offset, std::span<char> room) override {
    ssize_t got = 0;
    do {
      got = ::pread(fd_, room.data(), room.size(), static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  int fd_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<SpillFile> open_temporary_file(const std::string& directory) {
  int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {
    // Some file systems know no unnamed files: make one and take its name away.
    std::string name = directory + "/steelyard-body-XXXXXX";
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) return nullptr;
    ::unlink(name.c_str());
  }
  return std::make_unique<TemporaryFile>(fd);
}

}  // namespace steelyard::io
