#include "net/dialer.hpp"

#include "net/attempt.hpp"
#include "base/insist.hpp"
#include "net/own_fields.hpp"
#include "net/reactor.hpp"

namespace mw::net {

namespace {

using base::Opt;

class DialerImpl final : public Dialer, public std::enable_shared_from_this<DialerImpl> {
 public:
  DialerImpl(Control& control, std::shared_ptr<const base::Conf> conf, DialSink& sink, std::optional<wire::Dialect> bare)
      : control_(control), conf_(std::move(conf)), sink_(sink), bare_(bare) {}

  void start() override {
    if (auto r = control_.start(); !r) return sink_.refused(Refused{r.error()});
    post([self = shared_from_this()] { self->begin(); });
  }
  void cancel() override {
    if (control_.start()) post([self = shared_from_this()] { self->end(); });
  }
  void stop() override {
    if (!control_.start()) return sink_.stopped();
    post([self = shared_from_this()] { self->finish(); });
  }
  void update(std::shared_ptr<const base::Conf> conf) override {
    auto take = [self = shared_from_this(), conf = std::move(conf)] {
      self->conf_ = conf;
      self->tls_.reset();  // made anew by the next attempt
    };
    if (!control_.start()) return take();  // there is no other thread
    post(take);
  }

 private:
  // An outcome is owed, so none of these may be lost for want of memory.
  template <class F>
  void post(const F& f) {
    base::insist([&] { control_.post(f); });
  }

  void begin() {
    owed_ = true;
    if (stopping_) return refuse(Refused{{MW_ECANCELED, 0, ""}});
    try {
      attempt();
    } catch (const std::bad_alloc&) {
      attempt_.reset();
      refuse(Refused{{MW_ENOMEM, 0, ""}});
    }
  }

  void attempt() {
    auto to = target_of(*conf_);
    if (to && to->tls && tls_ == nullptr) {
      auto made = TlsContext::client(*conf_);
      if (!made) return refuse(Refused{made.error()});
      tls_ = std::move(*made);
    }
    attempt_ = std::make_shared<Attempt>(control_.impl().io, conf_, tls_, bare_, [this](int level, std::string line) {
      sink_.log(level, std::move(line));
    });
    attempt_->begin([self = shared_from_this()](Attempt::Outcome&& o) { self->ended(std::move(o)); });
  }

  void ended(Attempt::Outcome&& o) {
    attempt_.reset();
    if (auto* c = std::get_if<Connected>(&o)) {
      try {
        sink_.connected(std::move(*c));
        owed_ = false;
      } catch (const std::bad_alloc&) {
        refuse(Refused{{MW_ENOMEM, 0, ""}});
      }
    } else {
      refuse(std::move(std::get<Refused>(o)));
    }
    if (stopping_) base::insist([&] { sink_.stopped(); });
  }

  void refuse(Refused r) {
    if (!std::exchange(owed_, false)) return;
    base::insist([&] {
      Refused copy = r;
      sink_.refused(std::move(copy));
    });
  }

  void end() {
    if (attempt_ != nullptr) attempt_->end({MW_ECANCELED, 0, "the attempt to connect was cancelled"});
  }

  void finish() {
    if (std::exchange(stopping_, true)) return;
    if (attempt_ == nullptr) return base::insist([&] { sink_.stopped(); });
    end();
  }

  Control& control_;
  std::shared_ptr<const base::Conf> conf_;
  DialSink& sink_;
  const std::optional<wire::Dialect> bare_;
  std::shared_ptr<TlsContext> tls_;  // keeps the session to resume
  std::shared_ptr<Attempt> attempt_;
  bool owed_ = false;  // an outcome
  bool stopping_ = false;
};

}  // namespace

std::shared_ptr<Dialer> Dialer::open(Control& control, std::shared_ptr<const base::Conf> conf, DialSink& sink,
                                     std::optional<wire::Dialect> bare) {
  return std::make_shared<DialerImpl>(control, std::move(conf), sink, bare);
}

base::Result<void> Dialer::check(const base::Conf& conf) {
  auto to = target_of(conf);
  if (!to) return to.error();
  if (const std::string& proxy = conf.text(Opt::proxy); !proxy.empty()) {
    if (auto p = proxy_of(proxy); !p) return p.error();
  }
  if (auto r = check_headers(members(conf.text(Opt::headers))); !r) return r;
  if (to->tls) {
    if (auto t = TlsContext::client(conf); !t) return t.error();
  }
  return {};
}

}  // namespace mw::net
