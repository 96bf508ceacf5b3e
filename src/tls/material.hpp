#pragma once

#include <openssl/x509.h>

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tls/files.hpp"
#include "tls/handles.hpp"

// What one load has read of the files that its configuration names: however many hosts name one, it
// is read and parsed once, and they share what it holds.
//
//   file ─▶ certificates, lists ─▶ Trust, names ─▶ contexts of all hosts that name the same
//
// It belongs to who loads (Hosts::load) and ends with that: the next load finds the files as they
// are then. What contexts took goes on living with them; the library counts its owners.
//
// Invariants: 1. what was handed out once is not changed any more, by nobody.
// Threads: the loader's.

namespace steelyard::tls {

struct FileFault {
  std::string text;  // goes behind the path
  bool is_unreadable = false;
};

template <class Handle>
struct ParsedFile {
  std::expected<std::vector<Handle>, FileFault> content;
  std::string digest;  // empty: it could not be read
  int curve = 0;       // of certificates: as read_curve() tells it
};
// Equal texts: a file with the same bytes.
std::string digest_of(const std::string& bytes);

// Whom somebody believes.
struct Trust {
  StoreHandle store;
  std::string contents;  // equal texts: the same files, which held the same
};

void free_names(STACK_OF(X509_NAME) * names);
using NamesHandle = std::unique_ptr<STACK_OF(X509_NAME), Release<free_names>>;

class Material {
 public:
  // Which files something was made of, and how.
  using Key = std::vector<std::string>;
  using Listing = std::expected<std::vector<std::string>, std::string>;

  // `access` outlives it.
  explicit Material(const FileAccess& access) : access_(access) {}

  // For what is not kept here.
  const FileAccess& access() const { return access_; }

  // All of them, at least one.
  const ParsedFile<CertificateHandle>& certificates(const std::string& path);
  // Perhaps none.
  const ParsedFile<RevocationListHandle>& revocation_lists(const std::string& path);
  // Names of what may be files in a directory; the error is the system's sentence.
  const Listing& list(const std::string& directory);

  // What was made of files and kept; null: nothing was.
  EVP_PKEY* key(const std::string& path) const;
  const Trust* trust(const Key& key) const;
  const STACK_OF(X509_NAME) * names(const Key& key) const;
  void keep(const std::string& path, KeyHandle key) { keys_[path] = std::move(key); }
  void keep(const Key& key, Trust trust) { trusts_[key] = std::move(trust); }
  void keep(const Key& key, NamesHandle names) { names_[key] = std::move(names); }

 private:
  const FileAccess& access_;
  std::map<std::string, ParsedFile<CertificateHandle>> certificates_;
  std::map<std::string, ParsedFile<RevocationListHandle>> revocation_lists_;
  std::map<std::string, Listing> listings_;
  std::map<std::string, KeyHandle> keys_;
  std::map<Key, Trust> trusts_;
  std::map<Key, NamesHandle> names_;
};

}  // namespace steelyard::tls
