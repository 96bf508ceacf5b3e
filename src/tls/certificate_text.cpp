#include "tls/certificate_text.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "base/text.hpp"
#include "tls/handles.hpp"

namespace steelyard::tls {

namespace {

using Text = std::optional<std::string_view>;

// What a function of the library prints.
template <class Print>
std::string_view printed(Arena& arena, Print print) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  print(bio.get());
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return arena.copy({text, static_cast<std::size_t>(std::max(bytes, 0L))});
}

std::string_view time_text(const ASN1_TIME* time, Arena& arena) {
  return printed(arena, [time](BIO* bio) { ASN1_TIME_print(bio, time); });
}

std::string_view serial_text(X509& certificate, Arena& arena) {
  return printed(arena,
                 [&](BIO* bio) { i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(&certificate)); });
}

// RFC 2253, but bytes beyond ASCII as they are (httpd).
std::string_view name_text(const X509_NAME* name, bool legacy, Arena& arena) {
  if (legacy) {
    std::array<char, 4096> room{};
    X509_NAME_oneline(name, room.data(), room.size());
    return arena.copy(room.data());
  }
  constexpr unsigned long flags =
      XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB);
  return printed(arena, [name](BIO* bio) { X509_NAME_print_ex(bio, name, 0, flags); });
}

Text days_left(X509& certificate, WallTime now, Arena& arena) {
  const std::time_t when = std::chrono::system_clock::to_time_t(now);
  const std::unique_ptr<ASN1_TIME, Release<ASN1_TIME_free>> moment(ASN1_TIME_set(nullptr, when));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, moment.get(), X509_get0_notAfter(&certificate)) != 1)
    return std::nullopt;
  return arena.decimal(static_cast<std::uint64_t>(std::max(days, 0)));
}

struct NamePart {
  std::string_view word;
  int id;
};
constexpr auto name_parts = std::to_array<NamePart>({
    {"C", NID_countryName},
    {"ST", NID_stateOrProvinceName},
    {"SP", NID_stateOrProvinceName},
    {"L", NID_localityName},
    {"O", NID_organizationName},
    {"OU", NID_organizationalUnitName},
    {"CN", NID_commonName},
    {"T", NID_title},
    {"I", NID_initials},
    {"G", NID_givenName},
    {"S", NID_surname},
    {"D", NID_description},
    {"UID", NID_userId},
    {"Email", NID_pkcs9_emailAddress},
});

// "OU_1": the second of several.
std::uint64_t take_index(std::string_view& word) {
  const std::size_t mark = word.rfind('_');
  if (mark == word.npos) return 0;
  const auto index = parse_unsigned(word.substr(mark + 1));
  if (!index) return 0;
  word = word.substr(0, mark);
  return *index;
}

Text part_of_name(const X509_NAME* name, std::string_view word, Arena& arena) {
  const bool is_raw = word.size() > 4 && equals_ignoring_case(word.substr(word.size() - 4), "_RAW");
  if (is_raw) word.remove_suffix(4);
  std::uint64_t left = take_index(word);
  const auto* const part =
      std::ranges::find_if(name_parts, [word](const NamePart& each) { return each.word == word; });
  if (part == name_parts.end()) return std::nullopt;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(name, i);
    if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != part->id) continue;
    if (left-- != 0) continue;
    const unsigned long flags = ASN1_STRFLGS_UTF8_CONVERT |
                                (is_raw ? 0UL : static_cast<unsigned long>(ASN1_STRFLGS_ESC_CTRL));
    return printed(arena, [&](BIO* bio) {
      ASN1_STRING_print_ex(bio, X509_NAME_ENTRY_get_data(entry), flags);
    });
  }
  return std::nullopt;
}

// "S_DN", "I_DN_CN".
Text distinguished_name(X509& certificate, const CertificateQuestion& question, Arena& arena) {
  const X509_NAME* const name = ascii_lower(question.what.front()) == 's'
                                    ? X509_get_subject_name(&certificate)
                                    : X509_get_issuer_name(&certificate);
  const std::string_view part = question.what.substr(4);
  if (part.empty()) return name_text(name, question.legacy_names, arena);
  if (part.front() != '_') return std::nullopt;
  return part_of_name(name, part.substr(1), arena);
}

Text algorithm_name(const ASN1_OBJECT* algorithm) {
  const int id = OBJ_obj2nid(algorithm);
  return id == NID_undef ? "UNKNOWN" : OBJ_nid2ln(id);
}

Text key_algorithm(X509& certificate) {
  ASN1_OBJECT* algorithm = nullptr;
  X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(&certificate));
  return algorithm_name(algorithm);
}

Text signature_algorithm(X509& certificate) {
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, X509_get0_tbs_sigalg(&certificate));
  return algorithm_name(algorithm);
}

// "SAN_DNS_0", "SAN_Email_1".
Text alternative_name(X509& certificate, std::string_view word, Arena& arena) {
  std::uint64_t left = take_index(word);
  int type = -1;
  if (equals_ignoring_case(word, "DNS")) type = GEN_DNS;
  if (equals_ignoring_case(word, "Email")) type = GEN_EMAIL;
  if (type < 0) return std::nullopt;
  const std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return std::nullopt;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != type || left-- != 0) continue;
    return printed(arena, [name](BIO* bio) {
      ASN1_STRING_print_ex(bio, name->d.ia5, ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT);
    });
  }
  return std::nullopt;
}

// RFC 4523: its number in decimal, and who gave it.
std::string_view exact_assertion(X509& certificate, Arena& arena) {
  const std::string_view number = printed(arena, [&](BIO* bio) {
    const std::unique_ptr<BIGNUM, Release<BN_free>> value(
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
    char* const digits = BN_bn2dec(value.get());
    BIO_puts(bio, digits);
    OPENSSL_free(digits);
  });
  return arena.join("{ serialNumber ", number, ", issuer rdnSequence:\"",
                    name_text(X509_get_issuer_name(&certificate), false, arena), "\" }");
}

}  // namespace

std::string_view pem_of(X509& certificate, Arena& arena) {
  return printed(arena, [&](BIO* bio) { PEM_write_bio_X509(bio, &certificate); });
}

std::optional<std::string_view> text_of(X509& certificate, const CertificateQuestion& question,
                                        Arena& arena) {
  const std::string_view what = question.what;
  const auto is = [what](std::string_view word) { return equals_ignoring_case(what, word); };
  if (is("M_VERSION"))
    return arena.decimal(static_cast<std::uint64_t>(X509_get_version(&certificate) + 1));
  if (is("M_SERIAL")) return serial_text(certificate, arena);
  if (is("V_START")) return time_text(X509_get0_notBefore(&certificate), arena);
  if (is("V_END")) return time_text(X509_get0_notAfter(&certificate), arena);
  if (is("V_REMAIN")) return days_left(certificate, question.now, arena);
  if (is("A_SIG")) return signature_algorithm(certificate);
  if (is("A_KEY")) return key_algorithm(certificate);
  if (is("CERT")) return pem_of(certificate, arena);
  if (is("CERT_RFC4523_CEA")) return exact_assertion(certificate, arena);
  if (starts_with_ignoring_case(what, "SAN_"))
    return alternative_name(certificate, what.substr(4), arena);
  if (starts_with_ignoring_case(what, "S_DN") || starts_with_ignoring_case(what, "I_DN"))
    return distinguished_name(certificate, question, arena);
  return std::nullopt;
}

}  // namespace steelyard::tls
