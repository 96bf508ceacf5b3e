// SetHandler server-status: how the server is doing, for people and (?auto) for programs, in the
// shape of httpd's mod_status.
//
//   ?auto        lines "Name: value"
//   ?refresh=N   the browser asks again after N seconds, 10 if N is none
//   ?notable     accepted: there is no table of single requests anyway
//
// Threads: the desk's.
#pragma once

#include "manage/server_sources.hpp"

namespace steelyard::manage {

class StatusPage {
 public:
  explicit StatusPage(ServerSources sources) : sources_(std::move(sources)) {}

  [[nodiscard]] proxy::DeskAnswer answer(const proxy::DeskQuestion& question) const;

 private:
  ServerSources sources_;
};

}  // namespace steelyard::manage
