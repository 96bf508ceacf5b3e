#include "config/servlet_path.hpp"

#include <algorithm>
#include <array>

namespace steelyard::config {

namespace {

constexpr std::size_t none = std::string_view::npos;

// The segments of a pattern, with what the path showed in their places.
struct Pattern {
  struct Place {
    std::string_view name;
    bool matched = false;
    std::size_t begin = 0;          // where the path's segment begins
    std::size_t parameters = none;  // where its first ';' is
  };
  std::array<Place, servlet_pattern_segments_max + 1> places;  // one more: what follows the pattern
  std::size_t count = 0;
  bool ends_in_slash = false;

  bool read(std::string_view text) {
    ends_in_slash = text.ends_with('/');
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('/'), text.size());
      if (end > 0) {
        if (count == servlet_pattern_segments_max) return false;
        places[count++].name = text.substr(0, end);
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return true;
  }
};

// Walks the path's segments; `depth` of them are open at a time, as ".." closes one.
class Walk {
 public:
  Walk(Pattern& pattern, std::string_view path, Arena& arena)
      : pattern_(pattern), path_(path), out_(arena.take(path.size() + 1)) {
    out_[bytes_++] = '/';
  }

  // False above the root.
  bool run() {
    for (std::size_t begin = 1; begin <= path_.size();) {
      const std::size_t end = std::min(path_.find('/', begin), path_.size());
      const std::string_view segment = path_.substr(begin, end - begin);
      const std::size_t semicolon = segment.find(';');
      const std::string_view name = segment.substr(0, semicolon);
      if (name == "..") {
        if (!leave()) return false;
      } else if (!name.empty() && name != ".") {
        enter(name, begin, semicolon == none ? none : begin + semicolon);
        if (end < path_.size()) out_[bytes_++] = '/';
        next_begin_ = end + 1;
      }
      begin = end + 1;
    }
    return true;
  }

  std::size_t depth() const { return depth_; }
  std::string_view text() const { return {out_, bytes_}; }

 private:
  void enter(std::string_view name, std::size_t begin, std::size_t parameters) {
    if (depth_ <= pattern_.count) {
      Pattern::Place& place = pattern_.places[depth_];
      place.matched = place.name == name;
      place.begin = next_begin_ == none ? begin : next_begin_;
      place.parameters = parameters;
    }
    ++depth_;
    bytes_ = static_cast<std::size_t>(std::copy(name.begin(), name.end(), out_ + bytes_) - out_);
  }

  bool leave() {
    if (depth_ == 0) return false;
    --depth_;
    --bytes_;
    while (out_[bytes_ - 1] != '/') --bytes_;
    next_begin_ = none;
    return true;
  }

  Pattern& pattern_;
  std::string_view path_;
  char* out_;
  std::size_t bytes_ = 0;
  std::size_t depth_ = 0;
  std::size_t next_begin_ = 1;  // just behind the segment before; none: where the next one begins
};

std::string_view rest_behind(const Pattern& pattern, std::string_view path, std::size_t depth) {
  if (depth == pattern.count) {
    return path.ends_with('/') && !pattern.ends_in_slash ? std::string_view("/")
                                                         : std::string_view();
  }
  const std::size_t begin = pattern.places[pattern.count].begin;
  if (pattern.ends_in_slash) return path.substr(begin);
  const std::size_t parameters = pattern.places[pattern.count - 1].parameters;
  return path.substr(parameters != none ? parameters : begin - 1);
}

}  // namespace

std::optional<ServletPath> match_servlet_path(std::string_view pattern_text, std::string_view path,
                                              Arena& arena) {
  Pattern pattern;
  if (!pattern_text.starts_with('/') || !path.starts_with('/')) return std::nullopt;
  if (!pattern.read(pattern_text)) return std::nullopt;
  Walk walk(pattern, path, arena);
  if (!walk.run() || walk.depth() < pattern.count) return std::nullopt;
  for (std::size_t i = 0; i < pattern.count; ++i) {
    if (!pattern.places[i].matched) return std::nullopt;
  }
  if (walk.depth() == pattern.count && pattern.ends_in_slash && !walk.text().ends_with('/')) {
    return std::nullopt;
  }
  return ServletPath{rest_behind(pattern, path, walk.depth()), walk.text()};
}

}  // namespace steelyard::config
