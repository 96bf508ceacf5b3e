#include "server/privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/text.hpp"

namespace steelyard::server {

namespace {

std::optional<unsigned> numeric_id(const std::string& text) {
  if (!text.starts_with('#')) return std::nullopt;
  const auto number = parse_unsigned(std::string_view(text).substr(1));
  if (!number || *number >= 0xffffffff) return std::nullopt;
  return static_cast<unsigned>(*number);
}

std::unexpected<std::string> failed(const char* what) {
  return std::unexpected(fmt::format("({}){}: {}", errno, strerror(errno), what));
}

// The kernel's own call: the C library has no wrapper for it.
bool set_capabilities(unsigned mask) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2]{};
  data[0].effective = data[0].permitted = mask;
  return ::syscall(SYS_capset, &header, data) == 0;
}

}  // namespace

std::expected<Identity, std::string> find_identity(const std::string& user,
                                                   const std::string& group) {
  Identity identity;
  const auto user_number = numeric_id(user);
  const passwd* entry = user_number ? ::getpwuid(*user_number) : ::getpwnam(user.c_str());
  if (entry == nullptr && !user_number) {
    return std::unexpected(fmt::format("bad user name {}", user));
  }
  identity.user = user_number ? *user_number : entry->pw_uid;
  if (entry != nullptr) {
    identity.user_name = entry->pw_name;
    identity.group = entry->pw_gid;
  }
  if (group.empty()) return identity;
  if (const auto group_number = numeric_id(group)) {
    identity.group = *group_number;
    return identity;
  }
  const ::group* found = ::getgrnam(group.c_str());
  if (found == nullptr) return std::unexpected(fmt::format("bad group name {}", group));
  identity.group = found->gr_gid;
  return identity;
}

std::vector<gid_t> supplementary_groups(const Identity& identity) {
  if (identity.user_name.empty()) return {identity.group};
  int count = 0;
  ::getgrouplist(identity.user_name.c_str(), identity.group, nullptr, &count);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(count, 1)), identity.group);
  ::getgrouplist(identity.user_name.c_str(), identity.group, groups.data(), &count);
  return groups;
}

bool running_as_root() { return ::geteuid() == 0; }

std::expected<void, std::string> become(const Identity& identity) {
  if (::setgid(identity.group) != 0) {
    return failed(fmt::format("setgid: unable to set group id to {}", identity.group).c_str());
  }
  const int groups = identity.user_name.empty()
                         ? ::setgroups(1, &identity.group)
                         : ::initgroups(identity.user_name.c_str(), identity.group);
  if (groups != 0) return failed("initgroups: unable to set the supplementary groups");
  if (identity.user == 0) return {};
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (::setuid(identity.user) != 0) {
    return failed(fmt::format("setuid: unable to change to uid {}", identity.user).c_str());
  }
  ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  // A container may have withheld the capability; then reloads cannot add low ports, no more.
  if (!set_capabilities(1U << CAP_NET_BIND_SERVICE) && !set_capabilities(0)) {
    return failed("capset: unable to give up root's capabilities");
  }
  // The change of user forbade core dumps; whoever set a core limit wants them.
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur != 0) {
    ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  return {};
}

void give_up_capabilities() {
  if (::geteuid() != 0) set_capabilities(0);
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace steelyard::server
