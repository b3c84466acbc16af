#include "net/resolver.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <ares.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

namespace mw::net {

namespace {

using SocketAddresses = std::vector<SocketAddress>;

SocketAddress address_of_ip(const in_addr& ip, uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr = ip;
  a.sin_port = htons(port);
  return {&a, sizeof a};
}

SocketAddress address_of_ip(const in6_addr& ip, uint16_t port, uint32_t scope = 0) {
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_addr = ip;
  a.sin6_port = htons(port);
  a.sin6_scope_id = scope;
  return {&a, sizeof a};
}

std::optional<SocketAddress> numeric(const std::string& host, uint16_t port) {
  in_addr v4;
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return address_of_ip(v4, port);
  in6_addr v6;
  std::string ip = host.substr(0, host.find('%'));  // RFC 4007: fe80::1%eth0
  if (::inet_pton(AF_INET6, ip.c_str(), &v6) != 1) return {};
  uint32_t scope = ip.size() < host.size() ? ::if_nametoindex(host.c_str() + ip.size() + 1) : 0;
  return address_of_ip(v6, port, scope);
}

// RFC 6761 section 6.3: these names never leave the host.
bool is_localhost(std::string host) {
  if (!host.empty() && host.back() == '.') host.pop_back();
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
  return host == "localhost" || host.ends_with(".localhost");
}

// Our sockets for c-ares: close-on-exec from birth, no SIGPIPE.
// os: where the last failure is told.
int open_socket(int family, int type, int protocol, void* os) {
  int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) *static_cast<int*>(os) = errno;
  return fd;
}
int connect_socket(ares_socket_t fd, const sockaddr* to, ares_socklen_t len, void*) { return ::connect(fd, to, len); }
ares_ssize_t receive(ares_socket_t fd, void* p, size_t n, int flags, sockaddr* from, ares_socklen_t* len, void*) {
  return ::recvfrom(fd, p, n, flags, from, len);
}
ares_ssize_t transmit(ares_socket_t fd, const iovec* v, int n, void*) {
  msghdr m{};
  m.msg_iov = const_cast<iovec*>(v);
  m.msg_iovlen = static_cast<size_t>(n);
  return ::sendmsg(fd, &m, MSG_NOSIGNAL);
}

// One question to c-ares: its sockets are watched by Asio, its clock by a timer.
class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  explicit Lookup(const asio::any_io_executor& ex) : ex_(ex), done_(ex), clock_(ex) {}
  ~Lookup() {  // also of a cancelled question: its sockets close here
    if (channel_ != nullptr) ares_destroy(channel_);
  }

  Task<void> ask(const std::string& host, const std::string& name_servers) {
    if ((status_ = open(name_servers)) != ARES_SUCCESS) co_return;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    status_ = kRunning;
    ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &answered, this);
    tick();
    while (status_ == kRunning) co_await done_.wait();
  }

  int status() const noexcept { return status_; }
  bool short_of_descriptors() const noexcept { return status_ == ARES_EFILE || os_ == EMFILE || os_ == ENFILE; }

  SocketAddresses take(uint16_t port) const {
    SocketAddresses all;
    for (const auto* n = answer_ ? answer_->nodes : nullptr; n != nullptr; n = n->ai_next) {
      if (n->ai_family == AF_INET) {
        all.push_back(address_of_ip(reinterpret_cast<const sockaddr_in*>(n->ai_addr)->sin_addr, port));
      } else if (n->ai_family == AF_INET6) {
        auto* a = reinterpret_cast<const sockaddr_in6*>(n->ai_addr);
        all.push_back(address_of_ip(a->sin6_addr, port, a->sin6_scope_id));
      }
    }
    return all;
  }

 private:
  static constexpr int kRunning = -1;

  struct Watch {
    Watch(const asio::any_io_executor& ex, int fd) : descriptor(ex, fd) {}
    ~Watch() { let_go(); }
    // c-ares closes it; Asio must have forgotten the number before.
    void let_go() {
      if (descriptor.is_open()) (void)descriptor.release();
    }
    asio::posix::stream_descriptor descriptor;
    bool want[2] = {};     // what c-ares wants to hear of: read, write
    bool waiting[2] = {};  // what Asio waits for
  };

  int open(const std::string& name_servers) {
    // Reads constants only, but the manual asks for it. Never undone: no atexit.
    static std::once_flag once;
    std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
    ares_options o{};
    o.flags = ARES_FLAG_NOALIASES;  // HOSTALIASES is an environment variable
    o.sock_state_cb = [](void* p, ares_socket_t fd, int r, int w) {
      auto* self = static_cast<Lookup*>(p);
      try {
        self->watch(fd, r, w);
      } catch (...) {  // C code is above us
        self->end(ARES_ENOMEM);
      }
    };
    o.sock_state_cb_data = this;
    int rc = ares_init_options(&channel_, &o, ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB);
    if (rc != ARES_SUCCESS) return channel_ = nullptr, rc;
    static const ares_socket_functions functions = {
        open_socket, [](ares_socket_t fd, void*) { return ::close(fd); }, connect_socket, receive, transmit};
    ares_set_socket_functions(channel_, &functions, &os_);
    return name_servers.empty() ? ARES_SUCCESS : ares_set_servers_ports_csv(channel_, name_servers.c_str());
  }

  static void answered(void* p, int status, int, ares_addrinfo* answer) {
    auto* self = static_cast<Lookup*>(p);
    self->answer_.reset(answer);
    self->end(status);
  }

  void end(int status) {
    if (status_ == kRunning) status_ = status;
    done_.ring();
  }

  // c-ares wants to hear of a socket; neither: it is about to close it.
  void watch(int fd, int readable, int writable) {
    if (!readable && !writable) {
      // A pending wait keeps the Watch alive, but not its descriptor.
      if (auto it = watches_.find(fd); it != watches_.end()) it->second->let_go(), watches_.erase(it);
      return;
    }
    auto it = watches_.find(fd);
    if (it == watches_.end()) it = watches_.emplace(fd, std::make_shared<Watch>(ex_, fd)).first;
    auto& w = it->second;
    w->want[0] = readable != 0;
    w->want[1] = writable != 0;
    arm(w);
  }

  void arm(const std::shared_ptr<Watch>& w) {
    for (int way : {0, 1}) {
      if (!w->want[way] || std::exchange(w->waiting[way], true)) continue;
      auto kind = way == 0 ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
      w->descriptor.async_wait(kind, [weak = weak_from_this(), w, way](boost::system::error_code ec) {
        w->waiting[way] = false;
        auto self = weak.lock();
        if (!ec && self != nullptr && w->descriptor.is_open()) self->ready(w, way);
      });
    }
  }

  void ready(const std::shared_ptr<Watch>& w, int way) {
    int fd = w->descriptor.native_handle();
    ares_process_fd(channel_, way == 0 ? fd : ARES_SOCKET_BAD, way == 1 ? fd : ARES_SOCKET_BAD);
    try {
      if (w->descriptor.is_open()) arm(w);  // unless c-ares has closed it
      tick();
    } catch (const std::bad_alloc&) {
      end(ARES_ENOMEM);
    }
  }

  // Resending and giving up are by c-ares's own clock.
  void tick() {
    timeval tv{};
    if (status_ != kRunning || ares_timeout(channel_, nullptr, &tv) == nullptr) return;
    clock_.expires_after(std::chrono::seconds(tv.tv_sec) + std::chrono::microseconds(tv.tv_usec));
    clock_.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
      auto self = weak.lock();
      if (ec || self == nullptr) return;
      ares_process_fd(self->channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->tick();
    });
  }

  struct FreeAnswer {
    void operator()(ares_addrinfo* a) const noexcept { ares_freeaddrinfo(a); }
  };
  asio::any_io_executor ex_;
  Bell done_;
  asio::steady_timer clock_;
  ares_channel channel_ = nullptr;
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::unique_ptr<ares_addrinfo, FreeAnswer> answer_;
  int status_ = kRunning;
  int os_ = 0;
};

