#include <array>

#include "base/text.hpp"
#include "config/compression.hpp"
#include "config/dump_writer.hpp"

namespace steelyard::config {

void dump_compression(DumpWriter& out, const Compression& compression) {
  out.flag("compresses", compression.all);
  for (const std::string& type : compression.types) out.line("compresses-type", quoted(type));
  for (const auto& [ending, on] : compression.endings)
    out.line(on ? "compresses-ending" : "keeps-ending", quoted(ending));
}

void dump_deflate(DumpWriter& out, const DeflateSettings& deflate) {
  constexpr std::array<std::string_view, 3> tag_names{"suffix", "kept", "removed"};
  const DeflateSettings usual;
  out.line("deflate");
  out.indent();
  out.number_unless("level", deflate.level, usual.level);
  out.number_unless("window-bits", deflate.window_bits, usual.window_bits);
  out.number_unless("memory-level", deflate.memory_level, usual.memory_level);
  out.line("entity-tag", tag_names[static_cast<std::size_t>(deflate.entity_tag)]);
  out.text_unless_empty("input-note", deflate.input_note);
  out.text_unless_empty("output-note", deflate.output_note);
  out.text_unless_empty("ratio-note", deflate.ratio_note);
  out.unindent();
}

}  // namespace steelyard::config
