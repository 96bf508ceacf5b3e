#include "server/ocsp_fetch.hpp"

#include <array>
#include <chrono>

#include "base/check.hpp"
#include "server/curl_library.hpp"

namespace steelyard::server {

namespace {

// An answer has a signature, a certificate or two, and a few dates.
constexpr std::size_t answer_bytes_max = std::size_t{64} << 10;

struct Answer {
  std::string text;
  bool too_long = false;
};

std::size_t keep_answer(const char* bytes, std::size_t size, std::size_t count, void* kept) {
  auto& answer = *static_cast<Answer*>(kept);
  answer.too_long = answer.text.size() + size * count > answer_bytes_max;
  if (answer.too_long) return 0;
  answer.text.append(bytes, size * count);
  return size * count;
}

int go_on(void* stopping, curl_off_t /*wanted*/, curl_off_t /*got*/, curl_off_t /*to_send*/,
          curl_off_t /*sent*/) {
  return static_cast<const std::atomic<bool>*>(stopping)->load() ? 1 : 0;
}

}  // namespace

std::expected<std::string, std::string> fetch_ocsp(const CurlLibrary& curl,
                                                   const tls::OcspErrand& errand,
                                                   const std::atomic<bool>& stopping) {
  Answer answer;
  std::array<char, CURL_ERROR_SIZE> error{};
  CURL* const easy = curl.easy_init();
  CHECK(easy != nullptr);
  curl_slist* headers = curl.slist_append(nullptr, "Content-Type: application/ocsp-request");
  headers = curl.slist_append(headers, "Accept: application/ocsp-response");
  const auto patience =
      static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(errand.patience).count());
  const auto set = [&](CURLoption option, auto value) {
    CHECK(curl.easy_setopt(easy, option, value) == CURLE_OK);
  };
  const std::string url(errand.url), proxy_url(errand.proxy_url);
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http");
  set(CURLOPT_PROXY, proxy_url.c_str());  // empty: not that of the environment either
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(errand.request.size()));
  set(CURLOPT_POSTFIELDS, errand.request.data());
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_TIMEOUT_MS, patience);
  set(CURLOPT_CONNECTTIMEOUT_MS, patience);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &go_on);
  set(CURLOPT_XFERINFODATA, const_cast<void*>(static_cast<const void*>(&stopping)));
  set(CURLOPT_WRITEFUNCTION, &keep_answer);
  set(CURLOPT_WRITEDATA, &answer);
  set(CURLOPT_ERRORBUFFER, error.data());
  const CURLcode code = curl.easy_perform(easy);
  long status = 0;
  curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  const std::string why = error[0] != '\0' ? error.data() : curl.easy_strerror(code);
  curl.easy_cleanup(easy);
  curl.slist_free_all(headers);
  if (answer.too_long) return std::unexpected("the answer is too long");
  if (code != CURLE_OK) return std::unexpected(why);
  constexpr long ok = 200;
  if (status != ok) return std::unexpected("HTTP status " + std::to_string(status));
  return std::move(answer.text);
}

}  // namespace steelyard::server
