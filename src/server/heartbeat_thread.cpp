#include "server/heartbeat_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include "server/countdown.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

using config::LogLevel;

constexpr Duration tick_period = std::chrono::seconds(1);  // httpd: WatchdogInterval
constexpr std::uint64_t ticks_a_refresh = 5;
constexpr std::string_view module = "heartmonitor";

bool chooses_by_heartbeats(const config::Config& config) {
  return std::ranges::any_of(config.servers, [](const auto& server) {
    return std::ranges::any_of(server->balancers, [](const auto& balancer) {
      return balancer->effective_policy() == balance::Policy::heartbeat;
    });
  });
}

bool has_work(const config::Config& config) {
  const config::HeartbeatSettings& settings = config.heartbeat;
  return settings.listen || settings.send_to ||
         (settings.uses_file() && chooses_by_heartbeats(config));
}

}  // namespace

HeartbeatThread::HeartbeatThread(proxy::ShardGroup& group, LogWriter& writer,
                                 const LogRegistry& registry)
    : group_(group), log_(writer, registry) {}

HeartbeatThread::~HeartbeatThread() { stop(); }

void HeartbeatThread::obey(const std::shared_ptr<const proxy::Generation>& generation) {
  const config::HeartbeatSettings& settings = generation->config().heartbeat;
  group_.heartbeats.arrange(
      settings.uses_file() ? heartbeat::Source::file : heartbeat::Source::slots,
      settings.servers_max);
  if (!thread_.joinable()) {
    if (!has_work(generation->config())) return;
    group_.heartbeats.store_by(
        [this](heartbeat::Server server) { keep_posted(std::move(server)); });
    thread_ = std::thread([this] { run(); });
  }
  post_and_wait([&] { adopt(generation); });
}

void HeartbeatThread::fall_silent() {
  if (thread_.joinable()) post_and_wait([this] { silent_ = true; });
}

void HeartbeatThread::stop() {
  if (!thread_.joinable()) return;
  group_.heartbeats.store_by(nullptr);
  loop_.post([this] {
    beat_.disarm();
    receiver_.reset();
    watch_.reset();
    loop_.stop();
  });
  thread_.join();
}

void HeartbeatThread::run() {
  ::pthread_setname_np(::pthread_self(), "heartbeats");
  give_up_capabilities();
  loop_.at_turn_end([this] { log_.turn_ended(); });
  loop_.run();
  log_.turn_ended();
}

void HeartbeatThread::post_and_wait(const std::function<void()>& job) {
  Countdown done(1);
  loop_.post([&] {
    job();
    done.count_down();
  });
  done.wait();
}

void HeartbeatThread::adopt(const std::shared_ptr<const proxy::Generation>& generation) {
  const config::Config& config = generation->config();
  const config::HeartbeatSettings next = config.heartbeat;
  const config::Server& main_server = *config.servers[0];
  log_.generation_changed();
  error_log_ = main_server.error_log;
  level_ = main_server.log_levels.of(module);
  if (next.listen != settings_.listen) receiver_.reset();
  settings_ = next;
  watch_.reset();
  storage_.reset();
  if (next.uses_file()) storage_ = std::make_unique<HeartbeatStorage>(next.storage_path);
  // A reload asks for a new word about whatever goes wrong.
  malformed_ = doubtful_ = crowded_ = unsent_ = unopened_ = unwritten_ = unadded_ = {};
  ticks_ = 0;
  tick();
}

// Once a second, and at once after a new configuration.
void HeartbeatThread::tick() {
  beat_.arm(loop_.timers(), loop_.now() + tick_period);
  const bool refreshes = ticks_++ % ticks_a_refresh == 0;
  send();
  if (refreshes) {
    open_receiver();
    group_.heartbeats.drop_silent(loop_.now());
    // httpd: who does not listen only reads.
    if (settings_.listen) write_storage();
  }
  read_storage();
}

