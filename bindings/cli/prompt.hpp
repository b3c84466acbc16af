// Lines typed at a terminal, with history and completion; or read from a pipe.
// Hides libedit. Used by `meshwork ctl` only; one at a time; one thread.
#pragma once
#include "terminal.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cli {

class Prompt {
 public:
  // words: what may stand after the words before the one being typed.
  using Words = std::function<std::vector<std::string>(const std::vector<std::string>& before)>;
  Prompt(std::string text, Words words);
  Prompt(const Prompt&) = delete;
  ~Prompt();  // the terminal is as it was

  int fd() const noexcept;
  void read();                         // when fd() is readable
  std::optional<std::string> next();   // the next whole line
  bool ended() const noexcept;         // Ctrl-D, or the end of the pipe, and no line is left
  void show();                         // the prompt, after something was printed
  void hide();                         // before something is printed

 private:
  static void typed(char* line);
  static char** complete(const char* text, int start, int end);
  std::string text_;
  Words words_;
  const bool terminal_;
  bool shown_ = false, eof_ = false;
  std::deque<std::string> lines_;
  std::unique_ptr<Input> pipe_;
};

// The words of a line; "..." and '...' hold blanks.
std::vector<std::string> words_of(const std::string& line);

}  // namespace cli
