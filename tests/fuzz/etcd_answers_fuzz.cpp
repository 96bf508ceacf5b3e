// Fuzz target: what etcd's answers are read by.
//
// Each line of the text answers what an instance asked first, or last with a # in front, or is a
// line of its watch; with a ! in front it is a refusal. Whatever
// comes, the instance asks at most one question of each kind, waits before it tries again, keeps
// within its limits, and never takes a field whose key it would not write.
#include <set>
#include <string>
#include <variant>

#include "base/check.hpp"
#include "base/text.hpp"
#include "cluster/conversation.hpp"
#include "cluster/kept.hpp"
#include "fuzz.hpp"

namespace steelyard {

namespace {

using namespace cluster;

constexpr std::string_view prefix = "/p";

void check_fields(const std::vector<Sight>& fields) {
  for (const Sight& sight : fields) {
    const std::string text = key_text(prefix, sight.field.key);
    CHECK(read_key(std::string_view(text).substr(changes_folder(prefix).size())) ==
          sight.field.key);
    if (!sight.field.value) continue;
    CHECK(sight.field.value->value.size() <= text_bytes_max);
  }
}

void check_news(const News::Any& news) {
  if (const auto* everything = std::get_if<News::Everything>(&news)) {
    check_fields(everything->fields);
    CHECK(everything->instances.size() <= instances_max);
  }
  if (const auto* changes = std::get_if<News::Changes>(&news)) check_fields(changes->fields);
  if (const auto* way = std::get_if<News::InTheWay>(&news)) check_fields(way->fields);
}

// What an operator ordered, once there is somebody to tell.
void share(Conversation& talk, const News::Any& news) {
  const auto* const everything = std::get_if<News::Everything>(&news);
  if (everything == nullptr) return;
  talk.share({.id = "1", .fields = {{{FieldKey{"s", "b", "m", "f"}, FieldValue{}}, 0}}},
             everything->epoch);
}

void check_conversation(std::string_view text) {
  Conversation talk({.addresses = 2,
                     .prefix = std::string(prefix),
                     .login = Conversation::Login{"user", "word"},
                     .instance = {.id = "1", .name = "one"}});
  Instant now{std::chrono::hours(1)};
  talk.start(now);
  std::set<Question::Kind> out;
  for (std::string_view line : split(text, '\n')) {
    if (talk.take_hang_up()) out.clear();
    for (const Question& question : talk.take_questions()) CHECK(out.insert(question.kind).second);
    for (const News::Any& news : talk.take_news()) {
      check_news(news);
      share(talk, news);
    }
    for (const Question& question : talk.take_questions()) CHECK(out.insert(question.kind).second);
    if (out.empty()) {
      CHECK(talk.due() != never && talk.due() <= now + backoff_most);
      now = talk.due();
      talk.tick(now);
      continue;
    }
    const bool is_to_last = line.starts_with('#');
    if (is_to_last) line.remove_prefix(1);
    const Question::Kind kind = is_to_last ? *out.rbegin() : *out.begin();
    const int status = line.starts_with('!') ? 400 : 200;
    if (kind == Question::Kind::watch && status == 200) {
      talk.streamed(line, now);
      now += std::chrono::seconds(1);
      talk.tick(now);
      continue;
    }
    out.erase(kind);
    talk.answered(kind, status, status == 400 ? line.substr(1) : line, now);
  }
}

}  // namespace

void fuzz_one(std::string_view text) {
  check_conversation(text);
  if (const auto kept = read_kept(text)) CHECK(read_kept(kept_text(*kept)));
  if (const auto value = read_value(text)) CHECK(read_value(value_text(*value)));
  if (const auto key = read_key(text))
    CHECK(key_text("", *key) == changes_folder("") + std::string(text));
}

}  // namespace steelyard
