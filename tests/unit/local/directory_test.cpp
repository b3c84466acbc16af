#include "local/directory.hpp"

#include "kit/folder.hpp"

#include <gtest/gtest.h>

#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace mw::local {
namespace {

bool says(const base::Result<std::string>& r, mw_status code, const char* what) {
  return !r && r.error().code == code && r.error().text.find(what) != std::string::npos;
}

TEST(Directory, IsMadePrivateAndFoundAgain) {
  kit::Folder f;
  const std::string dir = f.file("run");
  const mode_t before = ::umask(0);
  auto made = runtime_directory(dir);
  ::umask(before);
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(*made, dir);
  struct stat st;
  ASSERT_EQ(::lstat(dir.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700u);
  EXPECT_TRUE(runtime_directory(dir));
  EXPECT_EQ(*runtime_directory(dir + "//"), dir);
}

TEST(Directory, TheUsualPlaceIsOursOrRefused) {
  auto usual = runtime_directory("");
  const std::string id = std::to_string(::geteuid());
  ASSERT_TRUE(usual) << usual.error().text;
  EXPECT_TRUE(*usual == "/run/user/" + id + "/meshwork" || *usual == "/tmp/meshwork-" + id) << *usual;
}

TEST(Directory, WhatIsWrongWithItIsNamed) {
  kit::Folder f;
  const std::string open = f.file("open"), file = f.write("file", ""), link = f.file("link"), good = f.file("good");
  ASSERT_EQ(::mkdir(open.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(open.c_str(), 0750), 0);
  EXPECT_TRUE(says(runtime_directory(open), MW_EDENIED, "open to others (mode 750)"));
  EXPECT_TRUE(says(runtime_directory(file), MW_EDENIED, "is no directory"));
  ASSERT_TRUE(runtime_directory(good));
  ASSERT_EQ(::symlink(good.c_str(), link.c_str()), 0);
  EXPECT_TRUE(says(runtime_directory(link), MW_EDENIED, "symbolic link"));
  ASSERT_EQ(::symlink(f.file("nowhere").c_str(), f.file("dangling").c_str()), 0);
  EXPECT_TRUE(says(runtime_directory(f.file("dangling")), MW_EDENIED, "symbolic link"));
  EXPECT_TRUE(says(runtime_directory(f.file("a/b")), MW_EIO, "No such file"));
  // Somebody else's: what root owns, or as root what nobody owns.
  if (::geteuid() != 0) {
    EXPECT_TRUE(says(runtime_directory("/usr"), MW_EDENIED, "belongs to user 0"));
  } else {
    const std::string foreign = f.file("foreign");
    ASSERT_EQ(::mkdir(foreign.c_str(), 0700), 0);
    ASSERT_EQ(::chown(foreign.c_str(), 65534, 65534), 0);
    EXPECT_TRUE(says(runtime_directory(foreign), MW_EDENIED, "belongs to user 65534"));
  }
}

TEST(Directory, NamesThatMayBecomeFiles) {
  for (const char* good : {"A", "control", "a.b-c_9", "0"}) EXPECT_TRUE(name_valid(good)) << good;
  for (const char* bad : {"", ".", "..", ".a", "a/b", "a b", "\xC3\xA4", "a:b"}) EXPECT_FALSE(name_valid(bad)) << bad;
  EXPECT_TRUE(name_valid(std::string(kMaxName, 'x')));
  EXPECT_FALSE(name_valid(std::string(kMaxName + 1, 'x')));
}

TEST(Directory, FullAndReadOnlyDisksAreNamed) {
  EXPECT_NE(file_error("writing", "/f", ENOSPC).text.find("disk is full"), std::string::npos);
  EXPECT_NE(file_error("writing", "/f", EROFS).text.find("read-only"), std::string::npos);
  EXPECT_EQ(file_error("writing", "/f", EROFS).code, MW_EDENIED);
  // Really: proc takes no directories of ours.
  auto r = runtime_directory("/proc/meshwork-test");
  EXPECT_FALSE(r);
}

}  // namespace
}  // namespace mw::local
