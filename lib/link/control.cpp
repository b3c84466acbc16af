#include "link/control.hpp"

#include "base/conf.hpp"

namespace mw::link {

namespace {

class ControlService final : public loop::Service {
 public:
  explicit ControlService(std::string name) : control(std::move(name)) {}
  void stop() override { control.stop(); }
  bool join(std::chrono::milliseconds limit) override { return control.join(limit); }
  net::Control control;
};

}  // namespace

net::Control& control_of(loop::Runtime& runtime) {
  auto s = runtime.service([&] {
    const std::string& name = runtime.conf().text(base::Opt::name);
    return std::make_shared<ControlService>((name.empty() ? "mw" : name.substr(0, 10)) + "-ctl");
  });
  return static_cast<ControlService&>(*s).control;
}

}  // namespace mw::link
