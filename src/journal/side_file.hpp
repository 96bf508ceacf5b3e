// A small file beside the journal, in its folder: read whole and replaced whole. After a crash at
// any byte it is the earlier one or the later one; a rotten one is noticed.
//
// Threads: one at a time a file; may wait for the disk.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "journal/fault.hpp"

namespace steelyard::journal {

// In the folder of the journal (folder.hpp), which must be there.
inline constexpr std::string_view cluster_file_name = "/cluster.json";

// On the disk when it returns.
std::expected<void, Fault> replace_file(const std::string& path, std::string_view text);
// None: there is no such file. A rotten one is a fault (corrupt).
std::expected<std::optional<std::string>, Fault> read_whole_file(const std::string& path);

}  // namespace steelyard::journal
