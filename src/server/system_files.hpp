#pragma once

#include "expr/local_files.hpp"

// The machine's files as conditions ask about them. Relative paths belong to the directory in which
// the program runs, as in httpd.
//
// Threads: any. Each call waits for the file system.

namespace steelyard::server {

class SystemFiles final : public expr::LocalFiles {
 public:
  static constexpr std::uint64_t file_bytes_max = std::uint64_t{10} << 20;  // httpd's limit

  bool has_trait(std::string_view path, expr::FileTrait trait) const override;
  std::optional<std::uint64_t> bytes_of(std::string_view path) const override;
  std::optional<std::uint64_t> stamp_of(std::string_view path) const override;
  std::expected<std::string_view, std::string_view> read(std::string_view path,
                                                         Arena& arena) const override;
};

}  // namespace steelyard::server
