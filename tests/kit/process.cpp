#include "kit/process.hpp"

#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <thread>
#include <unistd.h>

namespace kit {
namespace {

template <class F>
void each_number(const char* folder, F&& f) {
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder), closedir);
  if (!dir) return;
  while (dirent* entry = readdir(dir.get())) {
    int number = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != dirfd(dir.get())) f(number);
  }
}

}  // namespace

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> out;
  each_number("/proc/self/fd", [&](int fd) {
    char what[PATH_MAX];
    auto n = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), what, sizeof what);
    if (n > 0) out[fd] = std::string(what, static_cast<size_t>(n));
  });
  return out;
}

int threads() {
  int n = 0;
  each_number("/proc/self/task", [&](int) { n++; });
  return n;
}

bool eventually(const std::function<bool()>& yes, std::chrono::milliseconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  while (!yes()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace kit
