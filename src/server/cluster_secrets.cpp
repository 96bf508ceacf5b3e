#include "server/cluster_secrets.hpp"

#include <array>
#include <tuple>

#include "base/text.hpp"
#include "server/secret_file.hpp"

namespace steelyard::server {

namespace {

struct File {
  const std::string& path;
  Secrecy secrecy;
  std::string ClusterSecrets::* place;
};

std::array<File, 4> files_of(const config::ClusterSpec& spec) {
  return {{{spec.ca_file, Secrecy::open, &ClusterSecrets::ca},
           {spec.certificate_file, Secrecy::open, &ClusterSecrets::certificate},
           {spec.key_file, Secrecy::secret, &ClusterSecrets::key},
           {spec.password_file, Secrecy::secret, &ClusterSecrets::password}}};
}

}  // namespace

std::vector<std::string> complaints_about_files(const config::ClusterSpec& spec) {
  std::vector<std::string> complaints;
  for (const File& file : files_of(spec)) {
    if (file.path.empty()) continue;
    if (auto good = check_secret_file(file.path, file.secrecy); !good)
      complaints.push_back("SteelyardCluster: " + good.error());
  }
  return complaints;
}

std::expected<ClusterSecrets, std::string> read_cluster_secrets(
    const config::ClusterSpec& spec, const std::optional<Suspect>& suspect) {
  ClusterSecrets secrets;
  for (const File& file : files_of(spec)) {
    if (file.path.empty()) continue;
    auto text = read_secret_file(file.path, file.secrecy, suspect);
    if (!text) return std::unexpected("SteelyardCluster: " + text.error());
    secrets.*file.place = std::move(*text);
  }
  // Editors end a file with a newline.
  secrets.password = std::string(trim(secrets.password));
  if (!spec.password_file.empty() && secrets.password.empty())
    return std::unexpected("SteelyardCluster: " + spec.password_file + ": is empty");
  return secrets;
}

}  // namespace steelyard::server
