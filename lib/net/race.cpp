#include "net/race.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mw::net {

namespace {

mw_status code_of(int os) {
  switch (os) {
    case ECONNREFUSED:
    case ENOENT:  // no unix socket of that name
    case EAGAIN:  // a unix socket's backlog is full
      return MW_EREFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EPERM:  // a firewall of this host
      return MW_EUNREACH;
    case ETIMEDOUT: return MW_ETIMEDOUT;
    case ECONNRESET: return MW_ERESET;
    default: return MW_EIO;
  }
}

// Which of several failures tells the user most: a refusal proves that the
// host is there; lack of descriptors is ours to cure.
int weight(int os) {
  if (os == EMFILE || os == ENFILE) return 3;
  switch (code_of(os)) {
    case MW_EREFUSED: return 2;
    case MW_EUNREACH: return 0;
    default: return 1;
  }
}

// Takes the descriptor over, or closes it.
boost::system::error_code assign(Stream::Socket& socket, int family, int fd) {
  boost::system::error_code ec;
  try {
    socket.assign(asio::generic::stream_protocol(family, 0), fd, ec);
  } catch (...) {
    ::close(fd);
    throw;
  }
  if (ec) ::close(fd);
  return ec;
}

struct Race {
  explicit Race(const asio::any_io_executor& e) : ex(e), bell(e) {}

  struct Runner {
    explicit Runner(const asio::any_io_executor& ex) : socket(ex) {}
    Stream::Socket socket;
    SocketAddress to;
  };

  void failed(const SocketAddress& to, int os) {
    if (worst == 0 || weight(os) > weight(worst)) worst = os;
    if (!told.empty()) told += ", ";
    told += text_of(to) + " " + std::strerror(os);
  }

  // Begins one attempt; false where it failed at once.
  static bool begin(const std::shared_ptr<Race>& race, const SocketAddress& to) {
    int family = to.data()->sa_family;
    auto runner = std::make_shared<Runner>(race->ex);
    runner->to = to;
    race->runners.reserve(race->runners.size() + 1);
    int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return race->failed(to, errno), false;
    int on = 1;
    if (family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    boost::system::error_code ec = assign(runner->socket, family, fd);
    if (ec) return race->failed(to, ec.value()), false;
    race->runners.push_back(runner);
    runner->socket.async_connect(to, [race, runner](boost::system::error_code result) {
      if (race->over) return;
      race->bell.ring();  // first: what follows may lack memory
      std::erase(race->runners, runner);
      if (!result && race->winner == nullptr) race->winner = runner;
      if (result) race->failed(runner->to, result.value());
    });
    return true;
  }

  asio::any_io_executor ex;
  Bell bell;
  std::vector<std::shared_ptr<Runner>> runners;
  std::shared_ptr<Runner> winner;
  bool over = false;
  int worst = 0;
  std::string told;
};

// Ends the others however the coroutine ends.
struct Finish {
  std::shared_ptr<Race> race;
  ~Finish() {
    race->over = true;
    boost::system::error_code ignored;
    for (auto& r : race->runners) r->socket.close(ignored);
    race->runners.clear();
  }
};

}  // namespace

Task<base::Result<Winner>> race(std::vector<SocketAddress> addresses, std::chrono::milliseconds stagger, std::string host) {
  auto race = std::make_shared<Race>(co_await asio::this_coro::executor);
  Finish finish{race};
  auto next = addresses.begin();
  while (race->winner == nullptr) {
    if (next == addresses.end()) {
      if (race->runners.empty()) break;
      co_await race->bell.wait();
      continue;
    }
    if (!Race::begin(race, *next++)) continue;
    // A failure of any runner rings and brings the next one's start forward.
    co_await race->bell.wait(stagger);
  }
  if (race->winner != nullptr) {
    co_return Winner{Stream(std::move(race->winner->socket)), race->winner->to};
  }
  mw_status code = code_of(race->worst);
  std::string text = addresses.size() == 1 ? "cannot connect to " : "no address of " + host + " can be reached: ";
  co_return base::Error{code, race->worst, text + race->told};
}

}  // namespace mw::net
