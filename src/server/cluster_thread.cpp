#include "server/cluster_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/check.hpp"
#include "cluster/limits.hpp"
#include "server/curl_library.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

using cluster::Question;
using Kind = Question::Kind;

// At the end of the program, of which it is no important part.
constexpr std::chrono::milliseconds farewell_timeout{500};
constexpr long keep_alive_idle_seconds = 10;
constexpr long keep_alive_interval_seconds = 5;

Instant now() { return std::chrono::steady_clock::now(); }

// Reading the configuration has loaded it, or refused the directive.
const CurlLibrary& curl() {
  static const CurlLibrary* const loaded = CurlLibrary::load().value_or(nullptr);
  CHECK(loaded != nullptr);
  return *loaded;
}

long milliseconds(Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

struct ClusterThread::Transfer {
  struct CloseEasy {
    void operator()(CURL* handle) const { curl().easy_cleanup(handle); }
  };
  struct CloseList {
    void operator()(curl_slist* list) const { curl().slist_free_all(list); }
  };

  Question question;
  std::unique_ptr<CURL, CloseEasy> easy{curl().easy_init()};
  std::unique_ptr<curl_slist, CloseList> fields{};
  std::string answer{};              // of a watch that was granted: the line that is not over yet
  std::vector<std::string> lines{};  // of a watch, not handed on yet
  bool is_too_long = false;
  std::array<char, CURL_ERROR_SIZE> reason{};

  [[nodiscard]] long status() const {
    long status = 0;
    curl().easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  void field(const std::string& line) {
    curl_slist* const longer = curl().slist_append(fields.get(), line.c_str());
    CHECK(longer != nullptr);
    (void)fields.release();
    fields.reset(longer);
  }
};

ClusterThread::ClusterThread(ClusterAccess access, cluster::Conversation::Options options,
                             Hear hear)
    : access_(std::move(access)), hear_(std::move(hear)), conversation_(std::move(options)) {
  multi_.reset(curl().multi_init());
  CHECK(multi_ != nullptr);
}

void ClusterThread::Close::operator()(CURLM* multi) const { curl().multi_cleanup(multi); }

ClusterThread::~ClusterThread() { stop(); }

void ClusterThread::start() {
  thread_ = std::thread([this] { run(); });
}

void ClusterThread::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard hold(lock_);
    has_ended_ = true;
  }
  curl().multi_wakeup(multi_.get());
  thread_.join();
}

void ClusterThread::share(cluster::Order order, std::uint64_t epoch) {
  {
    const std::lock_guard hold(lock_);
    jobs_.push_back({std::move(order), epoch});
  }
  curl().multi_wakeup(multi_.get());
}

void ClusterThread::run() {
  ::pthread_setname_np(::pthread_self(), "cluster");
  give_up_capabilities();
  conversation_.start(now());
  move();
  while (take_jobs()) {
    move();
    wait();
    int running = 0;
    curl().multi_perform(multi_.get(), &running);
    take_lines();
    move();
    take_results();
    if (now() >= conversation_.due()) conversation_.tick(now());
    move();
  }
  end_transfers();
  give_back_lease();
}

// False: it is over.
bool ClusterThread::take_jobs() {
  std::vector<Sharing> jobs;
  {
    const std::lock_guard hold(lock_);
    if (has_ended_) return false;
    jobs = std::exchange(jobs_, {});
  }
  for (Sharing& job : jobs) conversation_.share(std::move(job.order), job.epoch);
  return true;
}

void ClusterThread::wait() {
  const Instant due = conversation_.due();
  constexpr Duration longest = std::chrono::seconds(60);
  const Duration left = due == never ? longest : std::clamp(due - now(), Duration{}, longest);
  curl().multi_poll(multi_.get(), nullptr, 0, static_cast<int>(milliseconds(left)) + 1, nullptr);
}

// What the conversation has for others.
void ClusterThread::move() {
  if (conversation_.take_hang_up()) end_transfers();
  for (Question& question : conversation_.take_questions()) begin(std::move(question));
  if (auto news = conversation_.take_news(); !news.empty()) hear_(std::move(news));
}

void ClusterThread::begin(Question question) {
  auto transfer = std::make_unique<Transfer>(Transfer{.question = std::move(question)});
  CHECK(transfer->easy != nullptr);
  set_up(*transfer);
  curl().multi_add_handle(multi_.get(), transfer->easy.get());
  transfers_.push_back(std::move(transfer));
}

