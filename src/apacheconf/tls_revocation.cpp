// Lists of revoked certificates that are asked for, and that no line names. httpd: AH01899, when it
// starts; with nothing to look into everybody would be refused.
#include "apacheconf/tls_drafts.hpp"

namespace steelyard::apacheconf {

namespace {

using config::Place;
using config::RevocationCheck;
using config::Server;
using config::TlsBackendSettings;

class Lists {
 public:
  explicit Lists(Reading& reading)
      : reading_(reading),
        said_(reading.part<TlsDrafts>().servers),
        servers_(reading.config->servers) {}

  void look() {
    for (const auto& server : servers_) {
      if (server->tls.is_on()) look_at_clients(*server);
      look_at_members(*server);
    }
  }

 private:
  void look_at_clients(const Server& server) {
    const config::TlsTrust& trust = server.tls.trust;
    if (trust.revocation == RevocationCheck::none || trust.crl_file || trust.crl_path) return;
    complain(server, place_of<&TlsDrafts::Named::revocation_check>(server), "SSLCARevocation");
  }

  void look_at_members(const Server& server) {
    const TlsBackendSettings& own = server.tls_backend;
    constexpr std::string_view directive = "SSLProxyCARevocation";
    if (own.engine.value_or(false) && lacks_list(own))
      complain(server, place_of<&TlsDrafts::Named::member_revocation_check>(server), directive);
    for (const config::Section& section : server.proxies) {
      if (!section.tls_backend) continue;
      TlsBackendSettings inside = *section.tls_backend;
      const bool names_check = inside.revocation.has_value();
      if (!inside.engine) inside.engine = own.engine;
      if (!inside.revocation) inside.revocation = own.revocation;
      if (!inside.crl_file) inside.crl_file = own.crl_file;
      if (!inside.crl_path) inside.crl_path = own.crl_path;
      if (!inside.engine.value_or(false) || !lacks_list(inside)) continue;
      complain(
          server,
          names_check ? inside.place : place_of<&TlsDrafts::Named::member_revocation_check>(server),
          directive);
    }
  }

  static bool lacks_list(const TlsBackendSettings& settings) {
    return settings.revocation.value_or(RevocationCheck::none) != RevocationCheck::none &&
           !settings.crl_file && !settings.crl_path;
  }

  // The server's own line, else the main server's.
  template <auto member>
  Place place_of(const Server& server) {
    const Place& own = said_[&server].*member;
    return own.file != nullptr ? own : said_[servers_.front().get()].*member;
  }

  // Once for a line that several servers inherit.
  void complain(const Server& server, const Place& place, std::string_view directive) {
    const std::string name(directive);
    if (last_.file == place.file && last_.line == place.line) return;
    last_ = place;
    reading_.complain_at(place,
                         "Host " + server.name + ": CRL checking has been enabled, but neither " +
                             name + "File nor " + name + "Path is configured",
                         "Name the list of revoked certificates, or write " + name + "Check none.");
  }

  Reading& reading_;
  std::map<const Server*, TlsDrafts::Named>& said_;
  const std::vector<std::unique_ptr<Server>>& servers_;
  Place last_;
};

}  // namespace

void look_for_revocation_lists(Reading& reading) { Lists(reading).look(); }

}  // namespace steelyard::apacheconf
