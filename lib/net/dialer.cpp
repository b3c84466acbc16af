#include "net/dialer.hpp"

#include "net/attempt.hpp"
#include "net/own_fields.hpp"
#include "net/reactor.hpp"

namespace mw::net {

namespace {

using base::Opt;

class DialerImpl final : public Dialer, public std::enable_shared_from_this<DialerImpl> {
 public:
  DialerImpl(Control& control, std::shared_ptr<const base::Conf> conf, DialSink& sink)
      : control_(control), conf_(std::move(conf)), sink_(sink) {}

  void start() override { post(&DialerImpl::begin); }
  void cancel() override { post(&DialerImpl::end); }
  void stop() override { post(&DialerImpl::finish); }
  void update(std::shared_ptr<const base::Conf> conf) override {
    control_.post([self = shared_from_this(), conf = std::move(conf)]() mutable {
      self->conf_ = std::move(conf);
      self->tls_.reset();  // made anew by the next attempt
    });
  }

 private:
  void post(void (DialerImpl::*f)()) {
    control_.post([self = shared_from_this(), f] { (*self.*f)(); });
  }

  void begin() {
    if (stopping_) return sink_.refused(Refused{{MW_ECANCELED, 0, ""}});
    auto to = target_of(*conf_);
    if (to && to->tls && tls_ == nullptr) {
      auto made = TlsContext::client(*conf_);
      if (!made) return sink_.refused(Refused{made.error()});
      tls_ = std::move(*made);
    }
    attempt_ = std::make_shared<Attempt>(control_.impl().io, conf_, tls_, [this](int level, std::string line) {
      sink_.log(level, std::move(line));
    });
    attempt_->begin([self = shared_from_this()](Attempt::Outcome&& o) { self->ended(std::move(o)); });
  }

  void ended(Attempt::Outcome&& o) {
    attempt_.reset();
    if (auto* c = std::get_if<Connected>(&o)) {
      sink_.connected(std::move(*c));
    } else {
      sink_.refused(std::move(std::get<Refused>(o)));
    }
    if (stopping_) sink_.stopped();
  }

  void end() {
    if (attempt_ != nullptr) attempt_->end({MW_ECANCELED, 0, "the attempt to connect was cancelled"});
  }

  void finish() {
    if (std::exchange(stopping_, true)) return;
    if (attempt_ == nullptr) return sink_.stopped();
    end();
  }

  Control& control_;
  std::shared_ptr<const base::Conf> conf_;
  DialSink& sink_;
  std::shared_ptr<TlsContext> tls_;  // keeps the session to resume
  std::shared_ptr<Attempt> attempt_;
  bool stopping_ = false;
};

}  // namespace

std::shared_ptr<Dialer> Dialer::open(Control& control, std::shared_ptr<const base::Conf> conf, DialSink& sink) {
  return std::make_shared<DialerImpl>(control, std::move(conf), sink);
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
