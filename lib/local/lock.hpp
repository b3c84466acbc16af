// Who may be the one of its kind on this host: a lock on a file that the kernel
// takes back with its holder, however that ends; and an epoch that rises with
// each holder. Used by link's exchange. One thread at a time.
//
// Open file description locks (fcntl F_OFD_SETLK), because
//  - a POSIX record lock goes when any descriptor of the file is closed
//    anywhere in the process: a second channel of the process that only looks
//    would free the first one's;
//  - a forked child that closes its copy of an OFD lock's descriptor frees
//    nothing of the parent's, and kill -9 frees it with the last descriptor.
//    A child that lives on without exec keeps it with the parent dead, and the
//    listening socket too: so does flock;
//  - unlike flock they have ranges, so that one file holds a second lock, and
//    can be looked at without being taken.
#pragma once
#include "base/result.hpp"

#include <cstdint>
#include <string>

namespace mw::local {

class Lock {
 public:
  // Opens or makes the file, without taking anything.
  static base::Result<Lock> open(const std::string& file);
  Lock(Lock&& o) noexcept;
  Lock& operator=(Lock&& o) noexcept;
  ~Lock();  // gives back what it holds

  // True: ours now. False: somebody else's.
  base::Result<bool> take();
  void give_back() noexcept;  // a reservation, too
  bool held() const noexcept { return held_; }
  // Says that this one wants the lock before all that only would take it.
  base::Result<bool> reserve();
  // Whether somebody else reserved it.
  bool reserved() const noexcept;

  // With the lock held: the number of this holding, one above the last; it is
  // on disk before this returns. And who holds, for texts of others.
  base::Result<uint64_t> raise_epoch();
  // Of the last holder; 0: nobody ever, or not readable.
  int64_t holder_pid() const noexcept;

 private:
  Lock(int fd, std::string file) noexcept : fd_(fd), file_(std::move(file)) {}
  base::Result<bool> range(int64_t at);
  int fd_ = -1;
  bool held_ = false;
  std::string file_;
};

}  // namespace mw::local
