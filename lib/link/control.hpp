// The control thread of a context as a service of its runtime, made by the
// first provider or consumer. Any thread.
#pragma once
#include "loop/runtime.hpp"
#include "net/control.hpp"

namespace mw::link {

net::Control& control_of(loop::Runtime& runtime);

}  // namespace mw::link
