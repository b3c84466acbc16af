// Standard input, standard output, signals and the poll loop that waits for
// them and for a context at once. Hides that standard output may be a full or
// broken pipe. Used by bindings/cli only; one thread.
#pragma once
#include <meshwork/meshwork.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace cli {

using Clock = std::chrono::steady_clock;

// Lines of a descriptor. A last line without its newline counts as a line.
class Input {
 public:
  explicit Input(const std::string& path);  // "-" is standard input
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();

  int fd() const noexcept { return fd_; }
  bool is_terminal() const noexcept { return terminal_; }
  bool wants_more() const noexcept { return !eof_ && !has_line(); }
  bool ended() const noexcept { return eof_ && at_ == buffer_.size(); }
  uint64_t size() const noexcept { return size_; }    // of a regular file, else 0
  uint64_t taken() const noexcept { return taken_; }  // bytes given out
  void fill();                                        // one read
  bool has_line() const noexcept;
  std::string_view line() const noexcept;  // needs has_line; valid until next()
  void next() noexcept;                    // past that line

 private:
  int fd_;
  bool terminal_, eof_ = false;
  std::string buffer_;
  size_t at_ = 0, newline_ = 0;  // newline_: end of the line at at_, or npos
  uint64_t size_ = 0, taken_ = 0;
};

// Standard output. Never blocks on a pipe; whoever produces asks pending()
// and stops above its own mark.
class Output {
 public:
  Output();
  void line(std::string_view text);   // as it is, and a newline
  void raw(std::string_view text);    // as it is
  void shown(std::string_view text);  // the same; on a terminal without control characters
  size_t pending() const noexcept { return buffer_.size() - at_; }
  bool closed() const noexcept { return closed_; }  // the reader has gone
  void flush();
  void flush_all();  // waits for a slow reader
  // After a flush nothing is pending any more; f may say more. Null: nobody asks.
  void on_drained(std::function<void()> f) { drained_ = std::move(f); }

 private:
  bool pipe_, terminal_, closed_ = false;
  std::string buffer_;
  size_t at_ = 0;
  std::function<void()> drained_;
};

// Remarks for people, on standard error, and one line that counts up on a
// terminal.
class Remarks {
 public:
  explicit Remarks(bool quiet);
  void say(std::string_view text);
  void progress(std::string_view text);  // at most five times a second
  void done();                           // takes the counting line away
  // Somebody draws over the terminal they would be printed on: until release(), which prints the last ones, they are
  // kept. drawn: there is a new one.
  void hold(std::function<void()> drawn);
  void release();
  std::string last() const { return kept_.empty() ? std::string() : kept_.back(); }
  bool shows_progress() const noexcept { return terminal_ && !quiet_; }

 private:
  bool quiet_, terminal_, dirty_ = false;
  Clock::time_point last_{};
  std::function<void()> drawn_;
  std::deque<std::string> kept_;
};

// Waits for the context, signals, input and output, whichever comes first.
class Loop {
 public:
  // hup_reloads: SIGHUP is counted apart, for who reads its configuration again.
  explicit Loop(mw::Context& ctx, bool hup_reloads = false);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  // Turns once: waits at most timeout_ms (-1: no limit). in: read when
  // readable, or null. False when the context is closed.
  bool turn(int timeout_ms, Input* in, Output& out);
  // The same with a descriptor somebody else reads. True when there is something.
  bool turn(int timeout_ms, int watched, Output& out);
  // Ctrl-C, SIGTERM and SIGHUP so far. The second one ends the process.
  int interrupts() const noexcept { return interrupts_; }
  int hangups() const noexcept { return hangups_; }
  // Called before the second one ends the process.
  void on_quit(std::function<void()> f) { on_quit_ = std::move(f); }

 private:
  bool wait(int timeout_ms, int watched, Output& out);
  mw::Context& ctx_;
  const bool hup_reloads_;
  int signals_, interrupts_ = 0, hangups_ = 0;
  std::function<void()> on_quit_;
};

}  // namespace cli
