#include "tls/trust.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "base/check.hpp"

namespace steelyard::tls {

namespace {

using config::NamedFile;

// In a directory there may be other files, too.
enum class Strictness : std::uint8_t { each_must_fit, others_may_be_there };

// One run through what `trust` or a list of names refers to. Its faults are told of each line that
// names a file, whoever read that first.
class Gathering {
 public:
  Gathering(Material& material, Faults& faults) : material_(material), faults_(faults) {}

  void for_each_authority(const std::optional<NamedFile>& file,
                          const std::optional<NamedFile>& directory,
                          const std::function<void(X509*)>& use) {
    if (file) for_each_certificate(*file, Strictness::each_must_fit, use);
    if (!directory) return;
    for (const NamedFile& each : files_of(*directory, material_, faults_))
      for_each_certificate(each, Strictness::others_may_be_there, use);
  }

  void add_revocations(X509_STORE* store, const NamedFile& file, Strictness strictness) {
    const auto complain = [&](const std::string& what) {
      faults_.push_back({file.place, file.path + what, "It begins with -----BEGIN X509 CRL-----."});
    };
    const auto& lists = material_.revocation_lists(file.path);
    contents_ += lists.digest;
    if (!lists.content) return complain(lists.content.error().text);
    if (lists.content->empty() && strictness == Strictness::each_must_fit)
      return complain(" holds no list of revoked certificates in PEM");
    for (const RevocationListHandle& each : *lists.content) X509_STORE_add_crl(store, each.get());
  }

  // Equal texts: the same files were read, and held the same.
  std::string take_contents() { return std::move(contents_); }

 private:
  void for_each_certificate(const NamedFile& file, Strictness strictness,
                            const std::function<void(X509*)>& use) {
    const auto& certificates = material_.certificates(file.path);
    contents_ += certificates.digest;
    if (certificates.content) {
      for (const CertificateHandle& each : *certificates.content) use(each.get());
      return;
    }
    const FileFault& fault = certificates.content.error();
    if (fault.is_unreadable) return faults_.push_back({file.place, file.path + fault.text, ""});
    if (strictness == Strictness::others_may_be_there) return;
    faults_.push_back(
        {file.place, file.path + fault.text, "It begins with -----BEGIN CERTIFICATE-----."});
  }

  Material& material_;
  Faults& faults_;
  std::string contents_;
};

Trust gather(const config::TlsTrust& trust, Material& material, Faults& faults) {
  Trust gathered;
  gathered.store.reset(X509_STORE_new());
  X509_STORE* const store = gathered.store.get();
  CHECK(store != nullptr);
  Gathering files(material, faults);
  files.for_each_authority(trust.ca_file, trust.ca_path,
                           [store](X509* authority) { X509_STORE_add_cert(store, authority); });
  // httpd: a file without a list is no fault while nobody asks for one.
  const bool asks_lists = trust.revocation != config::RevocationCheck::none;
  const Strictness of_file =
      asks_lists ? Strictness::each_must_fit : Strictness::others_may_be_there;
  if (trust.crl_file) files.add_revocations(store, *trust.crl_file, of_file);
  if (trust.crl_path && asks_lists) {
    for (const NamedFile& each : files_of(*trust.crl_path, material, faults))
      files.add_revocations(store, each, Strictness::others_may_be_there);
  }
  if (trust.revocation == config::RevocationCheck::leaf)
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  if (trust.revocation == config::RevocationCheck::chain)
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  gathered.contents = files.take_contents();
  return gathered;
}

// All that gather() goes by.
Material::Key key_of(const config::TlsTrust& trust) {
  Material::Key key{std::to_string(static_cast<int>(trust.revocation))};
  for (const auto* file : {&trust.ca_file, &trust.ca_path, &trust.crl_file, &trust.crl_path})
    key.push_back(*file ? (*file)->path : "");
  return key;
}

StoreHandle copy_of(X509_STORE* store) {
  StoreHandle copy(X509_STORE_new());
  CHECK(copy);
  X509_STORE_set1_param(copy.get(), X509_STORE_get0_param(store));
  const STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    X509_OBJECT* const object = sk_X509_OBJECT_value(objects, i);
    if (X509* const certificate = X509_OBJECT_get0_X509(object); certificate != nullptr)
      X509_STORE_add_cert(copy.get(), certificate);
    if (X509_CRL* const list = X509_OBJECT_get0_X509_CRL(object); list != nullptr)
      X509_STORE_add_crl(copy.get(), list);
  }
  return copy;
}

// Once each: in a directory an authority's file has a link beside it that is named after its hash.
void add_name(STACK_OF(X509_NAME) * names, X509& authority) {
  const X509_NAME* const name = X509_get_subject_name(&authority);
  for (int i = 0; i < sk_X509_NAME_num(names); ++i)
    if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0) return;
  CHECK(sk_X509_NAME_push(names, X509_NAME_dup(name)) > 0);
}

}  // namespace

