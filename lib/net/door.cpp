#include "net/door.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace mw::net {

namespace {

using base::Error;
using base::Opt;

constexpr int kStream = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

Error bad(const std::string& item, const char* why) {
  return {MW_EOPTION, 0, "listen \"" + item + "\": " + why};
}

base::Result<Place> parse(const std::string& item) {
  Place e;
  std::string_view s(item);
  if (s.starts_with("unix:")) {
    e.kind = Place::Kind::local;
    e.file = s.substr(5);
    if (e.file.empty()) return bad(item, "name a file, as in unix:/run/app.sock");
    if (e.file.size() >= sizeof(sockaddr_un::sun_path)) return bad(item, "the path is longer than the 107 bytes a unix socket can have");
    return e;
  }
  auto number = [](std::string_view t, int max) {
    int n = -1;
    auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), n);
    return ec == std::errc() && end == t.data() + t.size() && n >= 0 && n <= max ? n : -1;
  };
  if (s.starts_with("fd:")) {
    e.kind = Place::Kind::adopted;
    e.fd = number(s.substr(3), 1 << 20);
    if (e.fd < 0) return bad(item, "name a descriptor, as in fd:3");
    return e;
  }
  if (!s.starts_with("tcp://")) return bad(item, "write tcp://host:port, unix:/path or fd:3");
  s.remove_prefix(6);
  size_t colon = s.rfind(':');
  if (colon == s.npos || colon == 0) return bad(item, "write tcp://host:port; port 0 means any");
  std::string_view host = s.substr(0, colon);
  int port = number(s.substr(colon + 1), 65535);
  if (port < 0) return bad(item, "the port must be 0 to 65535");
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad(item, "write tcp://host:port; host 0.0.0.0 or [::] means every interface");
  e.host = host;
  e.port = static_cast<uint16_t>(port);
  return e;
}

Error refused(const std::string& what, int os) {
  mw_status code = MW_EIO;
  const char* advice = "";
  switch (os) {
    case EADDRINUSE:
      code = MW_EADDRINUSE;
      advice = ": something else listens there";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = MW_EDENIED;
      advice = ": the system does not allow it to this user";
      break;
    case EADDRNOTAVAIL:
      code = MW_EUNREACH;
      advice = ": no interface of this machine has that address";
      break;
    case ENOENT:
    case ENOTDIR:
      advice = ": the directory does not exist";
      break;
    default: break;
  }
  return {code, os, "cannot listen on " + what + advice + " (" + std::strerror(os) + ")"};
}

std::string shown(const Address& a) {
  bool six = a.family == Address::Family::ipv6;
  return (six ? "[" : "") + a.text() + (six ? "]" : "");
}

// True if a process accepts connections at the socket file.
bool alive(const sockaddr_un& sa) {
  int fd = ::socket(AF_UNIX, kStream, 0);
  if (fd < 0) return true;
  int r = ::connect(fd, reinterpret_cast<const sockaddr*>(&sa), sizeof sa);
  int os = errno;
  ::close(fd);
  return r == 0 || (os != ECONNREFUSED && os != ENOENT);
}

}  // namespace

base::Result<std::vector<Place>> places(const base::Conf& conf) {
  std::vector<Place> all;
  for (const std::string& item : conf.list(Opt::listen)) {
    auto e = parse(item);
    if (!e) return e.error();
    all.push_back(std::move(*e));
  }
  if (all.empty()) {
    Place e;
    e.host = conf.text(Opt::host);
    if (e.host.size() > 2 && e.host.front() == '[' && e.host.back() == ']') e.host = e.host.substr(1, e.host.size() - 2);
    e.port = static_cast<uint16_t>(conf.num(Opt::port));
    if (e.host.empty()) return Error{MW_EOPTION, 0, "host is empty; 0.0.0.0 or :: means every interface"};
    all.push_back(std::move(e));
  }
  return all;
}

Door::Door(Door&& o) noexcept
    : fd_(std::exchange(o.fd_, -1)),
      port_(o.port_),
      host_(std::move(o.host_)),
      file_(std::move(o.file_)),
      made_(std::exchange(o.made_, false)),
      dev_(o.dev_),
      ino_(o.ino_) {}

