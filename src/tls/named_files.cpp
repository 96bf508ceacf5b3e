#include "tls/named_files.hpp"

#include <algorithm>

namespace steelyard::tls {

namespace {

using config::NamedFile;

class Paths {
 public:
  explicit Paths(const decltype(FileAccess::list)& list) : list_(list) {}

  void add(const NamedFile& file) { paths_.push_back(file.path); }
  void add(const std::optional<NamedFile>& file) {
    if (file) add(*file);
  }
  void add_folder(const std::optional<NamedFile>& folder) {
    if (!folder) return;
    const auto names = list_(folder->path);
    if (!names) return;
    for (const std::string& name : *names) paths_.push_back(folder->path + '/' + name);
  }
  void add(const config::TlsServerSettings& settings) {
    for (const NamedFile& file : settings.certificates) add(file);
    for (const NamedFile& file : settings.keys) add(file);
    add(settings.chain);
    add(settings.trust.ca_file);
    add(settings.trust.crl_file);
    add(settings.trust.names_file);
    add_folder(settings.trust.ca_path);
    add_folder(settings.trust.crl_path);
    add_folder(settings.trust.names_path);
    add(settings.ocsp.responders);
    add(settings.ticket_key);
  }
  void add(const config::TlsBackendSettings& settings) {
    add(settings.own_file);
    add(settings.own_chain);
    add(settings.ca_file);
    add(settings.crl_file);
    add_folder(settings.own_path);
    add_folder(settings.ca_path);
    add_folder(settings.crl_path);
  }
  std::vector<std::string> take() {
    std::ranges::sort(paths_);
    const auto repeated = std::ranges::unique(paths_);
    paths_.erase(repeated.begin(), repeated.end());
    return std::move(paths_);
  }

 private:
  const decltype(FileAccess::list)& list_;
  std::vector<std::string> paths_;
};

}  // namespace

std::vector<std::string> named_files(const config::Config& config,
                                     const decltype(FileAccess::list)& list) {
  Paths paths(list);
  for (const auto& server : config.servers) {
    if (server->tls.is_on()) paths.add(server->tls);
    paths.add(server->tls_backend);
    for (const config::Section& section : server->proxies)
      if (section.tls_backend) paths.add(*section.tls_backend);
  }
  return paths.take();
}

}  // namespace steelyard::tls
