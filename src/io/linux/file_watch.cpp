#include "io/linux/file_watch.hpp"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/check.hpp"

namespace steelyard::io {

namespace {

constexpr std::uint32_t changes = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MODIFY;

}  // namespace

std::unique_ptr<FileWatch> FileWatch::open(EpollLoop& loop, const std::string& path,
                                           std::function<void()> on_change) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == path.npos ? "." : path.substr(0, slash + 1);
  const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return nullptr;
  if (::inotify_add_watch(fd, directory.c_str(), changes) < 0) {
    ::close(fd);
    return nullptr;
  }
  std::string name = slash == path.npos ? path : path.substr(slash + 1);
  return std::unique_ptr<FileWatch>(new FileWatch(loop, fd, std::move(name), std::move(on_change)));
}

FileWatch::FileWatch(EpollLoop& loop, int fd, std::string name, std::function<void()> on_change)
    : WatchedDescriptor(loop, fd), name_(std::move(name)), on_change_(std::move(on_change)) {
  CHECK(loop.watch_level(*this, EPOLLIN, false));
}

void FileWatch::on_events(std::uint32_t /*events*/) {
  alignas(inotify_event) std::array<char, 4096> bytes;
  bool ours = false;
  ssize_t got = 0;
  while ((got = ::read(fd_, bytes.data(), bytes.size())) > 0) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, &bytes[at], sizeof event);
      const char* const name = &bytes[at + sizeof event];
      // Without a name: the directory is gone, or there were too many to tell.
      ours = ours || event.len == 0 || name_ == name;
      at += sizeof event + event.len;
    }
  }
  if (ours) on_change_();
}

}  // namespace steelyard::io
