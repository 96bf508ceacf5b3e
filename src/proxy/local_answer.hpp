#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "http/error_page.hpp"
#include "http/request_head.hpp"
#include "proxy/core.hpp"
#include "proxy/failure.hpp"
#include "proxy/feed.hpp"

// Answers that come from here and not from a backend: error pages, redirects, OPTIONS *.

namespace steelyard::proxy {

struct LocalAnswer {
  int status = 500;
  std::string_view location{};     // redirects
  std::string_view proxy_error{};  // "Error reading from remote server"; empty: the plain page
  std::string_view note{};         // 400: what is wrong with a field
  std::string_view html_note{};    // 400, 403: the same, ready for the page
  std::string_view reason{};       // instead of the standard phrase (ProxyErrorOverride)
  std::string_view text{};         // the whole body, if it has one of its own; TRACE: its end
  std::string_view content_type = "text/plain";
  bool has_text = false;
  bool by_directive = false;  // Redirect or [R=] orders it: no handler was asked
  std::vector<std::pair<std::string_view, std::string_view>> fields{};
  std::shared_ptr<Feed> feed{};  // follows the text; nobody knows how long it is
  int failed_document_status = 0;
};

// What the line about the server on a page says; of Settings in force.
http::PageServer page_server(const Exchange& x);

// The page's words for a malformed request, as httpd's.
void describe_fault(const http::RequestFault& fault, LocalAnswer& answer);

// Fills status, fields and page of `x`; the page's text lies in core.page.
void prepare_local_answer(Exchange& x, Shard::Core& core, const LocalAnswer& answer);

// The path of an ErrorDocument for the status that is served by an internal redirect; empty: the
// answer is prepared from text, URL or the standard page.
std::string_view error_document_path(Exchange& x, Shard::Core& core, const LocalAnswer& answer);

}  // namespace steelyard::proxy
