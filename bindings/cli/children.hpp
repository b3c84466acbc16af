// Commands that answer requests: each a child with its input, output and
// errors on pipes, watched by one descriptor. Hides spawning and reaping. Used
// by `meshwork serve` only; one thread.
#pragma once
#include <functional>
#include <list>
#include <string>
#include <vector>

#include <sys/types.h>

namespace cli {

class Children {
 public:
  struct Ended {
    int code;           // of exit; 128 + the signal where one ended it
    bool too_long;      // it said more than most_bytes, and was ended for that
    std::string said;   // standard output
    std::string wrong;  // the last line of standard error
  };
  using Then = std::function<void(Ended)>;

  explicit Children(size_t most_bytes);
  Children(const Children&) = delete;
  ~Children();  // ends what runs

  // Runs it by /bin/sh; variables are K=V. The number is for stop().
  uint64_t run(const std::string& command, const std::vector<std::string>& variables, std::string input, Then then);
  void stop(uint64_t number);  // SIGTERM to it and what it started; then() is not called
  void stop_all();
  size_t running() const noexcept { return children_.size(); }

  int fd() const noexcept { return poll_; }
  void turn();  // when fd() is readable

 private:
  struct Child;
  void watch(int fd, Child& child, uint32_t events);
  void unwatch(int& fd);
  void write_some(Child& child);
  bool read_some(Child& child, int& from);
  void finish(Child& child);

  const size_t most_;
  int poll_;
  uint64_t last_ = 0;
  std::list<Child> children_;
};

}  // namespace cli
