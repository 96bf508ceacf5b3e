#include "config/settings_cache.hpp"

#include "config/compression.hpp"
#include "config/encoded_slashes.hpp"

namespace steelyard::config {

namespace {

// What every section leads to: all settings but a server's own defaults are of this type.
struct SectionSettings : PathSettings {
  SectionSettings(PathSettings settings, bool resets)
      : PathSettings(std::move(settings)), resets_encoded_slashes(resets) {}
  bool resets_encoded_slashes;
};

// Of a <Proxy> section: whether a line of httpd's core stands in it, as far as such a line does
// anything here.
bool speaks_of_the_core(const PathSettings& said) {
  return said.signature || said.body_bytes_max || said.log_levels || said.default_charset ||
         said.canonical_name || said.canonical_physical_port || said.responder || said.handler ||
         said.cgi_pass_auth || !said.error_documents.empty() || !said.conditionals.empty() ||
         (said.compression && said.compression->all);
}

// Sections but regular expressions see runs of '/' as one, even under MergeSlashes Off (httpd).
void merge_slashes(std::string_view path, std::string& merged) {
  merged.clear();
  for (const char c : path) {
    if (c != '/' || !merged.ends_with('/')) merged += c;
  }
}

}  // namespace

std::size_t SettingsCache::KeyHash::operator()(const Key& key) const {
  std::size_t hash = std::hash<const void*>{}(key.server);
  for (const std::uint32_t section : key.sections) {
    hash = (hash ^ section) * 0x100000001b3ULL;
  }
  return hash;
}

SettingsRef SettingsCache::find(const Server& server, std::string_view path, std::string_view url) {
  wanted_.server = &server;
  wanted_.sections.clear();
  if (!url.empty()) note_proxies(server, url);
  note_locations(server, path);
  if (wanted_.sections.empty()) return SettingsRef(SettingsRef(), &server.defaults);
  if (const auto it = entries_.find(wanted_); it != entries_.end()) return it->second;
  if (entries_.size() >= entries_max_) entries_.clear();
  return entries_.emplace(wanted_, compose(wanted_)).first->second;
}

void SettingsCache::note_proxies(const Server& server, std::string_view url) {
  for (std::size_t i = 0; i < server.proxies.size(); ++i) {
    if (server.proxies[i].covers_url(url)) {
      wanted_.sections.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

void SettingsCache::note_locations(const Server& server, std::string_view path) {
  std::string_view plain = path;
  if (!server.merge_slashes && path.find("//") != path.npos) {
    merge_slashes(path, merged_path_);
    plain = merged_path_;
  }
  for (std::size_t i = 0; i < server.locations.size(); ++i) {
    const Section& section = server.locations[i];
    const bool is_regex = section.kind == Section::Kind::regex;
    if (section.covers_path(is_regex ? path : plain)) {
      wanted_.sections.push_back(static_cast<std::uint32_t>(server.proxies.size() + i));
    }
  }
}

SettingsRef SettingsCache::compose(const Key& key) const {
  const Server& server = *key.server;
  PathSettings settings = server.defaults;
  settings.log_levels = server.log_levels;
  bool resets = false;
  for (const std::uint32_t number : key.sections) {
    const bool is_proxy = number < server.proxies.size();
    const Section& section =
        is_proxy ? server.proxies[number] : server.locations[number - server.proxies.size()];
    settings = merge(settings, section.settings);
    resets = resets || !is_proxy || speaks_of_the_core(section.settings);
  }
  return std::make_shared<const SectionSettings>(std::move(settings), resets);
}

std::size_t SettingsCache::DecisionHash::operator()(const Decision& decision) const {
  std::size_t hash = std::hash<const void*>{}(decision.settings);
  for (const Conditional* held : decision.held) {
    hash = (hash ^ std::hash<const void*>{}(held)) * 0x100000001b3ULL;
  }
  return hash;
}

SettingsRef SettingsCache::decide(const Server& server, SettingsRef settings,
                                  const expr::Facts& facts, Arena& arena, expr::Remarks& remarks) {
  if (settings->conditionals.empty()) return settings;
  const ConditionalWalk::Found held = walk_.walk(*settings, facts, arena, remarks);
  if (held.empty()) return settings;
  wanted_decision_.settings = settings.get();
  wanted_decision_.held.assign(held.begin(), held.end());
  if (const auto it = decided_.find(wanted_decision_); it != decided_.end()) {
    return it->second.merged;
  }
  PathSettings merged = *settings;
  if (!merged.log_levels) merged.log_levels = server.log_levels;
  for (const Conditional* conditional : held) merged = merge(merged, conditional->settings);
  if (decided_.size() >= entries_max_) decided_.clear();
  auto result = std::make_shared<const SectionSettings>(std::move(merged), true);
  decided_.emplace(wanted_decision_, Decided{std::move(settings), result});
  return result;
}

bool sections_reset_encoded_slashes(const Server& server, const PathSettings& settings) {
  if (&settings == &server.defaults) return false;
  return static_cast<const SectionSettings&>(settings).resets_encoded_slashes;
}

}  // namespace steelyard::config
