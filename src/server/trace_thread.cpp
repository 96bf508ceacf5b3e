#include "server/trace_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.hpp"
#include "server/curl_library.hpp"
#include "server/privileges.hpp"
#include "trace/span_writer.hpp"

namespace steelyard::server {

namespace {

using config::LogLevel;

constexpr std::string_view module = "trace";

Instant clock_now() { return std::chrono::steady_clock::now(); }

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

// Who makes the spans. The process is an instance of the service.
std::string front_of(const config::TraceExport& to) {
  const std::string host = host_name();
  const auto process = static_cast<int>(::getpid());
  return trace::envelope_front({{"service.name", to.service},
                                {"service.instance.id", fmt::format("{}:{}", host, process)},
                                {"service.version", STEELYARD_VERSION},
                                {"host.name", host}},
                               STEELYARD_VERSION);
}

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void TraceThread::adopt(std::shared_ptr<const proxy::Generation> generation) {
  const auto& to = generation->config().trace_export;
  if (!thread_.joinable() && !to) return;
  callers_.set(to ? to->caller_limit : 0);
  {
    const std::lock_guard hold(lock_);
    wanted_ = std::move(generation);
  }
  if (!thread_.joinable()) {
    const auto curl = CurlLibrary::load();
    CHECK(curl.has_value());  // else the configuration was refused
    loop_ = std::make_unique<CollectorLoop>(**curl);
    thread_ = std::thread([this] { run(); });
  }
  open_ = to.has_value();
  loop_->wake();
}

void TraceThread::stop() {
  if (!thread_.joinable()) return;
  open_ = false;
  give_up_at_ = clock_now() + last_patience;
  loop_->wake();
  thread_.join();
}

void TraceThread::take(std::string_view json, std::size_t spans) {
  if (queue_.add(json, spans)) loop_->wake();
}

void TraceThread::run() {
  ::pthread_setname_np(::pthread_self(), "traces");
  give_up_capabilities();
  while (!stopping()) {
    renew_client();
    send_what_is_due();
    log_.turn_ended();
  }
  send_the_rest();
  client_.reset();
  log_.turn_ended();
}

// A reload may have named another collector, or none.
void TraceThread::renew_client() {
  std::shared_ptr<const proxy::Generation> wanted;
  {
    const std::lock_guard hold(lock_);
    wanted = std::exchange(wanted_, nullptr);
  }
  if (wanted == nullptr) return;
  log_.generation_changed();
  generation_ = std::move(wanted);
  const auto& to = generation_->config().trace_export;
  if (!to || to == to_) return;
  to_ = to;
  client_ = std::make_unique<CollectorClient>(*loop_, *to_);
  front_ = front_of(*to_);
  troubled_since_ = never;
  is_trouble_told_ = false;
  refused_.clear();
}

void TraceThread::send_what_is_due() {
  const Instant now = clock_now();
  const bool is_due = now >= next_send_;
  if (is_due) next_send_ = now + batch_age_max;
  const auto batch = queue_.take(is_due ? SpanQueue::Partial::take : SpanQueue::Partial::leave);
  if (!batch) return loop_->sleep(next_send_ - now);
  if (!deliver(*batch)) counts_.undelivered += batch->spans;
  tell_dropped();
}

void TraceThread::send_the_rest() {
  while (const auto batch = queue_.take(SpanQueue::Partial::take)) {
    if (!deliver(*batch)) counts_.undelivered += batch->spans;
  }
  if (const std::uint64_t lost = counts_.undelivered; lost != 0) {
    say(LogLevel::warn,
        fmt::format("{} spans were not delivered to {} before the end", lost, to_->url));
  }
}

bool TraceThread::deliver(const SpanBatch& batch) {
  const std::string body = front_ + batch.json + std::string(trace::envelope_back);
  for (Duration pause_length = first_pause;;
       pause_length = std::min(pause_length * 2, longest_pause)) {
    const CollectorAnswer answer = client_->post(body, give_up_at_);
    if (settle(batch, answer)) return true;
    // Who stops asks once more at most, and not a collector that was not there just now.
    if (stopping()) return false;
    tell_trouble(answer);
    pause(std::max(pause_length, answer.retry_after));
    if (stopping() && troubled_since_ != never) return false;
    renew_client();
  }
}

// True when there is nothing more to do for the batch.
bool TraceThread::settle(const SpanBatch& batch, const CollectorAnswer& answer) {
  using Kind = CollectorAnswer::Kind;
  if (answer.kind == Kind::taken) {
    const std::uint64_t rejected = std::min<std::uint64_t>(answer.rejected, batch.spans);
    counts_.exported += batch.spans - rejected;
    if (rejected != 0) {
      tell_refused(answer, rejected);
    } else {
      tell_recovery();
    }
    return true;
  }
  if (answer.kind != Kind::refused) return false;
  tell_refused(answer, batch.spans);
  return true;
}

// Another status at once, the same one once in a while, whatever its words: some name the request
// or the time. How many there were meanwhile comes with the next line or the recovery.
void TraceThread::tell_refused(const CollectorAnswer& answer, std::uint64_t spans) {
  note_trouble();
  counts_.refused += spans;
  if (!refused_[answer.status].ask(clock_now())) return;
  const std::uint64_t refused = counts_.refused;
  say(LogLevel::error, fmt::format("{} refuses spans: {}; {} were dropped for that", to_->url,
                                   answer.text, refused - std::exchange(refused_told_, refused)));
}

// Until then, or somebody stops the server or names another collector. Batches that became full
// meanwhile wake it too, and wait on.
void TraceThread::pause(Duration length) {
  log_.turn_ended();
  const Instant until = clock_now() + length;
  for (Instant now = clock_now(); now < until && !stopping() && !has_news(); now = clock_now())
    loop_->sleep(until - now);
}

bool TraceThread::has_news() {
  const std::lock_guard hold(lock_);
  return wanted_ != nullptr;
}

// Once, and not for each batch.
void TraceThread::tell_trouble(const CollectorAnswer& answer) {
  note_trouble();
  if (std::exchange(is_trouble_told_, true)) return;
  say(LogLevel::error,
      fmt::format(
          "spans cannot be sent to {}: {}; up to {} wait until it is back, more are dropped",
          to_->url, answer.text, SpanQueue::spans_max));
}

void TraceThread::note_trouble() {
  if (troubled_since_ != never) return;
  troubled_since_ = clock_now();
  dropped_before_ = dropped();
}

void TraceThread::tell_recovery() {
  if (troubled_since_ == never) return;
  const Duration lasted = clock_now() - std::exchange(troubled_since_, never);
  is_trouble_told_ = false;
  refused_.clear();
  full_told_ = counts_.queue_full;
  refused_told_ = counts_.refused;
  say(LogLevel::warn, fmt::format("{} takes spans again, after {:.1f} s; {} were dropped meanwhile",
                                  to_->url, seconds(lasted), dropped() - dropped_before_));
}

void TraceThread::tell_dropped() {
  const std::uint64_t full = counts_.queue_full;
  if (full == full_told_ || !full_.ask(clock_now())) return;
  say(LogLevel::error,
      fmt::format("{} spans were dropped: {} does not keep up (SteelyardTrace sample= makes fewer)",
                  full - std::exchange(full_told_, full), to_->url));
}

void TraceThread::say(LogLevel level, std::string_view text) {
  const config::Server& main_server = *generation_->config().servers[0];
  if (level > main_server.log_levels.of(module)) return;
  log_.error(main_server.error_log, {.level = level,
                                     .module = module,
                                     .text = text,
                                     .referer = {},
                                     .when = std::chrono::system_clock::now()});
}

}  // namespace steelyard::server
