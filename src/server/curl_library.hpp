#pragma once

#include <curl/curl.h>

#include <expected>
#include <string>

// libcurl, loaded when somebody exports spans or shares changes by etcd, and not before: with the
// thirty libraries that it brings it would double the time of a start and the memory of every
// server, also of those that never need it.
//
// Threads: the first load() is the main thread's; what it gives is immutable.

namespace steelyard::server {

struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_wakeup) multi_wakeup;

  // Stays loaded for good. The error is for people.
  static std::expected<const CurlLibrary*, std::string> load();
};

}  // namespace steelyard::server
