#include "config/settings_cache.hpp"

namespace steelyard::config {

namespace {

void note_covering(const std::vector<Section>& sections, std::string_view text,
                   bool (Section::*covers)(std::string_view) const, std::size_t first_number,
                   std::vector<std::uint32_t>& numbers) {
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if ((sections[i].*covers)(text)) {
      numbers.push_back(static_cast<std::uint32_t>(first_number + i));
    }
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
  if (!url.empty()) {
    note_covering(server.proxies, url, &Section::covers_url, 0, wanted_.sections);
  }
  note_covering(server.locations, path, &Section::covers_path, server.proxies.size(),
                wanted_.sections);
  if (wanted_.sections.empty()) return SettingsRef(SettingsRef(), &server.defaults);
  if (const auto it = entries_.find(wanted_); it != entries_.end()) return it->second;
  if (entries_.size() >= entries_max_) entries_.clear();
  return entries_.emplace(wanted_, compose(wanted_)).first->second;
}

SettingsRef SettingsCache::compose(const Key& key) const {
  const Server& server = *key.server;
  PathSettings settings = server.defaults;
  for (const std::uint32_t number : key.sections) {
    const bool is_proxy = number < server.proxies.size();
    const Section& section =
        is_proxy ? server.proxies[number] : server.locations[number - server.proxies.size()];
    settings = merge(settings, section.settings);
  }
  return std::make_shared<const PathSettings>(std::move(settings));
}

}  // namespace steelyard::config
