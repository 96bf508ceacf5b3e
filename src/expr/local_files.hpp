#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

// The files that conditions ask about: -f '/maintenance', %{file:/etc/hostname}. Evaluating is pure
// but for this: the server implements it with the operating system, tests with a table.
//
// Every question is a call of the kernel on the data path, made only where a condition asks it:
// httpd does the same, and the answer shall be today's, not a remembered one.
//
// Threads: any.

namespace steelyard {
class Arena;
}

namespace steelyard::expr {

enum class FileTrait : std::uint8_t {
  exists,      // -e
  directory,   // -d
  regular,     // -f
  with_bytes,  // -s: regular and not empty
  link,        // -L -h: itself a symbolic link
  executable,  // -x: also a directory; by its owner, group or others
};

class LocalFiles {
 public:
  virtual ~LocalFiles() = default;

  virtual bool has_trait(std::string_view path, FileTrait trait) const = 0;
  virtual std::optional<std::uint64_t> bytes_of(std::string_view path) const = 0;  // regular ones
  // Differs when the file is another one or was written to; nothing where there is no file.
  virtual std::optional<std::uint64_t> stamp_of(std::string_view /*path*/) const {
    return std::nullopt;
  }
  // The error is a sentence without the path: "Cannot open file ".
  virtual std::expected<std::string_view, std::string_view> read(std::string_view path,
                                                                 Arena& arena) const = 0;
};

}  // namespace steelyard::expr
