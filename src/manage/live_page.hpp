// The live page of the balancer-manager, at the manager's own address, so that whoever the
// configuration lets in there has it and nobody else (docs/decisions/0017).
//
//   ?live               the page                    ?live=feed           what happens
//   (live_feed.hpp) ?live=app-HASH.js   what it is made of          ?live=hour&...       the last
//   hour of one ?live=events        what happened to members, and what operators changed POST
//   ?live=change   a change, as JSON: the API's own operations behind the manager's nonce
//
// Threads: the loop's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "io/loop.hpp"
#include "manage/api.hpp"
#include "manage/changes_book.hpp"
#include "manage/live_feed.hpp"
#include "proxy/desk.hpp"

namespace steelyard::manage {

// Nothing but its own files, its own requests and its own styles; nobody may frame it.
inline constexpr std::string_view live_page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

class LivePage {
 public:
  // Of members' health that are told, the latest.
  static constexpr std::size_t events_max = 100;

  struct Parts {
    io::Loop& loop;
    Chronicle& chronicle;
    ChangesBook& book;
    Api& api;
    std::function<std::string(const proxy::Group&)> nonce_of;  // the manager's
  };
  explicit LivePage(Parts parts);

  // A question to the manager that is the live page's.
  [[nodiscard]] static bool concerns(const proxy::DeskQuestion& question);
  proxy::DeskAnswer answer(const proxy::DeskQuestion& question);
  void end_feeds() { feed_.end_all(); }

 private:
  using Parameters = std::map<std::string, std::string>;
  using Answer = std::expected<ApiJson, Problem>;

  std::optional<proxy::DeskAnswer> read(const proxy::DeskQuestion& question,
                                        const Parameters& parameters);
  proxy::DeskAnswer listen(const proxy::DeskQuestion& question);
  Answer tell_hour(const proxy::DeskQuestion& question, const Parameters& parameters) const;
  Answer tell_events(const proxy::DeskQuestion& question) const;
  proxy::DeskAnswer change(const proxy::DeskQuestion& question);
  [[nodiscard]] std::string nonce_for(const proxy::DeskQuestion& question,
                                      const NamedBalancer& balancer) const;
  [[nodiscard]] Moment moment() const {
    return {.now = parts_.loop.now(), .wall = parts_.loop.wall_now()};
  }

  Parts parts_;
  LiveFeed feed_;
};

}  // namespace steelyard::manage
