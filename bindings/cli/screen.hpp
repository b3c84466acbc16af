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

// A line a row, its columns below each other.
std::vector<std::string> table(const std::vector<Row>& rows);

// Milliseconds since 1970, as JSON has them, as a time of this day, or of the year with its date. "" of "".
std::string clock_time(std::string_view ms);

class Screen {
 public:
  explicit Screen(Output& out);
  Screen(const Screen&) = delete;
  ~Screen() { restore(); }

  void show(const std::vector<std::string>& lines);
  void restore();  // also before the program ends at once

 private:
  Output& out_;
  const bool terminal_;
  bool drawn_ = false;
};

}  // namespace cli
