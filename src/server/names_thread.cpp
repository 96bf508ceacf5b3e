#include "server/names_thread.hpp"

#include <pthread.h>

#include <future>

#include "names/limits.hpp"
#include "server/privileges.hpp"

namespace steelyard::server {

void NamesThread::adopt(std::shared_ptr<const proxy::Generation> generation) {
  const bool has_members = names::has_members_by_name(*generation);
  if (tell(std::move(generation)) && has_members) wait_for_members();
}

void NamesThread::members_changed(std::shared_ptr<const proxy::Generation> generation) {
  tell(std::move(generation));
}

// False: there is nobody to tell, as there is nothing to do.
bool NamesThread::tell(std::shared_ptr<const proxy::Generation> generation) {
  const std::lock_guard hold(lock_);
  if (has_ended_) return false;
  if (!thread_.joinable()) {
    if (!names::has_names(*generation)) return false;
    running_ = true;
    thread_ = std::thread([this] { run(); });
  }
  loop_.post([this, generation = std::move(generation)] {
    if (generation->number() < generation_number_) return;
    generation_number_ = generation->number();
    log_.generation_changed();
    resolver_->use_servers(generation->config().name_servers);
    watcher_->adopt(generation);
  });
  return true;
}

void NamesThread::wait_for_members() {
  const auto settled = std::make_shared<std::promise<void>>();
  loop_.post([this, settled] { watcher_->when_settled([settled] { settled->set_value(); }); });
  settled->get_future().wait_for(names::first_answers_wait);
}

void NamesThread::look_again(balance::MemberRef member) {
  if (!running_.load(std::memory_order_relaxed)) return;
  loop_.post([this, member = std::move(member)] {
    if (watcher_) watcher_->look_again(member);
  });
}

void NamesThread::stop() {
  const std::lock_guard hold(lock_);
  has_ended_ = true;
  if (!thread_.joinable()) return;
  running_ = false;
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

void NamesThread::run() {
  ::pthread_setname_np(::pthread_self(), "names");
  give_up_capabilities();
  resolver_ = std::make_unique<io::AresResolver>(loop_);
  watcher_ = std::make_unique<names::Watcher>(names::WatcherParts{
      .loop = loop_, .resolver = *resolver_, .log = log_, .members_changed = members_changed_});
  loop_.at_turn_end([this] { log_.turn_ended(); });
  loop_.run();
  watcher_.reset();
  loop_.at_turn_end(nullptr);
  resolver_.reset();
  log_.turn_ended();
}

}  // namespace steelyard::server
