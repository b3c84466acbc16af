// Where the processes of one host meet: a private directory, checked before
// anything in it is believed. Used by link's channels and hubs. Any thread.
#pragma once
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace mw::local {

inline constexpr size_t kMaxName = 64;  // bytes of a name that becomes a file's

// wish: a directory of the user's (from / on, as the option says), or "": /run/user/<euid>/meshwork where that
// parent is there and ours, else /tmp/meshwork-<euid>. Made with mode 0700 where
// it is missing. MW_EDENIED names what is wrong with one that is there: a link,
// no directory, somebody else's, open to others.
base::Result<std::string> runtime_directory(std::string_view wish);

// One that others may read, too, such as /var/run: must be root's or ours, and
// nobody else may be able to put away what is in it. "" and one that is missing
// as above.
base::Result<std::string> shared_directory(std::string_view wish);

// A name that may become a file's: letters, digits, . _ -, not first a dot.
bool name_valid(std::string_view name) noexcept;

// What the system said about a file here, as a named error: a full or
// read-only disk, no right, anything else MW_EIO.
base::Error file_error(std::string_view doing, const std::string& file, int os);

}  // namespace mw::local