base::Error failure(const std::string& host, int status) {
  std::string name = "\"" + host + "\"";
  switch (status) {
    case ARES_ENOMEM: return {MW_ENOMEM, 0, "no memory to resolve " + name};
    case ARES_ENOTFOUND: return {MW_ERESOLVE, 0, "there is no host " + name + "; check its spelling"};
    case ARES_ENODATA: return {MW_ERESOLVE, 0, "host " + name + " has no address"};
    case ARES_ECONNREFUSED:
    case ARES_ETIMEOUT: return {MW_ERESOLVE, 0, "no name server answered about " + name};
    default: return {MW_ERESOLVE, 0, "cannot resolve " + name + ": " + ares_strerror(status)};
  }
}

}  // namespace

Task<base::Result<SocketAddresses>> resolve(std::string host, uint16_t port, std::string name_servers) {
  if (auto e = numeric(host, port)) co_return SocketAddresses{*e};
  // IPv4 first: providers listen on 0.0.0.0 unless told otherwise.
  if (is_localhost(host)) co_return SocketAddresses{*numeric("127.0.0.1", port), *numeric("::1", port)};
  auto lookup = std::make_shared<Lookup>(co_await asio::this_coro::executor);
  co_await lookup->ask(host, name_servers);
  if (lookup->status() != ARES_SUCCESS) {
    if (lookup->short_of_descriptors()) co_return base::Error{MW_EIO, EMFILE, "no descriptor left to resolve \"" + host + "\""};
    co_return failure(host, lookup->status());
  }
  SocketAddresses all = interleave(lookup->take(port));
  if (all.empty()) co_return failure(host, ARES_ENODATA);
  co_return all;
}

std::vector<SocketAddress> interleave(std::vector<SocketAddress> sorted) {
  SocketAddresses turns;
  while (!sorted.empty()) {
    auto next = std::find_if(sorted.begin(), sorted.end(), [&](const SocketAddress& e) {
      return turns.empty() || e.data()->sa_family != turns.back().data()->sa_family;
    });
    if (next == sorted.end()) next = sorted.begin();
    turns.push_back(*next);
    sorted.erase(next);
  }
  return turns;
}

std::string text_of(const SocketAddress& e) {
  char z[INET6_ADDRSTRLEN] = "";
  const sockaddr* sa = e.data();
  if (sa->sa_family == AF_INET) {
    auto* a = reinterpret_cast<const sockaddr_in*>(sa);
    ::inet_ntop(AF_INET, &a->sin_addr, z, sizeof z);
    return std::string(z) + ":" + std::to_string(ntohs(a->sin_port));
  }
  if (sa->sa_family == AF_INET6) {
    auto* a = reinterpret_cast<const sockaddr_in6*>(sa);
    ::inet_ntop(AF_INET6, &a->sin6_addr, z, sizeof z);
    return "[" + std::string(z) + "]:" + std::to_string(ntohs(a->sin6_port));
  }
  auto* a = reinterpret_cast<const sockaddr_un*>(sa);
  return "unix:" + std::string(a->sun_path, ::strnlen(a->sun_path, e.size() - offsetof(sockaddr_un, sun_path)));
}

}  // namespace mw::net
