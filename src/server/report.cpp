#include "server/report.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

#include "apacheconf/directive.hpp"
#include "apacheconf/modules.hpp"
#include "apacheconf/tables.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

using apacheconf::Directive;
using apacheconf::Module;
using config::HostAddress;
using config::Server;

std::string port_text(const HostAddress& address) {
  return address.port ? std::to_string(*address.port) : "*";
}

std::string address_text(const HostAddress& address) {
  if (!address.ip) return "*:" + port_text(address);
  const std::string ip = address.ip->text();
  return fmt::format("{}:{}", address.ip->is_v6() ? "[" + ip + "]" : ip, port_text(address));
}

std::string place_text(const Server& server) {
  const auto& file = server.place.file;
  return fmt::format("({}:{})", file ? *file : "", server.place.line);
}

struct Group {
  HostAddress address;
  std::vector<const Server*> servers;
};

// One group an address, in file order; those with an IP first, as httpd prints them.
std::vector<Group> groups_of(const config::Config& config) {
  std::vector<Group> groups;
  for (const auto& server : config.servers) {
    for (const HostAddress& address : server->addresses) {
      const auto same = [&](const Group& group) {
        return group.address.ip == address.ip && group.address.port == address.port;
      };
      auto found = std::ranges::find_if(groups, same);
      if (found == groups.end()) found = groups.insert(groups.end(), {address, {}});
      if (std::ranges::find(found->servers, server.get()) == found->servers.end()) {
        found->servers.push_back(server.get());
      }
    }
  }
  std::vector<Group> sorted;
  for (const bool with_ip : {true, false}) {
    std::ranges::copy_if(groups, std::back_inserter(sorted), [with_ip](const Group& group) {
      return group.address.ip.has_value() == with_ip;
    });
  }
  return sorted;
}

void append_names(std::string& out, const Server& server, const HostAddress& address) {
  fmt::format_to(std::back_inserter(out), "         port {} namevhost {} {}\n", port_text(address),
                 server.name, place_text(server));
  for (const std::string& alias : server.aliases) out += "                 alias " + alias + "\n";
  for (const std::string& alias : server.wild_aliases) {
    out += "                 wild alias " + alias + "\n";
  }
}

void append_group(std::string& out, const Group& group) {
  const Server& first = *group.servers.front();
  auto end = std::back_inserter(out);
  const bool named =
      group.servers.size() > 1 || !first.aliases.empty() || !first.wild_aliases.empty();
  if (!named) {
    fmt::format_to(end, "{:<22} {} {}\n", address_text(group.address), first.name,
                   place_text(first));
    return;
  }
  fmt::format_to(end, "{:<22} is a NameVirtualHost\n         default server {} {}\n",
                 address_text(group.address), first.name, place_text(first));
  for (const Server* server : group.servers) append_names(out, *server, group.address);
}

std::string target_text(const config::LogTarget& target) {
  using Kind = config::LogTarget::Kind;
  switch (target.kind) {
    case Kind::file:
      return target.text;
    case Kind::pipe:
      return "|" + target.text;
    case Kind::pipe_shell:
      return "|$" + target.text;
    case Kind::syslog:
      return target.text.empty() ? "syslog" : "syslog:" + target.text;
  }
  return {};
}

}  // namespace

std::string hosts_report(const config::Config& config) {
  std::string out = "VirtualHost configuration:\n";
  for (const Group& group : groups_of(config)) append_group(out, group);
  auto end = std::back_inserter(out);
  fmt::format_to(end, "ServerRoot: \"{}\"\n", config.server_root);
  fmt::format_to(end, "Main ErrorLog: \"{}\"\n", target_text(config.servers[0]->error_log));
  fmt::format_to(end, "PidFile: \"{}\"\n", config.pid_file);
  for (const std::string& name : config.defines) fmt::format_to(end, "Define: {}\n", name);
  if (config.user.empty()) return out;
  const auto identity = find_identity(config.user, config.group);
  const char* unused = running_as_root() ? "" : " not_used";
  if (!identity) return out;
  fmt::format_to(end, "User: name=\"{}\" id={}{}\n", config.user, identity->user, unused);
  if (!config.group.empty()) {
    fmt::format_to(end, "Group: name=\"{}\" id={}{}\n", config.group, identity->group, unused);
  }
  return out;
}

std::string modules_report(const config::Config& config) {
  std::string out = "Loaded Modules:\n";
  for (const std::string& name : config.modules) {
    const Module* module = apacheconf::find_module(name);
    const bool built_in = module != nullptr && module->kind == Module::Kind::built_in;
    out += fmt::format(" {} ({})\n", name, built_in ? "static" : "shared");
  }
  return out;
}

std::string built_in_modules() {
  std::string out = "Compiled in modules:\n";
  for (const Module& module : apacheconf::known_modules()) {
    if (module.kind == Module::Kind::built_in) out += fmt::format("  {}\n", module.file);
  }
  return out;
}

std::string directives_report() {
  std::string out;
  for (const Directive* directive : apacheconf::all_directives()) {
    if (directive->support == apacheconf::Support::refused) continue;
    out += fmt::format("{} ({})\n\t{}\n", directive->name, directive->module, directive->help);
  }
  return out;
}

}  // namespace steelyard::server
