// Tables, and a page that is drawn again and again: over the whole terminal,
// which is as it was afterwards, or one below the other where there is none.
// Used by bindings/cli only; one thread.
#pragma once
#include "terminal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cli {

using Row = std::vector<std::string>;

// A line a row, its columns below each other; those of numbers end below each other. The last cell of a row that is
// shorter than the first may be longer than its column.
std::vector<std::string> table(const std::vector<Row>& rows, size_t first_number = SIZE_MAX);

// Milliseconds since 1970, as JSON has them, as a time of this day, or of the year with its date. "" of "".
std::string clock_time(std::string_view ms);

class Screen {
 public:
  Screen(Output& out, Remarks& remarks);
  Screen(const Screen&) = delete;
  ~Screen() { restore(); }

  void show(std::vector<std::string> lines);
  void restore();  // also before the program ends at once

 private:
  void draw();

  Output& out_;
  Remarks& remarks_;  // the last one is below the page; all come after it
  const bool terminal_;
  bool drawn_ = false, stale_ = false;  // stale_: lines_ or the last remark is newer than what is drawn
  std::vector<std::string> lines_;
};

}  // namespace cli
