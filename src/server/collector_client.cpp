#include "server/collector_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "base/text.hpp"
#include "proxy/generation.hpp"
#include "server/curl_library.hpp"

namespace steelyard::server {

namespace {

// More of an answer tells nothing further.
constexpr std::size_t answer_bytes_max = std::size_t{16} << 10U;
constexpr Duration retry_after_max = std::chrono::minutes(5);

std::size_t keep_answer(const char* bytes, std::size_t size, std::size_t count, void* kept) {
  auto& answer = *static_cast<std::string*>(kept);
  answer.append(bytes, std::min(size * count, answer_bytes_max - answer.size()));
  return size * count;
}

long milliseconds(Duration time) {
  return static_cast<long>(
      std::chrono::ceil<std::chrono::milliseconds>(std::max(time, Duration(0))).count());
}

bool may_be_sent_again(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// A login page of somebody in between, with 200. OTLP answers with an object in JSON, but there are
// collectors that say "ok", or answer in protobuf whatever they were asked in: they took the spans.
bool is_page(std::string_view media_type, std::string_view body) {
  const std::string type = to_lower(trim(media_type.substr(0, media_type.find(';'))));
  return type == "text/html" || type == "application/xhtml+xml" || body.starts_with('<');
}

}  // namespace

CollectorLoop::CollectorLoop(const CurlLibrary& curl) : curl_(curl), multi_(curl.multi_init()) {
  CHECK(multi_ != nullptr);
}

CollectorLoop::~CollectorLoop() { curl_.multi_cleanup(multi_); }

void CollectorLoop::sleep(Duration at_most) {
  const long most = std::min(milliseconds(at_most), 60'000L);
  curl_.multi_poll(multi_, nullptr, 0, static_cast<int>(most), nullptr);
}

void CollectorLoop::wake() { curl_.multi_wakeup(multi_); }

struct CollectorClient::Request {
  const CurlLibrary& curl;
  CURL* easy;
  curl_slist* headers = nullptr;
  std::string answer;
  std::array<char, CURL_ERROR_SIZE> error{};

  explicit Request(const CurlLibrary& library) : curl(library), easy(library.easy_init()) {
    CHECK(easy != nullptr);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() {
    curl.easy_cleanup(easy);
    curl.slist_free_all(headers);
  }
  void add(const std::string& header) {
    headers = curl.slist_append(headers, header.c_str());
    CHECK(headers != nullptr);
  }
  template <class Value>
  void set(CURLoption option, Value value) {
    CHECK(curl.easy_setopt(easy, option, value) == CURLE_OK);
  }
};

CollectorClient::CollectorClient(CollectorLoop& loop, const config::TraceExport& to)
    : loop_(loop), to_(to), request_(std::make_unique<Request>(loop.curl_)) {
  Request& request = *request_;
  request.add("Content-Type: application/json");
  request.add("Expect:");  // nobody waits for leave to send
  for (const std::string& header : to_.headers) request.add(header);
  request.set(CURLOPT_URL, to_.url.c_str());
  request.set(CURLOPT_PROTOCOLS_STR, "http,https");
  request.set(CURLOPT_PROXY, "");
  request.set(CURLOPT_POST, 1L);
  request.set(CURLOPT_HTTPHEADER, request.headers);
  request.set(CURLOPT_USERAGENT, std::string(proxy::program_banner).c_str());
  request.set(CURLOPT_TIMEOUT_MS, milliseconds(to_.timeout));
  request.set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(to_.timeout));
  request.set(CURLOPT_NOSIGNAL, 1L);
  request.set(CURLOPT_QUICK_EXIT, 1L);  // a lookup that hangs holds up no stop
  request.set(CURLOPT_TCP_KEEPALIVE, 1L);
  request.set(CURLOPT_WRITEFUNCTION, &keep_answer);
  request.set(CURLOPT_WRITEDATA, &request.answer);
  request.set(CURLOPT_ERRORBUFFER, request.error.data());
  if (to_.ca_file.empty()) return;
  request.set(CURLOPT_CAINFO, to_.ca_file.c_str());
  // Else the system's authorities are believed as well.
  request.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

CollectorClient::~CollectorClient() = default;

CollectorAnswer CollectorClient::post(std::string_view body,
                                      const std::atomic<Instant>& give_up_at) {
  Request& request = *request_;
  request.answer.clear();
  request.error = {};
  request.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  request.set(CURLOPT_POSTFIELDS, body.data());
  CHECK(loop_.curl_.multi_add_handle(loop_.multi_, request.easy) == CURLM_OK);
  CollectorAnswer answer{.kind = CollectorAnswer::Kind::abandoned};
  while (true) {
    int running = 0;
    loop_.curl_.multi_perform(loop_.multi_, &running);
    int left = 0;
    if (const CURLMsg* const message = loop_.curl_.multi_info_read(loop_.multi_, &left);
        message != nullptr && message->msg == CURLMSG_DONE) {
      answer = judge(message->data.result);
      break;
    }
    const Instant now = std::chrono::steady_clock::now();
    const Instant give_up = give_up_at.load();
    if (now >= give_up) break;
    loop_.sleep(give_up == never ? Duration(std::chrono::seconds(1)) : give_up - now);
  }
  loop_.curl_.multi_remove_handle(loop_.multi_, request.easy);
  return answer;
}

CollectorAnswer CollectorClient::judge(int result) {
  const auto code = static_cast<CURLcode>(result);
  if (code != CURLE_OK) {
    const std::string_view detail = request_->error.data();
    return {.kind = CollectorAnswer::Kind::again,
            .text = std::string(detail.empty() ? loop_.curl_.easy_strerror(code) : detail)};
  }
  long status = 0;
  loop_.curl_.easy_getinfo(request_->easy, CURLINFO_RESPONSE_CODE, &status);
  const char* media_type = nullptr;
  loop_.curl_.easy_getinfo(request_->easy, CURLINFO_CONTENT_TYPE, &media_type);
  CollectorAnswer answer =
      judge_answer(status, media_type != nullptr ? media_type : "", request_->answer);
  curl_off_t seconds = 0;
  if (loop_.curl_.easy_getinfo(request_->easy, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK &&
      seconds > 0) {
    const curl_off_t most = retry_after_max / std::chrono::seconds(1);
    answer.retry_after = std::chrono::seconds(std::min(seconds, most));
  }
  return answer;
}

CollectorAnswer judge_answer(long status, std::string_view media_type, std::string_view body) {
  CollectorAnswer answer{.status = status};
  if (status >= 200 && status < 300) {
    const std::string_view told = trim(body);
    if (!told.empty() && is_page(media_type, told)) {
      answer.kind = CollectorAnswer::Kind::refused;
      answer.text = fmt::format("it answers {} with what is no OTLP: {}", status,
                                quoted(told.substr(0, 200)));
      return answer;
    }
    answer.kind = CollectorAnswer::Kind::taken;
    answer.rejected = rejected_spans(body);
    if (answer.rejected != 0)
      answer.text = fmt::format("it answers {} {}", status, quoted(told.substr(0, 200)));
    return answer;
  }
  answer.kind =
      may_be_sent_again(status) ? CollectorAnswer::Kind::again : CollectorAnswer::Kind::refused;
  answer.text = fmt::format("it answers {} {}", status, quoted(trim(body.substr(0, 200))));
  return answer;
}

std::uint64_t rejected_spans(std::string_view answer) {
  constexpr std::string_view key = "\"rejectedSpans\"";
  const std::size_t at = answer.find(key);
  if (at == std::string_view::npos) return 0;
  answer.remove_prefix(at + key.size());
  // A number, or in JSON of protobuf a string of digits.
  const std::size_t begin = std::min(answer.find_first_not_of(": \t\r\n\""), answer.size());
  answer.remove_prefix(begin);
  const std::size_t end = std::min(answer.find_first_not_of("0123456789"), answer.size());
  return parse_unsigned(answer.substr(0, end)).value_or(0);
}

}  // namespace steelyard::server
