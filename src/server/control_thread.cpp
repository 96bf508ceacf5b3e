#include "server/control_thread.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <future>

#include "base/text.hpp"
#include "io/linux/socket_stream.hpp"
#include "manage/control_answers.hpp"
#include "server/control_socket.hpp"
#include "server/privileges.hpp"
#include "server/version.hpp"

namespace steelyard::server {

namespace {

using manage::ControlFault;

// A few words go into a fresh socket at once.
void turn_away(io::Stream& stream, std::string why) {
  const std::string answer =
      manage::fault_answer({.kind = ControlFault::Kind::refused, .text = std::move(why)}) + '\n';
  const std::string_view piece = answer;
  (void)stream.write(std::span(&piece, 1));
  stream.settle();
}

}  // namespace

void ControlThread::start(Descriptor socket, std::shared_ptr<const proxy::Generation> generation) {
  generation_ = std::move(generation);
  pages_.start();
  thread_ = std::thread([this, socket = std::move(socket)]() mutable { run(std::move(socket)); });
}

void ControlThread::adopt(std::shared_ptr<const proxy::Generation> generation) {
  if (!thread_.joinable()) return;
  loop_.post([this, generation = std::move(generation)] { take(generation); });
}

void ControlThread::take(const std::shared_ptr<const proxy::Generation>& generation) {
  // A question about it may have come before the word of it.
  if (generation->number() <= generation_->number()) return;
  log_.generation_changed();
  generation_ = generation;
  end_feeds();
  chronicle_->adopt(*generation_);
  health_news_->adopt(generation_);
  desk_->adopt(*generation_);
  manager_->adopt(*generation_);
  book_->expect_to_keep(!manage::persistent_balancers(*generation_).empty());
  if (shared_ != nullptr) shared_->adopt(manage::name_balancers(*generation_));
  // What was changed while the others knew of it and this thread did not, they were told with the
  // generation before and did not heed.
  members_changed_(generation_);
}

void ControlThread::join(Cluster cluster, std::shared_ptr<const proxy::Generation> generation) {
  generation_ = std::move(generation);
  if (book_ == nullptr) make_book(std::nullopt);
  shared_ = std::make_unique<manage::SharedChanges>(manage::SharedChanges::Parts{
      .loop = loop_,
      .book = *book_,
      .log = [this](config::LogLevel level, const std::string& text) { log(level, text); },
      .members_changed = [this] { members_changed_(generation_); },
      .knows_condition = [this](std::string_view scope,
                                std::string_view name) { return knows_condition(scope, name); },
      .send = std::move(cluster.send),
      .keep = std::move(cluster.keep),
      .store = std::move(cluster.store),
      .addresses = std::move(cluster.addresses),
      .user = std::move(cluster.user),
      .self = std::move(cluster.self)});
  shared_->begin(std::move(cluster.kept), manage::name_balancers(*generation_),
                 manage::persistent_balancers(*generation_),
                 {.now = std::chrono::steady_clock::now(), .wall = WallTime::clock::now()});
  book_->share_with(shared_.get());
}

void ControlThread::hear(std::vector<cluster::News::Any> news) {
  // Jobs are copied, news are not.
  auto told = std::make_shared<std::vector<cluster::News::Any>>(std::move(news));
  loop_.post([this, told = std::move(told)] { shared_->hear(std::move(*told)); });
}

bool ControlThread::knows_condition(std::string_view scope, std::string_view name) const {
  const config::Config& config = generation_->config();
  const auto scopes = manage::name_servers(*generation_);
  const auto found = std::ranges::find(scopes, scope);
  if (found == scopes.end()) return false;
  const auto& server = config.servers[static_cast<std::size_t>(found - scopes.begin())];
  return server->health_conditions.find(name) != nullptr ||
         config.servers[0]->health_conditions.find(name) != nullptr;
}

void ControlThread::end_feeds() {
  api_->end_feeds();
  live_page_->end_feeds();
}

void ControlThread::listen_anew(Descriptor socket) {
  // Jobs are copied, descriptors are not.
  auto held = std::make_shared<Descriptor>(std::move(socket));
  loop_.post([this, held = std::move(held)] {
    listener_.reset();
    listen(std::move(*held));
  });
}

void ControlThread::close_socket() {
  if (!thread_.joinable()) return;
  std::promise<void> closed;
  loop_.post([this, &closed] {
    listener_.reset();
    connections_.clear();
    end_feeds();
    ends_feeds_ = true;
    if (shared_ != nullptr) shared_->leave();
    book_->close();
    closed.set_value();
  });
  closed.get_future().wait();
}

void ControlThread::ask(proxy::DeskQuestion question, Reply reply) {
  if (PageThread::answers(question.responder))
    return pages_.ask(std::move(question), std::move(reply));
  loop_.post([this, question = std::move(question), reply = std::move(reply)] {
    // Who was told that there is no answer does not expect anything to be done any more.
    if (question.is_given_up()) return;
    proxy::DeskAnswer given = answer_whatever_happens(question);
    if (given.feed != nullptr && ends_feeds_) given.feed->end();
    reply(std::move(given));
  });
}

proxy::DeskAnswer ControlThread::answer_whatever_happens(const proxy::DeskQuestion& question) {
  try {
    return answer(question);
  } catch (const std::exception& fault) {
    regret(question, fault.what());
    return {.status = 500};
  }
}

void ControlThread::regret(const proxy::DeskQuestion& question, const std::string& why) {
  loop_.post([this, generation = question.generation, server = question.server,
              text = fmt::format("no answer to {}: {}", steelyard::quoted(question.path), why)] {
    log_for(*generation->config().servers[server], config::LogLevel::error, text);
  });
}

proxy::DeskAnswer ControlThread::answer(const proxy::DeskQuestion& question) {
  // Shards hear of a new generation first.
  if (question.generation->number() > generation_->number()) take(question.generation);
  switch (question.responder) {
    case config::Responder::balancer_manager:
      return manage::LivePage::concerns(question) ? live_page_->answer(question)
                                                  : manager_->answer(question);
    case config::Responder::api:
      return api_->answer(question);
    case config::Responder::server_status:
    case config::Responder::metrics:  // pages_
    case config::Responder::none:
    case config::Responder::heartbeat:
      break;
  }
  return {.status = 404};
}

void ControlThread::stop() {
  pages_.stop();
  if (!thread_.joinable()) return;
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

void ControlThread::run(Descriptor socket) {
  ::pthread_setname_np(::pthread_self(), "control");
  give_up_capabilities();
  if (book_ == nullptr) make_book(journal::Journal::in_memory(changes_max));
  make_pages();
  chronicle_->adopt(*generation_);
  health_news_->adopt(generation_);
  desk_->adopt(*generation_);
  manager_->adopt(*generation_);
  loop_.at_turn_end([this] { end_turn(); });
  if (socket.is_open()) listen(std::move(socket));
  loop_.run();
  listener_.reset();
  connections_.clear();
  loop_.at_turn_end(nullptr);
  live_page_.reset();
  api_.reset();
  manager_.reset();
  desk_.reset();
  health_news_.reset();
  chronicle_.reset();
  book_->share_with(nullptr);
  shared_.reset();
  book_.reset();
  log_.turn_ended();
}

void ControlThread::end_turn() {
  log_.turn_ended();
  pages_.tell(book_->refused());
  if (shared_ != nullptr) pages_.tell(shared_->view());
}

void ControlThread::bring_back(manage::ChangesBook::Wanted journal,
                               std::shared_ptr<const proxy::Generation> generation) {
  generation_ = std::move(generation);  // its log
  make_book(std::move(journal));
  book_->bring_back(manage::name_balancers(*generation_),
                    manage::persistent_balancers(*generation_),
                    {.now = std::chrono::steady_clock::now(), .wall = WallTime::clock::now()});
}

void ControlThread::bring_back_late(journal::Journal journal) {
  // Jobs are copied, journals are not.
  auto held = std::make_shared<journal::Journal>(std::move(journal));
  loop_.post([this, held = std::move(held)] {
    book_->open_late(std::move(*held));
    book_->bring_back(manage::name_balancers(*generation_),
                      manage::persistent_balancers(*generation_),
                      {.now = loop_.now(), .wall = loop_.wall_now()});
    members_changed_(generation_);
  });
}

void ControlThread::open_journal_again(std::string folder) {
  loop_.post([this, folder = std::move(folder)] {
    if (!book_->should_open_again()) return;
    const auto open = [this, &folder] {
      auto journal = journal::Journal::open(folder, loop_.wall_now());
      if (journal && !journal->remark().empty()) log(config::LogLevel::warn, journal->remark());
      return journal;
    };
    book_->open_again(open, manage::name_balancers(*generation_),
                      {.now = loop_.now(), .wall = loop_.wall_now()});
    const bool is_well = book_->journal() != nullptr && !book_->journal()->is_read_only();
    log(is_well ? config::LogLevel::notice : config::LogLevel::error,
        is_well ? "the journal of operators' changes can be written to again"
                : book_->troubles().front());
  });
}

void ControlThread::make_book(manage::ChangesBook::Wanted journal) {
  book_ = std::make_unique<manage::ChangesBook>(
      std::move(journal),
      [this](config::LogLevel level, const std::string& text) { log(level, text); },
      [this](const manage::NamedBalancer& balancer, std::string_view name) {
        return knows_condition(balancer.scope, name);
      });
}

void ControlThread::make_pages() {
  const auto members_changed = [this] { members_changed_(generation_); };
  chronicle_ = std::make_unique<manage::Chronicle>(loop_, group_);
  health_news_ = std::make_unique<manage::HealthNews>(
      loop_, [this](const config::Server& server, const std::string& text) {
        log_for(server, config::LogLevel::info, text);
      });
  desk_ = std::make_unique<manage::ControlDesk>(
      manage::ChangeDesk::Parts{
          .loop = loop_,
          .book = *book_,
          .log = [this](config::LogLevel level, const std::string& text) { log(level, text); },
          .members_changed = members_changed},
      *chronicle_);
  manager_ = std::make_unique<manage::BalancerManager>(manage::BalancerManager::Parts{
      .book = *book_,
      .built = build_time_text(),
      .now = [this] { return manage::Moment{loop_.now(), loop_.wall_now()}; },
      .log = [this](const config::Server& server, config::LogLevel level,
                    const std::string& text) { log_for(server, level, text); },
      .on_change = [this](const manage::BalancerManager::ChangeNote& note) { log_changes(note); },
      .members_changed = members_changed});
  api_ = std::make_unique<manage::Api>(
      manage::ApiParts{.loop = loop_,
                       .book = *book_,
                       .log =
                           [this](const proxy::DeskQuestion& question, const std::string& text) {
                             log_for(*question.generation->config().servers[question.server],
                                     config::LogLevel::notice, text);
                           },
                       .members_changed = members_changed,
                       .drain_ordered = [this] { desk_->look_after_drains(); }});
  live_page_ = std::make_unique<manage::LivePage>(manage::LivePage::Parts{
      .loop = loop_,
      .chronicle = *chronicle_,
      .book = *book_,
      .api = *api_,
      .nonce_of = [this](const proxy::Group& group) { return manager_->nonce_of(group); }});
}

void ControlThread::listen(Descriptor socket) {
  listener_.emplace(
      loop_, socket.release(),
      io::Listener::Rules{
          .on_accept = [this](std::unique_ptr<io::Stream> stream,
                              const Endpoint& /*peer*/) { take_in(std::move(stream)); },
          .has_room = nullptr,
          .on_pause = nullptr});
}

void ControlThread::take_in(std::unique_ptr<io::Stream> stream) {
  const auto peer = peer_of(static_cast<io::SocketStream&>(*stream).fd());
  if (!peer) return;
  if (peer->user != 0 && peer->user != ::geteuid()) {
    log(config::LogLevel::warn, fmt::format("control socket: uid {} (pid {}) may not speak here",
                                            peer->user, peer->process));
    return turn_away(*stream, "only root and the server's own user may speak here");
  }
  if (connections_.size() >= connections_max)
    return turn_away(*stream, fmt::format("{} connections are open already", connections_max));
  // Its place in the list is known to nobody before it is there.
  const auto place = std::make_shared<Connections::iterator>();
  connections_.emplace_back(loop_, *desk_, std::move(stream),
                            fmt::format("uid {}, pid {}", peer->user, peer->process),
                            [this, place] {
                              loop_.defer([this, place] {
                                if (listener_) connections_.erase(*place);  // else all are gone
                              });
                            });
  *place = std::prev(connections_.end());
  connections_.back().start();
}

void ControlThread::log(config::LogLevel level, const std::string& text) {
  log_for(*generation_->config().servers.front(), level, text);
}

void ControlThread::log_changes(const manage::BalancerManager::ChangeNote& note) {
  const proxy::DeskQuestion& question = note.question;
  for (const balance::Change& change : note.changes) {
    log_for(*question.generation->config().servers[question.server], config::LogLevel::notice,
            manage::change_text(note.balancer, change,
                                "the balancer-manager, " + question.client.text()));
  }
}

void ControlThread::log_for(const config::Server& server, config::LogLevel level,
                            const std::string& text) {
  // Orders are told like starts and stops, whatever the level.
  if (level != config::LogLevel::notice && level > server.log_levels.of("proxy_balancer")) return;
  proxy::ErrorLine line;
  line.level = level;
  line.module = "proxy_balancer";
  line.text = text;
  line.when = loop_.wall_now();
  log_.error(server.error_log, line);
}

}  // namespace steelyard::server
