#include "server/curl_library.hpp"

#include <dlfcn.h>

namespace steelyard::server {

namespace {

constexpr const char* file = "libcurl.so.4";

// False: the library lacks it.
template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

// What all who use it set without asking: CURLOPT_PROTOCOLS_STR (7.85), CURLOPT_QUICK_EXIT (7.87).
bool knows_options(const CurlLibrary& curl) {
  CURL* const easy = curl.easy_init();
  if (easy == nullptr) return false;
  const bool knows = curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                     curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
  curl.easy_cleanup(easy);
  return knows;
}

std::expected<CurlLibrary, std::string> find_all() {
  void* const library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return std::unexpected(std::string(::dlerror()));
  CurlLibrary curl{};
  const bool has_all = find(library, "curl_global_init", curl.global_init) &&
                       find(library, "curl_easy_init", curl.easy_init) &&
                       find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                       find(library, "curl_easy_perform", curl.easy_perform) &&
                       find(library, "curl_easy_setopt", curl.easy_setopt) &&
                       find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                       find(library, "curl_easy_strerror", curl.easy_strerror) &&
                       find(library, "curl_slist_append", curl.slist_append) &&
                       find(library, "curl_slist_free_all", curl.slist_free_all) &&
                       find(library, "curl_multi_init", curl.multi_init) &&
                       find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
                       find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
                       find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
                       find(library, "curl_multi_perform", curl.multi_perform) &&
                       find(library, "curl_multi_info_read", curl.multi_info_read) &&
                       find(library, "curl_multi_poll", curl.multi_poll) &&
                       find(library, "curl_multi_wakeup", curl.multi_wakeup);
  if (!has_all) return std::unexpected(std::string(file) + " is too old");
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return std::unexpected(std::string(file) + " cannot be initialised");
  if (!knows_options(curl))
    return std::unexpected(std::string(file) + " is too old: 7.87 or a later one is needed");
  return curl;
}

}  // namespace

std::expected<const CurlLibrary*, std::string> CurlLibrary::load() {
  static const std::expected<CurlLibrary, std::string> curl = find_all();
  if (!curl) return std::unexpected(curl.error());
  return &*curl;
}

}  // namespace steelyard::server
