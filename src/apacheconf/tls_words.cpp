// The arguments that lines about TLS with clients and with members have in common.
#include <array>

#include "apacheconf/tls_drafts.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

using config::TlsVersions;

struct VersionWord {
  std::string_view name;
  TlsVersions versions;
};

constexpr auto version_words = std::to_array<VersionWord>({
    {"TLSv1", config::tls_1_0},
    {"TLSv1.1", config::tls_1_1},
    {"TLSv1.2", config::tls_1_2},
    {"TLSv1.3", config::tls_1_3},
    {"all", config::tls_all},
});

const VersionWord* find_version(std::string_view name) {
  for (const VersionWord& word : version_words)
    if (equals_ignoring_case(word.name, name)) return &word;
  return nullptr;
}

bool is_ancient(std::string_view name) {
  return equals_ignoring_case(name, "SSLv2") || equals_ignoring_case(name, "SSLv3");
}

}  // namespace

std::optional<TlsVersions> read_tls_versions(Scope& scope, const Statement& statement) {
  TlsVersions versions = 0;
  for (const std::string& word : statement.words) {
    const bool has_sign = word.starts_with('+') || word.starts_with('-');
    const std::string_view name = std::string_view(word).substr(has_sign ? 1 : 0);
    // Taking away what is not there is no fault (httpd).
    if (is_ancient(name) && word.starts_with('-')) continue;
    const VersionWord* const known = find_version(name);
    if (known == nullptr) {
      const std::string directive = statement.name;
      scope.complain(is_ancient(name)
                         ? directive + ": " + std::string(name) + " is not supported any more"
                         : directive + ": Illegal protocol '" + std::string(name) + "'",
                     "Known are TLSv1, TLSv1.1, TLSv1.2, TLSv1.3 and all, with + or -: all -TLSv1");
      return std::nullopt;
    }
    if (word.starts_with('-')) {
      versions = static_cast<TlsVersions>(versions & ~known->versions);
    } else if (word.starts_with('+')) {
      versions = static_cast<TlsVersions>(versions | known->versions);
    } else {
      if (versions != 0)
        scope.warn(statement.name + ": '" + std::string(name) + "' overrides what stands before it",
                   "Perhaps a + or - is missing.");
      versions = known->versions;
    }
  }
  if (versions != 0) return versions;
  scope.complain(statement.name + ": no protocol is left",
                 "Write for example: all -TLSv1 -TLSv1.1");
  return std::nullopt;
}

// Whether it is there, only who loads it can tell: at a reload the directories of keys are closed
// to the one who reads the configuration.
std::optional<config::NamedFile> read_tls_file(Scope& scope, const Statement& statement) {
  const std::string& word = statement.words[0];
  if (word.starts_with("pkcs11:")) {
    scope.complain(statement.name + " " + word + ": keys of tokens are not supported",
                   "Name a PEM file.");
    return std::nullopt;
  }
  return config::NamedFile{scope.reading.resolve_path(word), scope.place()};
}

std::optional<std::uint8_t> read_verify_depth(Scope& scope, const Statement& statement) {
  const auto depth = parse_unsigned(statement.words[0]);
  constexpr std::uint64_t depth_max = 100;
  if (depth && *depth <= depth_max) return static_cast<std::uint8_t>(*depth);
  scope.complain(statement.name + ": Invalid argument", "Write a number from 0 to 100.");
  return std::nullopt;
}

std::optional<config::PeerVerify> read_peer_verify(Scope& scope, const Statement& statement) {
  using config::PeerVerify;
  constexpr auto words = std::to_array<std::pair<std::string_view, PeerVerify>>({
      {"none", PeerVerify::none},
      {"off", PeerVerify::none},
      {"optional", PeerVerify::optional},
      {"require", PeerVerify::require},
      {"on", PeerVerify::require},
      {"optional_no_ca", PeerVerify::optional_no_ca},
  });
  const std::string& word = statement.words[0];
  for (const auto& [name, verify] : words)
    if (equals_ignoring_case(name, word)) return verify;
  scope.complain(statement.name + ": Invalid argument '" + word + "'",
                 "Write none, optional, require or optional_no_ca.");
  return std::nullopt;
}

std::optional<RevocationWords> read_revocation(Scope& scope, const Statement& statement) {
  using config::RevocationCheck;
  RevocationWords read;
  const std::string& word = statement.words[0];
  if (equals_ignoring_case(word, "leaf")) {
    read.check = RevocationCheck::leaf;
  } else if (equals_ignoring_case(word, "chain")) {
    read.check = RevocationCheck::chain;
  } else if (!equals_ignoring_case(word, "none")) {
    scope.complain(statement.name + ": Invalid argument '" + word + "'",
                   "Write none, leaf or chain.");
    return std::nullopt;
  }
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    if (equals_ignoring_case(statement.words[i], "no_crl_for_cert_ok")) {
      read.needs_no_crl = true;
      continue;
    }
    scope.complain(statement.name + ": Invalid argument '" + statement.words[i] + "'",
                   "Only no_crl_for_cert_ok may follow.");
    return std::nullopt;
  }
  return read;
}

CipherTexts read_ciphers(Scope& scope, const Statement& statement) {
  CipherTexts texts;
  if (statement.words.size() == 1 || equals_ignoring_case(statement.words[0], "SSL")) {
    // httpd: these are never offered, whatever the list says.
    texts.ciphers = statement.words.back() + ":!aNULL:!eNULL:!EXP";
  } else if (equals_ignoring_case(statement.words[0], "TLSv1.3")) {
    texts.suites = statement.words[1];
  } else {
    scope.complain("protocol '" + statement.words[0] + "' not supported",
                   "Write " + statement.name + " LIST, or " + statement.name + " TLSv1.3 LIST.");
  }
  return texts;
}

}  // namespace steelyard::apacheconf
