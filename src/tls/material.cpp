#include "tls/material.hpp"

#include <functional>
#include <string_view>

#include "tls/pem.hpp"

namespace steelyard::tls {

namespace {

template <class Handle>
using Parse = std::expected<std::vector<Handle>, std::string> (*)(std::string_view pem);

template <class Handle>
ParsedFile<Handle> read_and_parse(const std::string& path, const FileAccess& access,
                                  Parse<Handle> parse,
                                  int (*curve_of)(std::string_view) = nullptr) {
  const auto text = access.read(path);
  if (!text) return {std::unexpected(FileFault{" cannot be read: " + text.error(), true}), ""};
  std::string digest = digest_of(*text);
  auto content = parse(*text);
  if (!content)
    return {std::unexpected(FileFault{' ' + std::move(content.error())}), std::move(digest)};
  return {std::move(*content), std::move(digest), curve_of == nullptr ? 0 : curve_of(*text)};
}

// Null: it is not there.
template <class Map>
auto* find(const Map& map, const typename Map::key_type& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

// What `make` makes, the first time.
template <class Map, class Make>
const auto& find_or_make(Map& map, const std::string& key, const Make& make) {
  const auto found = map.find(key);
  return found != map.end() ? found->second : map.emplace(key, make()).first->second;
}

}  // namespace

std::string digest_of(const std::string& bytes) {
  return std::to_string(std::hash<std::string>()(bytes)) + '|';
}

void free_names(STACK_OF(X509_NAME) * names) { sk_X509_NAME_pop_free(names, X509_NAME_free); }

const ParsedFile<CertificateHandle>& Material::certificates(const std::string& path) {
  return find_or_make(certificates_, path,
                      [&] { return read_and_parse(path, access_, read_certificates, read_curve); });
}

const ParsedFile<RevocationListHandle>& Material::revocation_lists(const std::string& path) {
  return find_or_make(revocation_lists_, path,
                      [&] { return read_and_parse(path, access_, read_revocation_lists); });
}

const Material::Listing& Material::list(const std::string& directory) {
  return find_or_make(listings_, directory, [&] { return access_.list(directory); });
}

EVP_PKEY* Material::key(const std::string& path) const {
  const KeyHandle* const kept = find(keys_, path);
  return kept == nullptr ? nullptr : kept->get();
}

const Trust* Material::trust(const Key& key) const { return find(trusts_, key); }

const STACK_OF(X509_NAME) * Material::names(const Key& key) const {
  const NamesHandle* const kept = find(names_, key);
  return kept == nullptr ? nullptr : kept->get();
}

}  // namespace steelyard::tls
