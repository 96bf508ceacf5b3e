#include "proxy/compression.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/compression.hpp"
#include "http/accepted_coding.hpp"
#include "http/status.hpp"
#include "http/token_list.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

using config::DeflateSettings;
using http::FieldId;

namespace {

const DeflateSettings& manner_of(const Exchange& x) {
  static const DeflateSettings usual;
  return x.server->deflate == nullptr ? usual : *x.server->deflate;
}

bool is_covered(const Exchange& x) {
  const config::Compression* const compression = x.settings->compression.get();
  if (compression == nullptr) return false;
  if (compression->all.value_or(false)) return true;
  const std::string_view path = x.backend_url.path.substr(0, x.backend_url.path.find('?'));
  if (compression->names_ending(path)) return true;
  // mod_filter: answers that are no errors.
  constexpr int ok = 200;
  if (x.status != ok && !x.has_switch("filter-errordocs")) return false;
  const auto type = x.normal.value(FieldId::content_type);
  return type && compression->names_type(*type);
}

bool is_html(const Exchange& x) {
  const auto type = x.normal.value(FieldId::content_type);
  return type && type->starts_with("text/html");
}

// A coding that is none: what has it may be compressed.
bool is_plain_coding(std::string_view coding) {
  constexpr std::array<std::string_view, 4> plain{"identity", "7bit", "8bit", "binary"};
  return std::ranges::any_of(
      plain, [coding](std::string_view each) { return equals_ignoring_case(coding, each); });
}

bool is_coded(const Exchange& x) {
  if (!x.normal.has(FieldId::content_encoding)) return false;
  for (const http::Field& field : x.normal) {
    if (field.id != FieldId::content_encoding) continue;
    for (const std::string_view coding : http::tokens(field.value))
      if (!is_plain_coding(coding)) return true;
  }
  return false;
}

// httpd: shorter answers would only grow.
bool is_too_short(const Exchange& x) {
  constexpr std::uint64_t least_bytes = 69;
  const auto length = x.normal.value(FieldId::content_length);
  const auto bytes = length ? parse_unsigned(*length) : std::nullopt;
  return bytes && *bytes < least_bytes;
}

bool may_compress(const Exchange& x, const ReplyBody& beginning) {
  if (!is_covered(x) || x.has_switch("no-gzip")) return false;
  if (x.request.method_id == http::Method::head || http::has_no_body(x.status)) return false;
  if (beginning.finished() || is_too_short(x)) return false;
  if (x.normal.has(FieldId::content_range) || is_coded(x)) return false;
  return !x.has_switch("gzip-only-text/html") || is_html(x);
}

bool takes_gzip(const Exchange& x) {
  if (x.has_switch("force-gzip")) return true;
  return std::ranges::any_of(x.request.fields, [](const http::Field& field) {
    return field.id == FieldId::accept_encoding && http::accepts_coding(field.value, "gzip");
  });
}

void add_vary(Exchange& x) {
  constexpr std::string_view name = "Accept-Encoding";
  const http::Field* const vary = x.normal.find(FieldId::vary);
  if (vary == nullptr) {
    x.normal.add("Vary", name);
  } else if (!http::has_token(vary->value, name)) {
    const auto row = static_cast<std::size_t>(vary - &x.normal[0]);
    x.normal.set_value(row, x.arena.join(vary->value, ",", name));
  }
}

// The entity is another one than the member's: "tag" becomes "tag-gzip".
void mark_tag(Exchange& x, DeflateSettings::EntityTag how) {
  using EntityTag = DeflateSettings::EntityTag;
  if (how == EntityTag::removed) x.normal.remove(FieldId::etag);
  const auto tag = x.normal.value(FieldId::etag);
  constexpr std::size_t least_bytes = 3;  // httpd: "" is left alone
  if (how != EntityTag::suffix || !tag || tag->size() < least_bytes || !tag->ends_with('"')) return;
  x.normal.set("ETag", x.arena.join(tag->substr(0, tag->size() - 1), "-gzip\""));
}

void name_coding(Exchange& x) {
  const auto coding = x.normal.value(FieldId::content_encoding);
  const bool stands_alone = !coding || equals_ignoring_case(*coding, "identity");
  x.normal.set("Content-Encoding", stands_alone ? "gzip" : x.arena.join(*coding, ", gzip"));
}

}  // namespace