Door::~Door() {
  if (fd_ >= 0) ::close(fd_);
  struct stat st;
  if (made_ && ::lstat(file_.c_str(), &st) == 0 && st.st_dev == dev_ && st.st_ino == ino_) ::unlink(file_.c_str());
}

base::Result<void> Door::learn() {
  sockaddr_storage sa{};
  socklen_t len = sizeof sa;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&sa), &len) != 0) return refused("the socket", errno);
  if (sa.ss_family == AF_UNIX) {
    auto& un = reinterpret_cast<const sockaddr_un&>(sa);
    file_.assign(un.sun_path, strnlen(un.sun_path, sizeof un.sun_path));
    if (file_.empty()) file_ = "@";
    return {};
  }
  Address a = address_of(sa);
  port_ = a.port;
  host_ = shown(a);
  return {};
}

base::Result<Door> Door::tcp(const sockaddr* at, socklen_t len, int backlog, bool reuse_port) {
  sockaddr_storage sa{};
  std::memcpy(&sa, at, len);
  Address address = address_of(sa);
  std::string what = shown(address) + ":" + std::to_string(address.port);
  Door d(::socket(at->sa_family, kStream, 0));
  if (d.fd_ < 0) return refused(what, errno);
  int one = 1, zero = 0;
  // A restarted provider must not wait for its old connections' TIME_WAIT.
  ::setsockopt(d.fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (reuse_port && ::setsockopt(d.fd_, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) return refused(what, errno);
  // "::" is every interface of both protocols, whatever the machine's default.
  if (at->sa_family == AF_INET6) ::setsockopt(d.fd_, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  if (::bind(d.fd_, at, len) != 0) return refused(what, errno);
  if (::listen(d.fd_, backlog) != 0) return refused(what, errno);
  if (auto r = d.learn(); !r) return r.error();
  return d;
}

base::Result<Door> Door::local(const std::string& file, int backlog) {
  std::string what = "unix:" + file;
  Door d(::socket(AF_UNIX, kStream, 0));
  if (d.fd_ < 0) return refused(what, errno);
  sockaddr_un sa{};
  sa.sun_family = AF_UNIX;
  std::memcpy(sa.sun_path, file.c_str(), file.size() + 1);
  auto bound = [&] { return ::bind(d.fd_, reinterpret_cast<sockaddr*>(&sa), sizeof sa) == 0; };
  if (!bound()) {
    int os = errno;
    struct stat st;
    if (os != EADDRINUSE) return refused(what, os);
    if (::lstat(file.c_str(), &st) == 0 && !S_ISSOCK(st.st_mode)) {
      return Error{MW_EADDRINUSE, os, "cannot listen on " + what + ": a file that is no socket is there"};
    }
    if (alive(sa)) return refused(what, os);
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return refused(what, errno);
    if (!bound()) return refused(what, errno);
  }
  d.file_ = file;
  struct stat st;
  if (::lstat(file.c_str(), &st) == 0) {
    d.made_ = true;
    d.dev_ = st.st_dev;
    d.ino_ = st.st_ino;
  }
  if (::listen(d.fd_, backlog) != 0) return refused(what, errno);
  return d;
}

base::Result<Door> Door::adopt(int fd) {
  std::string what = "fd:" + std::to_string(fd);
  auto option = [fd](int name) {
    int value = -1;
    socklen_t len = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
  };
  int type = option(SO_TYPE), domain = option(SO_DOMAIN);
  if (type != SOCK_STREAM || option(SO_ACCEPTCONN) != 1 || (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX)) {
    return Error{MW_EINVAL, 0, what + " is not a listening stream socket"};
  }
  // It was inherited, so it cannot have been born close-on-exec.
  int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return refused(what, errno);
  }
  Door d(fd);
  if (auto r = d.learn(); !r) {
    d.fd_ = -1;
    return r.error();
  }
  return d;
}

std::string Door::url(bool tls, const std::string& path) const {
  std::string scheme = tls ? "wss" : "ws";
  if (!file_.empty()) return scheme + "+unix:" + file_ + ":" + path;
  return scheme + "://" + host_ + ":" + std::to_string(port_) + path;
}

}  // namespace mw::net
