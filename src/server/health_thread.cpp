#include "server/health_thread.hpp"

#include <pthread.h>

#include <random>

#include "io/linux/ares_resolver.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

void HealthThread::adopt(std::shared_ptr<const proxy::Generation> generation) {
  const std::lock_guard hold(lock_);
  if (has_ended_) return;
  if (!thread_.joinable()) {
    if (!health::has_checks(*generation)) return;
    running_ = true;
    thread_ = std::thread([this] { run(); });
  }
  loop_.post([this, generation = std::move(generation)] {
    if (generation_ && generation->number() < generation_->number()) return;
    log_.generation_changed();
    dialer_->resolver().use_servers(generation->config().name_servers);
    generation_ = generation;
    prober_->adopt(generation);
  });
}

void HealthThread::members_changed() {
  if (!running_.load(std::memory_order_relaxed)) return;
  loop_.post([this] {
    if (prober_ && generation_) prober_->adopt(generation_);
  });
}

void HealthThread::stop() {
  const std::lock_guard hold(lock_);
  has_ended_ = true;
  if (!thread_.joinable()) return;
  running_ = false;
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

void HealthThread::run() {
  ::pthread_setname_np(::pthread_self(), "health");
  give_up_capabilities();
  std::mt19937_64 random{std::random_device{}()};
  dialer_ = std::make_unique<io::SocketDialer>(loop_, std::make_unique<io::AresResolver>(loop_));
  prober_ = std::make_unique<health::Prober>(health::ProberParts{
      .loop = loop_, .dialer = *dialer_, .log = log_, .random = [&random] { return random(); }});
  loop_.at_turn_end([this] { log_.turn_ended(); });
  loop_.run();
  prober_.reset();
  loop_.at_turn_end(nullptr);
  dialer_.reset();
  log_.turn_ended();
}

}  // namespace steelyard::server