std::unique_ptr<Deflater> begin_compression(Exchange& x, Shard::Core& core,
                                            const ReplyBody& beginning) {
  if (!may_compress(x, beginning)) return nullptr;
  add_vary(x);
  if (!takes_gzip(x)) return nullptr;
  const DeflateSettings& manner = manner_of(x);
  auto deflater = core.deflaters.borrow({manner.level, manner.window_bits, manner.memory_level});
  if (deflater == nullptr) return nullptr;
  name_coding(x);
  x.normal.remove(FieldId::content_length);
  x.normal.remove("Content-MD5");
  mark_tag(x, manner.entity_tag);
  return deflater;
}

CompressedBody::CompressedBody(Exchange& x, Shard::Core& core, ReplyBody& plain,
                               std::unique_ptr<Deflater> deflater)
    : x_(x), core_(core), plain_(plain), deflater_(std::move(deflater)) {}

CompressedBody::~CompressedBody() {
  if (deflater_ != nullptr) core_.deflaters.give_back(std::move(deflater_));
}

http::BodyFraming CompressedBody::framing() const {
  using Kind = http::BodyFraming::Kind;
  if (end_) return {Kind::length, pending_.size()};
  return {Kind::chunked, 0};
}

ReplyBody::Progress CompressedBody::pull() {
  if (!pending_.empty()) return Progress::data;
  if (end_) return Progress::finished;
  const Progress progress = feed();
  received_ = plain_.received();
  if (progress == Progress::cut_short) return progress;
  if (progress == Progress::others_turn) {
    in_this_turn_ = 0;  // and what is in the room stays there
    return progress;
  }
  pending_ = {room_.data(), std::exchange(filled_, 0)};
  return pending_.empty() ? progress : Progress::data;
}

// Until there is a buffer full, or no more to be had now.
ReplyBody::Progress CompressedBody::feed() {
  while (filled_ < room_.size()) {
    // Once it was received whole its connection may be another's.
    const Progress progress = plain_.finished() ? Progress::finished : plain_.pull();
    if (progress == Progress::cut_short) {
      ending_ = plain_.ending();
      return progress;
    }
    if (progress == Progress::others_turn) return progress;
    if (progress == Progress::blocked) {
      flush();
      return progress;
    }
    // Much may become little, and takes time: what was read counts.
    if (in_this_turn_ >= compressed_bytes_a_turn) return Progress::others_turn;
    const bool is_last = plain_.pending_is_last();
    run(plain_.pending(), is_last ? Deflater::Until::end : Deflater::Until::more);
    owes_flush_ = true;
    if (end_) {
      note_sizes();
      // Its memory does not wait for the client.
      core_.deflaters.give_back(std::move(deflater_));
      return Progress::data;
    }
  }
  return Progress::data;
}

void CompressedBody::flush() {
  in_this_turn_ = 0;
  if (!owes_flush_) return;
  run({}, Deflater::Until::now);
  // A full buffer may not be all of it.
  owes_flush_ = filled_ == room_.size();
}

void CompressedBody::run(std::string_view input, Deflater::Until until) {
  const auto step = deflater_->step(input, std::span(room_).subspan(filled_), until);
  // gzip's ninth byte tells how hard it was tried, which httpd keeps to itself.
  constexpr std::size_t effort_byte = 8;
  if (out_ == 0 && step.written > effort_byte) room_[filled_ + effort_byte] = 0;
  filled_ += step.written;
  in_ += step.taken;
  in_this_turn_ += step.taken;
  out_ += step.written;
  if (step.taken != 0) plain_.take(step.taken);
  end_ = step.is_whole;
}

// httpd counts what lies between gzip's head and end.
void CompressedBody::note_sizes() {
  constexpr std::uint64_t frame_bytes = 18;
  if (in_ == 0) return;
  const DeflateSettings& names = manner_of(x_);
  const std::uint64_t out = out_ - std::min(out_, frame_bytes);
  const auto note = [this](const std::string& name, std::uint64_t value) {
    if (!name.empty()) x_.notes.set(name, x_.arena.decimal(value));
  };
  note(names.input_note, in_);
  note(names.output_note, out);
  note(names.ratio_note, out * 100 / in_);
}

}  // namespace steelyard::proxy
