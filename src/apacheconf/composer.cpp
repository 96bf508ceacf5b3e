#include "apacheconf/composer.hpp"

#include "apacheconf/arguments.hpp"
#include "apacheconf/tables.hpp"
#include "apacheconf/words.hpp"
#include "base/text.hpp"

namespace steelyard::apacheconf {

namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (std::string_view candidate : names) {
    if (equals_ignoring_case(name, candidate)) return true;
  }
  return false;
}

bool conditional_named(std::string_view tag) {
  return is_one_of(tag,
                   {"IfModule", "IfDefine", "IfFile", "IfDirective", "IfSection", "IfVersion"});
}

// The name of one tag for that of the other: mistyped, or <Location> for <LocationMatch>.
bool looks_like(std::string_view tag, std::string_view other) {
  const std::string first = to_lower(tag), second = to_lower(other);
  if (second.empty()) return false;
  return first.starts_with(second) || second.starts_with(first) ||
         !nearest(second, {std::string_view(first)}).empty();
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

}  // namespace

Composer::Composer(const ReadOptions& options, const Files& files, Reading& reading)
    : options_(options), files_(files), reading_(reading) {
  for (const std::string& name : options.defines) defines_.push_back({name, std::nullopt});
}

// A section's argument ends at the last '>'; what follows is ignored.
Statement Composer::parse_line(std::string_view text) {
  Statement statement;
  std::string_view rest = text;
  take_word(rest, statement.name);
  if (statement.name.starts_with('<') && !statement.name.starts_with("</")) {
    if (statement.name.ends_with('>')) {
      statement.name.pop_back();
      rest = {};
    } else {
      const std::size_t end = rest.rfind('>');
      statement.unterminated = end == std::string_view::npos;
      if (!statement.unterminated) rest = rest.substr(0, end);
    }
  }
  statement.text = std::string(trim(rest));
  return statement;
}

std::vector<Statement> Composer::compose() {
  Statements all;
  if (!options_.before.empty()) {
    run_text("the -C directives", join_lines(options_.before), nullptr, nullptr, all);
  }
  const std::string path = join_path(options_.server_root, options_.file);
  if (std::expected<std::string, std::string> text = files_.read(path)) {
    run_text(path, *text, nullptr, nullptr, all);
  } else {
    reading_.complain_at({}, "Could not open configuration file " + path + ": " + text.error());
  }
  if (!options_.after.empty()) {
    run_text("the -c directives", join_lines(options_.after), nullptr, nullptr, all);
  }
  return all;
}

void Composer::run_text(const std::string& name, std::string_view text,
                        std::shared_ptr<const Source> from, const Stream* user, Statements& into) {
  auto source = std::make_shared<Source>();
  source->name = name;
  source->is_macro = name.starts_with("macro '");
  source->from = std::move(from);
  source->from_line = user ? user->line : 0;
  reading_.add_source(source);
  if (name.starts_with('/')) list_source(*source);

  Stream stream{source, LineReader(text)};
  stream.depth = user ? user->depth + 1 : 0;
  const Stream* const outer = stream_;
  read_block(stream, into);
  stream_ = outer;
}

// httpd: the line that included it, (*) for the file of the start.
void Composer::list_source(const Source& source) {
  std::size_t depth = 1;
  for (const Source* each = source.from.get(); each; each = each->from.get()) ++depth;
  sources_.append(2 * depth, ' ');
  sources_ += source.from ? '(' + std::to_string(source.from_line) + ") " : "(*) ";
  sources_ += source.name + '\n';
}

bool Composer::take_line(Stream& stream, Line& line) {
  if (exhausted_) return false;
  std::optional<Line> next = stream.lines.next();
  if (!next) return false;
  line = std::move(*next);
  stream.line = line.number;
  stream_ = &stream;
  reading_.order = ++order_;
  if (++lines_ > options_.limits.lines_max) {
    complain("The configuration has more than " + std::to_string(options_.limits.lines_max) +
             " lines; nothing further is read");
    exhausted_ = true;
    return false;
  }
  if (line.too_long) complain("Line too long: more than 16 MiB");
  return true;
}

void Composer::read_block(Stream& stream, Statements& into) {
  Line line;
  while (!stream.close && take_line(stream, line)) {
    if (!line.too_long) read_line(stream, line, into);
  }
}

void Composer::read_line(Stream& stream, Line& line, Statements& into) {
  Statement statement = parse_line(line.text.find("${") == std::string::npos
                                       ? std::string_view(line.text)
                                       : std::string_view(line.text = expand(line.text)));
  if (exhausted_ || statement.name.empty()) return;
  if (statement.name.starts_with("</")) {
    close_tag(stream, name_of_end_tag(statement));
    return;
  }
  statement.words = split_into_words(statement.text);
  statement.source = stream.source;
  statement.line = stream.line;
  statement.order = order_;
  if (statement.is_section()) {
    read_section(stream, std::move(statement), into);
    return;
  }
  witness(statement);
  if (!run_now(stream, statement, into)) {
    into.push_back(std::move(statement));
  }
}

