#include "server/page_thread.hpp"

#include <pthread.h>

#include "server/privileges.hpp"
#include "server/process_usage.hpp"
#include "server/version.hpp"

namespace steelyard::server {

namespace {

manage::ServerSources sources_of(proxy::ShardGroup& group, io::Loop& loop) {
  return {.group = group,
          .built = build_time_text(),
          .usage = measure_process,
          .now = [&loop] { return loop.now(); },
          .wall_now = [&loop] { return loop.wall_now(); }};
}

}  // namespace

PageThread::PageThread(proxy::ShardGroup& group, Complain complain)
    : complain_(std::move(complain)),
      status_(sources_of(group, loop_)),
      metrics_(
          sources_of(group, loop_), [this] { return cluster(); }, [this] { return refused(); }) {}

void PageThread::start() {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "pages");
    give_up_capabilities();
    loop_.run();
  });
}

void PageThread::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

bool PageThread::answers(config::Responder responder) {
  return responder == config::Responder::server_status || responder == config::Responder::metrics;
}

void PageThread::ask(proxy::DeskQuestion question, proxy::Desk::Reply reply) {
  loop_.post([this, question = std::move(question), reply = std::move(reply)] {
    if (question.is_given_up()) return;
    try {
      reply(answer(question));
    } catch (const std::exception& fault) {
      complain_(question, fault.what());
      reply({.status = 500});
    }
  });
}

proxy::DeskAnswer PageThread::answer(const proxy::DeskQuestion& question) const {
  return question.responder == config::Responder::metrics ? metrics_.answer(question)
                                                          : status_.answer(question);
}

void PageThread::tell(manage::ClusterView cluster) {
  const std::lock_guard hold(lock_);
  cluster_ = std::move(cluster);
}

void PageThread::tell(const manage::RefusedChanges& refused) {
  const std::lock_guard hold(lock_);
  refused_ = refused;
}

manage::RefusedChanges PageThread::refused() const {
  const std::lock_guard hold(lock_);
  return refused_;
}

std::optional<manage::ClusterView> PageThread::cluster() const {
  const std::lock_guard hold(lock_);
  return cluster_;
}

}  // namespace steelyard::server
