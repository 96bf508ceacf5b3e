#include "server/shard_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "io/linux/ares_resolver.hpp"
#include "io/linux/temporary_file.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

namespace {

constexpr Duration pause_notice_period = std::chrono::seconds(10);

std::uint64_t seed() {
  std::uint64_t value = 0;
  CHECK(::getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

// splitmix64: ids that need to be distinct, not secret.
std::uint64_t next_random(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31);
}

std::string load_averages() {
  double loads[3] = {};
  ::getloadavg(loads, 3);
  return fmt::format("{:.2f}/{:.2f}/{:.2f}", loads[0], loads[1], loads[2]);
}

std::unique_ptr<io::SpillFile> open_spill_file() {
  const char* directory = ::getenv("TMPDIR");
  return io::open_temporary_file(directory != nullptr ? directory : "/tmp");
}

}  // namespace

ShardThread::ShardThread(std::size_t number, proxy::ShardGroup& group, LogWriter& writer,
                         const LogRegistry& registry)
    : number_(number), group_(group), log_(writer, registry), random_state_(seed()) {}

ShardThread::~ShardThread() { stop(); }

void ShardThread::start() {
  CHECK(!thread_.joinable());
  thread_ = std::thread([this] { run(); });
}

void ShardThread::obey(ShardOrders orders, Done done) {
  loop_.post([this, orders = std::move(orders), done = std::move(done)]() mutable {
    carry_out(orders);
    done();
  });
}

void ShardThread::drain(Done done) {
  loop_.post([this, done = std::move(done)]() mutable {
    close_listeners();
    shard_->drain(std::move(done));
  });
}

void ShardThread::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    close_listeners();
    if (shard_) shard_->stop();
    loop_.stop();
  });
  thread_.join();
}

void ShardThread::run() {
  ::pthread_setname_np(::pthread_self(), fmt::format("shard {}", number_).c_str());
  give_up_capabilities();
  dialer_ = std::make_unique<io::SocketDialer>(loop_, std::make_unique<io::AresResolver>(loop_));
  loop_.run();
  listeners_.clear();
  shard_.reset();
  dialer_.reset();
  log_.turn_ended();
}

void ShardThread::carry_out(ShardOrders& orders) {
  log_.generation_changed();
  dialer_->resolver().use_servers(orders.generation->config().name_servers);
  error_log_ = orders.generation->config().servers[0]->error_log;
  if (!shard_) {
    make_shard(orders.generation);
  } else if (orders.under_way == ShardOrders::Exchanges::end) {
    shard_->stop();
    make_shard(orders.generation);
  } else {
    shard_->adopt(orders.generation);
  }
  for (const config::Listen& listen : orders.closed) {
    const auto found = std::ranges::find(listeners_, listen, &OpenListener::listen);
    if (found == listeners_.end()) continue;
    close_listener(*found);
    listeners_.erase(found);
  }
  for (const ShardOrders::Opened& opened : orders.opened) open_listener(opened);
}

void ShardThread::make_shard(const std::shared_ptr<const proxy::Generation>& generation) {
  shard_.reset();
  shard_ = std::make_unique<proxy::Shard>(
      proxy::ShardParts{.group = group_,
                        .loop = loop_,
                        .dialer = *dialer_,
                        .splicer = splicer_,
                        .log = log_,
                        .process = {.process_id = ::getpid(),
                                    .thread_id = ::gettid(),
                                    .load_averages = load_averages,
                                    .files = &files_,
                                    .busy_connections = {}},  // the shard's to say
                        .random = [this] { return next_random(random_state_); },
                        .open_spill_file = open_spill_file,
                        .id_seed = {seed(), seed(), seed(), seed()}},
      generation);
}

void ShardThread::open_listener(const ShardOrders::Opened& opened) {
  io::Listener::Rules rules;
  rules.on_accept = [this](std::unique_ptr<io::Stream> stream, const Endpoint& peer) {
    shard_->accept(std::move(stream), peer);
  };
  rules.has_room = [this] { return group_.has_room_for_client(); };
  rules.on_pause = [this](int error) { tell_of_pause(error); };
  listeners_.push_back(
      {opened.listen, std::make_unique<io::Listener>(loop_, opened.socket, std::move(rules))});
}

// Once a period: while it lasts there is a pause ten times a second and listener.
void ShardThread::tell_of_pause(int error) {
  if (loop_.now() < quiet_until_) return;
  quiet_until_ = loop_.now() + pause_notice_period;
  const std::string text =
      error == 0
          ? fmt::format(
                "all {} client connections that the limit on open files allows are in use; "
                "more wait until one ends",
                group_.client_connections_max)
          : fmt::format("({}){}: could not accept a connection; trying again every {} ms", error,
                        strerror(error), io::Listener::pause / std::chrono::milliseconds(1));
  log_.error(error_log_, {.level = config::LogLevel::error,
                          .module = "core",
                          .text = text,
                          .referer = {},
                          .when = loop_.wall_now()});
}

// The kernel resets connections that wait in a closed socket's queue, so they are taken first.
void ShardThread::close_listener(OpenListener& open) { open.listener->accept_queued(); }

void ShardThread::close_listeners() {
  for (OpenListener& open : listeners_) close_listener(open);
  listeners_.clear();
}

}  // namespace steelyard::server