void Composer::read_section(Stream& stream, Statement&& statement, Statements& into) {
  if (run_container_now(stream, statement, into)) return;
  const std::string tag = statement.name.substr(1);
  Statements children;
  witness(statement);
  const LinePlace outer = line_place_;
  if (covers_files(tag)) line_place_ = LinePlace::files;
  read_inner(stream, tag, children);
  line_place_ = outer;
  statement.children = std::move(children);
  into.push_back(std::move(statement));
}

void Composer::read_inner(Stream& stream, const std::string& tag, Statements& into) {
  if (open_sections_ >= options_.limits.section_depth_max) {
    complain("<" + tag + "> is nested more than " +
             std::to_string(options_.limits.section_depth_max) + " levels deep");
    skip_block(stream, tag);
    return;
  }
  const std::uint32_t opened = stream.line;
  stream.open.push_back(tag);
  ++open_sections_;
  read_block(stream, into);
  --open_sections_;
  stream.open.pop_back();
  if (stream.close) {
    if (equals_ignoring_case(*stream.close, tag)) stream.close.reset();
    return;
  }
  if (exhausted_) return;
  stream_ = &stream;
  stream.line = opened;
  const std::string where = stream.source->name + ":" + std::to_string(stream.line) + ": ";
  if (tag.size() > 2 && starts_with_ignoring_case(tag, "If") &&
      !is_one_of(tag, {"If"})) {  // httpd ends a conditional at the end of the file too
    warn(where + "<" + tag + "> was not closed.", "Add </" + tag + "> where it shall end.");
  } else {
    complain(where + "<" + tag + "> was not closed.", "Add </" + tag + "> where it shall end.");
  }
}

// httpd: the tag is the first word, and it ends with '>'; what follows is ignored.
std::string_view Composer::name_of_end_tag(const Statement& statement) {
  std::string_view name = std::string_view(statement.name).substr(2);
  if (!name.ends_with('>')) {
    complain(statement.name + "> directive missing closing '>'",
             "Write " + statement.name + "> and nothing else.");
  }
  while (name.ends_with('>')) name.remove_suffix(1);
  return name;
}

void Composer::close_tag(Stream& stream, std::string_view name) {
  const auto is_name = [&](const std::string& tag) { return equals_ignoring_case(tag, name); };
  const bool known = std::any_of(stream.open.begin(), stream.open.end(), is_name);
  const std::string tag(name);
  if (stream.open.empty()) {
    complain("</" + tag + "> without matching <" + tag + "> section");
    return;
  }
  const std::string& inner = stream.open.back();
  if (is_name(inner)) {
    stream.close = tag;
  } else if (known) {
    complain("Expected </" + inner + "> but saw </" + tag + ">", "Close <" + inner + "> before.");
    stream.close = tag;
  } else {
    // A slip of the pen in either tag: else the rest of the file would stand inside.
    const auto meant =
        std::find_if(stream.open.rbegin(), stream.open.rend(),
                     [&](const std::string& each) { return looks_like(each, name); });
    const bool is_near = meant != stream.open.rend();
    complain("Expected </" + inner + "> but saw </" + tag + ">",
             is_near ? "It is taken for the end of <" + *meant + ">: write the same name in both."
                     : std::string());
    if (is_near) stream.close = *meant;
  }
}

void Composer::skip_block(Stream& stream, const std::string& tag, ContestedLines* left_out) {
  std::vector<SkippedTag> open{{tag, left_out != nullptr, line_place_}};
  const std::uint32_t opened = stream.line;
  Line line;
  while (!open.empty() && take_line(stream, line)) {
    const SkippedTag& around = open.back();
    if (!around.counts && !line.text.starts_with('<')) continue;
    const Statement statement = parse_line(line.text);
    if (statement.name.empty()) continue;
    if (statement.name.starts_with("</")) {
      close_skipped(open, name_of_end_tag(statement));
      continue;
    }
    const bool is_conditional =
        conditional_named(statement.name.substr(1)) && statement.is_section();
    if (around.counts && !is_conditional) {
      left_out->add(statement.name, statement.text, around.place);
    }
    if (statement.is_section()) open.push_back(skipped_section(statement, around));
  }
  if (!open.empty() && !exhausted_) tell_unclosed(stream, open.back().name, opened);
}

