// Who is alive on this host under one name: a file of places, each locked by
// the process that has it (see lock.hpp), so that a dead one's is free without
// anybody tidying up. Used by link's channels, and by a hub that waits for those
// of the hub before it. One thread at a time.
#pragma once
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mw::local {

struct Present {
  std::array<uint8_t, 16> uuid;
  int64_t pid;
};

class Roster {
 public:
  static constexpr int64_t kPlaces = 4096;  // of one name

  static base::Result<Roster> open(const std::string& file);
  Roster(Roster&& o) noexcept;
  Roster& operator=(Roster&&) = delete;
  ~Roster();  // leaves

  // Takes a place: from now on read() of others names us. MW_EIO where all are taken.
  base::Result<void> enter(const std::array<uint8_t, 16>& uuid);
  void leave() noexcept;
  // All that are there now, ourselves too.
  std::vector<Present> read() const;

 private:
  Roster(int fd, std::string file) noexcept : fd_(fd), file_(std::move(file)) {}
  int fd_ = -1;
  int64_t place_ = -1;
  std::array<uint8_t, 16> mine_{};
  std::string file_;
};

}  // namespace mw::local
