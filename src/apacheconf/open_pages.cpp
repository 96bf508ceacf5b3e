// Pages about the server that the configuration leaves open to everybody.
#include <set>

#include "apacheconf/tables.hpp"
#include "config/open_page.hpp"

namespace steelyard::apacheconf {

namespace {

using config::PathSettings;
using config::Responder;
using config::Section;
using config::Server;

// What holds for the path of a section, as far as its pattern tells which others cover it.
PathSettings settings_of(const Server& server, const Section& page) {
  PathSettings settings = server.defaults;
  for (const Section& section : server.locations) {
    const bool is_whole = page.kind == Section::Kind::prefix && section.covers_path(page.pattern);
    if (&section == &page || is_whole) settings = merge(settings, section.settings);
  }
  return settings;
}

void warn_of(Reading& reading, Responder responder, const config::Place& place) {
  reading.warn_at(place,
                  "SetHandler " + std::string(handler_name(responder)) +
                      " is open to everybody, so it is answered for clients on this machine alone",
                  "To let others in, " + std::string(config::how_to_open_it) + '.');
}

}  // namespace

void finish_pages(Reading& reading) {
  // Virtual hosts have the main server's sections, too.
  std::set<const Section*> told;
  for (const std::unique_ptr<Server>& server : reading.config->servers) {
    const Responder everywhere = server->defaults.responder.value_or(Responder::none);
    if (is_page(everywhere) && is_left_open(server->defaults, everywhere))
      warn_of(reading, everywhere, server->place);
    for (const Section& section : server->locations) {
      const Responder responder = section.settings.responder.value_or(Responder::none);
      if (!is_page(responder) || !is_left_open(settings_of(*server, section), responder)) continue;
      if (told.insert(&section).second) warn_of(reading, responder, section.place);
    }
  }
}

}  // namespace steelyard::apacheconf
