#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "server/descriptor.hpp"

// Opening a file with root's rights at a path that somebody else may have prepared. The path is
// walked entry by entry, symbolic links included, and every entry must lie in a directory that the
// suspect cannot change. So whoever owns a log directory cannot have another file opened by putting
// a link in its place: there root's rights are not used at all.
//
// Threads: any.

namespace steelyard::server {

// Who might have prepared the path.
struct Suspect {
  uid_t user = 0;
  std::vector<gid_t> groups;
};

enum class TrustedFile : std::uint8_t {
  log,     // opened for append; created if need be
  secret,  // opened for reading
};

// The error is an errno; EACCES: the suspect could have a hand in where the path leads. Only a
// regular file is opened.
std::expected<Descriptor, int> open_trusted(const std::string& path, TrustedFile kind,
                                            const Suspect& suspect);

// Where a file is to be put by its name, whatever is there now: links are followed on the way, and
// the name itself is not looked at.
struct TrustedPlace {
  Descriptor directory;
  std::string name;
};
std::expected<TrustedPlace, int> find_trusted_place(const std::string& path,
                                                    const Suspect& suspect);

}  // namespace steelyard::server
