#include "server/version.hpp"

#include <fmt/format.h>

#include "apacheconf/modules.hpp"
#include "proxy/generation.hpp"
#include "server/options.hpp"

namespace steelyard::server {

std::string version_text() {
  return fmt::format(
      "Server version: {} (configuration of Apache httpd {})\n"
      "Server built:   {}\n",
      proxy::program_banner, apacheconf::httpd_version_text(), build_time_text());
}

std::string build_time_text() { return __DATE__ " " __TIME__; }

std::string build_settings_text() {
  return version_text() + fmt::format(
                              "Architecture:   {}-bit\n"
                              "Compiler:       {}\n"
                              "Server compiled with....\n"
                              " -D HTTPD_ROOT=\"{}\"\n"
                              " -D SERVER_CONFIG_FILE=\"{}\"\n",
                              sizeof(void*) * 8, __VERSION__, default_server_root,
                              default_config_file);
}

}  // namespace steelyard::server
