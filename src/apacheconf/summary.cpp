#include "apacheconf/summary.hpp"

#include "apacheconf/modules.hpp"

namespace steelyard::apacheconf {

namespace {

using config::HostAddress;
using config::Server;

// The servers that share one address, in file order.
struct Group {
  HostAddress address;
  std::vector<const Server*> servers;
};

std::string address_text(const HostAddress& address) {
  std::string text = "*";
  if (address.ip) text = address.ip->is_v6() ? '[' + address.ip->text() + ']' : address.ip->text();
  return text + ':' + (address.port ? std::to_string(*address.port) : std::string("*"));
}

std::vector<Group> group_servers(const config::Config& config) {
  std::vector<Group> groups;
  for (const std::unique_ptr<Server>& server : config.servers) {
    for (HostAddress address : server->addresses) {
      // httpd: another way to write `*`.
      if (address.ip && address.ip->is_any()) address.ip.reset();
      const auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
        return group.address.ip == address.ip && group.address.port == address.port;
      });
      Group& group = found == groups.end() ? groups.emplace_back(Group{address, {}}) : *found;
      if (group.servers.empty() || group.servers.back() != server.get()) {
        group.servers.push_back(server.get());
      }
    }
  }
  const auto is_concrete = [](const Group& group) { return group.address.ip.has_value(); };
  std::vector<Group> sorted;
  for (const Group& group : groups) {
    if (is_concrete(group)) sorted.push_back(group);
  }
  for (const Group& group : groups) {
    if (!is_concrete(group)) sorted.push_back(group);
  }
  return sorted;
}

std::string name_and_place(const Server& server) {
  return server.name + " (" + (server.place.file ? *server.place.file : std::string()) + ':' +
         std::to_string(server.place.line) + ")\n";
}

std::string padded(std::string text) {
  if (text.size() < 22) text.resize(22, ' ');
  return text + ' ';
}

void append_group(std::string& out, const Group& group) {
  out += padded(address_text(group.address));
  if (group.servers.size() == 1) {
    out += name_and_place(*group.servers.front());
    return;
  }
  out += "is a NameVirtualHost\n";
  out += "         default server " + name_and_place(*group.servers.front());
  const std::string port = group.address.port ? std::to_string(*group.address.port) : "*";
  for (const Server* server : group.servers) {
    out += "         port " + port + " namevhost " + name_and_place(*server);
    for (const std::string& alias : server->aliases) {
      out += "                 alias " + alias + '\n';
    }
    for (const std::string& alias : server->wild_aliases) {
      out += "                 wild alias " + alias + '\n';
    }
  }
}

std::string target_text(const config::LogTarget& target) {
  switch (target.kind) {
    case config::LogTarget::Kind::file:
      return target.text;
    case config::LogTarget::Kind::pipe:
      return '|' + target.text;
    case config::LogTarget::Kind::pipe_shell:
      return "|$" + target.text;
    case config::LogTarget::Kind::syslog:
      return target.text.empty() ? "syslog" : "syslog:" + target.text;
  }
  return {};
}

void append_identity(std::string& out, std::string_view title, const std::string& name,
                     const std::string& id) {
  if (name.empty()) return;
  out += std::string(title) + ": name=\"" + name + '"';
  if (!id.empty()) out += " id=" + id;
  out += '\n';
}

}  // namespace

std::string describe_hosts(const config::Config& config) {
  std::string out = "VirtualHost configuration:\n";
  for (const Group& group : group_servers(config)) append_group(out, group);
  return out;
}

std::string describe_run(const config::Config& config, const std::string& user_id,
                         const std::string& group_id) {
  const Server& main_server = *config.servers.front();
  std::string out = "ServerRoot: \"" + config.server_root + "\"\n";
  out += "Main DocumentRoot: \"" + main_server.document_root + "\"\n";
  out += "Main ErrorLog: \"" + target_text(main_server.error_log) + "\"\n";
  out += "PidFile: \"" + config.pid_file + "\"\n";
  for (const std::string& define : config.defines) out += "Define: " + define + '\n';
  append_identity(out, "User", config.user, user_id);
  append_identity(out, "Group", config.group, group_id);
  return out;
}

std::string describe_certificates(const config::Config& config) {
  std::string out = "Server certificates:\n";
  for (const auto& server : config.servers) {
    for (const config::NamedFile& file : server->tls.certificates) out += "  " + file.path + '\n';
  }
  return out;
}

std::string describe_modules(const config::Config& config) {
  std::string out = "Loaded Modules:\n";
  for (const Module& module : known_modules()) {
    if (module.kind == Module::Kind::built_in) {
      out += ' ' + std::string(module.identifier) + " (static)\n";
    }
  }
  for (const std::string& identifier : config.modules) {
    const Module* const module = find_module(identifier);
    if (module && module->kind == Module::Kind::built_in) continue;
    const bool acts = module && module->kind == Module::Kind::implemented;
    out += ' ' + identifier + (acts ? " (shared)\n" : " (not part of this program)\n");
  }
  return out;
}

std::string list_compiled_modules() {
  std::string out = "Compiled in modules:\n";
  for (const Module& module : known_modules()) {
    if (module.kind == Module::Kind::built_in) out += "  " + std::string(module.file) + '\n';
  }
  return out;
}

}  // namespace steelyard::apacheconf
