#include "tls/named_files.hpp"

#include <algorithm>
#include <array>

namespace steelyard::tls {

namespace {

using config::NamedFile;

// Calls back for each name of a file and each of a directory, as often as it is inherited.
class Names {
 public:
  using Use = std::function<void(const NamedFile&)>;

  Names(Use file, Use folder) : file_(std::move(file)), folder_(std::move(folder)) {}

  void visit(const config::Config& config) const {
    for (const auto& server : config.servers) {
      visit(server->tls);
      visit(server->tls_backend);
      for (const config::Section& section : server->proxies)
        if (section.tls_backend) visit(*section.tls_backend);
    }
  }

 private:
  using Perhaps = std::optional<NamedFile>;

  void visit(const config::TlsServerSettings& settings) const {
    for (const NamedFile& file : settings.certificates) file_(file);
    for (const NamedFile& file : settings.keys) file_(file);
    const config::TlsTrust& trust = settings.trust;
    for (const Perhaps* each : {&settings.chain, &trust.ca_file, &trust.crl_file, &trust.names_file,
                                &settings.ocsp.responders, &settings.ticket_key})
      if (*each) file_(**each);
    for (const Perhaps* each : {&trust.ca_path, &trust.crl_path, &trust.names_path})
      if (*each) folder_(**each);
  }
  void visit(const config::TlsBackendSettings& settings) const {
    for (const Perhaps* each :
         {&settings.own_file, &settings.own_chain, &settings.ca_file, &settings.crl_file})
      if (*each) file_(**each);
    for (const Perhaps* each : {&settings.own_path, &settings.ca_path, &settings.crl_path})
      if (*each) folder_(**each);
  }

  Use file_, folder_;
};

}  // namespace

std::vector<std::string> named_files(const config::Config& config,
                                     const decltype(FileAccess::list)& list) {
  std::vector<std::string> paths;
  std::set<std::string> listed;
  const Names names([&](const NamedFile& file) { paths.push_back(file.path); },
                    [&](const NamedFile& folder) {
                      if (!listed.insert(folder.path).second) return;
                      const auto inside = list(folder.path);
                      if (!inside) return;
                      for (const std::string& name : *inside)
                        paths.push_back(folder.path + '/' + name);
                    });
  names.visit(config);
  std::ranges::sort(paths);
  const auto repeated = std::ranges::unique(paths);
  paths.erase(repeated.begin(), repeated.end());
  return paths;
}

void look_at_named(const config::Config& config, const FileAccess& files,
                   std::set<std::string>& seen, Faults& faults) {
  const auto complain = [&faults](const NamedFile& file, const std::string& what) {
    faults.push_back({file.place, file.path + what,
                      "Nothing uses it, but what is named has to be there; or take the line out."});
  };
  const Names names(
      [&](const NamedFile& file) {
        if (!seen.insert(file.path).second) return;
        const auto text = files.read(file.path);
        if (!text) return complain(file, " cannot be read: " + text.error());
        if (text->empty()) complain(file, " is empty");
      },
      [&](const NamedFile& folder) {
        if (!seen.insert(folder.path).second) return;
        const auto inside = files.list(folder.path);
        if (!inside) complain(folder, " cannot be read: " + inside.error());
      });
  names.visit(config);
}

}  // namespace steelyard::tls
