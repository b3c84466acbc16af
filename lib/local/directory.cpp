#include "local/directory.hpp"

#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

namespace mw::local {

using base::Error;

Error file_error(std::string_view doing, const std::string& file, int os) {
  std::string text = std::string(doing) + " " + file + ": ";
  switch (os) {
    case EROFS: return {MW_EDENIED, os, text + "the file system is read-only"};
    case EACCES:
    case EPERM: return {MW_EDENIED, os, text + "this user has no right to"};
    case ENOSPC:
    case EDQUOT: return {MW_EIO, os, text + "the disk is full"};
    default: return {MW_EIO, os, text + std::strerror(os)};
  }
}

bool name_valid(std::string_view name) noexcept {
  if (name.empty() || name.size() > kMaxName || name[0] == '.') return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == name.npos;
}

namespace {

std::string usual() {
  const std::string id = std::to_string(::geteuid()), parent = "/run/user/" + id;
  struct stat st;
  if (::lstat(parent.c_str(), &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == ::geteuid()) return parent + "/meshwork";
  return "/tmp/meshwork-" + id;
}

base::Result<std::string> made(std::string_view wish) {
  std::string dir = wish.empty() ? usual() : std::string(wish);
  while (dir.size() > 1 && dir.back() == '/') dir.pop_back();
  // mkdir takes no link and no directory for its own; the umask can only take rights away.
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return file_error("making the runtime directory", dir, errno);
  return dir;
}

Error no_good(const std::string& dir, const std::string& why) {
  return {MW_EDENIED, 0, "the runtime directory " + dir + " " + why};
}

}  // namespace

base::Result<std::string> runtime_directory(std::string_view wish) {
  auto dir = made(wish);
  if (!dir) return dir;
  struct stat st;
  if (::lstat(dir->c_str(), &st) != 0) return file_error("looking at the runtime directory", *dir, errno);
  auto no = [&](const std::string& why) { return no_good(*dir, why); };
  if (S_ISLNK(st.st_mode)) return no("is a symbolic link; somebody could point it elsewhere");
  if (!S_ISDIR(st.st_mode)) return no("is no directory");
  if (st.st_uid != ::geteuid())
    return no("belongs to user " + std::to_string(st.st_uid) + ", not to user " + std::to_string(::geteuid()));
  if ((st.st_mode & 077) != 0) {
    char mode[8] = {static_cast<char>('0' + (st.st_mode >> 6 & 7)), static_cast<char>('0' + (st.st_mode >> 3 & 7)),
                    static_cast<char>('0' + (st.st_mode & 7)), 0};
    return no("is open to others (mode " + std::string(mode) + "); it must be 700");
  }
  return dir;
}

base::Result<std::string> shared_directory(std::string_view wish) {
  if (wish.empty()) return runtime_directory(wish);
  auto dir = made(wish);
  if (!dir) return dir;
  struct stat st;
  if (::stat(dir->c_str(), &st) != 0) return file_error("looking at the runtime directory", *dir, errno);
  if (!S_ISDIR(st.st_mode)) return no_good(*dir, "is no directory");
  if (st.st_uid != ::geteuid() && st.st_uid != 0) return no_good(*dir, "belongs to user " + std::to_string(st.st_uid));
  if ((st.st_mode & 022) != 0 && (st.st_mode & S_ISVTX) == 0)
    return no_good(*dir, "may be changed by others; it needs the sticky bit");
  return dir;
}

}  // namespace mw::local
