#include "tls/certificate_text.hpp"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
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

// httpd: raw is a byte a character, and \U20AC for what no byte holds.
constexpr unsigned long raw = ASN1_STRFLGS_ESC_CTRL, in_utf8 = raw | ASN1_STRFLGS_UTF8_CONVERT;

std::string_view string_text(const ASN1_STRING* string, Arena& arena,
                             unsigned long flags = in_utf8) {
  return printed(arena, [=](BIO* bio) { ASN1_STRING_print_ex(bio, string, flags); });
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
    {"SerialNumber", NID_serialNumber},
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
    return string_text(X509_NAME_ENTRY_get_data(entry), arena, is_raw ? raw : in_utf8);
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

struct NameKind {
  std::string_view word;
  int type;
  int id = NID_undef;  // of other names
  int text_type = V_ASN1_UNDEF;
};
const std::array<NameKind, 4>& name_kinds() {
  static const std::array<NameKind, 4> kinds{{
      {"DNS_", GEN_DNS},
      {"Email_", GEN_EMAIL},
      {"OTHER_msUPN_", GEN_OTHERNAME, NID_ms_upn, V_ASN1_UTF8STRING},
      {"OTHER_dnsSRV_", GEN_OTHERNAME, NID_SRVName, V_ASN1_IA5STRING},
  }};
  return kinds;
}

bool is_of_kind(const GENERAL_NAME& name, const NameKind& kind) {
  if (name.type != kind.type) return false;
  return kind.id == NID_undef || OBJ_obj2nid(name.d.otherName->type_id) == kind.id;
}

// Null: another name of a type that it must not have.
const ASN1_STRING* text_in(const GENERAL_NAME& name, const NameKind& kind) {
  if (kind.id == NID_undef) return name.d.ia5;
  const ASN1_TYPE* const value = name.d.otherName->value;
  return value->type == kind.text_type ? value->value.asn1_string : nullptr;
}

using AlternativeNames = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;
AlternativeNames alternative_names(X509& certificate) {
  return AlternativeNames(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
}

// "SAN_DNS_0", "SAN_Email_1", "SAN_OTHER_msUPN_0". httpd: the number has one to four digits.
Text alternative_name(X509& certificate, std::string_view word, Arena& arena) {
  const auto kind = std::ranges::find_if(name_kinds(), [word](const NameKind& each) {
    return starts_with_ignoring_case(word, each.word);
  });
  if (kind == name_kinds().end()) return std::nullopt;
  constexpr std::size_t digits_max = 4;
  const std::string_view digits = word.substr(kind->word.size());
  const auto number = parse_unsigned(digits);
  if (!number || digits.size() > digits_max) return std::nullopt;
  std::uint64_t left = *number;
  const AlternativeNames names = alternative_names(certificate);
  if (!names) return std::nullopt;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (!is_of_kind(*name, *kind) || left-- != 0) continue;
    const ASN1_STRING* const text = text_in(*name, *kind);
    if (text == nullptr) return std::nullopt;
    return string_text(text, arena);
  }
  return std::nullopt;
}

// In the library's words, or as the text that it holds; false: neither.
bool print_extension(BIO* bio, X509_EXTENSION* extension) {
  if (X509V3_EXT_print(bio, extension, 0, 0) == 1) return true;
  const ASN1_OCTET_STRING* const data = X509_EXTENSION_get_data(extension);
  const unsigned char* at = ASN1_STRING_get0_data(data);
  const std::unique_ptr<ASN1_STRING, Release<ASN1_STRING_free>> text(
      d2i_DISPLAYTEXT(nullptr, &at, ASN1_STRING_length(data)));
  if (!text) return false;
  ASN1_STRING_print_ex(bio, text.get(), ASN1_STRFLGS_UTF8_CONVERT);
  return true;
}

// "EXT_1:1.2.3.4": the second of the extensions with this number or name. One that cannot be said
// in words is empty.
Text extension_text(X509& certificate, std::string_view word, Arena& arena) {
  const std::size_t colon = word.find(':');
  if (colon == word.npos) return std::nullopt;
  const auto number = parse_unsigned(word.substr(0, colon));
  const std::string name(word.substr(colon + 1));
  const std::unique_ptr<ASN1_OBJECT, Release<ASN1_OBJECT_free>> id(OBJ_txt2obj(name.c_str(), 0));
  Text text;
  if (number && id) {
    int at = -1;
    for (std::uint64_t i = 0; i <= *number; ++i) {
      at = X509_get_ext_by_OBJ(&certificate, id.get(), at);
      if (at < 0) break;
    }
    if (at >= 0)
      text =
          printed(arena, [&](BIO* bio) { print_extension(bio, X509_get_ext(&certificate, at)); });
  }
  ERR_clear_error();
  return text;
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
  if (starts_with_ignoring_case(what, "EXT_"))
    return extension_text(certificate, what.substr(4), arena);
  if (starts_with_ignoring_case(what, "S_DN") || starts_with_ignoring_case(what, "I_DN"))
    return distinguished_name(certificate, question, arena);
  return std::nullopt;
}

void append_name_parts(Variables& out, const X509_NAME& name, std::string_view prefix,
                       Arena& arena) {
  std::array<std::uint64_t, name_parts.size()> counts{};
  const std::size_t end = out.size() + told_max;
  for (int i = 0; i < X509_NAME_entry_count(&name) && out.size() < end; ++i) {
    const X509_NAME_ENTRY* const entry = X509_NAME_get_entry(&name, i);
    const int id = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    const auto* const part = std::ranges::find(name_parts, id, &NamePart::id);
    if (part == name_parts.end()) continue;
    const std::uint64_t nth = counts[static_cast<std::size_t>(part - name_parts.begin())]++;
    const std::string_view name_here =
        nth == 0 ? arena.join(prefix, part->word)
                 : arena.join(prefix, part->word, "_", arena.decimal(nth));
    out.push_back({name_here, string_text(X509_NAME_ENTRY_get_data(entry), arena)});
  }
}

void append_alternative_names(Variables& out, X509& certificate, Side side, std::string_view prefix,
                              Arena& arena) {
  const AlternativeNames names = alternative_names(certificate);
  if (!names) return;
  const std::size_t end = out.size() + told_max;
  const int id_of_others = side == Side::client ? NID_ms_upn : NID_SRVName;
  for (const NameKind& kind : name_kinds()) {
    if (kind.id != NID_undef && kind.id != id_of_others) continue;
    std::uint64_t count = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && out.size() < end; ++i) {
      const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
      const ASN1_STRING* const text = is_of_kind(*name, kind) ? text_in(*name, kind) : nullptr;
      if (text == nullptr) continue;
      out.push_back(
          {arena.join(prefix, kind.word, arena.decimal(count++)), string_text(text, arena)});
    }
  }
}

}  // namespace steelyard::tls