void ClusterThread::set_up(Transfer& transfer) const {
  CURL* const easy = transfer.easy.get();
  const Question& question = transfer.question;
  const std::string url = (access_.tls ? "https://" : "http://") +
                          access_.addresses.at(question.address) + question.path;
  transfer.field("Content-Type: application/json");
  transfer.field("Expect:");  // bodies are small: nobody waits for leave to send one
  if (!question.token.empty()) transfer.field("Authorization: " + question.token);
  curl().easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl().easy_setopt(easy, CURLOPT_PROTOCOLS_STR, access_.tls ? "https" : "http");
  curl().easy_setopt(easy, CURLOPT_PROXY, "");
  curl().easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl().easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.fields.get());
  curl().easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(question.body.size()));
  curl().easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, question.body.data());
  curl().easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl().easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a lookup that hangs holds up no stop
  curl().easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(cluster::answer_timeout));
  if (question.kind != Kind::watch)
    curl().easy_setopt(easy, CURLOPT_TIMEOUT_MS, milliseconds(cluster::answer_timeout));
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, keep_alive_idle_seconds);
  curl().easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, keep_alive_interval_seconds);
  curl().easy_setopt(easy, CURLOPT_WRITEFUNCTION, &ClusterThread::take_bytes);
  curl().easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl().easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl().easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.reason.data());
  if (!access_.tls) return;
  const auto blob = [easy](CURLoption option, const std::string& pem) {
    if (pem.empty()) return;
    // The thread's own copy outlives the transfer.
    curl_blob data{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_NOCOPY};
    curl().easy_setopt(easy, option, &data);
  };
  curl().easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  blob(CURLOPT_CAINFO_BLOB, access_.ca);
  // Else the system's authorities are believed as well.
  if (!access_.ca.empty())
    curl().easy_setopt(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  blob(CURLOPT_SSLCERT_BLOB, access_.certificate);
  blob(CURLOPT_SSLKEY_BLOB, access_.key);
}

std::size_t ClusterThread::take_bytes(char* bytes, std::size_t size, std::size_t count,
                                      void* transfer) {
  Transfer& to = *static_cast<Transfer*>(transfer);
  std::string_view text(bytes, size * count);
  const std::size_t taken = text.size();
  const bool is_stream = to.question.kind == Kind::watch && to.status() == 200;
  for (std::size_t end = text.find('\n'); is_stream && end != text.npos; end = text.find('\n')) {
    to.answer.append(text.substr(0, end));
    to.lines.push_back(std::exchange(to.answer, {}));
    text.remove_prefix(end + 1);
  }
  if (to.answer.size() + text.size() > cluster::answer_bytes_max) {
    to.is_too_long = true;
    return 0;
  }
  to.answer.append(text);
  return taken;
}

void ClusterThread::take_lines() {
  for (const auto& transfer : transfers_) {
    for (const std::string& line : std::exchange(transfer->lines, {}))
      conversation_.streamed(line, now());
  }
}

void ClusterThread::take_results() {
  int left = 0;
  std::vector<std::pair<Transfer*, CURLcode>> ended;
  while (const CURLMsg* const message = curl().multi_info_read(multi_.get(), &left)) {
    Transfer* transfer = nullptr;
    curl().easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    ended.emplace_back(transfer, message->data.result);
  }
  for (const auto& [transfer, result] : ended) {
    // One of those before may have made the conversation hang up.
    const auto at = std::ranges::find(transfers_, transfer, &std::unique_ptr<Transfer>::get);
    if (at == transfers_.end()) continue;
    finish(*transfer, result);
    curl().multi_remove_handle(multi_.get(), transfer->easy.get());
    transfers_.erase(at);
    move();
  }
}

// After a hang-up the conversation has forgotten the question, and does not mind.
void ClusterThread::finish(Transfer& transfer, CURLcode result) {
  const Kind kind = transfer.question.kind;
  if (transfer.is_too_long) return conversation_.overflowed(kind, now());
  if (result != CURLE_OK) {
    const bool has_reason = transfer.reason.front() != '\0';
    return conversation_.failed(
        kind, has_reason ? transfer.reason.data() : curl().easy_strerror(result), now());
  }
  const auto status = static_cast<int>(transfer.status());
  if (kind == Kind::watch && status == 200)
    return conversation_.failed(kind, "etcd ended the watch", now());
  conversation_.answered(kind, status, transfer.answer, now());
}

void ClusterThread::end_transfers() {
  for (const auto& transfer : transfers_)
    curl().multi_remove_handle(multi_.get(), transfer->easy.get());
  transfers_.clear();
}

void ClusterThread::give_back_lease() {
  if (conversation_.lease() == 0) return;
  Transfer transfer{.question = {.kind = Kind::keep_alive,
                                 .address = conversation_.address(),
                                 .path = "/v3/lease/revoke",
                                 .body = cluster::ask::revoke(conversation_.lease()),
                                 .token = conversation_.token()}};
  if (transfer.easy == nullptr) return;
  set_up(transfer);
  curl().easy_setopt(transfer.easy.get(), CURLOPT_TIMEOUT_MS,
                     static_cast<long>(farewell_timeout.count()));
  curl().easy_perform(transfer.easy.get());
}

}  // namespace steelyard::server
