// Why the journal could not do something. The text is for people and names the file.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace steelyard::journal {

struct Fault {
  enum class Kind : std::uint8_t {
    in_use,       // another process has the journal
    newer,        // written by a later version of this program
    not_ours,     // what lies there is no journal
    untrusted,    // others could change it
    read_only,    //
    lost,         // the file was deleted, moved or replaced while it was open
    full,         // no room on the disk, or a limit on it
    corrupt,      // opening it again sets it aside
    unavailable,  // whatever else the system says
    refused,      // there is no such change, or a later one stands in the way
  };
  Kind kind = Kind::unavailable;
  std::string text;
};

inline std::unexpected<Fault> fail(Fault::Kind kind, std::string text) {
  return std::unexpected(Fault{kind, std::move(text)});
}

}  // namespace steelyard::journal
