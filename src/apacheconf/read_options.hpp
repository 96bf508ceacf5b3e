#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apacheconf/diagnostic.hpp"
#include "apacheconf/files.hpp"
#include "apacheconf/machine.hpp"
#include "base/ip.hpp"

// Reading a configuration: text in, a complete Config or every fault out. Pure but for the files it
// reads through `files`.
//
// Threads: any, one reading at a time per Files.

namespace steelyard::apacheconf {

struct ReadLimits {
  std::uint32_t include_depth_max = 128;  // httpd's; uses of macros count too
  std::uint32_t section_depth_max = 64;   // through all files and macro uses
  std::size_t lines_max = 4'000'000;      // logical lines of all files and macro uses together
  std::size_t expanded_bytes_max = std::size_t{256} << 20;  // after variables and macros
};

struct ReadOptions {
  std::string file;                  // -f; relative to server_root
  std::string server_root;           // -d; ServerRoot replaces it
  std::vector<std::string> defines;  // -D NAME
  std::vector<std::string> before;   // -C "directive", executed before the file
  std::vector<std::string> after;    // -c "directive", executed after it
  // Of this machine, asked for when there is no ServerName; null or empty: not known.
  std::function<std::string()> host_name;
  std::function<std::optional<std::string>(std::string_view)> environment;  // null: none
  // Addresses of a name in Listen and <VirtualHost> lines; null: names are not resolved.
  std::function<std::vector<IpAddress>(const std::string&)> resolve_host;
  Machine machine;
  ReadLimits limits;
};

}  // namespace steelyard::apacheconf
