// Where the journal lies: a folder of its own, which nobody else may change.
//
// Threads: any.
#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "journal/fault.hpp"

namespace steelyard::journal {

// The folder is there, belongs to this process's user or to root, and nobody else may write to it.
// Made with mode 0700 if it is missing; what it lies in must exist.
std::expected<void, Fault> provide_folder(const std::string& folder);

// It lies, or would lie, in memory (tmpfs, ramfs): what is in it is gone after a boot.
[[nodiscard]] bool is_in_memory(std::string folder);

// For a process that will soon have fewer rights: makes the folder and gives it to who the process
// becomes. Does nothing where that is not root's to decide: the folder is there already, or others
// than root may change what it lies in.
std::expected<void, Fault> provide_folder_for(const std::string& folder, uid_t user, gid_t group);

// The file is there, is a regular one and for its owner alone. Made with mode 0600, empty, if it is
// missing.
std::expected<void, Fault> provide_file(const std::string& path);

// Which file a path leads to; none: to nothing.
struct FileIdentity {
  dev_t device = 0;
  ino_t number = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::string& path);

// Renames the file, and SQLite's beside it, to names that end with ".corrupt-" and the time.
// Returns the new name.
std::expected<std::string, Fault> set_aside(const std::string& path, WallTime now);

}  // namespace steelyard::journal
