#include "tls/named_files.hpp"

#include <algorithm>

namespace steelyard::tls {

namespace {

using config::NamedFile;

class Paths {
 public:
  void add(const NamedFile& file) { paths_.push_back(file.path); }
  void add(const std::optional<NamedFile>& file) {
    if (file) add(*file);
  }
  void add(const config::TlsServerSettings& settings) {
    for (const NamedFile& file : settings.certificates) add(file);
    for (const NamedFile& file : settings.keys) add(file);
    add(settings.chain);
    add(settings.trust.ca_file);
    add(settings.trust.crl_file);
    add(settings.trust.names_file);
  }
  void add(const config::TlsBackendSettings& settings) {
    add(settings.own_file);
    add(settings.ca_file);
    add(settings.crl_file);
  }
  std::vector<std::string> take() {
    std::ranges::sort(paths_);
    const auto repeated = std::ranges::unique(paths_);
    paths_.erase(repeated.begin(), repeated.end());
    return std::move(paths_);
  }

 private:
  std::vector<std::string> paths_;
};

}  // namespace

std::vector<std::string> named_files(const config::Config& config) {
  Paths paths;
  for (const auto& server : config.servers) {
    if (server->tls.is_on()) paths.add(server->tls);
    paths.add(server->tls_backend);
    for (const config::Section& section : server->proxies)
      if (section.tls_backend) paths.add(*section.tls_backend);
  }
  return paths.take();
}

}  // namespace steelyard::tls
