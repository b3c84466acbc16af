#include "prompt.hpp"

#include <editline/readline.h>

#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace cli {

namespace {

Prompt* current = nullptr;  // libedit's callbacks take no argument
std::vector<std::string> offers;

char* next_offer(const char* text, int state) {
  static size_t at;
  if (state == 0) at = 0;
  while (at < offers.size()) {
    const std::string& o = offers[at++];
    if (o.compare(0, std::strlen(text), text) == 0) return ::strdup(o.c_str());
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) quote = 0;
      else words.back() += c;
      continue;
    }
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank && !in_word) words.emplace_back();
    in_word = !blank;
    if (c == '"' || c == '\'') quote = c;
    else if (!blank) words.back() += c;
  }
  return words;
}

Prompt::Prompt(std::string text, Words words)
    : text_(std::move(text)), words_(std::move(words)), terminal_(::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
  if (!terminal_) {
    pipe_ = std::make_unique<Input>("-");
    return;
  }
  current = this;
  rl_readline_name = const_cast<char*>("meshwork");
  rl_attempted_completion_function = &Prompt::complete;
  rl_initialize();
  using_history();
  stifle_history(1000);
  show();
}

Prompt::~Prompt() {
  hide();
  current = nullptr;
}

int Prompt::fd() const noexcept { return STDIN_FILENO; }

void Prompt::show() {
  if (!terminal_ || shown_) return;
  shown_ = true;
  rl_callback_handler_install(text_.c_str(), &Prompt::typed);
}

void Prompt::hide() {
  if (!shown_) return;
  shown_ = false;
  rl_callback_handler_remove();
}

void Prompt::read() {
  if (terminal_) return rl_callback_read_char();
  pipe_->fill();
}

std::optional<std::string> Prompt::next() {
  if (!terminal_) {
    if (!pipe_->has_line()) return std::nullopt;
    std::string line(pipe_->line());
    pipe_->next();
    return line;
  }
  if (lines_.empty()) return std::nullopt;
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

bool Prompt::ended() const noexcept { return terminal_ ? eof_ && lines_.empty() : pipe_->ended(); }

void Prompt::typed(char* line) {
  if (line == nullptr) {
    current->eof_ = true;
    return;
  }
  if (*line != '\0') add_history(line);
  current->lines_.emplace_back(line);
  std::free(line);
}

char** Prompt::complete(const char* text, int start, int) {
  rl_attempted_completion_over = 1;  // never file names where we know better
  const std::vector<std::string> before = words_of(std::string(rl_line_buffer).substr(0, static_cast<size_t>(start)));
  offers = current->words_(before);
  if (offers.size() == 1 && offers[0] == "@file") return rl_completion_matches(text, rl_filename_completion_function);
  return rl_completion_matches(text, &next_offer);
}

}  // namespace cli
