#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apacheconf/contested_lines.hpp"
#include "apacheconf/lines.hpp"
#include "apacheconf/modules.hpp"
#include "apacheconf/read_options.hpp"
#include "apacheconf/scope.hpp"

// The first phase: lines to statements. Replaces variables, decides conditionals, follows Include,
// expands macros, notes LoadModule and ServerRoot, and pairs the tags of sections. Of a skipped
// conditional it looks at nothing but tags, as httpd. Composing goes on behind faults.
namespace steelyard::apacheconf {

class Composer {
 public:
  Composer(const ReadOptions& options, const Files& files, Reading& reading);

  // All of -C, the file, -c, in that order.
  std::vector<Statement> compose();

  struct Define {
    std::string name;
    std::optional<std::string> value;  // without one it counts for <IfDefine> only
  };
  const std::vector<Define>& defines() const { return defines_; }

  const std::string& sources() const { return sources_; }  // see ReadResult
  // `${NAME}` replaced in the whole text; unknown ones stay and are warned about.
  std::string expand(std::string_view text);
  std::string where_defined(std::string_view variable) const;

 private:
  // One text that lines are taken from.
  struct Stream {
    std::shared_ptr<const Source> source;
    LineReader lines;
    std::uint32_t line = 0;
    std::uint32_t depth = 0;
    std::vector<std::string> open = {};     // names of open tags, outermost first
    std::optional<std::string> close = {};  // a closing tag found that belongs further out
  };
  struct Macro {
    std::string name;
    std::vector<std::string> parameters;
    std::vector<std::string> body;
    std::string defined;  // "macro 'app' (defined on line 3 of "a.conf")"
    std::string place;    // "line 3 of "a.conf""
    bool in_use = false;
  };
  using LinePlace = ContestedLines::Place;
  // A tag that was opened in a skipped block, and whether httpd would execute what stands in it.
  struct SkippedTag {
    std::string name;
    bool counts = false;
    LinePlace place = LinePlace::anywhere;
  };
  // What a condition asks for, when httpd has it and this program does not.
  struct Absence {
    std::string what;    // as written, without !
    std::string module;  // the module that brings it, when a LoadModule line loads that
  };
  using Statements = std::vector<Statement>;
  enum class Missing : std::uint8_t { fault, accepted };

  // composer.cpp: lines, tags
  static Statement parse_line(std::string_view text);  // its name and text
  void read_block(Stream& stream, Statements& into);
  void read_line(Stream& stream, Line& line, Statements& into);
  void read_section(Stream& stream, Statement&& statement, Statements& into);
  void read_inner(Stream& stream, const std::string& tag, Statements& into);
  void skip_block(Stream& stream, const std::string& tag, ContestedLines* left_out = nullptr);
  SkippedTag skipped_section(const Statement& statement, const SkippedTag& around);
  void close_skipped(std::vector<SkippedTag>& open, std::string_view name);
  void list_source(const Source& source);
  void tell_unclosed(Stream& stream, const std::string& tag, std::uint32_t opened);
  std::string_view name_of_end_tag(const Statement& statement);
  void close_tag(Stream& stream, std::string_view name);
  bool take_line(Stream& stream, Line& line);
  bool run_now(Stream& stream, const Statement& statement, Statements& into);
  bool run_container_now(Stream& stream, const Statement& statement, Statements& into);
  void run_conditional(Stream& stream, const Statement& statement, Statements& into);
  void run_text(const std::string& name, std::string_view text, std::shared_ptr<const Source> from,
                const Stream* user, Statements& into);

  // conditions.cpp
  std::optional<bool> decide(const std::string& tag, std::string_view argument);
  std::optional<bool> decide_version(std::string_view argument);
  std::optional<Absence> absence(std::string_view tag, std::string_view argument) const;
  bool httpd_executes(const std::string& tag, std::string_view argument);
  static bool asks_for_us(std::string_view tag, std::string_view argument);

  // contested_blocks.cpp: blocks that httpd executes and this program skips, or the other way about
  void leave_out(Stream& stream, const Statement& statement, const Absence& absence);
  void execute_alone(Stream& stream, const Statement& statement, const Absence& absence,
                     Statements& into);
  void execute_for_us(Stream& stream, const std::string& tag, Statements& into);
  void tell_contested(Stream& stream, const Statement& statement, const ContestedLines& lines,
                      const std::string& fate, std::string advice);
  void witness(const Statement& statement);
  void witness_macro(const Statement& definition);

  // includes.cpp
  void include(Stream& stream, const Statement& statement, Statements& into);
  void include_path(Stream& stream, const std::string& path, Missing missing, Statements& into);
  void include_file(Stream& stream, const std::string& path, Missing missing, Statements& into);
  void include_glob(Stream& stream, const std::string& root, std::string_view rest, Missing missing,
                    Statements& into);
  bool too_deep(const Stream& stream, const std::string& path);

  // macros.cpp
  void define_macro(Stream& stream, const Statement& statement);
  void use_macro(Stream& stream, const Statement& statement, Statements& into);
  void forget_macro(const Statement& statement);
  std::vector<std::string> macro_body(Stream& stream, bool& closed);

  // settings.cpp: Define, UnDefine, LoadModule, ServerRoot
  void define(const Statement& statement);
  void undefine(const Statement& statement);
  void load_module(const Statement& statement);
  void set_server_root(const Statement& statement);

  config::Place here() const;
  void complain(std::string text, std::string advice = {});
  void warn(std::string text, std::string advice = {});

  const ReadOptions& options_;
  const Files& files_;
  Reading& reading_;
  std::vector<Define> defines_;
  std::map<std::string, Macro, std::less<>> macros_;  // by lower-case name
  const Stream* stream_ = nullptr;                    // whose line is being looked at
  std::uint32_t order_ = 0;
  std::uint32_t open_sections_ = 0;    // of all files and macro uses around the line
  ContestedLines* witness_ = nullptr;  // collects what httpd skips and is executed; else null
  bool httpd_reads_ = true;            // false inside a block that httpd skips
  LinePlace line_place_ = LinePlace::anywhere;
  std::size_t lines_ = 0;
  std::size_t expanded_bytes_ = 0;
  bool exhausted_ = false;  // a limit was passed: nothing further is read
  std::string sources_ = "Included configuration files:\n";
};

}  // namespace steelyard::apacheconf