// There are no workers here that would be idle or busy. What an operator says of the server's size
// is MaxRequestWorkers; busy are the connections with a request under way.
void HeartbeatThread::send() {
  if (!settings_.send_to || silent_) return;
  const std::uint64_t busy = std::min<std::uint64_t>(group_.busy_connections(), INT32_MAX);
  const std::uint64_t ready = settings_.capacity > busy ? settings_.capacity - busy : 0;
  const auto sent =
      io::send_datagram(*settings_.send_to,
                        heartbeat::write_message(static_cast<int>(ready), static_cast<int>(busy)));
  if (!sent) complain(unsent_, LogLevel::warn, "no heartbeat sent: " + sent.error());
}

void HeartbeatThread::open_receiver() {
  if (!settings_.listen || receiver_) return;
  const auto opened = io::open_datagram_socket(*settings_.listen);
  if (!opened) {
    complain(unopened_, LogLevel::crit,
             opened.error() + "; no heartbeats are heard, it is tried again every 5 seconds");
    return;
  }
  receiver_ = std::make_unique<io::DatagramReceiver>(
      loop_, *opened, [this](const Endpoint& from, std::string_view bytes) { hear(from, bytes); });
}

void HeartbeatThread::hear(const Endpoint& from, std::string_view bytes) {
  const auto heard = heartbeat::read_message(bytes, heartbeat::Origin::datagram);
  if (!heard) {
    complain(malformed_, LogLevel::crit,
             fmt::format("malformed message from {}: it has no {}=", from.text(), heard.error()));
    return;
  }
  if (!heard->doubts.empty()) {
    complain(doubtful_, LogLevel::warn,
             fmt::format("message from {}: {}", from.text(), heard->doubts.front()));
  }
  if (!group_.heartbeats.heard_datagram(from.ip, heard->message, loop_.now())) {
    complain(crowded_, LogLevel::error,
             fmt::format("the heartbeat of {} was dropped: there are as many servers as "
                         "HeartbeatMaxServers allows",
                         from.text()));
  }
}

void HeartbeatThread::read_storage() {
  if (!storage_) return;
  if (!watch_) watch_ = io::FileWatch::open(loop_, storage_->path(), [this] { read_storage(); });
  if (auto servers = storage_->read_if_changed()) group_.heartbeats.publish(std::move(*servers));
}

void HeartbeatThread::write_storage() {
  if (!storage_) return;
  const auto written = storage_->write(group_.heartbeats.roll(), loop_.now());
  if (!written) complain(unwritten_, LogLevel::error, written.error());
}

// Of one address only the last word waits, so what waits is bounded as the board is.
void HeartbeatThread::keep_posted(heartbeat::Server server) {
  bool first = false;
  {
    const std::lock_guard hold(posted_lock_);
    first = posted_.empty();
    posted_.insert_or_assign(server.ip, std::move(server));
  }
  if (first) loop_.post([this] { store_posted(); });
}

void HeartbeatThread::store_posted() {
  std::vector<heartbeat::Server> servers;
  {
    const std::lock_guard hold(posted_lock_);
    for (auto& [ip, server] : posted_) servers.push_back(std::move(server));
    posted_.clear();
  }
  if (!storage_) return;
  const auto added = storage_->add(servers, loop_.now());
  if (!added) complain(unadded_, LogLevel::error, added.error());
  read_storage();
}

void HeartbeatThread::complain(Seldom& seldom, LogLevel level, const std::string& text) {
  const auto untold = seldom.ask(loop_.now());
  if (!untold) return;
  say(level,
      *untold == 0 ? text : fmt::format("{} ({} more like it were not told)", text, *untold));
}

void HeartbeatThread::say(LogLevel level, const std::string& text) {
  if (level > level_) return;
  log_.error(
      error_log_,
      {.level = level, .module = module, .text = text, .referer = {}, .when = loop_.wall_now()});
}

}  // namespace steelyard::server
