// TLS towards clients (httpd: mod_ssl).
#include <algorithm>
#include <array>
#include <limits>

#include "apacheconf/choices.hpp"
#include "apacheconf/listed.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/tls_drafts.hpp"
#include "base/text.hpp"
#include "config/virtual_host_index.hpp"

namespace steelyard::apacheconf {

namespace {

using config::NamedFile;
using config::Server;
using config::TlsServerSettings;
using config::TlsStapling;

void engine(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (equals_ignoring_case(word, "optional")) {
    // httpd: AH10510, and the ports speak plain HTTP.
    scope.warn("SSLEngine optional is not supported any more: this server takes plain HTTP only",
               "Nothing is encrypted. Write SSLEngine On for TLS, or SSLEngine Off to say so.");
  } else if (!equals_ignoring_case(word, "on") && !equals_ignoring_case(word, "off")) {
    scope.complain("Argument must be On, Off, or Optional", "Write SSLEngine On or SSLEngine Off.");
    return;
  }
  scope.server.tls.engine = is_on(statement);
  scope.server.tls.place = scope.place();
}

// The server's n-th file takes the place of the n-th that it inherited.
void add_file(std::vector<NamedFile>& files, std::size_t& named, NamedFile file) {
  if (named < files.size()) {
    files[named] = std::move(file);
  } else {
    files.push_back(std::move(file));
  }
  ++named;
}

void certificate_file(Scope& scope, const Statement& statement) {
  auto file = read_tls_file(scope, statement);
  if (!file) return;
  auto& named = scope.reading.part<TlsDrafts>().servers[&scope.server];
  add_file(scope.server.tls.certificates, named.certificates, std::move(*file));
}

void key_file(Scope& scope, const Statement& statement) {
  auto file = read_tls_file(scope, statement);
  if (!file) return;
  auto& named = scope.reading.part<TlsDrafts>().servers[&scope.server];
  add_file(scope.server.tls.keys, named.keys, std::move(*file));
}

template <auto member>
void trust_file(Scope& scope, const Statement& statement) {
  if (auto file = read_tls_file(scope, statement))
    scope.server.tls.trust.*member = std::move(*file);
}

void chain_file(Scope& scope, const Statement& statement) {
  if (auto file = read_tls_file(scope, statement)) scope.server.tls.chain = *file;
}

void ticket_key_file(Scope& scope, const Statement& statement) {
  if (auto file = read_tls_file(scope, statement)) scope.server.tls.ticket_key = *file;
}

void protocol(Scope& scope, const Statement& statement) {
  if (const auto versions = read_tls_versions(scope, statement))
    scope.server.tls.versions = *versions;
}

void revocation_check(Scope& scope, const Statement& statement) {
  const auto words = read_revocation(scope, statement);
  if (!words) return;
  scope.server.tls.trust.revocation = words->check;
  scope.server.tls.trust.needs_no_crl = words->needs_no_crl;
  scope.reading.part<TlsDrafts>().servers[&scope.server].revocation_check = scope.place();
}

template <auto member>
void server_flag(Scope& scope, const Statement& statement) {
  scope.server.tls.*member = is_on(statement);
}

void sni_policy(Scope& scope, const Statement& statement) {
  using config::SniPolicy;
  constexpr Choices<SniPolicy, 4> choices{
      "SSLVHostSNIPolicy must be one of strict, secure, authonly, insecure",
      {{{"strict", SniPolicy::strict},
        {"secure", SniPolicy::secure},
        {"authonly", SniPolicy::authonly},
        {"insecure", SniPolicy::insecure}}}};
  choices.choose(scope, statement.words[0], scope.server.tls.sni_policy);
}

// "shmcb:/path(512000)": whatever keeps them in httpd, here it is this process's memory.
void session_cache(Scope& scope, const Statement& statement) {
  constexpr std::uint64_t bytes_usual = 512'000, bytes_a_session = 512;
  const std::string_view word = statement.words[0];
  config::TlsProcessSettings& tls = scope.config.tls;
  if (equals_ignoring_case(word, "none") || equals_ignoring_case(word, "nonenotnull")) {
    tls.caches_sessions = false;
    return;
  }
  constexpr std::string_view kinds[] = {"shmcb", "dbm", "dc", "memcache", "redis", "shm", "shmht"};
  const std::string_view kind = word.substr(0, word.find(':'));
  if (std::ranges::none_of(kinds, [&](auto known) { return equals_ignoring_case(known, kind); })) {
    scope.complain("'" + std::string(kind) + "' session cache not supported",
                   "Write shmcb:NAME(BYTES) or none.");
    return;
  }
  std::uint64_t bytes = bytes_usual;
  if (const std::size_t open = word.rfind('('); open != word.npos && word.ends_with(')')) {
    const auto said = parse_unsigned(word.substr(open + 1, word.size() - open - 2));
    if (!said || *said < 8192) {
      scope.complain("SSLSessionCache: Invalid argument: size has to be >= 8192 bytes");
      return;
    }
    bytes = *said;
  }
  tls.caches_sessions = true;
  tls.cached_sessions_max = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(bytes / bytes_a_session, std::numeric_limits<std::int32_t>::max()));
  scope.note("SSLSessionCache: sessions are kept in this process's memory, at most " +
             std::to_string(tls.cached_sessions_max) + " for each virtual host");
}

void session_cache_timeout(Scope& scope, const Statement& statement) {
  const auto time = parse_unsigned(statement.words[0]);
  constexpr std::uint64_t seconds_max = 366 * 24 * 3600;
  if (!time || *time > seconds_max) {
    scope.complain("SSLSessionCacheTimeout: Invalid argument", "Write a number of seconds.");
    return;
  }
  scope.server.tls.session_life = std::chrono::seconds(*time);
}

// Whether the library knows it, only who loads keys can tell.
void library_command(Scope& scope, const Statement& statement) {
  config::TlsCommand command{statement.words[0], statement.words[1], scope.place()};
  // httpd: these are never offered, whatever the list says.
  if (equals_ignoring_case(command.name, "CipherString")) command.value += ":!aNULL:!eNULL:!EXP";
  scope.server.tls.commands.push_back(std::move(command));
}

// Whether the program is there shows when a key asks for it: Debian's own line names one of httpd.
void pass_phrase_dialog(Scope& scope, const Statement& statement) {
  using Kind = config::PassPhraseDialog::Kind;
  const std::string_view word = statement.words[0];
  constexpr std::string_view program = "exec:";
  config::PassPhraseDialog& dialog = scope.config.tls.pass_phrases;
  if (equals_ignoring_case(word, "builtin")) {
    dialog = {};
  } else if (starts_with_ignoring_case(word, program) && word.size() > program.size()) {
    dialog = {Kind::program, scope.reading.resolve_path(word.substr(program.size()))};
  } else if (word.starts_with('|') && word.size() > 1) {
    dialog = {Kind::dialog, std::string(word.substr(1))};
  } else {
    scope.complain("SSLPassPhraseDialog: Invalid argument",
                   "Write builtin, exec:PROGRAM or |COMMAND.");
  }
}

void use_stapling(Scope& scope, const Statement& statement) {
  scope.server.tls.stapling.is_on = is_on(statement);
  scope.server.tls.stapling.place = scope.place();
}

void stapling_url(Scope& scope, const Statement& statement) {
  const std::string& url = statement.words[0];
  if (!url.starts_with("http://")) {
    scope.complain("SSLStaplingForceURL: '" + url + "' is no http:// URL",
                   "The answer is signed; authorities are asked without TLS.");
    return;
  }
  scope.server.tls.stapling.forced_url = url;
}

std::optional<Duration> read_seconds(Scope& scope, const Statement& statement) {
  constexpr std::uint64_t seconds_max = 366 * 24 * 3600;
  const auto time = parse_unsigned(statement.words[0]);
  if (time && *time <= seconds_max) return std::chrono::seconds(*time);
  scope.complain(statement.name + ": invalid value", "Write a number of seconds.");
  return std::nullopt;
}

template <auto member>
void stapling_time(Scope& scope, const Statement& statement) {
  if (const auto time = read_seconds(scope, statement))
    scope.server.tls.stapling.*member = std::max<Duration>(*time, std::chrono::seconds(1));
}

void stapling_age(Scope& scope, const Statement& statement) {
  if (statement.words[0] == "-1") {
    scope.server.tls.stapling.age_max.reset();
  } else if (const auto time = read_seconds(scope, statement)) {
    scope.server.tls.stapling.age_max = *time;
  }
}

// What must stay as it is.
void only_off(Scope& scope, const Statement& statement) {
  if (!is_on(statement)) return;
  struct Refusal {
    std::string_view name, would, advice;
  };
  static constexpr auto refusals = std::to_array<Refusal>({
      {"SSLCompression", "compress what is encrypted, which tells of its content (CRIME)",
       "Leave it out."},
      {"SSLInsecureRenegotiation", "let a stranger put bytes in front of a client's (RFC 5746)",
       "Leave it out."},
      {"SSLFIPS", "use certified algorithms only", "Configure the library: openssl.cnf."},
  });
  for (const Refusal& each : refusals) {
    if (!equals_ignoring_case(each.name, statement.name)) continue;
    scope.complain(
        std::string(each.name) + " On is not supported: it would " + std::string(each.would),
        std::string(each.advice));
  }
}

constexpr std::string_view vhost_wins = "the virtual host's counts, else the main server's";

constexpr Directive row(std::string_view name, Handler handler, Arguments arguments,
                        std::string_view help, Contexts contexts = in_servers,
                        std::string_view merge = vhost_wins) {
  return {.name = name,
          .contexts = contexts,
          .arguments = arguments,
          .handler = handler,
          .merge = merge,
          .help = help,
          .module = "ssl_module"};
}

constexpr Directive noted(std::string_view name, std::string_view help, std::string_view note,
                          Handler handler = nullptr, Arguments arguments = Arguments::raw) {
  return {.name = name,
          .contexts = anywhere,
          .arguments = arguments,
          .handler = handler,
          .help = help,
          .module = "ssl_module",
          .support = Support::accepted_with_note,
          .note = note};
}

constexpr std::string_view never = "this is always so here";
constexpr std::string_view by_number =
    "those of a virtual host take the places of the main "
    "server's, one by one";

constexpr auto directives = std::to_array<Directive>({
    row("SSLEngine", engine, Arguments::one, "whether TLS is spoken with clients: On, Off"),
    row("SSLCertificateFile", certificate_file, Arguments::one,
        "certificate in PEM, perhaps with those between it and the authority; several, one of each "
        "kind of key",
        in_servers, by_number),
    row("SSLCertificateKeyFile", key_file, Arguments::one,
        "private key in PEM, in the order of the certificates; without it, it lies in the "
        "certificate's file",
        in_servers, by_number),
    row("SSLCertificateChainFile", chain_file, Arguments::one,
        "certificates between the server's and the authority's, in PEM"),
    row("SSLProtocol", protocol, Arguments::one_or_more, "versions of TLS: [+-]VERSION ..."),
    row("SSLHonorCipherOrder", server_flag<&TlsServerSettings::honors_order>, Arguments::flag,
        "whether the server's order of ciphers counts and not the client's"),
    row("SSLSessionTickets", server_flag<&TlsServerSettings::tickets>, Arguments::flag,
        "whether clients keep sessions in tickets"),
    row("SSLSessionTicketKeyFile", ticket_key_file, Arguments::one,
        "48 random bytes that tickets are made with; the same on several machines"),
    row("SSLSessionCache", session_cache, Arguments::one, "whether the server keeps sessions",
        in_main, "there is only one value"),
    row("SSLSessionCacheTimeout", session_cache_timeout, Arguments::one,
        "how long a session may be resumed, in seconds"),
    row("SSLStrictSNIVHostCheck", server_flag<&TlsServerSettings::strict_sni>, Arguments::flag,
        "whether clients have to name the host in their handshake"),
    row("SSLVHostSNIPolicy", sni_policy, Arguments::one,
        "which other hosts a request may ask for than the handshake named: strict, secure, "
        "authonly, insecure",
        in_main, "there is only one value"),
    row("SSLOpenSSLConfCmd", library_command, Arguments::two,
        "a word of the library's own configuration: COMMAND VALUE", in_servers,
        "those of a virtual host follow the main server's"),
    row("SSLPassPhraseDialog", pass_phrase_dialog, Arguments::one,
        "who tells pass phrases of keys: builtin (the terminal), exec:PROGRAM, |COMMAND", in_main,
        "there is only one value"),
    row("SSLUseStapling", use_stapling, Arguments::flag,
        "whether the word of its authority, that it is still good, goes with a certificate"),
    row("SSLStaplingForceURL", stapling_url, Arguments::one,
        "who is asked for it, instead of whom the certificate names"),
    row("SSLStaplingResponseTimeSkew", stapling_time<&TlsStapling::skew>, Arguments::one,
        "how far its clock may be off, in seconds"),
    row("SSLStaplingResponseMaxAge", stapling_age, Arguments::one,
        "how old it may be, in seconds; -1: as long as it says itself"),
    row("SSLStaplingStandardCacheTimeout", stapling_time<&TlsStapling::renew>, Arguments::one,
        "after how many seconds it is asked for again"),
    row("SSLStaplingErrorCacheTimeout", stapling_time<&TlsStapling::retry>, Arguments::one,
        "the same after a failure"),
    row("SSLStaplingResponderTimeout", stapling_time<&TlsStapling::patience>, Arguments::one,
        "how long an authority may take to answer, in seconds"),
    row("SSLCACertificateFile", trust_file<&config::TlsTrust::ca_file>, Arguments::one,
        "authorities of clients' certificates, in PEM"),
    row("SSLCACertificatePath", trust_file<&config::TlsTrust::ca_path>, Arguments::one,
        "directory of authorities of clients' certificates"),
    row("SSLCADNRequestFile", trust_file<&config::TlsTrust::names_file>, Arguments::one,
        "authorities whose names clients are told, instead of those that are believed"),
    row("SSLCADNRequestPath", trust_file<&config::TlsTrust::names_path>, Arguments::one,
        "directory of authorities whose names clients are told"),
    row("SSLCARevocationFile", trust_file<&config::TlsTrust::crl_file>, Arguments::one,
        "revoked certificates, in PEM"),
    row("SSLCARevocationPath", trust_file<&config::TlsTrust::crl_path>, Arguments::one,
        "directory of lists of revoked certificates"),
    row("SSLCARevocationCheck", revocation_check, Arguments::one_or_two,
        "whose revocation is looked up: none, leaf, chain; then perhaps no_crl_for_cert_ok"),

    noted("SSLRandomSeed", "where random numbers come from", "the kernel gives them"),
    noted("SSLCryptoDevice", "hardware that computes", "the library's own code computes"),
    noted("SSLCompression", "whether TLS compresses; only Off", never, only_off, Arguments::flag),
    noted("SSLInsecureRenegotiation", "whether old clients may shake hands anew; only Off", never,
          only_off, Arguments::flag),
    noted("SSLFIPS", "whether only certified algorithms are used; only Off", never, only_off,
          Arguments::flag),
});

std::vector<Directive> make_table() {
  std::vector<Directive> table(directives.begin(), directives.end());
  const std::vector<Directive> noted_lists = expand_lists(
      {{"ssl_module", "SSLStaplingCache SSLStaplingReturnResponderErrors SSLStaplingFakeTryLater",
        "where an authority's word is kept, and what is shown without one",
        "it is kept in memory, and nothing is shown without one that is good"}},
      Support::accepted_with_note);
  table.insert(table.end(), noted_lists.begin(), noted_lists.end());
  return table;
}

// httpd compares the addresses themselves: `*` of <VirtualHost> is that of either kind, and a
// Listen line with a port alone is the one of IPv6.
bool listens_for(const config::Listen& listen, const config::HostAddress& address) {
  if (address.port != listen.port) return false;
  if (!address.ip) return !listen.ip || listen.ip->is_any();
  return *address.ip == listen.ip.value_or(IpAddress::v6({}));
}

// httpd: `Listen ... https` and a certificate do without SSLEngine, where the server has a
// ServerName of its own.
bool is_meant_for_tls(Reading& reading, const Server& server) {
  if (server.tls.engine || server.tls.certificates.empty()) return false;
  if (!reading.part<TlsDrafts>().servers[&server].has_name) return false;
  return std::ranges::any_of(reading.config->listens, [&](const config::Listen& listen) {
    if (!listen.says_https) return false;
    return std::ranges::any_of(server.addresses, [&](const config::HostAddress& address) {
      return listens_for(listen, address);
    });
  });
}

void settle_engine(Reading& reading, Server& server) {
  if (!reading.has_module("ssl_module")) return;
  TlsServerSettings& tls = server.tls;
  if (is_meant_for_tls(reading, server)) {
    tls.engine = true;
    tls.place = server.place;
  }
  if (!tls.is_on() || !tls.certificates.empty()) return;
  // httpd: AH02572. What only inherits SSLEngine is faulty too.
  reading.complain_at(server.index == 0 ? tls.place : server.place,
                      "Failed to configure at least one certificate and key for " + server.name,
                      "Add SSLCertificateFile and SSLCertificateKeyFile, or SSLEngine Off.");
}

void warn_of_plain_ports(Reading& reading) {
  const config::VirtualHostIndex index(*reading.config);
  for (const config::Listen& listen : reading.config->listens) {
    if (!listen.says_https) continue;
    const Endpoint local{listen.ip.value_or(IpAddress::v4(0)), listen.port};
    if (index.group(local).first().tls.is_on()) continue;
    reading.warn_at(
        listen.place,
        "Port " + std::to_string(listen.port) +
            " is meant for TLS, but the first server for it has no SSLEngine On, so it "
            "takes plain HTTP",
        "Write SSLEngine On and SSLCertificateFile in the <VirtualHost> for this port.");
  }
}

}  // namespace

std::span<const Directive> tls_directives() {
  static const std::vector<Directive> table = make_table();
  return table;
}

void finish_tls(Reading& reading) {
  for (const auto& server : reading.config->servers) settle_engine(reading, *server);
  warn_of_plain_ports(reading);
  look_for_revocation_lists(reading);
}

}  // namespace steelyard::apacheconf
