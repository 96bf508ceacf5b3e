#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

// The files that a configuration may name, behind an interface, so that tests and fuzzing read
// memory and the program reads the disk.

namespace steelyard::apacheconf {

class Files {
 public:
  virtual ~Files() = default;

  // The error is the system's sentence: "No such file or directory".
  virtual std::expected<std::string, std::string> read(const std::string& path) const = 0;
  virtual bool exists(const std::string& path) const = 0;
  virtual bool is_directory(const std::string& path) const = 0;
  // Names in byte order, without "." and "..".
  virtual std::expected<std::vector<std::string>, std::string> list(
      const std::string& directory) const = 0;
};

class DiskFiles final : public Files {
 public:
  std::expected<std::string, std::string> read(const std::string& path) const override;
  bool exists(const std::string& path) const override;
  bool is_directory(const std::string& path) const override;
  std::expected<std::vector<std::string>, std::string> list(
      const std::string& directory) const override;
};

// Path -> content; directories exist where a path leads through them.
class MemoryFiles final : public Files {
 public:
  std::map<std::string, std::string> contents;

  std::expected<std::string, std::string> read(const std::string& path) const override;
  bool exists(const std::string& path) const override;
  bool is_directory(const std::string& path) const override;
  std::expected<std::vector<std::string>, std::string> list(
      const std::string& directory) const override;
};

// `path` as it is when absolute, else below `root`; "." and ".." and doubled slashes resolved.
std::string join_path(std::string_view root, std::string_view path);

}  // namespace steelyard::apacheconf