std::vector<NamedFile> files_of(const NamedFile& directory, Material& material, Faults& faults) {
  const auto& names = material.list(directory.path);
  if (!names) {
    faults.push_back({directory.place, directory.path + " cannot be read: " + names.error(), ""});
    return {};
  }
  std::vector<NamedFile> found;
  for (const std::string& name : *names)
    found.push_back({directory.path + '/' + name, directory.place});
  return found;
}

std::string set_trust(SSL_CTX& context, const config::TlsTrust& trust, Material& material,
                      Faults& faults) {
  const Material::Key key = key_of(trust);
  if (const Trust* const known = material.trust(key); known != nullptr) {
    SSL_CTX_set1_cert_store(&context, known->store.get());
    return known->contents;
  }
  const std::size_t faults_before = faults.size();
  ERR_clear_error();
  Trust gathered = gather(trust, material, faults);
  ERR_clear_error();
  SSL_CTX_set1_cert_store(&context, gathered.store.get());
  std::string contents = gathered.contents;
  // Whoever names the same has the same faults, by its own lines.
  if (faults.size() == faults_before) material.keep(key, std::move(gathered));
  return contents;
}

std::string add_trust(SSL_CTX& context, const NamedFile& authorities, Material& material,
                      Faults& faults) {
  StoreHandle own = copy_of(SSL_CTX_get_cert_store(&context));
  Gathering files(material, faults);
  files.for_each_authority(authorities, std::nullopt,
                           [&own](X509* authority) { X509_STORE_add_cert(own.get(), authority); });
  ERR_clear_error();
  SSL_CTX_set_cert_store(&context, own.release());
  return files.take_contents();
}

void set_client_names(SSL_CTX& context, const config::TlsTrust& trust, Material& material,
                      Faults& faults) {
  const bool has_own = trust.names_file || trust.names_path;
  const auto& file = has_own ? trust.names_file : trust.ca_file;
  const auto& directory = has_own ? trust.names_path : trust.ca_path;
  const Material::Key key{file ? file->path : "", directory ? directory->path : ""};
  const STACK_OF(X509_NAME)* names = material.names(key);
  NamesHandle gathered;
  if (names == nullptr) {
    gathered.reset(sk_X509_NAME_new_null());
    CHECK(gathered);
    const std::size_t faults_before = faults.size();
    Gathering(material, faults).for_each_authority(file, directory, [&gathered](X509* authority) {
      add_name(gathered.get(), *authority);
    });
    names = gathered.get();
    if (faults.size() == faults_before) material.keep(key, std::move(gathered));
  }
  // The library has no way to share them: the world's 140 authorities take 120 KiB of each host.
  if (sk_X509_NAME_num(names) > 0) SSL_CTX_set_client_CA_list(&context, SSL_dup_CA_list(names));
}

}  // namespace steelyard::tls
