#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/linux/epoll_loop.hpp"

// Tells when a file may have changed: written, replaced, made or removed. Not every file system
// tells of what other machines do, so the owner looks at the file from time to time all the same.
//
// Threads: the loop's.

namespace steelyard::io {

class FileWatch final : private WatchedDescriptor {
 public:
  // Null when the file's directory cannot be watched (it is missing, or there are no watches left).
  static std::unique_ptr<FileWatch> open(EpollLoop& loop, const std::string& path,
                                         std::function<void()> on_change);

 private:
  FileWatch(EpollLoop& loop, int fd, std::string name, std::function<void()> on_change);
  void on_events(std::uint32_t events) override;

  std::string name_;  // within its directory
  std::function<void()> on_change_;
};

}  // namespace steelyard::io