// Of a block that is skipped: all that follows it was skipped with it.
void Composer::tell_unclosed(Stream& stream, const std::string& tag, std::uint32_t opened) {
  const std::uint32_t ended = std::exchange(stream.line, opened);
  stream_ = &stream;
  complain("Expected </" + tag + "> before end of configuration",
           "Add it where the block shall end: all lines behind this one are skipped.");
  stream.line = ended;
}

// A condition about this program says whom the lines are for: they are not contested.
Composer::SkippedTag Composer::skipped_section(const Statement& statement,
                                               const SkippedTag& around) {
  SkippedTag tag{statement.name.substr(1), around.counts, around.place};
  if (!tag.counts) return tag;
  if (covers_files(tag.name)) {
    tag.place = LinePlace::files;
  } else if (conditional_named(tag.name)) {
    tag.counts = !asks_for_us(tag.name, statement.text) && httpd_executes(tag.name, statement.text);
  }
  return tag;
}

void Composer::close_skipped(std::vector<SkippedTag>& open, std::string_view name) {
  auto found = std::find_if(open.rbegin(), open.rend(), [&](const SkippedTag& each) {
    return equals_ignoring_case(each.name, name);
  });
  if (found != open.rbegin()) {
    complain("Expected </" + open.back().name + "> but saw </" + std::string(name) + ">");
    if (found == open.rend() && looks_like(open.back().name, name)) found = open.rbegin();
  }
  if (found != open.rend()) open.erase(std::prev(found.base()), open.end());
}

bool Composer::run_container_now(Stream& stream, const Statement& statement, Statements& into) {
  const std::string tag = statement.name.substr(1);
  if (is_one_of(tag, {"Macro"}) && reading_.has_module("macro_module")) {
    define_macro(stream, statement);
    witness_macro(statement);
    return true;
  }
  if (!conditional_named(tag)) return false;
  run_conditional(stream, statement, into);
  return true;
}

void Composer::run_conditional(Stream& stream, const Statement& statement, Statements& into) {
  const std::string tag = statement.name.substr(1);
  if (statement.unterminated) {
    complain(statement.name + "> directive missing closing '>'", "Write '>' at its end.");
  } else if (statement.words.empty() || statement.words[0].empty()) {
    complain(statement.name + "> directive requires additional arguments");
  } else if (is_one_of(tag, {"IfModule"}) && statement.words[0].ends_with(".so")) {
    const Module* const module = module_of_file(statement.words[0]);
    warn("No module is called " + statement.words[0] + " in <IfModule>: that is a file",
         module ? "Write <IfModule " + std::string(module->identifier) + ">." : std::string());
  }
  const bool is_so = decide(tag, statement.text).value_or(false);
  const std::optional<Absence> lacking = httpd_reads_ ? absence(tag, statement.text) : std::nullopt;
  if (lacking && is_so) {
    execute_alone(stream, statement, *lacking, into);
  } else if (lacking) {
    leave_out(stream, statement, *lacking);
  } else if (!is_so) {
    skip_block(stream, tag);
  } else if (asks_for_us(tag, statement.text)) {
    execute_for_us(stream, tag, into);
  } else {
    read_inner(stream, tag, into);
  }
}

bool Composer::run_now(Stream& stream, const Statement& statement, Statements& into) {
  const std::string_view name = statement.name;
  const bool macros = reading_.has_module("macro_module");
  const bool ours = is_one_of(name, {"Define", "UnDefine", "LoadModule", "LoadFile", "ServerRoot",
                                     "Include", "IncludeOptional"}) ||
                    (macros && is_one_of(name, {"Use", "UndefMacro"}));
  if (!ours) return false;
  const Directive* const directive = find_directive(name);
  if (const std::string wrong = check_arguments(*directive, statement); !wrong.empty()) {
    complain(wrong);
    return true;
  }
  switch (ascii_lower(name.front())) {
    case 'd':
      define(statement);
      break;
    case 'u':
      if (is_one_of(name, {"Use"})) {
        use_macro(stream, statement, into);
      } else if (is_one_of(name, {"UnDefine"})) {
        undefine(statement);
      } else {
        forget_macro(statement);
      }
      break;
    case 'l':
      load_module(statement);
      break;
    case 's':
      set_server_root(statement);
      break;
    default:
      include(stream, statement, into);
      break;
  }
  return true;
}

config::Place Composer::here() const {
  return {std::shared_ptr<const std::string>(stream_->source, &stream_->source->name),
          stream_->line};
}

void Composer::complain(std::string text, std::string advice) {
  reading_.order = order_;
  reading_.complain_at(here(), std::move(text), std::move(advice));
}

void Composer::warn(std::string text, std::string advice) {
  reading_.order = order_;
  reading_.warn_at(here(), std::move(text), std::move(advice));
}

}  // namespace steelyard::apacheconf
