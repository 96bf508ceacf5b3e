// How the server joins its cluster (SteelyardCluster), and what it keeps of it over a restart.

#include <fmt/format.h>
#include <unistd.h>

#include <random>

#include "journal/side_file.hpp"
#include "server/privileges.hpp"
#include "server/server.hpp"
#include "server/version.hpp"

namespace steelyard::server {

namespace {

using config::LogLevel;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

// Told apart from all other runs, of this machine and others.
std::string fresh_id() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

}  // namespace

// With the rights of the start. Files that cannot be read are a fault like a wrong name of User.
std::expected<void, std::string> Server::read_cluster_files(const config::Config& config) {
  cluster_spec_ = config.cluster;
  if (!cluster_spec_) return {};
  std::optional<Suspect> suspect;
  if (running_as_root() && !config.user.empty()) {
    const auto identity = find_identity(config.user, config.group);
    if (identity && identity->user != 0)
      suspect = Suspect{identity->user, supplementary_groups(*identity)};
  }
  auto secrets = read_cluster_secrets(*cluster_spec_, suspect);
  if (!secrets) return std::unexpected(std::move(secrets.error()));
  cluster_secrets_ = std::move(*secrets);
  return {};
}

// None: it was no part of this cluster before.
std::optional<cluster::Kept> Server::read_what_was_shared(const std::string& path) {
  const auto text = journal::read_whole_file(path);
  if (text && !*text) return std::nullopt;
  auto kept = text ? cluster::read_kept(**text) : std::unexpected(text.error().text);
  if (kept) return std::move(*kept);
  log_.say(LogLevel::error, "proxy_balancer",
           fmt::format("cluster: {}: {}; what was not shared before the restart is lost for the "
                       "cluster",
                       path, kept.error()));
  return cluster::Kept{.store = cluster_spec_->url};
}

void Server::join_cluster() {
  if (!cluster_spec_) return;
  const config::ClusterSpec& spec = *cluster_spec_;
  const cluster::Instance self{.id = fresh_id(),
                               .name = spec.name.empty() ? host_name() : spec.name,
                               .version = STEELYARD_VERSION,
                               .since_us = std::chrono::duration_cast<std::chrono::microseconds>(
                                               WallTime::clock::now().time_since_epoch())
                                               .count()};
  std::optional<cluster::Conversation::Login> login;
  if (!spec.user.empty())
    login = cluster::Conversation::Login{spec.user, std::exchange(cluster_secrets_.password, {})};
  cluster_ = std::make_unique<ClusterThread>(
      ClusterAccess{.addresses = spec.addresses,
                    .tls = spec.tls,
                    .ca = std::move(cluster_secrets_.ca),
                    .certificate = std::move(cluster_secrets_.certificate),
                    .key = std::move(cluster_secrets_.key)},
      cluster::Conversation::Options{.addresses = spec.addresses.size(),
                                     .prefix = spec.prefix,
                                     .login = std::move(login),
                                     .instance = self,
                                     .seed = std::random_device()()},
      [this](std::vector<cluster::News::Any> news) { control_.hear(std::move(news)); });
  ControlThread::Cluster parts{
      .send = [this](const cluster::Order& order,
                     std::uint64_t epoch) { cluster_->share(order, epoch); },
      .keep = nullptr,
      .kept = std::nullopt,
      .store = spec.url,
      .addresses = spec.addresses,
      .user = spec.user,
      .self = self};
  if (has_journal_) {
    const std::string path = journal_folder_ + std::string(journal::cluster_file_name);
    parts.kept = read_what_was_shared(path);
    parts.keep = [path](const std::string& text) -> std::expected<void, std::string> {
      auto kept = journal::replace_file(path, text);
      if (!kept) return std::unexpected(std::move(kept.error().text));
      return {};
    };
  }
  control_.join(std::move(parts), generation_);
}

}  // namespace steelyard::server
